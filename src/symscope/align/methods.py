"""Every way symscope has of saying where a variable is, with one signature, to be compared.

A method takes a claim (an alignment of one variable to a site, in random axes of the claimed
number), the pairs, how long to search and a seed, and gives the alignment it believes in.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from symscope.align.boundless import boundless
from symscope.align.chosen import neurons, principal_axes, probe_axes
from symscope.align.das import coordinates, fit, iia
from symscope.align.descend import DEFAULT, Search, descend
from symscope.align.masking import masked
from symscope.align.swap import Swap, Swaps
from symscope.alignment import Alignment, Handle
from symscope.featurizer import Featurizer, Identity, Linear, Reversible, Rotation

Method = Callable[[Alignment, Swaps, Search, int], Alignment]
SLOWER = (2, 4, 16)
"""By what the rate is divided, in turn, where a search is refined."""
HOPELESS = 0.8
"""A validation IIA from which lower rates do not lead to a finding."""
STARTS = 5
"""From how many random rotations DAS begins besides the probe's axes."""


def das(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """Distributed alignment search from several starts: a probe's axes, and random rotations.

    From one random rotation the search often ends in a local optimum. Each start has a third of the
    steps, until one scores without a mistake; the best goes on at lower and lower rates.
    """
    short = replace(search, steps=max(1, search.steps // 3), most=max(1, search.steps // 3))
    random = [partial(Rotation, seed=seed + 101 * start) for start in range(STARTS)]
    starts = [*([] if _values(claim, pairs).unique().numel() < 2 else [probe(claim, pairs)]),
              *(_with(claim, make) for make in random)]  # fmt: skip
    best, highest = starts[0], -1.0
    for number, start in enumerate(starts):
        tried = fit(start, [pairs.fit], [pairs.validation], short, seed + number)
        score = iia(tried, pairs.validation)
        if score > highest:
            best, highest = tried, score
        if highest == 1:
            break
    return _refined(best, pairs, search, seed)


def _refined(found: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """The same search at ever lower rates; of equal validation IIAs the lower loss is kept."""
    handle, chosen = next(iter(found.handles.values())), coordinates(found, pairs.fit)
    everything = torch.arange(len(pairs.validation))

    def loss(rows: Tensor, _: float) -> Tensor:
        return pairs.fit.loss(handle.featurizer, chosen, rows)

    def score() -> float:
        with torch.no_grad():
            missed = pairs.validation.loss(handle.featurizer, chosen, everything)
        return iia(found, pairs.validation) - 0.01 * min(1.0, float(missed))

    slow = replace(search, most=search.steps, more=max(2, search.steps // 5))
    for part in SLOWER:
        slower = replace(slow, rate=search.rate / part)
        best = descend(handle.featurizer, [(len(pairs.fit), loss)], score, slower, seed + part)
        if best > 1 - 1e-4 or best < HOPELESS:
            break
    return found


def das_once(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """The same from one random rotation, as it is mostly published."""
    begun = _with(claim, partial(Rotation, seed=seed))
    return fit(begun, [pairs.fit], [pairs.validation], search, seed)


def cause_and_isolate(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """Multi-task DAS (Huang et al., 2024): in every second step the source holds the same value.

    Then the swap shall change nothing, whatever else base and source differ in.
    """
    ((variable, _),) = claim.handles.items()
    labels = pairs.fit.pairs.labels
    same = labels[f"{variable}.base"] == labels[f"{variable}.source"]
    if not bool(same.any()):
        return das_once(claim, pairs, search, seed)
    isolate = pairs.fit.only(same.nonzero()[:, 0])
    begun = _with(claim, partial(Rotation, seed=seed))
    return fit(begun, [pairs.fit, isolate], [pairs.validation], search, seed)


def das_with_null(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """The variable and all the rest in two blocks of one full rotation.

    Swapping the rest shall change nothing where base and source differ in this variable alone.
    """
    (variable,) = claim.handles
    labels = pairs.fit.pairs.labels
    named = {key.rsplit(".", 1)[0] for key in labels if key.endswith(".source")}
    others = [labels[f"{n}.base"] == labels[f"{n}.source"] for n in named - {variable}]
    alone = torch.stack([torch.ones(len(pairs.fit), dtype=torch.bool), *others]).all(0)
    begun = _with(claim, lambda w, _: Rotation(w, w, seed).to(pairs.fit.source))
    if bool(alone.any()):
        rest = pairs.fit.only(alone.nonzero()[:, 0]).unchanged()
        return _with_rest(begun, pairs, rest, search, seed)
    return fit(begun, [pairs.fit], [pairs.validation], search, seed)


def _with_rest(begun: Alignment, pairs: Swaps, rest: Swap, search: Search, seed: int) -> Alignment:
    handle = next(iter(begun.handles.values()))
    others = [c for c in range(handle.featurizer.width) if c not in handle.coordinates]

    def cause(rows: Tensor, _: float) -> Tensor:
        return pairs.fit.loss(handle.featurizer, handle.coordinates, rows)

    def null(rows: Tensor, _: float) -> Tensor:
        return rest.loss(handle.featurizer, others, rows)

    def score() -> float:
        return iia(begun, pairs.validation)

    losses = [(len(pairs.fit), cause), (len(rest), null)]
    descend(handle.featurizer, losses, score, search, seed)
    return begun


def linear_map(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """A linear alignment function: any invertible linear map instead of a rotation."""
    return _flexible(claim, pairs, search, seed, lambda w, _: Linear(w, w, seed))


def reversible_map(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """An invertible non-linear map: a caution."""
    return _flexible(claim, pairs, search, seed, lambda w, _: Reversible(w, w, seed))


def best_neurons(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """As many units as claimed, those that correlate best with the variable."""
    return _with(claim, lambda _, k: neurons(pairs.fit.source, _values(claim, pairs), k))


def widest_axes(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """As many principal axes as claimed."""
    return _with(claim, lambda _, k: principal_axes(pairs.fit.source, k))


def probe(claim: Alignment, pairs: Swaps, search: Search = DEFAULT, seed: int = 0) -> Alignment:
    """As many directions as claimed, along which linear probes read the variable."""
    return _with(claim, lambda _, k: probe_axes(pairs.fit.source, _values(claim, pairs), k))


def full_site(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """The whole vector."""
    return _with(claim, lambda w, _: Identity(w), whole=True)


METHODS: Mapping[str, Method] = {
    "full_site": full_site,
    "neurons": best_neurons,
    "pca": widest_axes,
    "probe": probe,
    "masking": masked,
    "das": das,
    "das_once": das_once,
    "boundless": boundless,
    "multitask": cause_and_isolate,
    "null": das_with_null,
    "linear": linear_map,
    "reversible": reversible_map,
}


def _with(
    claim: Alignment, make: Callable[[int, int], Featurizer], whole: bool = False
) -> Alignment:
    """The claim in other coordinates of its site: `make(width, size)`."""
    ((variable, handle),) = claim.handles.items()
    width, size = handle.featurizer.width, len(handle.coordinates)
    made = make(width, size)
    chosen = tuple(range(width if whole else size))
    return Alignment(claim.program, {variable: Handle(handle.site, made, chosen)})


def _flexible(
    claim: Alignment, pairs: Swaps, search: Search, seed: int,
    make: Callable[[int, int], Featurizer],
) -> Alignment:  # fmt: skip
    return fit(_with(claim, make), [pairs.fit], [pairs.validation], search, seed)


def _values(claim: Alignment, pairs: Swaps) -> Tensor:
    (variable,) = claim.handles
    return pairs.fit.pairs.labels[f"{variable}.source"].double()
