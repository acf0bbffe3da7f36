"""From observed rows to a rule: the shortest expression that gives one column from the others."""

import ast
import time
from collections.abc import Mapping, Sequence

import numpy as np

from symscope.evidence import SymscopeError
from symscope.expression import parse
from symscope.extract.cost import cost
from symscope.extract.formula.affine_rule import affine_rule
from symscope.extract.formula.boolean_rule import boolean_rule
from symscope.extract.formula.enumerated_rule import enumerated_rule
from symscope.extract.formula.holds import holds
from symscope.extract.formula.member_rule import member_rule
from symscope.extract.formula.plain import plain

QUICK = (affine_rule, boolean_rule, member_rule)
"""The methods that look for one form each, cheapest first."""
FEWER = 8_000
"""Expressions tried for a shorter rule when one is known."""


def synthesise(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    seconds: float = 60.0,
    most_nodes: int = 12,
    constants: Sequence[int] = (),
) -> str | None:
    """The cheapest expression found that equals `target` on all rows, or None.

    `columns` and `target` hold one integer for each row. The expression is in the language of
    `expression.py`, its length is that of `cost`; a rule of 0/1 values may give truth values.
    `constants` are numbers worth trying, such as the size of the alphabet. Where the same inputs
    stand beside different targets there is no rule, and None comes back at once.
    `seconds` can be passed by the step under way, a few seconds at most.
    `SymscopeError` is raised for columns that are not integers, or of different lengths.

    >>> s, t = np.meshgrid(range(7), range(7))
    >>> synthesise({"s": s.ravel(), "t": t.ravel()}, (s + t).ravel() % 7)
    '(s + t) % 7'
    """
    end = time.monotonic() + seconds
    checked, wanted = _checked(columns, target)
    varying, value = _distinct(checked, wanted)
    if not _function(varying, value):
        return None
    found: list[str] = []
    for method in QUICK:
        left = (end - time.monotonic()) / 2
        text = method(varying, value, seconds=left, most_nodes=most_nodes, constants=constants)
        found += [text] if text is not None else []
    best = min(found, key=cost, default=None)
    shorter = enumerated_rule(
        varying,
        value,
        seconds=end - time.monotonic(),
        most_nodes=most_nodes,
        constants=constants,
        below=cost(best) if best else None,
        **({"most": FEWER} if best else {}),
    )
    best = shorter or best
    if best is None:
        return None
    assert holds(plain(best), checked, wanted), best
    return plain(best)


def _checked(
    columns: Mapping[str, np.ndarray], target: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The same as 64-bit integers; raises `SymscopeError` for what is none."""
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    for name in arrays:
        if not isinstance(parse(name), ast.Name):
            raise SymscopeError(f"column {name!r} is no name; an expression could not refer to it")
    for name, array in {**arrays, "the target": np.asarray(target)}.items():
        if array.dtype != bool and not np.issubdtype(array.dtype, np.integer):
            raise SymscopeError(f"{name} holds {array.dtype}; round it to integers first")
        if array.shape != np.shape(target) or array.ndim != 1 or not len(array):
            raise SymscopeError(
                f"{name} has the shape {array.shape}, the target {np.shape(target)}: "
                "one integer for each row, and at least one row, are needed"
            )
    whole = {name: array.astype(np.int64) for name, array in arrays.items()}
    return whole, np.asarray(target).astype(np.int64)


def _distinct(
    columns: Mapping[str, np.ndarray], target: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Each row once, without columns that never change or repeat another one."""
    kept: dict[str, np.ndarray] = {}
    for name, column in columns.items():
        if np.any(column != column[0]) and not any(
            np.array_equal(column, k) for k in kept.values()
        ):
            kept[name] = column
    rows = np.unique(np.stack([*kept.values(), target], 1), axis=0)
    return dict(zip(kept, rows.T, strict=False)), rows[:, -1]


def _function(columns: Mapping[str, np.ndarray], target: np.ndarray) -> bool:
    """Whether equal inputs always stand beside equal targets; the rows are all different."""
    if not columns:
        return len(target) == 1
    return len(np.unique(np.stack(list(columns.values()), 1), axis=0)) == len(target)
