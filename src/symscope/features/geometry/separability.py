"""Is a plane's cloud a product of two independent coordinates, after some rotation?

The separability index S of Engels, Liao et al. (ICLR 2025): the mutual information of the two
coordinates, at the rotation where it is least. It is 0 bits for a product and large for a circle.
Estimated from bins it is never 0: so the same is done to a cloud with one coordinate shuffled.
"""

import time

import numpy as np
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.cloud import finite, not_told, unfit
from symscope.features.geometry.neighbours import neighbour_information

BINS, REACH = 40, 3.0
"""Each coordinate, in standard deviations of a round cloud, is cut into 40 bins from −3 to 3."""
NEIGHBOUR_ANGLES, NEIGHBOUR_POINTS, BLOCKS, AT_ONCE = 18, 1000, 20, 60


def separability(
    points: Tensor, claim: str = "geometry.separability", angles: int = 180, nulls: int = 20,
    seed: int = 0,
) -> Evidence:  # fmt: skip
    """S of points (n, 2), in bits.

    `angles` rotations in [0, π/2) are tried, which by symmetry are all there are, and the principal
    axes, which a long thin cloud needs exactly. The control
    "shuffled" is the mean S of `nulls` clouds whose coordinates, at the best angle, belong to other
    points; `config` has z = (S − shuffled) / its standard deviation, the angle, and as a second
    opinion S by nearest neighbours (on up to 1000 points and 18 angles), with one shuffled. The
    interval is a jackknife over 20 blocks of points. The score is None below 50 points and where
    the points lie on a line or coincide. Raises `NotFinite`, and `SymscopeError` off a plane.
    """
    began, cloud = time.monotonic(), in_plane(points)
    if reason := unfit(cloud):
        return not_told(claim, len(cloud), "bits", reason)
    rng, turns = np.random.default_rng(seed), _turns(cloud, angles)
    known = informations(cloud, turns)
    best = turns[known.argmin()]
    apart = turned(cloud - cloud.mean(0), np.array([best]))[:, 0].T
    shuffled = [_shuffled(apart, rng) for _ in range(nulls)]
    null = np.array([informations(one, _turns(one, angles)).min() for one in shuffled])
    few = rng.permutation(len(cloud))[:NEIGHBOUR_POINTS]
    other = _shuffled(apart[few], rng)
    score, half = float(known.min()), _jackknife(cloud, turns, rng)
    spread = float(null.std(ddof=1)) if nulls > 1 else 0.0
    return Evidence(
        claim, score, max(0.0, score - half), score + half, len(cloud), "bits",
        {"shuffled": float(null.mean())} if nulls else {},
        seeds=[seed], seconds=time.monotonic() - began,
        config={"z": (score - float(null.mean())) / spread if spread else None,
                "angle": float(best), "angles": angles, "nulls": nulls,
                "neighbours": by_neighbours(apart[few]),
                "neighbours_shuffled": by_neighbours(other)},
    )  # fmt: skip


def published_separability(points: Tensor) -> float | None:
    """S as it was published: 1000 angles of a whole turn, and no null. None where nothing is told.

    The cloud is centred, divided by the root mean square of its norm, times √2, clipped to ±3 and
    put into 40 × 40 bins; S is the least plug-in mutual information in bits.
    """
    cloud = in_plane(points)
    if unfit(cloud):
        return None
    return float(informations(cloud, 2 * np.pi * np.arange(1000) / 1000).min())


def informations(cloud: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """The plug-in mutual information in bits of a cloud's coordinates at each rotation."""
    centred = cloud - cloud.mean(0)
    scaled = centred * np.sqrt(2 / (centred**2).sum(1).mean())
    parts = [turns[start : start + AT_ONCE] for start in range(0, len(turns), AT_ONCE)]
    return np.concatenate([_binned_information(turned(scaled, part)) for part in parts])


def turned(cloud: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """The cloud (n, 2) rotated by each angle, (coordinate, angle, n)."""
    cos, sin = np.cos(turns)[:, None], np.sin(turns)[:, None]
    x, y = cloud.T
    return np.stack([cos * x + sin * y, cos * y - sin * x])


def by_neighbours(cloud: np.ndarray, angles: int = NEIGHBOUR_ANGLES) -> float | None:
    """S in bits by nearest neighbours; None where points repeat and there is no density."""
    both = turned(cloud - cloud.mean(0), np.pi / 2 * np.arange(angles) / angles)
    found = [neighbour_information(u[:, None], v[:, None]) for u, v in zip(*both, strict=True)]
    told = [value for value in found if value is not None]
    return min(told) if len(told) == len(found) else None


def in_plane(points: Tensor) -> np.ndarray:
    """The points (n, 2) as numbers; raises `SymscopeError` where they do not lie in a plane."""
    cloud = finite(points)
    if cloud.shape[1] != 2:
        raise SymscopeError(
            f"points of a plane are (n, 2), and these are {cloud.shape}; take two columns, or"
            " `split_separability` for up to five"
        )
    return cloud


def _binned_information(both: np.ndarray) -> np.ndarray:
    cells = np.clip((both + REACH) * (BINS / (2 * REACH)), 0, BINS - 1).astype(np.int64)
    count, n = cells.shape[1:]
    cell = (np.arange(count)[:, None] * BINS + cells[0]) * BINS + cells[1]
    held = np.bincount(cell.ravel(), minlength=count * BINS**2).reshape(count, BINS, BINS) / n
    joint = held.reshape(count, -1)
    return _entropy(held.sum(1)) + _entropy(held.sum(2)) - _entropy(joint)


def _entropy(shares: np.ndarray) -> np.ndarray:
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(-1)


def _turns(cloud: np.ndarray, angles: int) -> np.ndarray:
    widest = np.linalg.eigh(np.cov(cloud.T))[1][:, 1]
    principal = np.arctan2(widest[1], widest[0]) % (np.pi / 2)
    return np.append(np.pi / 2 * np.arange(angles) / angles, principal)


def _shuffled(apart: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.stack([apart[:, 0], rng.permutation(apart[:, 1])], 1)


def _jackknife(cloud: np.ndarray, turns: np.ndarray, rng: np.random.Generator) -> float:
    """Half of a 95 % interval: S without each of 20 blocks of points (Tukey, 1958).

    A bootstrap would not do: points drawn twice depend on each other, and S would grow.
    """
    from scipy.stats import t

    block = rng.permutation(len(cloud)) % BLOCKS
    without = np.array([informations(cloud[block != b], turns).min() for b in range(BLOCKS)])
    error = np.sqrt((BLOCKS - 1) * without.var())
    return float(t.ppf(0.975, BLOCKS - 1) * error)
