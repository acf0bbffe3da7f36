"""Whether an expression gives the target on all rows: the last word on every rule found."""

import ast
from collections.abc import Mapping

import numpy as np

from symscope.expression import evaluate, number, parse

AS_PYTHON = 16
"""So many rows are computed again with plain Python numbers."""


def wrong_rows(text: str, columns: Mapping[str, np.ndarray], target: np.ndarray) -> np.ndarray:
    """The indices of the rows where the expression is not the target, or cannot be computed.

    All rows are computed as a batch. A few, and all those where a divisor is 0 (which a batch
    forgives and Python does not), are computed once more as Python numbers.
    """
    tree = parse(text)
    value = np.broadcast_to(number(evaluate(tree, columns)), target.shape)
    wrong = value != target
    doubtful = np.zeros(len(target), bool)
    doubtful[np.linspace(0, len(target) - 1, AS_PYTHON).astype(int)] = True
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv | ast.Mod | ast.Div):
            divisor = number(evaluate(node.right, columns))
            doubtful |= np.broadcast_to(divisor == 0, target.shape)
    for row in np.flatnonzero(doubtful & ~wrong):
        wrong[row] = not _right(tree, {k: int(c[row]) for k, c in columns.items()}, target[row])
    return np.flatnonzero(wrong)


def holds(text: str, columns: Mapping[str, np.ndarray], target: np.ndarray) -> bool:
    """Whether the expression is the target on every row."""
    return len(wrong_rows(text, columns, target)) == 0


def _right(tree: ast.expr, names: Mapping[str, int], wanted: int) -> bool:
    try:
        return bool(evaluate(tree, names) == wanted)
    except ZeroDivisionError:
        return False
