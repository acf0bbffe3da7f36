"""A formula for a column of integers, as published: truth tables, least squares, then a search.

A regression is a function `(columns, target, *, seconds) -> expression or None`.
"""

import ast
import time
from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from symscope.expression import evaluate, parse
from symscope.extract.pipeline.truth_table import boolean_formula
from symscope.extract.pipeline.weights import Array

SYMBOLS = 6
CONSTANTS = (3, 4)
_ROWS = 64
_LARGEST = 2**31
_MOST_KEPT = 60_000


class Regress(Protocol):
    """What writes a formula of named integer columns that gives a target on all rows."""

    def __call__(
        self, columns: Mapping[str, Array], target: Array, *, seconds: float
    ) -> str | None:
        """A Python expression as `symscope.expression` reads it, or None."""
        ...


def published_regression(
    columns: Mapping[str, Array], target: Array, *, seconds: float = 60.0
) -> str | None:
    """A formula as Michaud et al. (2024) look for one; None where they would have none.

    Bits: `boolean_formula`. Integers: `rounded_least_squares`, then `reverse_polish`.
    """
    bits = all(np.isin(v, (0, 1)).all() for v in (*columns.values(), target))
    if bits and (found := boolean_formula(columns, target)) is not None:
        return found
    found = rounded_least_squares(columns, target)
    return found if found is not None else reverse_polish(columns, target, seconds=seconds)


def rounded_least_squares(columns: Mapping[str, Array], target: Array) -> str | None:
    """The integer-affine function that gives `target` on all rows, from least squares rounded.

    Columns that depend on the ones before them are left out.

    >>> a = np.arange(5)
    >>> rounded_least_squares({"a": a, "b": a * a}, 2 * a - a * a + 3)
    '3 + 2 * a - b'
    """
    design, names = np.ones((len(target), 1)), list[str]()
    for name, values in columns.items():
        wider = np.column_stack([design, values])
        if np.linalg.matrix_rank(wider / np.maximum(np.abs(wider).max(0), 1)) == wider.shape[1]:
            design, names = wider, [*names, name]
    fitted: Array = np.linalg.lstsq(design, target.astype(float), None)[0].round()
    if np.abs(fitted).max() > _LARGEST or (design @ fitted != target).any():
        return None
    constant, *factors = map(int, fitted)
    parts = [(f, n if abs(f) == 1 else f"{abs(f)} * {n}")
             for f, n in zip(factors, names, strict=True) if f]  # fmt: skip
    parts = [(constant, str(abs(constant)))] * bool(constant) + parts
    parts.sort(key=lambda part: part[0] < 0)
    if not parts:
        return "0"
    (first, text), *rest = parts
    signed = [f" {'-' if factor < 0 else '+'} {part}" for factor, part in rest]
    return ("-" if first < 0 else "") + text + "".join(signed)


def reverse_polish(
    columns: Mapping[str, Array], target: Array, *, seconds: float = 60.0
) -> str | None:
    """The first of all formulas of at most six symbols, the shortest first, that gives `target`.

    Symbols are the columns, 3, 4, and +1, −1, neg, (>0), (==0), abs, +, *, −, % of Michaud et al.
    (2024). One formula is kept for each column of values. The remainder has the sign of the
    divisor, as Python's; a formula that divides by 0 on a row is none. None after `seconds`.
    """
    end = time.monotonic() + seconds
    matrix = np.stack([np.asarray(v, dtype=np.int64) for v in columns.values()])
    chosen = _telling(matrix, target)
    leaves = {name: matrix[i, chosen] for i, name in enumerate(columns)}
    leaves |= {str(c): np.full(len(chosen), c) for c in CONSTANTS}
    seen: set[bytes] = set()
    sizes: list[list[tuple[str, Array]]] = [[]]
    for size in range(1, SYMBOLS + 1):
        made: list[tuple[str, Array]] = []
        for text, values in leaves.items() if size == 1 else _larger(sizes, size):
            if time.monotonic() > end:
                return None
            key = values.tobytes()
            if key in seen or np.abs(values).max() > _LARGEST:
                continue
            seen.add(key)
            if (values == target[chosen]).all() and _holds(text, columns, target):
                return _bare(text)
            if size < SYMBOLS and len(made) < _MOST_KEPT:
                made.append((text, values))
        sizes.append(made)
    return None


Made = Iterator[tuple[str, Array]]


def _larger(sizes: list[list[tuple[str, Array]]], size: int) -> Made:
    """All formulas of `size` symbols from those of fewer."""
    for text, a in sizes[size - 1]:
        yield f"({text} + 1)", a + 1
        yield f"({text} - 1)", a - 1
        yield f"(-{text})", -a
        yield f"(1 if {text} > 0 else 0)", (a > 0).astype(np.int64)
        yield f"(1 if {text} == 0 else 0)", (a == 0).astype(np.int64)
        yield f"abs({text})", np.abs(a)
    for left in range(1, size - 1):
        for first, a in sizes[left]:
            for second, b in sizes[size - 1 - left]:
                if left <= size - 1 - left:
                    yield f"({first} + {second})", a + b
                    yield f"({first} * {second})", a * b
                yield f"({first} - {second})", a - b
                if b.all():
                    yield f"({first} % {second})", a % b


def _telling(matrix: Array, target: Array) -> Array:
    """Rows to search on: of each value asked for some, and then any."""
    order = np.random.default_rng(0).permutation(len(target))
    _, first = np.unique(target[order], return_index=True)
    extremes = [f(row) for row in matrix for f in (np.argmin, np.argmax)]
    some = order[first[np.linspace(0, len(first) - 1, min(len(first), _ROWS // 2)).astype(int)]]
    ranked = np.concatenate([np.array(extremes, dtype=int), some, order])
    _, places = np.unique(ranked, return_index=True)
    return ranked[np.sort(places)][:_ROWS]


def _holds(text: str, columns: Mapping[str, Array], target: Array) -> bool:
    tree = parse(text)
    sums = [n for n in ast.walk(tree) if isinstance(n, ast.BinOp)]
    divisors = [n.right for n in sums if isinstance(n.op, ast.Mod)]
    if not all(np.all(evaluate(d, columns)) for d in divisors):
        return False
    return bool(np.all(evaluate(tree, columns) == target))


def _bare(text: str) -> str:
    """Without the parentheses that are not needed."""
    return ast.unparse(parse(text))
