"""Matrices that are inverted: how much an inverse makes of rounding, and a warning where it shows.

What is solved for a matrix of condition number κ is wrong by about κ·ε of its size, ε the step
between 1 and the next number: 1.2e-7 in float32, 2.2e-16 in float64.
"""

import math
import warnings
from collections.abc import Iterable

import torch
from torch import Tensor

VISIBLE = 1e-3
"""An error of this share is warned of: κ above 8.4e3 in float32, above 4.5e12 in float64."""

HOPELESS = 1e6
"""Maps that are inverted are refused from here on."""


class IllConditioned(UserWarning):
    """What was computed is true to fewer digits than it seems."""


def worst(dtype: torch.dtype) -> float:
    """The condition number from which rounding in this precision shows.

    >>> round(worst(torch.float32)), f"{worst(torch.float64):.1e}"
    (8389, '4.5e+12')
    """
    return VISIBLE / torch.finfo(dtype).eps


def precision(tensors: Iterable[Tensor]) -> torch.dtype:
    """float64 where one of the tensors is that, else float32."""
    return torch.float64 if any(v.dtype == torch.float64 for v in tensors) else torch.float32


@torch.no_grad()
def conditioned(matrix: Tensor, what: str, instead: str, refused: float = HOPELESS) -> float:
    """The condition number of a matrix; warns `IllConditioned` where rounding shows.

    `what` is the matrix in the user's words and `instead` what to do. What is `refused` is not
    warned of, nor what is not finite, for which NaN comes back: the caller raises.
    """
    if not bool(matrix.isfinite().all()):
        return math.nan
    found = float(torch.linalg.cond(matrix))
    if worst(matrix.dtype) < found < refused:
        error = found * torch.finfo(matrix.dtype).eps
        warnings.warn(
            f"{what} is ill-conditioned: its condition number is {found:.0e}, and rounding alone"
            f" may change what comes out by a share of {min(error, 1):.0e}; {instead}",
            IllConditioned, stacklevel=3,
        )  # fmt: skip
    return found


def spanned(vectors: Tensor, sizes: Tensor, asked: int) -> int:
    """How many of the `asked` principal axes are more than rounding of `vectors` (sample, width).

    `sizes` are the singular values of the centred vectors, the largest first. Rounding in the
    precision that the vectors came in moves unit j by ε · max |x_j|; in those units singular values
    of rounding alone are below √n + √width.
    """
    moved = vectors.abs().amax(0).double() * (
        torch.finfo(vectors.dtype).eps if vectors.is_floating_point() else 0
    )
    most = sum(side**0.5 for side in vectors.shape)
    asked = min(asked, *vectors.shape)
    own = torch.finfo(sizes.dtype).eps * max(vectors.shape) * float(sizes[0])
    if float(sizes[asked - 1]) > max(own, most * float(moved.max())):
        return asked
    centred = (vectors - vectors.double().mean(0)) / moved.where(moved > 0, 1)
    there = torch.linalg.svdvals(centred)
    return min(asked, int((there > max(most, 1e-12 * float(there[0]))).sum()))


def warn_of_arbitrary_axes(asked: int, vectors: Tensor, sizes: Tensor) -> None:
    """Say it where more principal axes were asked for than the vectors span, see `spanned`."""
    there = spanned(vectors, sizes, asked)
    if asked > there:
        warnings.warn(
            f"{asked} principal axes were asked for and the vectors span {there} directions: the"
            f" other {asked - there} are arbitrary, nothing varies along them; ask for {there}",
            IllConditioned, stacklevel=3,
        )  # fmt: skip


def warn_of_half_turns(plus: Tensor) -> None:
    """Say it where I + S, which a Cayley rotation is solved by, has become ill-conditioned.

    That is where it turns a plane by nearly 180°, which no finite S does.
    """
    if float(plus.detach().norm()) > worst(plus.dtype):  # never below the condition number
        instead = "take its axes as the start of a new one"
        conditioned(plus, "the rotation, near a turn by 180°,", instead, math.inf)
