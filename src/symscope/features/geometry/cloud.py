"""A cloud of points, looked at before anything is said of its shape."""

import warnings

import numpy as np
import torch
from torch import Tensor

from symscope.conditioning import spanned
from symscope.evidence import Evidence, SymscopeError

FEWEST = 50
"""With fewer points than this, neither index is told."""
SMALLEST = 1e-9
"""A direction with less than this share of the widest one's spread counts as absent."""


class NotFinite(SymscopeError, ValueError):
    """A vector that holds NaN or an infinite number; the message names its row."""


class FewerComponents(UserWarning):
    """More principal components were asked for than the vectors have directions."""


def finite(vectors: Tensor) -> np.ndarray:
    """The vectors as numbers (n, width), float64.

    Raises `NotFinite` naming the first row that is not, and `SymscopeError` for other shapes.
    """
    if vectors.dim() != 2:
        raise SymscopeError(f"vectors are (n, width), and these are {tuple(vectors.shape)}")
    numbers = vectors.detach().cpu().double().numpy()
    wrong = ~np.isfinite(numbers).all(1)
    if wrong.any():
        raise NotFinite(f"row {int(wrong.argmax())} of {len(numbers)} holds NaN or infinity")
    return numbers


def unfit(points: np.ndarray) -> str:
    """Why nothing can be told of this cloud (n, width): too few points, or no plane; else ""."""
    if len(points) < FEWEST:
        return f"{len(points)} points, and fewer than {FEWEST} tell nothing"
    spread = spreads(points)
    if spread[0] == 0:
        return "all points are the same"
    if len(spread) < 2 or spread[1] <= SMALLEST * spread[0]:
        return "all points lie on one line"
    return ""


def spreads(points: np.ndarray) -> np.ndarray:
    """Standard deviations along the principal axes, the widest first; noise of rounding is 0."""
    found = np.linalg.svd(points - points.mean(0), compute_uv=False) / len(points) ** 0.5
    return np.where(found > 1e-12 * np.abs(points).max(initial=0), found, 0.0)


def principal(vectors: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The mean (width,) and the first `count` principal axes as rows (count, width), float64.

    Where the vectors have fewer directions, the axes are fewer and `FewerComponents` is warned.
    What rounding of the vectors makes, in the precision that they come in, is no direction.
    """
    numbers = torch.from_numpy(finite(vectors))
    mean = numbers.mean(0)
    _, size, axes = torch.linalg.svd(numbers - mean, full_matrices=False)
    floor = max(SMALLEST * float(size[0]), 1e-12 * float(numbers.abs().max()))
    rank = int((size > floor).sum())
    rank = min(rank, spanned(vectors.detach().cpu(), size, max(1, min(count, rank))))
    if rank == 0:
        raise SymscopeError("all vectors are the same: there is no principal axis")
    if count > rank:
        text = f"{count} components were asked for and the vectors span {rank}: {rank} are used"
        warnings.warn(text, FewerComponents, stacklevel=3)
    return mean, axes[: min(count, rank)]


def not_told(claim: str, n: int, unit: str, reason: str) -> Evidence:
    """Evidence without a score, and why."""
    return Evidence(claim, None, None, None, n, unit, note=reason)
