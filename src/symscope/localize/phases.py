"""When did it come to be? Plateaus of a curve over training, and the first checkpoint past half."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from symscope.evidence import SymscopeError

STAYS = 3
"""Checkpoints for which a curve has to stay above a level, or to the end."""
NEAR = 0.1
"""A plateau is left, or reached, within this share of the step to its neighbour."""


@dataclass(frozen=True)
class Phase:
    """A plateau: its level, and the steps of the first and the last checkpoint on it."""

    level: float
    first: int
    last: int


def plateaus(steps: Sequence[int], curve: Sequence[float], count: int = 3) -> list[Phase]:
    """`count` plateaus of a curve that was measured at `steps`, in order.

    Change points are those of the piecewise constant curve, of `count` pieces, with the least
    squared error (dynamic programming; Bellman, 1961), each piece at least `STAYS` checkpoints. A
    level is a piece's median; a plateau ends at the last checkpoint within `NEAR` of the step to
    the next level, and begins where the curve first stays within it of its own. Raises
    `SymscopeError` for fewer checkpoints than that takes.
    """
    values = np.asarray(curve, dtype=float)
    if len(values) != len(steps):
        raise SymscopeError(f"{len(values)} values for {len(steps)} checkpoints")
    edges = [0, *_changes(values, count), len(values)]
    levels = [float(np.median(values[a:b])) for a, b in pairwise(edges)]
    found = []
    for k, level in enumerate(levels):
        first, last = 0, len(values) - 1
        if k:
            first = _reached(values, level - NEAR * (level - levels[k - 1]), edges[k - 1])
        if k + 1 < count:
            first = min(first, edges[k + 1] - 1)
            last = max(first, _left(values, level, levels[k + 1], first, edges[k + 2]))
        found.append(Phase(level, int(steps[first]), int(steps[last])))
    return found


def explained(curve: Sequence[float], count: int) -> float:
    """The share of a curve's variance that `count` constant pieces explain, 0 to 1.

    Raises `SymscopeError` for fewer checkpoints than `plateaus` needs.
    """
    values = np.asarray(curve, dtype=float)
    edges = [0, *_changes(values, count), len(values)]
    left = sum(((values[a:b] - values[a:b].mean()) ** 2).sum() for a, b in pairwise(edges))
    whole = ((values - values.mean()) ** 2).sum()
    return float(1 - left / whole) if whole > 0 else 1.0


def onset(steps: Sequence[int], curve: Sequence[float], level: float) -> int | None:
    """The first step from which a curve is at `level` or above for three checkpoints; or None."""
    values = np.asarray(curve, dtype=float)
    for i in range(len(values)):
        if bool((values[i : i + STAYS] >= level).all()):
            return int(steps[i])
    return None


def half_onset(steps: Sequence[int], curve: Sequence[float]) -> int | None:
    """The first step from which a curve stays at half of its last value; None where that is 0."""
    return onset(steps, curve, curve[-1] / 2) if curve[-1] > 0 else None


def _changes(values: np.ndarray, count: int) -> list[int]:
    """Where pieces 2 to `count` begin."""
    n = len(values)
    if n < count * STAYS:
        raise SymscopeError(
            f"{n} checkpoints: {count} plateaus need at least {count * STAYS}; train longer, or"
            " keep more"
        )
    sums = np.concatenate([[0.0], values.cumsum()])
    squares = np.concatenate([[0.0], (values**2).cumsum()])

    def cost(a: int, b: int) -> float:
        return float(squares[b] - squares[a] - (sums[b] - sums[a]) ** 2 / (b - a))

    least = {(1, b): cost(0, b) for b in range(STAYS, n + 1)}
    begins: dict[tuple[int, int], int] = {}
    for k in range(2, count + 1):
        for b in range(k * STAYS, n + 1):
            options = range((k - 1) * STAYS, b - STAYS + 1)
            a = min(options, key=lambda a: least[k - 1, a] + cost(a, b))
            least[k, b], begins[k, b] = least[k - 1, a] + cost(a, b), a
    found, b = [], n
    for k in range(count, 1, -1):
        b = begins[k, b]
        found.append(b)
    return found[::-1]


def _reached(values: np.ndarray, level: float, start: int) -> int:
    for i in range(start, len(values)):
        if bool((values[i : i + STAYS] >= level).all()):
            return i
    return len(values) - 1


def _left(values: np.ndarray, level: float, following: float, first: int, end: int) -> int:
    """The last checkpoint before `end` that is still near `level`."""
    near = values[first:end] <= level + NEAR * (following - level)
    return first + int(near.nonzero()[0].max()) if near.any() else first
