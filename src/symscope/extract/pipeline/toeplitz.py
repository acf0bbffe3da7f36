"""A frame in which inputs enter every Jordan block at its last place alone."""

import numpy as np

from symscope.extract.pipeline.frame import Move, turned
from symscope.extract.pipeline.weights import Array, Weights

LEAST = 1e-4
_LINKED = 0.5
_TURNING = 0.03


def toeplitz(weights: Weights, seen: Array) -> Move:
    """A = T⁻¹ with T_ij = v_{m−j+i} for j ≥ i in each Jordan block of size m: A·v = e_m.

    T commutes with the block, so that W stays. v are the block's rows of the column of V whose
    last entry is largest; where that is at most 10⁻⁴ the block's last dimension is left alone.
    Michaud et al. (2024), "Toeplitz transformation". A block of 2×2 rotations [[a, −b], [b, a]] is
    one of complex numbers a + ib, and what commutes with it is [[p, −q], [q, p]] from v = (p, q);
    the paper leaves those out.
    """
    frame, notes = np.eye(weights.width), []
    for start, size, unit in blocks(weights.transition):
        entry = weights.entry[start : start + size * unit].reshape(size, unit, -1)
        complexes = entry[:, 0] + (1j * entry[:, 1] if unit == 2 else 0)
        while size and np.abs(complexes[size - 1]).max() <= LEAST:
            size -= 1
        if not size:
            continue
        v = complexes[:size, np.argmax(np.abs(complexes[size - 1]))]
        matrix = sum(np.eye(size, k=k) * v[size - 1 - k] for k in range(size))
        end = start + size * unit
        frame[start:end, start:end] = np.linalg.inv(_as_real(matrix, unit))
        notes.append(f"{size} × {unit}")
    return turned(weights, frame, "blocks " + ", ".join(notes) if notes else "no driven block")


def blocks(transition: Array) -> list[tuple[int, int, int]]:
    """Of each block of a matrix in (nearly) real Jordan form: start, size, and 1 or 2 for a pair.

    >>> blocks(np.array([[1.0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]]))
    [(0, 2, 1), (2, 1, 2)]
    """
    units, place, n = [], 0, len(transition)
    while place < n:
        below = transition[place + 1, place] if place + 1 < n else 0.0
        above = transition[place, place + 1] if place + 1 < n else 0.0
        turning = abs(below) > _TURNING and abs(below + above) < abs(below) / 2
        units.append((place, 2 if turning else 1))
        place += units[-1][1]
    found: list[tuple[int, int, int]] = []
    for place, unit in units:
        start, size, before = found[-1] if found else (0, 0, 0)
        linked = before == unit and transition[place - unit, place] > _LINKED
        if linked:
            found[-1] = start, size + 1, unit
        else:
            found.append((place, 1, unit))
    return found


def _as_real(matrix: Array, unit: int) -> Array:
    """A complex matrix on pairs of real coordinates, or the real part of one on single ones."""
    if unit == 1:
        return matrix.real
    turn = np.array([[0, -1], [1, 0]])
    return np.kron(matrix.real, np.eye(2)) + np.kron(matrix.imag, turn)
