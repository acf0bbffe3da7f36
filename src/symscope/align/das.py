"""Distributed alignment search: fit coordinates so that swapping them does what the program says.

Geiger et al. (2023), in the form of Grant et al. (2025): h' = Rᵀ[(I − D) R h_base + D R h_source],
cross-entropy on the program's answers after the swap, the network frozen. With a `Linear`
featurizer the same loop fits a linear alignment function, and with several variables it fits
disjoint blocks of one map, among them a null block whose swap shall change nothing.
"""

import copy
from collections.abc import Callable, Sequence

from symscope.align.descend import DEFAULT, Loss, Search, descend
from symscope.align.swap import Interchange
from symscope.alignment import Alignment
from symscope.evidence import SymscopeError
from symscope.featurizer import Featurizer

NULL = "null"
"""The block of an alignment that belongs to no variable."""


def fit(
    start: Alignment,
    swaps: Sequence[Interchange],
    validation: Sequence[Interchange],
    search: Search = DEFAULT,
    seed: int = 0,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Alignment:
    """The alignment, among those met from `start` on, with the best validation score.

    Each swap holds the pairs for one set of variables, which share one featurizer; with several
    swaps they take turns. `start` itself is left as it is. Raises `ComputationFailed` on NaN.
    """
    alignment = copy.deepcopy(start)
    featurizer = _shared(alignment, swaps).to(swaps[0].source)  # its precision and its device

    def loss_on(swap: Interchange) -> tuple[int, Loss]:
        chosen = coordinates(alignment, swap)
        return len(swap), lambda rows, _: swap.loss(featurizer, chosen, rows)

    def score() -> float:
        return sum(iia(alignment, swap) for swap in validation) / len(validation)

    descend(featurizer, list(map(loss_on, swaps)), score, search, seed, progress)
    return alignment


def coordinates(alignment: Alignment, swap: Interchange) -> list[int]:
    """The coordinates that the swap of these pairs' variables replaces."""
    names = swap.pairs.variables or (NULL,)
    return [c for name in names for c in alignment[name].coordinates]


def iia(alignment: Alignment, swap: Interchange) -> float:
    """The share of pairs for which every scored answer after the swap is right.

    Of pairs whose answers are numbers it is their own score, the interchange R².
    """
    featurizer = next(iter(alignment.handles.values())).featurizer
    return swap.score(featurizer, coordinates(alignment, swap))


def _shared(alignment: Alignment, swaps: Sequence[Interchange]) -> Featurizer:
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
