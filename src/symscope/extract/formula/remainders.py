"""The weighted sum of columns that has the target as its remainder: elimination modulo m."""

import math

import numpy as np

from symscope.extract.formula.integer_program import Weights


def congruent(matrix: np.ndarray, target: np.ndarray, modulus: int) -> Weights | None:
    """Weights with matrix @ slopes + offset ≡ target (mod modulus) on all rows, or None.

    Gaussian elimination on pivots that have an inverse modulo `modulus`; what has none is left
    out, so that for a composite modulus a solution can be missed. The weights lie around 0.
    """
    ones = np.ones((len(target), 1), dtype=np.int64)
    table = np.hstack([matrix, ones, target[:, None]]) % modulus
    table = np.unique(table, axis=0)
    pivots: dict[int, int] = {}
    for column in range(table.shape[1] - 1):
        row = _invertible(table[:, column], set(pivots.values()), modulus)
        if row is None:
            continue
        table[row] = table[row] * pow(int(table[row, column]), -1, modulus) % modulus
        factors = table[:, column].copy()
        factors[row] = 0
        table = (table - factors[:, None] * table[row]) % modulus
        pivots[column] = row
    weights = np.zeros(table.shape[1] - 1, dtype=np.int64)
    for column, row in pivots.items():
        weights[column] = table[row, -1]
    value = matrix @ weights[:-1] + weights[-1]
    if np.any(value % modulus != target):
        return None
    around = [int(w) - modulus if 2 * w > modulus else int(w) for w in weights]
    return Weights(tuple(around[:-1]), around[-1])


def _invertible(column: np.ndarray, taken: set[int], modulus: int) -> int | None:
    units = [v for v in range(1, modulus) if math.gcd(v, modulus) == 1]
    for row in np.flatnonzero(np.isin(column, units)):
        if int(row) not in taken:
            return int(row)
    return None
