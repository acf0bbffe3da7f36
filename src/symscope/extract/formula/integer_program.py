"""The smallest whole coefficients whose weighted sum lies between two bounds on every row."""

from dataclasses import dataclass

import numpy as np

START = 48
"""Rows in the first program; rows that its answer violates join it, until none is violated."""
MORE = 24
ROUNDS = 24
OFFSET = 10_000
"""The largest offset; far above any constant worth calling a rule."""


@dataclass(frozen=True)
class Weights:
    """`matrix @ slopes + offset`, all whole numbers."""

    slopes: tuple[int, ...]
    offset: int


def between(
    matrix: np.ndarray, low: np.ndarray, high: np.ndarray, *, largest: int = 16, seconds: float = 1
) -> Weights | None:
    """Weights with low <= matrix @ slopes + offset <= high on all rows, or None.

    Among them those with few and small slopes are preferred: a mixed-integer program that
    minimises two for each column used, plus the sum of absolute slopes, plus a little for the
    offset. Solved by HiGHS on a few rows, to which violated rows are added. None is also the
    answer when the time for one program is over.
    """
    chosen = np.linspace(0, len(low) - 1, min(START, len(low))).astype(int)
    for _ in range(ROUNDS):
        weights = _solve(matrix[chosen], low[chosen], high[chosen], largest, seconds)
        if weights is None:
            return None
        value = matrix @ np.array(weights.slopes, dtype=np.int64) + weights.offset
        violated = np.flatnonzero((value < low) | (value > high))
        if len(violated) == 0:
            return weights
        spread = np.linspace(0, len(violated) - 1, min(MORE, len(violated))).astype(int)
        chosen = np.union1d(chosen, violated[spread])
    return None


def _solve(
    matrix: np.ndarray, low: np.ndarray, high: np.ndarray, largest: int, seconds: float
) -> Weights | None:
    from scipy.optimize import Bounds, LinearConstraint, milp  # takes long to load

    rows, k = matrix.shape
    # variables: positive and negative parts of the slopes, whether a column is used, offset parts
    ones = np.ones((rows, 1))
    sums = np.hstack([matrix, -matrix, np.zeros((rows, k)), ones, -ones])
    eye, none = np.eye(k), np.zeros((k, 2))
    used = np.hstack([eye, eye, -largest * eye, none])
    price = np.concatenate([np.ones(2 * k), np.full(k, 2.0), np.full(2, 0.05)])
    upper = np.concatenate([np.full(2 * k, largest), np.ones(k), np.full(2, OFFSET)])
    found = milp(
        price,
        integrality=np.ones(3 * k + 2),
        bounds=Bounds(0, upper),
        constraints=[LinearConstraint(sums, low, high), LinearConstraint(used, -np.inf, 0)],
        options={"time_limit": seconds},
    )
    if found.x is None:
        return None
    x = np.rint(found.x).astype(int)
    return Weights(tuple(int(v) for v in x[:k] - x[k : 2 * k]), int(x[-2] - x[-1]))
