"""A basis of the lattice that given vectors generate, though they are known up to noise alone."""

from itertools import combinations

import numpy as np

from symscope.extract.pipeline.weights import Array
from symscope.extras import needed

_MOST_SUBSETS = 5000
_BITS = 40


def common_basis(vectors: Array, epsilon: float) -> Array | None:
    """A short basis, (d, n), whose integer combinations come near all vectors, (count, n).

    Michaud et al. (2024), "GCD lattice finder". Volumes are |det| of d of the vectors, d their
    rank; the basis begins with the smallest volume above ε times the median. A vector v that is no
    integer combination of it is taken in by Euclid's algorithm, with nearest-integer quotients, on
    two determinants that share d − 1 vectors, det(…, b_i, …) and det(…, v, …); the same quotients
    act on b_i and v, until the remainder is below ε times the median. Then v lies in the span of
    the others and is dropped. Where there is no lattice the basis becomes about as small as ε
    allows; None where all vectors are 0, 64 rounds do not settle it, or it becomes flat.
    Departures: ε is relative, and the basis is shortened by LLL (`shortened`).
    """
    span = _span(vectors)
    inside = vectors @ span.T
    start = _smallest(inside, epsilon)
    if start is None:
        return None
    basis, tiny = start
    for _ in range(64):
        changed = False
        for v in inside:
            if abs(np.linalg.det(basis)) <= tiny:  # rounding has made it flat
                return None
            share = v @ np.linalg.inv(basis)
            off = np.abs(share - np.round(share))
            if off.max() * abs(np.linalg.det(basis)) <= tiny:
                continue
            basis, changed = _euclid(basis, v, int(off.argmax()), tiny), True
        if not changed:
            return shortened(basis) @ span
        basis = shortened(basis)
    return None


def shortened(basis: Array) -> Array:
    """The same lattice in a basis that is short: LLL with δ = 0.99, exact on rounded numbers.

    Lenstra, Lenstra & Lovász (1982), through python-flint. The paper subtracts projections, which
    finds the unit basis of a scrambled Zᵈ less and less often as d grows.
    """
    flint = needed("flint", "the reduction of lattices")
    scaled = np.round(basis / np.abs(basis).max() * 2**_BITS)
    rows = [[int(x) for x in row] for row in scaled]
    _, turn = flint.fmpz_mat(rows).lll(True, 0.99)
    return np.array([[int(x) for x in row] for row in turn.tolist()], dtype=float) @ basis


def _span(vectors: Array) -> Array:
    """An orthonormal basis, as rows, of what the vectors span up to 10⁻³ of the largest."""
    _, sizes, rows = np.linalg.svd(vectors, full_matrices=False)
    return rows[sizes > 1e-3 * max(sizes.max(initial=0), 1e-300)]


def _smallest(vectors: Array, epsilon: float) -> tuple[Array, float] | None:
    """The vectors of the smallest volume that counts, and which determinant counts as 0."""
    count, d = vectors.shape
    if not d:
        return None
    every = combinations(range(count), d)
    subsets = np.array([s for s, _ in zip(every, range(_MOST_SUBSETS), strict=False)])
    volumes = np.abs(np.linalg.det(vectors[subsets]))
    some = volumes[volumes > 1e-9 * volumes.max()]
    if not len(some):
        return None
    tiny = epsilon * float(np.median(some))
    volumes[volumes <= tiny] = np.inf
    chosen = int(volumes.argmin())
    return (vectors[subsets[chosen]], tiny) if np.isfinite(volumes[chosen]) else None


def _euclid(basis: Array, v: Array, place: int, tiny: float) -> Array:
    """The basis with b_place and v replaced by what Euclid's algorithm leaves of both."""

    def volume(row: Array) -> float:
        other = basis.copy()
        other[place] = row
        return float(np.linalg.det(other))

    kept, rest = basis[place], v
    p, q = volume(kept), volume(rest)
    while abs(q) > tiny:
        times = round(p / q)
        kept, rest, p, q = rest, kept - times * rest, q, p - times * q
    basis = basis.copy()
    basis[place] = kept
    return basis
