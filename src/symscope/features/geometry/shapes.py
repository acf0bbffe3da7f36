"""Clouds of points whose shape is known: what the indices of this folder are tried on.

The circle, the Gaussian, the mixture and the lattice are those of Engels, Liao et al. (ICLR 2025,
section 3); the geometry of their mixture is not published beyond its shares and is ours. Every
shape is a function of a number of points and a seed.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor


def circle(n: int = 4096, seed: int = 0) -> Tensor:
    """(n, 2), uniform on the unit circle."""
    return _on_circle(np.random.default_rng(seed).uniform(0, 2 * np.pi, n))


def gaussian(n: int = 4096, seed: int = 0) -> Tensor:
    """(n, 2), normal times a random 2 × 2 matrix."""
    rng = np.random.default_rng(seed)
    return _tensor(rng.normal(size=(n, 2)) @ rng.normal(size=(2, 2)))


def mixture(n: int = 4096, seed: int = 0) -> Tensor:
    """(n, 2), 30 % a round blob, 60 % on one line and 10 % on another, all three around 0."""
    rng = np.random.default_rng(seed)
    part = rng.choice(3, size=n, p=[0.3, 0.6, 0.1])
    along = rng.normal(size=n)[:, None]
    lines = {1: np.array([1.0, 0.5]), 2: np.array([0.0, 1.0])}
    points = 0.3 * rng.normal(size=(n, 2))
    for which, direction in lines.items():
        points = np.where(part[:, None] == which, along * direction, points)
    return _tensor(points)


def lattice(n: int = 4096, seed: int = 0) -> Tensor:
    """(n, 2), whole numbers trunc(3 · normal) times a random 2 × 2 matrix."""
    rng = np.random.default_rng(seed)
    return _tensor(np.trunc(3 * rng.normal(size=(n, 2))) @ rng.normal(size=(2, 2)))


def square(n: int = 4096, seed: int = 0) -> Tensor:
    """(n, 2), uniform on a square."""
    return _tensor(np.random.default_rng(seed).uniform(-1, 1, size=(n, 2)))


def ring(n: int = 4096, seed: int = 0, count: int = 7, noise: float = 0.02) -> Tensor:
    """(n, 2), `count` equally spaced points of the unit circle, each a blob of that width."""
    rng = np.random.default_rng(seed)
    points = _on_circle(2 * np.pi * rng.integers(count, size=n) / count)
    return points + _tensor(noise * rng.normal(size=(n, 2)))


def helix(n: int = 4096, seed: int = 0, turns: float = 2.0) -> Tensor:
    """(n, 3), a circle of radius 1 that climbs from −1 to 1."""
    height = np.random.default_rng(seed).uniform(-1, 1, n)
    return torch.cat([_on_circle(turns * np.pi * height), _tensor(height[:, None])], 1)


def torus(n: int = 4096, seed: int = 0) -> Tensor:
    """(n, 4), two independent unit circles: separable as 2 + 2 coordinates, and in no other way."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, size=(2, n))
    return torch.cat([_on_circle(angles[0]), _on_circle(angles[1])], 1)


def two_circles(n: int = 4096, seed: int = 0, width: int = 10) -> Tensor:
    """(n, width), each point on one of two unit circles, by a coin; their planes are orthogonal."""
    rng = np.random.default_rng(seed)
    planes = np.linalg.qr(rng.normal(size=(width, 4))).Q.T
    which, angles = rng.integers(2, size=n), rng.uniform(0, 2 * np.pi, n)
    both = np.stack([_on_circle(angles).numpy() @ planes[2 * i : 2 * i + 2] for i in (0, 1)])
    return _tensor(both[which, np.arange(n)])


SHAPES: Mapping[str, Callable[[int, int], Tensor]] = {
    "circle": circle, "gaussian": gaussian, "mixture": mixture, "lattice": lattice,
    "square": square, "ring of 7": ring, "ring of 12": partial(ring, count=12),
    "helix": helix, "torus": torus, "two circles": two_circles,
}  # fmt: skip
"""By name; each takes the number of points and the seed."""


def _on_circle(angles: np.ndarray) -> Tensor:
    return _tensor(np.stack([np.cos(angles), np.sin(angles)], 1))


def _tensor(points: np.ndarray) -> Tensor:
    return torch.from_numpy(points).double()
