"""Expressions that are right on some rows, joined by conditions: nested `if … else …`.

A split is taken where a condition leaves one side to a single expression; the other side, if no
single expression serves it, is split again. Rows are bits, so that "right wherever the condition
holds" is one operation on a word of 64 rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symscope.extract.cost import cost
from symscope.extract.formula.bank import Bank

DEPTH = 2
"""So many conditions lie above each other at most."""
BEAM = 6
"""So many ways to leave one side open are followed."""
CONDITIONS, VALUES = 20_000, 300
"""So many different conditions, and expressions to join, are looked at, the cheapest ones."""
PAIRS = 200_000
"""So many comparisons of two expressions are computed."""
LEAST = 4
"""A tree costs as much at least: a name, another, a name as condition, and the choice."""
NONE = 10**6
"""The cost of what is not there: more than any tree's."""
COMPARISONS = (
    ("({} < {})", np.less), ("({1} < {0})", np.greater), ("({} == {})", np.equal),
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Rows as bits for each of several expressions, with their costs and how to write them."""

    masks: np.ndarray
    costs: np.ndarray
    made: np.ndarray


def decision_trees(bank: Bank, target: np.ndarray, most_cost: int, below: int) -> Iterator[str]:
    """The cheapest tree found that is the target on the bank's rows, if it costs less than `below`.

    Conditions are the truth values in the bank and comparisons of two of its expressions, whose
    costs together are at most `most_cost`.
    """
    if below <= LEAST:
        return
    values = _values(bank, target)
    # a tree whose leaves are 1 and 0 is written as its condition, which may cost all there is
    conditions = _conditions(bank, min(most_cost, below - LEAST + 2), below - LEAST + 3)
    if len(conditions.masks) and len(values.masks):
        every = _packed(np.ones((1, len(target)), bool))[0]
        depth = DEPTH if below > 2 * LEAST - 1 else 1
        found = _tree(bank, values, conditions, every, depth)
        if found is not None and cost(found[1]) < below:
            yield found[1]


def _tree(
    bank: Bank, values: Choice, conditions: Choice, rows: np.ndarray, depth: int
) -> tuple[int, str] | None:
    """The cheapest tree for these rows, with its cost."""
    held, other = conditions.masks & rows, ~conditions.masks & rows
    proper = held.any(1) & other.any(1)
    here = np.flatnonzero(proper)
    held, other, price = held[here], other[here], conditions.costs[here] + 1
    if not len(here):
        return None
    yes, yes_cost = _cheapest(values, held)
    no, no_cost = _cheapest(values, other)
    both = np.flatnonzero((yes >= 0) & (no >= 0))
    if len(both):
        i = both[np.argmin(price[both] + yes_cost[both] + no_cost[both])]
        texts = _condition(bank, conditions, here[i]), _value(bank, values, yes[i])
        text = _written(*texts, _value(bank, values, no[i]))
        return int(price[i] + yes_cost[i] + no_cost[i]), text
    if depth == 1:
        return None
    found = []
    for i, covered in _promising(yes, no, held, other, price):
        rest = _tree(bank, values, conditions, other[i] if covered else held[i], depth - 1)
        if rest is not None:
            test = _condition(bank, conditions, here[i])
            leaf = _value(bank, values, (yes if covered else no)[i])
            text = _written(test, leaf, rest[1]) if covered else _written(test, rest[1], leaf)
            found.append((int(price[i] + (yes_cost if covered else no_cost)[i]) + rest[0], text))
    return min(found, default=None)


def _promising(
    yes: np.ndarray, no: np.ndarray, held: np.ndarray, other: np.ndarray, price: np.ndarray
) -> list[tuple[int, bool]]:
    """Splits with one side served, those first that leave the fewest rows; each rest once."""
    one = np.flatnonzero((yes >= 0) ^ (no >= 0))
    if not len(one):
        return []
    rest = np.where((yes[one] >= 0)[:, None], other[one], held[one])
    left = _counts(rest)
    ranked = np.lexsort((price[one], left))
    chosen = one[ranked[_first(rest[ranked])[:BEAM]]]
    return [(int(i), bool(yes[i] >= 0)) for i in chosen]


def _cheapest(values: Choice, needed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each set of rows the cheapest value right on all of them (-1: none), and its cost."""
    best = np.full(len(needed), -1)
    open_ = np.arange(len(needed))
    for i, mask in enumerate(values.masks):  # cheapest first
        served = ~np.any(needed[open_] & ~mask, axis=1)
        best[open_[served]] = i
        open_ = open_[~served]
    return best, np.where(best >= 0, values.costs[best], NONE)


def _values(bank: Bank, target: np.ndarray) -> Choice:
    """The expressions that are right on most rows, and those that no cheaper one replaces."""
    masks = _packed(bank.values[: bank.size] == target)
    costs = bank.costs[: bank.size]
    first = _first(masks)  # of equals the cheapest
    counts = _counts(masks[first])
    first = first[np.argsort(-counts, kind="stable")][: 8 * VALUES]
    first = np.sort(first[_counts(masks[first]) > 0])
    kept: list[int] = []
    for i in first:
        if not kept or np.any(masks[i] & ~masks[kept], axis=1).all():
            kept.append(int(i))
        if len(kept) == VALUES:
            break
    return Choice(masks[kept], costs[kept], np.array(kept)[:, None])


def _conditions(bank: Bank, both_cost: int, most_cost: int) -> Choice:
    """The truth values in the bank, and comparisons of two expressions, each set of rows once."""
    truths = np.flatnonzero(bank.truths[: bank.size] & (bank.costs[: bank.size] <= most_cost))
    masks = [_packed(bank.values[truths] == 1)]
    costs = [bank.costs[truths]]
    made = [np.stack([np.full(len(truths), -1), truths, truths], 1)]
    left = PAIRS
    numbers = np.flatnonzero(~bank.truths[: bank.size])
    cost_of = bank.costs[numbers]
    for total in range(2, both_cost + 1):
        for smaller in range(1, total // 2 + 1):
            i, j = pairs_of(numbers[cost_of == smaller], numbers[cost_of == total - smaller], left)
            left -= len(i)
            for kind, (_, compare) in enumerate(COMPARISONS):
                masks.append(_packed(compare(bank.values[i], bank.values[j])))
                costs.append(np.full(len(i), total + 1))
                made.append(np.stack([np.full(len(i), kind), i, j], 1))
    together = np.concatenate(masks), np.concatenate(costs), np.concatenate(made)
    cheap = np.argsort(together[1], kind="stable")
    first = _first(together[0][cheap])[:CONDITIONS]
    return Choice(*(part[cheap][first] for part in together))


def pairs_of(left: np.ndarray, right: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `most` pairs, the second part changing first; those beyond are never built."""
    count = min(most, len(left) * len(right))
    place = np.arange(count)
    return (left[place // len(right)], right[place % len(right)]) if count else (left[:0],) * 2


def _condition(bank: Bank, conditions: Choice, index: int) -> str:
    kind, left, right = conditions.made[index]
    if kind < 0:
        return bank.text(left)
    return COMPARISONS[kind][0].format(bank.text(left), bank.text(right))


def _value(bank: Bank, values: Choice, index: int) -> str:
    return bank.text(values.made[index][0])


def _written(test: str, yes: str, no: str) -> str:
    return test if (yes, no) == ("1", "0") else f"({yes} if {test} else {no})"


def _first(masks: np.ndarray) -> np.ndarray:
    """The indices of the first of each, in order; by a random projection, as in the bank."""
    odd = np.random.default_rng(1).integers(0, 2**63, masks.shape[1], dtype=np.uint64) * 2 + 1
    return np.sort(np.unique(masks @ odd, return_index=True)[1])


def _packed(rows: np.ndarray) -> np.ndarray:
    """Rows as bits of 64-bit words."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 64)))
    return np.packbits(padded, axis=1).view(np.uint64)


def _counts(masks: np.ndarray) -> np.ndarray:
    return np.unpackbits(masks.view(np.uint8), axis=1).sum(1, dtype=int)
