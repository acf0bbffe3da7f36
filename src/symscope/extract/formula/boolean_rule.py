"""A 0/1 target from 0/1 columns: parity, a condition on the bit sum, equations, products.

Inputs that no row shows may be answered either way. The recipe follows Michaud et al. (2024):
idle variables are dropped, a symmetric function becomes a condition on the sum of bits, and the
shortest form wins; parities, systems of equations and exact minimisation are added.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from symscope.extract.cost import cost
from symscope.extract.formula.equations import equations
from symscope.extract.formula.holds import holds
from symscope.extract.formula.plain import plain
from symscope.extract.formula.remainders import congruent
from symscope.extract.formula.sum_of_products import MOST_BITS, sum_of_products
from symscope.extract.formula.weighted_sum import weighted_sum

Form = Callable[[Sequence[str], np.ndarray, np.ndarray], str | None]


def boolean_rule(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    seconds: float = 60.0,
    most_nodes: int = 12,
    constants: Sequence[int] = (),
) -> str | None:
    """The cheapest Boolean formula that is the target on all rows, or None.

    A formula that costs more than one unit for each different row is no rule but a long way to
    write the table, and is not returned. The keywords that other methods share are not used.
    """
    bits = {n: c for n, c in columns.items() if np.isin(c, (0, 1)).all()}
    if not bits or not np.isin(target, (0, 1)).all():
        return None
    used = without_idle(bits, target)
    if used is None:
        return None
    found: list[str] = []
    for names in (list(bits), used):
        matrix, value = _distinct(np.stack([bits[n] for n in names], 1), target)
        for text in _forms(names, matrix, value):
            if text is not None and cost(text) <= len(value) and holds(text, columns, target):
                found.append(plain(text))
    return min(found, key=cost, default=None)


def without_idle(bits: Mapping[str, np.ndarray], target: np.ndarray) -> list[str] | None:
    """The columns that are left when each one not needed is dropped, last ones first, or None.

    None when all of them together do not fix the target.
    """
    names = list(bits)
    if not _fixed(bits, names, target):
        return None
    for name in reversed(list(bits)):
        fewer = [n for n in names if n != name]
        if fewer and _fixed(bits, fewer, target):
            names = fewer
    return names


def _fixed(bits: Mapping[str, np.ndarray], names: Sequence[str], target: np.ndarray) -> bool:
    matrix = np.stack([bits[n] for n in names], 1)
    both = np.unique(np.hstack([matrix, target[:, None]]), axis=0)
    return len(both) == len(np.unique(matrix, axis=0))


def _distinct(matrix: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    both = np.unique(np.hstack([matrix, target[:, None]]), axis=0)
    return both[:, :-1], both[:, -1]


def _forms(names: Sequence[str], matrix: np.ndarray, target: np.ndarray) -> Iterator[str | None]:
    """Every form, of the target and of its opposite."""
    yield from _parities(names, matrix, target)
    yield _symmetric(names, matrix, target)
    for form in (equations, sum_of_products):
        if form is sum_of_products and len(names) > MOST_BITS:
            continue
        yield form(names, matrix, target)
        opposite = form(names, matrix, 1 - target)
        yield None if opposite is None else f"not ({opposite})"


def _parities(names: Sequence[str], matrix: np.ndarray, target: np.ndarray) -> Iterator[str]:
    """The target as an affine function over GF(2), in its two spellings."""
    weights = congruent(matrix, target, 2)
    if weights is None:
        return
    terms = [n for n, w in zip(names, weights.slopes, strict=True) if w]
    if terms:
        chain = " ^ ".join(terms)
        yield f"not ({chain})" if weights.offset else chain
        yield f"({weighted_sum(names, weights)}) % 2"


def _symmetric(names: Sequence[str], matrix: np.ndarray, target: np.ndarray) -> str | None:
    """A condition on the sum of the bits, where the sum fixes the target."""
    sums = matrix.sum(1)
    ones, zeros = np.unique(sums[target == 1]), np.unique(sums[target == 0])
    if not len(ones) or not len(zeros) or np.intersect1d(ones, zeros).size:
        return None
    total = " + ".join(names)
    conditions = [_listed(total, ones, "==", "in"), _listed(total, zeros, "!=", "not in")]
    if ones.min() > zeros.max():
        conditions.append(f"{zeros.max()} < {total}")
    if ones.max() < zeros.min():
        conditions.append(f"{total} < {zeros.min()}")
    return min(conditions, key=cost)


def _listed(total: str, sums: np.ndarray, one: str, several: str) -> str:
    if len(sums) == 1:
        return f"{total} {one} {sums[0]}"
    return f"{total} {several} ({', '.join(map(str, sums))})"
