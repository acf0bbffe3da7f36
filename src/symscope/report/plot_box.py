"""The box of a plot: values to pixels, what of a line is inside, round numbers for ticks."""

import math
from dataclasses import dataclass

import numpy as np

from symscope.report.drawing import element

BOX = (48.0, 12.0, 392.0, 300.0)
"""Left, top, right and bottom of the plot."""


@dataclass(frozen=True)
class Scale:
    """Values to pixels: `low` at the left or bottom of the box."""

    low: np.ndarray
    high: np.ndarray

    def place(self, points: np.ndarray) -> np.ndarray:
        """(…, 2) values → (…, 2) pixels."""
        left, top, right, bottom = BOX
        shares = (np.asarray(points) - self.low) / (self.high - self.low)
        return np.stack(
            [left + shares[..., 0] * (right - left), bottom - shares[..., 1] * (bottom - top)], -1
        )


def fitted(points: np.ndarray) -> Scale:
    """A scale on which all points, (point, 2), are inside with some room."""
    low, high = points.min(0), points.max(0)
    spread = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    return Scale(low - 0.07 * spread, high + 0.07 * spread)


def line(ends: np.ndarray, kind: str = "axis") -> str:
    """The part of a line that is inside the box."""
    seen = inside(ends)
    if seen is None:
        return ""
    first, last = (ends[0] + t * (ends[1] - ends[0]) for t in seen)
    return path(first, last, kind)


def inside(ends: np.ndarray) -> tuple[float, float] | None:
    """Between which shares of its length a line is inside the box."""
    first, last = 0.0, 1.0
    for start, along, low, high in zip(ends[0], ends[1] - ends[0], BOX[:2], BOX[2:], strict=True):
        if along == 0:
            last = last if low <= start <= high else -1.0
            continue
        one, other = sorted(((low - start) / along, (high - start) / along))
        first, last = max(first, one), min(last, other)
    return (first, last) if first < last else None


def path(start: np.ndarray, end: np.ndarray, kind: str) -> str:
    """A straight line."""
    return element("path", d=f"M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}", kind=kind)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, `most` of them or fewer.

    >>> ticks(-10, 10)
    [-10, -5, 0, 5, 10]
    """
    size = 10 ** math.floor(math.log10(max(high - low, 1e-12)) - 1)
    for factor in (1, 2, 5, 10, 20, 50):
        step = size * factor
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [step * k for k in range(first, last + 1)]
    return []
