"""Does a large part of a cloud lie in a thin band, as in a mixture with a part of lower dimension?

The ε-mixture index M of Engels, Liao et al. (ICLR 2025): the largest share of points with
|v·f + c| < ε · rms(v·f + c), over directions v and offsets c. They climb from one start; the grid
here finds what that ascent misses, and a Gaussian's M, which is not 0, stands beside it.
"""

import time

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.features.geometry.cloud import finite, not_told, unfit

WIDTH = 0.1
"""ε."""
DIRECTIONS, OFFSETS, REACH, STARTS = 360, 241, 3.0, 200
REFINED, ROUNDS, TRIES, SHRINK, FINE = 5, 12, 24, 0.6, 21


def mixture_index(
    points: Tensor, values: Tensor | None = None, claim: str = "geometry.mixture",
    starts: int = STARTS, seed: int = 0,
) -> Evidence:  # fmt: skip
    """M of points (n, width), a share from 0 to 1, with ε = 0.1.

    In a plane 360 directions × 241 offsets within 3 standard deviations are tried, in more
    dimensions `starts` random directions; the best are then refined. Controls: "gaussian", M of as
    many normal points with the same covariance, and where the `values` (n,) of a variable are given
    "support", M of the mean points of its values alone: m tight points of a ring reach 2/m. The
    interval (Wilson's) is that of the share in the band found. None below 50 points, on a line, and
    where all coincide.
    """
    began, cloud = time.monotonic(), finite(points)
    if reason := unfit(cloud):
        return not_told(claim, len(cloud), "share of points", reason)
    if starts < 1 or (values is not None and len(values) != len(cloud)):
        raise SymscopeError(f"{starts} starts, and values for each of the {len(cloud)} points")
    rng = np.random.default_rng(seed)
    share, normal, offset = thinnest_band(cloud, starts, rng)
    controls = {"gaussian": thinnest_band(normal_like(cloud, rng), starts, rng)[0]}
    if values is not None:
        _, which = np.unique(values.detach().cpu().numpy(), return_inverse=True)
        means = np.stack([cloud[which == w].mean(0) for w in range(which.max() + 1)])
        controls["support"] = thinnest_band(means[which], starts, rng)[0]
    low, high = wilson(round(share * len(cloud)), len(cloud))
    return Evidence(
        claim, share, low, high, len(cloud), "share of points", controls, seeds=[seed],
        seconds=time.monotonic() - began,
        config={"width": WIDTH, "normal": normal.tolist(), "offset": offset, "starts": starts},
    )  # fmt: skip


def thinnest_band(
    cloud: np.ndarray, starts: int, rng: np.random.Generator
) -> tuple[float, np.ndarray, float]:
    """M of a cloud, and its band: the unit normal v and the offset c of v·(f − mean) + c."""
    centred = cloud - cloud.mean(0)
    if centred.shape[1] == 2:
        turns = np.pi * np.arange(DIRECTIONS) / DIRECTIONS
        normals, near = np.stack([np.cos(turns), np.sin(turns)], 1), np.pi / DIRECTIONS
    else:
        normals, near = rng.normal(size=(starts, centred.shape[1])), 0.2
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    grid = np.linspace(-REACH, REACH, OFFSETS)
    shares, offsets = _best_offsets(centred, normals, np.tile(grid, (len(normals), 1)))
    best = max(
        (_refined(centred, normals[i], offsets[i], near, rng) for i in shares.argsort()[-REFINED:]),
        key=lambda found: found[0],
    )
    share, normal, offset = best
    return share, normal, offset * float((centred @ normal).std())


def in_band(cloud: np.ndarray, normal: np.ndarray, offset: float) -> np.ndarray:
    """Which points have |v·(f − mean) + c| < ε · its root mean square, (n,)."""
    along = (cloud - cloud.mean(0)) @ normal + offset
    return np.abs(along) < WIDTH * np.sqrt((along**2).mean())


def normal_like(cloud: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many normal points with the same covariance."""
    _, spread, axes = np.linalg.svd(cloud - cloud.mean(0), full_matrices=False)
    return rng.normal(size=(len(cloud), len(spread))) * (spread / len(cloud) ** 0.5) @ axes


def published_mixture(points: Tensor, steps: int = 10_000, seed: int = 0) -> float | None:
    """M as it was published: one start, and an ascent of a softened share that hardens.

    The mean of σ((ε − |v·f + c| / rms) / T) is climbed by Adam (our choice) at a rate of 0.1 while
    T falls from 1 to 0; what comes back is the share in the band that it ended at.
    """
    cloud = finite(points)
    if unfit(cloud):
        return None
    x = torch.from_numpy(cloud - cloud.mean(0))
    x = x / x.square().sum(1).mean().sqrt()
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(x.shape[1], generator=generator, dtype=x.dtype).requires_grad_()
    offset = torch.zeros((), dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.Adam([direction, offset], lr=0.1)

    def depth() -> Tensor:
        along = x @ direction + offset
        return WIDTH - along.abs() / along.square().mean().sqrt()

    with torch.enable_grad():
        for step in range(steps):
            optimiser.zero_grad()
            loss = -(depth() / (1 - step / steps)).sigmoid().mean()
            torch.autograd.backward(loss)
            optimiser.step()
    return float((depth() > 0).double().mean())


def _best_offsets(
    centred: np.ndarray, normals: np.ndarray, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each normal the best of its offsets, in standard deviations: the share, and the offset.

    Sorted projections answer every offset by two look-ups each.
    """
    along = np.sort(normals @ centred.T, axis=1)
    shares, chosen = np.empty(len(normals)), np.empty(len(normals))
    spreads = along.std(1, keepdims=True)
    shifts = offsets * spreads
    halves = WIDTH * np.sqrt(spreads**2 + shifts**2)
    lows, highs = -halves - shifts, halves - shifts
    for i, line in enumerate(along):
        inside = np.searchsorted(line, highs[i]) - np.searchsorted(line, lows[i], "right")
        best = inside.argmax()
        shares[i], chosen[i] = inside[best] / len(line), offsets[i, best]
    return shares, chosen


def _refined(
    centred: np.ndarray, normal: np.ndarray, offset: float, near: float, rng: np.random.Generator
) -> tuple[float, np.ndarray, float]:
    """The best band near this one: random small moves, smaller in each round."""
    share = -1.0
    for round_ in range(ROUNDS):
        size = near * SHRINK**round_
        moved = normal + size * rng.normal(size=(TRIES, len(normal)))
        moved = np.concatenate([normal[None], moved / np.linalg.norm(moved, axis=1, keepdims=True)])
        fine = offset + 2 * size * np.linspace(-1, 1, FINE)
        shares, offsets = _best_offsets(centred, moved, np.tile(fine, (len(moved), 1)))
        best = shares.argmax()
        if shares[best] > share:
            share, normal, offset = float(shares[best]), moved[best], float(offsets[best])
    return share, normal, offset
