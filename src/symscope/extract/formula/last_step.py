"""The expressions just beyond a bank that are the target: what is wanted is known, so it is met.

If T = a + b, then b has the values T - a, and the bank is asked for those. So sums, differences,
quotients and remainders of twice the cost are found that were never computed.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from symscope.extract.formula.bank import CELLS, Bank
from symscope.extract.formula.decision_tree import decision_trees

FIRST = 8
"""A remainder or quotient is computed on so many rows before all are looked at."""


def last_steps(
    bank: Bank, target: np.ndarray, moduli: Sequence[int], most_cost: int, below: int
) -> Iterator[str]:
    """The expressions found that are the target on the bank's rows, in no order of cost.

    `most_cost` is what two expressions may cost that are compared, `below` what a tree must cost
    less than.
    """
    wanted = bank.projected(target[None])
    yield from (bank.text(i) for i in bank.find(wanted) if i >= 0)
    yield from _of_two(bank, "({0} + {1})", wanted - bank.hashes[: bank.size])
    yield from _of_two(bank, "({1} - {0})", wanted + bank.hashes[: bank.size])
    minus = bank.find(-wanted)
    yield from (f"-({bank.text(i)})" for i in minus if i >= 0)
    for modulus in moduli:
        yield from _divided(bank, target, modulus)
    yield from decision_trees(bank, target, most_cost, below)


def _of_two(bank: Bank, form: str, other: np.ndarray) -> Iterator[str]:
    """The cheapest pair whose second part has the projection that the first one asks for."""
    second = bank.find(other)
    first = np.flatnonzero(second >= 0)
    if len(first):
        price = bank.costs[first] + bank.costs[second[first]]
        best = first[np.argmin(price + 0.5 * (first > second[first]))]  # the simpler part first
        yield form.format(bank.text(best), bank.text(second[best]))


def _divided(bank: Bank, target: np.ndarray, modulus: int) -> Iterator[str]:
    """The cheapest expression whose remainder is the target, and that whose quotient is."""
    forms: list[tuple[str, np.ufunc]] = [("({} // {})", np.floor_divide)]
    if target.min() >= 0 and target.max() < modulus:
        forms.append(("({} % {})", np.mod))
    rows = np.linspace(0, len(target) - 1, FIRST).astype(int)
    beginning = bank.values[: bank.size][:, rows]
    for form, divide in forms:
        likely = np.flatnonzero((divide(beginning, modulus) == target[rows]).all(1))
        likely = likely[: CELLS // len(target)]
        right = likely[(divide(bank.values[likely], modulus) == target).all(1)]
        if len(right):
            yield form.format(bank.text(right[np.argmin(bank.costs[right])]), modulus)
