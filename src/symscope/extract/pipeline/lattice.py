"""States that are integers in disguise: h ≈ Z·A + b with integer Z.

Michaud et al. (2024), "linear lattice" and "GCD lattice".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symscope.extract.pipeline.common_basis import common_basis
from symscope.extract.pipeline.weights import Array, Weights

POINTS = 32
GRID = np.logspace(-3, 0, 10)
MOST = 3
"""Dimensions in which the GCD lattice is looked for."""
PRECISION = 1e-3
_INTEGER = 0.05
_CHOSEN_ON = 512
_REFITS = 5


@dataclass(frozen=True)
class Lattice:
    """h ≈ Z·`basis` + `origin`; `bits` is the description length of a state, `error` |h − …|.

    `basis` is (d, width), of rank d. `error` is the largest in units of the lattice.
    """

    basis: Array
    origin: Array
    bits: float = 0.0
    error: float = 0.0

    def coordinates(self, states: Array) -> Array:
        """Z = round((h − b)·A⁻¹), integers (…, d)."""
        shares = (states - self.origin) @ np.linalg.pinv(self.basis)
        return np.round(shares).astype(np.int64)


def linear_lattice(weights: Weights, seen: Array) -> Lattice | None:
    """The lattice in which an affine f, h' = W·h + V·x + b, moves from 0 on; None if there is none.

    States are sums of W^k·V·x and W^k·b. The basis is the longest of W^k·V, k < n, columns that
    are independent; where the others are no integer combinations of these, or b is none and no
    fixed point h = W·h + b can be the origin, it is what all of them generate (`common_basis`).
    `seen` are states, (sample, width).
    """
    if not weights.affine:
        return None
    spread = float(np.sqrt((seen**2).sum(1).mean()))
    inputs, bias = _powers(weights, weights.entry), _powers(weights, weights.f[0].bias[:, None])
    inputs, bias = (_long(v, 1e-3 * spread) for v in (inputs, bias))
    basis = _independent(inputs)
    origin = np.zeros(weights.width)
    every = np.concatenate([inputs, bias])
    if not len(basis) or not _whole(every, basis):
        moves, b = np.eye(weights.width) - weights.transition, weights.f[0].bias
        moves, b = np.eye(weights.width) - weights.transition, weights.f[0].bias
        fixed = np.linalg.lstsq(moves, b, None)[0]
        still = np.abs(b - moves @ fixed).max() < 1e-3 * spread
        if len(basis) and _whole(inputs, basis) and still:
            origin = fixed
        else:
            found = common_basis(every, _INTEGER) if len(every) else None
            if found is None or not _whole(every, found):
                return None
            basis = found
    return _scored(Lattice(_pointing(basis, inputs), origin), seen)


def unit_lattice(weights: Weights, seen: Array) -> Lattice | None:
    """The integers themselves, if f is affine and all its weights are integers; else None."""
    layer = weights.f[0]
    if not weights.affine or any((v != np.round(v)).any() for v in (layer.weight, layer.bias)):
        return None
    return _scored(Lattice(np.eye(weights.width), np.zeros(weights.width)), seen)


def gcd_lattices(seen: Array, seed: int = 0, most: int = 4) -> list[Lattice]:
    """Lattices near all states, (sample, width), the shortest description first; none if n > 3.

    Of the states whose every coordinate is in the central fraction p, 32 are taken, minus one of
    them, and `common_basis` is asked what generates the differences at ε; Z = round((h − b)·A⁻¹),
    and A and b are fitted again by least squares. ε and p run over a 10 × 10 logarithmic grid from
    10⁻³ to 1. The score is mean log₂(1 + |Z|) + log₂(1 + |error|/e), summed over coordinates, with
    e 10⁻³ of the spread (10⁻² and 10⁻⁴ of nothing in the paper's code and text: at 10⁻² a lattice
    of 100 points is no better than one twice as wide). The first state of `seen` must be h₀.
    """
    if seen.shape[1] > MOST:
        return []
    rng = np.random.default_rng(seed)
    some = np.concatenate([seen[:1], seen[rng.permutation(len(seen))[:_CHOSEN_ON]]])
    found: dict[tuple[int, float], Lattice] = {}
    for differences, middle, near in _central(seen, rng):
        for epsilon in GRID:
            basis = common_basis(differences, epsilon)
            lattice = None if basis is None else _refitted(Lattice(basis, middle), near, some)
            if lattice is None:
                continue
            key = len(lattice.basis), round(_volume(lattice.basis), 2)
            if key not in found or lattice.bits < found[key].bits:
                found[key] = lattice
    return sorted(found.values(), key=lambda lattice: lattice.bits)[:most]


def _central(seen: Array, rng: np.random.Generator) -> Iterator[tuple[Array, Array, Array]]:
    """For each p: differences of up to 32 states in the middle, the one subtracted, and them."""
    middle, spread = np.median(seen, 0), np.ptp(seen, axis=0)
    unique = np.unique(np.round(seen / max(spread.max(), 1e-300), 7), axis=0) * spread.max()
    before = 0
    for p in GRID:
        low, high = np.quantile(unique, [0.5 - p / 2, 0.5 + p / 2], axis=0)
        near = unique[((unique >= low) & (unique <= high)).all(1)]
        if len(near) < seen.shape[1] + 2 or len(near) == before:
            continue
        before = len(near)
        points = near[rng.permutation(len(near))[:POINTS]]
        first = int(np.abs(points - middle).sum(1).argmin())
        yield np.delete(points, first, 0) - points[first], points[first], points


def _refitted(lattice: Lattice, near: Array, some: Array) -> Lattice | None:
    """A and b by least squares, on the points that gave the lattice and then on all."""
    for points in (near, *[some] * _REFITS):
        z = lattice.coordinates(points)
        design = np.column_stack([z, np.ones(len(z))])
        if np.linalg.matrix_rank(design) < design.shape[1]:
            return None
        fitted = np.linalg.lstsq(design, points, None)[0]
        lattice = Lattice(fitted[:-1], fitted[-1])
    return _scored(lattice, some)


def _scored(lattice: Lattice, seen: Array) -> Lattice:
    z = lattice.coordinates(seen)
    error = np.abs(seen - z @ lattice.basis - lattice.origin)
    e = PRECISION * max(float(seen.std(0).max()), 1e-300)
    bits = np.log2(1 + np.abs(z)).sum(1).mean() + np.log2(1 + error / e).sum(1).mean()
    off = (seen - lattice.origin) @ np.linalg.pinv(lattice.basis) - z
    return Lattice(lattice.basis, lattice.origin, float(bits), float(np.abs(off).max()))


def _volume(basis: Array) -> float:
    """The logarithm of the volume of a cell."""
    return float(np.log(np.linalg.svd(basis, compute_uv=False)).sum())


def _powers(weights: Weights, columns: Array) -> Array:
    """W^k·columns for k < n, as rows."""
    made = [columns]
    for _ in range(weights.width - 1):
        made.append(weights.transition @ made[-1])
    return np.hstack(made).T


def _long(vectors: Array, least: float) -> Array:
    return vectors[np.linalg.norm(vectors, axis=1) > least]


def _independent(vectors: Array) -> Array:
    """The longest vectors that are independent of the longer ones, in the order given."""
    chosen: list[int] = []
    for i in np.argsort(-np.linalg.norm(vectors, axis=1), kind="stable"):
        tried = vectors[[*chosen, i]]
        sizes = np.linalg.svd(tried / np.linalg.norm(tried, axis=1)[:, None], compute_uv=False)
        if len(tried) <= vectors.shape[1] and sizes[-1] > 1e-3:
            chosen.append(int(i))
    return vectors[sorted(chosen)]


def _whole(vectors: Array, basis: Array) -> bool:
    """Whether all vectors are integer combinations of the basis."""
    shares = vectors @ np.linalg.pinv(basis)
    missed = np.abs(vectors - np.round(shares) @ basis).max(initial=0)
    return bool(missed < _INTEGER * np.linalg.norm(basis, axis=1).min())


def _pointing(basis: Array, inputs: Array) -> Array:
    """The basis with signs such that inputs are rather added than subtracted."""
    if not len(inputs):
        return basis
    leaning = np.round(inputs @ np.linalg.pinv(basis)).sum(0)
    return basis * np.where(leaning < 0, -1, 1)[:, None]
