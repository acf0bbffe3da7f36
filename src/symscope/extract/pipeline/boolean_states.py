"""States that are bits in disguise: up to eight clusters, and names of them as bits.

Michaud et al. (2024), "Boolean autoencoder": 2ᵇ clusters, every labelling tried, b ≤ 3.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from symscope.extract.pipeline.weights import Array

MOST = 8
RADII = (0.7, 0.5, 0.35, 0.25, 0.17, 0.12, 0.08, 0.05, 0.03, 0.02)


@dataclass(frozen=True)
class Clusters:
    """The cluster of the state before each step and after it, (row,); h₀ is in cluster 0."""

    before: Array
    after: Array
    count: int
    radius: float


def clusters(
    before: Array, after: Array, inputs: Array, answers: Array, start: Array
) -> Iterator[Clusters]:
    """Clusters that carry all that matters, at most eight, the fewest first.

    Rows are steps of the network: the state before and after, (row, width), what came in, and the
    rounded output. States nearer than r times the spread to a leader, the first state that was
    near no other, are one cluster, and then each state joins the nearest centre. A clustering is
    given when, on every row, it and the input fix the next cluster, and the next cluster fixes the
    output. h₀ is a state like any other; r goes from 0.7 down to 0.02.
    """
    every = np.concatenate([start[None], before, after])
    spread = float(np.linalg.norm(every - every.mean(0), axis=1).max())
    if spread < 1e-9:
        spread = 1.0
    tried: set[int] = set()
    for radius in RADII:
        leaders = _leaders(every, radius * spread)
        if leaders is None:
            return
        labels = _nearest(every, leaders)
        centres = np.stack([every[labels == k].mean(0) for k in range(len(leaders))])
        labels = _nearest(every, centres)
        labels = _renumbered(labels)
        was, now = labels[1 : 1 + len(before)], labels[1 + len(before) :]
        count = int(labels.max()) + 1
        if count in tried:
            continue
        if fixes(np.column_stack([was, inputs]), now) and fixes(now[:, None], answers):
            tried.add(count)
            yield Clusters(was, now, count, radius)


def labellings(count: int) -> Iterator[tuple[int, ...]]:
    """Numbers below 2ᵇ for `count` clusters, 2ᵇ the next power of two; cluster 0, of h₀, has 0.

    All of them up to the order of the bits, of which the program's length is independent.

    >>> list(labellings(2)), sum(1 for _ in labellings(8))
    ([(0, 1)], 840)
    """
    bits = bits_for(count)
    orders = list(permutations(range(bits)))
    for rest in permutations(range(1, 2**bits), count - 1):
        moved = (
            tuple(sum((number >> j & 1) << order[j] for j in range(bits)) for number in rest)
            for order in orders
        )
        if all(rest <= other for other in moved):
            yield (0, *rest)


def complements(labels: Sequence[int]) -> list[tuple[int, ...]]:
    """The same labels with any of the bits turned, the labels themselves first."""
    return [tuple(x ^ mask for x in labels) for mask in range(2 ** bits_for(len(labels)))]


def bits_for(count: int) -> int:
    """How many bits name `count` clusters."""
    return (count - 1).bit_length()


def shortest_labels(count: int, cost: Callable[[Sequence[int]], float]) -> tuple[int, ...]:
    """The labelling of least cost: first h₀ is 0, then each bit may be turned."""
    best = min(labellings(count), key=cost)
    return min(complements(best), key=cost)


def as_bits(numbers: Array, bits: int) -> Array:
    """The binary digits, the lowest first, (row, bit)."""
    return numbers[:, None] >> np.arange(bits) & 1


def fixes(causes: Array, effects: Array) -> bool:
    """Whether equal rows of causes have equal effects."""
    both = np.column_stack([causes, effects.reshape(len(causes), -1)])
    return len(np.unique(causes, axis=0)) == len(np.unique(both, axis=0))


def _leaders(points: Array, radius: float) -> Array | None:
    """States none of which is near another; None if they are more than eight."""
    free, found = np.ones(len(points), dtype=bool), list[Array]()
    while free.any():
        if len(found) == MOST:
            return None
        found.append(points[free.argmax()])
        free &= np.linalg.norm(points - found[-1], axis=1) > radius
    return np.stack(found)


def _nearest(points: Array, centres: Array) -> Array:
    return np.stack([np.linalg.norm(points - c, axis=1) for c in centres]).argmin(0)


def _renumbered(labels: Array) -> Array:
    """Labels in the order in which they first occur, without gaps."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first.argsort().argsort()[inverse]
