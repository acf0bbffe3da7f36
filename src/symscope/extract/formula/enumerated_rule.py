"""The cheapest expression found by trying all, small ones first, on rows that tell them apart.

Counterexample-guided (Solar-Lezama et al., 2006): expressions are compared on a few rows; when one
that is right there is wrong on others, some of those join, and the search begins again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count

import numpy as np

from symscope.extract.cost import cost
from symscope.extract.formula.bank import LARGEST, Bank
from symscope.extract.formula.holds import wrong_rows
from symscope.extract.formula.last_step import last_steps
from symscope.extract.formula.plain import plain

START = 96
"""Rows to begin with."""
MORE = 32
"""Rows that join when an expression turned out to be wrong on them, at most."""
MOST = 120_000
"""Expressions kept: with 96 rows, 60 MB."""
AFTER = 2_000
"""With a rule in hand, the search for a shorter one ends after the level that passes this."""
DEAR = 10**6
"""What no expression costs."""
LEAVES = range(-2, 17)
FEW = 8
"""The target's values are leaves if there are so few of them."""


def enumerated_rule(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    seconds: float = 60.0,
    most_nodes: int = 12,
    constants: Sequence[int] = (),
    most: int = MOST,
    below: int | None = None,
) -> str | None:
    """The cheapest expression found that is the target on all rows and costs less than `below`.

    All expressions are tried in the order of their cost until `most` different ones are kept, and
    after each cost those one operation or one decision tree away. No part that is joined has more
    than `most_nodes` nodes. None when there is nothing, or the time is over.
    """
    limits = Limits(most, most_nodes, below, time.monotonic() + seconds)
    if not columns or max(np.abs(c).max() for c in (*columns.values(), target)) >= LARGEST:
        return None
    leaves = _leaves(target, constants)
    rows = telling_rows(columns, target)
    while True:
        found = _search(columns, target, rows, leaves, limits)
        if not isinstance(found, np.ndarray):
            return found
        spread = np.linspace(0, len(found) - 1, min(MORE, len(found))).astype(int)
        rows = np.union1d(rows, found[spread])


@dataclass(frozen=True)
class Limits:
    """When to stop: expressions kept, nodes of each, cost to stay below, time."""

    most: int
    most_nodes: int
    below: int | None
    end: float


def _search(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    rows: np.ndarray,
    leaves: Sequence[int],
    limits: Limits,
) -> str | np.ndarray | None:
    """The cheapest expression that is the target, None, or the rows on which one was wrong."""
    bank = Bank({n: c[rows] for n, c in columns.items()}, leaves, limits.most, limits.most_nodes)
    moduli = [c for c in leaves if c > 1]
    best, price = None, limits.below or DEAR
    for level in count(1):
        more = bank.grow(level, limits.end)
        for text in last_steps(bank, target[rows], moduli, level + 3, price):
            if cost(text) < price:
                wrong = wrong_rows(text, columns, target)
                if len(wrong):
                    return wrong
                best, price = plain(text), cost(text)
        shortest = price <= level + 1
        if not more or shortest or (best is not None and bank.size > AFTER):
            return best
    raise AssertionError


def telling_rows(columns: Mapping[str, np.ndarray], target: np.ndarray) -> np.ndarray:
    """The indices of some rows: of each target value, of each column's extremes, of equalities."""
    generator = np.random.default_rng(0)
    mixed = generator.permutation(len(target))
    chosen = [mixed[: START // 4]]
    chosen += [
        mixed[[column[mixed].argmin(), column[mixed].argmax()]] for column in columns.values()
    ]
    values = np.unique(target)
    for value in values[:: max(1, len(values) * 4 // START)]:
        of = mixed[target[mixed] == value]
        chosen.append(of[: max(1, START // 2 // len(values))])
    for one, other in combinations(columns.values(), 2):
        chosen.append(mixed[one[mixed] == other[mixed]][:2])
    chosen.append(mixed[: max(0, START - len(np.unique(np.concatenate(chosen))))])
    return np.unique(np.concatenate(chosen))


def _leaves(target: np.ndarray, constants: Sequence[int]) -> list[int]:
    values = np.unique(target)
    few = values.tolist() if len(values) <= FEW else []
    return sorted({*LEAVES, *map(int, constants), *few}, key=lambda c: (abs(c), c < 0))
