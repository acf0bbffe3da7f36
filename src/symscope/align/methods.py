"""Every way symscope has of saying where a variable is, with one signature, to be compared.

A method takes a claim (an alignment of one variable to a site, in random axes of the claimed
number), the pairs, how long to search and a seed, and gives the alignment it believes in.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from torch import Tensor

from symscope.align.boundless import boundless
from symscope.align.chosen import neurons, principal_axes, probe_axes
from symscope.align.das import coordinates, fit
from symscope.align.descend import Search
from symscope.align.masking import masked
from symscope.align.swap import Swap, Swaps
from symscope.alignment import Alignment, Handle
from symscope.featurizer import Featurizer, Identity, Linear, Reversible, Rotation

Method = Callable[[Alignment, Swaps, Search, int], Alignment]
STARTS = 6
"""From how many random rotations DAS begins; each has a third of the steps, the best has all."""


def das(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """Distributed alignment search from several random rotations, the best one longest.

    From one start the search ends in a local optimum for about one true claim in three.
    """
    short = replace(search, steps=max(1, search.steps // 3), most=max(1, search.steps // 3))
    found: list[tuple[float, Alignment]] = []
    for start in range(STARTS):
        begun = _with(claim, partial(Rotation, seed=seed + 101 * start))
        tried = fit(begun, [pairs.fit], [pairs.validation], short, seed + start)
        found.append((_iia(tried, pairs.validation), tried))
        if found[-1][0] == 1:
            return tried
    best = max(found, key=lambda pair: pair[0])[1]
    return fit(best, [pairs.fit], [pairs.validation], search, seed)


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


def linear_map(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """A linear alignment function: any invertible linear map instead of a rotation."""
    return _flexible(claim, pairs, search, seed, lambda w, _: Linear(w, w, seed))


def reversible_map(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """An invertible non-linear map: a caution."""
    return _flexible(claim, pairs, search, seed, lambda w, _: Reversible(w, w, seed))


def boundless_das(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """DAS that learns how many dimensions it needs (Wu et al., 2023)."""
    ((variable, handle),) = claim.handles.items()
    return boundless(
        claim.program, variable, handle.site, pairs.fit, pairs.validation, search, seed
    )


def masking(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """Units chosen by a mask that is fitted (De Cao et al., 2020; Davies et al., 2023)."""
    ((variable, handle),) = claim.handles.items()
    return masked(claim.program, variable, handle.site, pairs.fit, pairs.validation, search, seed)


def best_neurons(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """As many units as claimed, those that correlate best with the variable."""
    return _with(claim, lambda _, k: neurons(pairs.fit.source, _values(claim, pairs), k))


def widest_axes(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
    """As many principal axes as claimed."""
    return _with(claim, lambda _, k: principal_axes(pairs.fit.source, k))


def probe(claim: Alignment, pairs: Swaps, search: Search, seed: int) -> Alignment:
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
    "masking": masking,
    "das": das,
    "das_once": das_once,
    "boundless": boundless_das,
    "multitask": cause_and_isolate,
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


def _iia(found: Alignment, swap: Swap) -> float:
    handle = next(iter(found.handles.values()))
    right = swap.right(handle.featurizer, coordinates(found, swap))
    return float(right.float().mean())
