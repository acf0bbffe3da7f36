"""Distributed alignment search: fit coordinates so that swapping them does what the program says.

Geiger et al. (2023), in the form of Grant et al. (2025): h' = Rᵀ[(I − D) R h_base + D R h_source],
cross-entropy on the program's answers after the swap, the network frozen. With a `Linear`
featurizer the same loop fits a linear alignment function, and with several variables it fits
disjoint blocks of one map, among them a null block whose swap shall change nothing.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from symscope.align.swap import Swap
from symscope.alignment import Alignment, Handle
from symscope.evidence import ComputationFailed, SymscopeError
from symscope.featurizer import Featurizer
from symscope.site import Site

NULL = "null"
"""The block of an alignment that belongs to no variable."""


@dataclass(frozen=True)
class Search:
    """How long to search: `steps`, then 500 more as long as validation IIA gains 0.002."""

    steps: int = 1000
    more: int = 500
    gain: float = 0.002
    most: int = 5000
    batch: int = 512
    rate: float = 3e-3


DEFAULT = Search()


def blocks(program: str, site: Site, featurizer: Featurizer, sizes: Mapping[str, int]) -> Alignment:
    """An alignment to start from: each variable gets the next `size` coordinates.

    The name "null" stands for a block that belongs to no variable.
    """
    if sum(sizes.values()) > featurizer.size:
        raise SymscopeError(
            f"blocks {dict(sizes)} need {sum(sizes.values())} coordinates,"
            f" the featurizer has {featurizer.size}"
        )
    handles, first = {}, 0
    for variable, size in sizes.items():
        handles[variable] = Handle(site, featurizer, tuple(range(first, first + size)))
        first += size
    return Alignment(program, handles)


def fit(
    start: Alignment,
    swaps: Sequence[Swap],
    validation: Sequence[Swap],
    search: Search = Search(),
    seed: int = 0,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Alignment:
    """The alignment, among those met from `start` on, with the best validation IIA.

    Each swap holds the pairs for one set of variables, which share one featurizer; with several
    swaps they take turns. `start` itself is left as it is. Raises `ComputationFailed` on NaN.
    """
    alignment = copy.deepcopy(start)
    featurizer = _shared(alignment, swaps)
    optimiser = torch.optim.Adam(featurizer.parameters(), lr=search.rate)
    generator = torch.Generator().manual_seed(seed)
    best, best_state = -1.0, copy.deepcopy(featurizer.state_dict())
    best_at: dict[int, float] = {}
    step, until = 0, search.steps
    while step < until:
        for swap in swaps:
            rows = torch.randint(len(swap), (min(search.batch, len(swap)),), generator=generator)
            loss = swap.loss(featurizer, coordinates(alignment, swap), rows)
            if not torch.isfinite(loss):
                raise ComputationFailed(f"the loss is {loss.item()} at alignment step {step + 1}")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        step += 1
        if step % (search.more // 2) and step != until:
            continue
        score = sum(_iia(alignment, swap) for swap in validation) / len(validation)
        progress(step, until, f"loss {loss.item():.4f}, validation IIA {score:.3f}")
        if score > best:
            best, best_state = score, copy.deepcopy(featurizer.state_dict())
        best_at[step] = best
        gained = best - best_at.get(step - search.more, -1.0)
        if step == until and gained >= search.gain and until < search.most:
            until += search.more
    featurizer.load_state_dict(best_state)
    return alignment


def coordinates(alignment: Alignment, swap: Swap) -> list[int]:
    """The coordinates that the swap of these pairs' variables replaces."""
    names = swap.pairs.variables or (NULL,)
    return [c for name in names for c in alignment[name].coordinates]


def _iia(alignment: Alignment, swap: Swap) -> float:
    featurizer = next(iter(alignment.handles.values())).featurizer
    return float(swap.right(featurizer, coordinates(alignment, swap)).float().mean())


def _shared(alignment: Alignment, swaps: Sequence[Swap]) -> Featurizer:
    featurizers = {id(h.featurizer): h.featurizer for h in alignment.handles.values()}
    if len(featurizers) != 1:
        raise SymscopeError("variables that are fitted together need one featurizer")
    featurizer = next(iter(featurizers.values()))
    if not list(featurizer.parameters()):
        raise SymscopeError(f"{type(featurizer).__name__} has nothing to fit")
    for swap in swaps:
        if swap.width != featurizer.width:
            raise SymscopeError(
                f"the featurizer is for a width of {featurizer.width}, the site has {swap.width}"
            )
    return featurizer
