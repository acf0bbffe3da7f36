"""How well does a fit predict values of a variable that it has not seen? R², one value left out.

A probe with as many parameters as there are values fits anything; what it says of a value that no
fitted vector has is a better question.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import SymscopeError

DRAWS = 2000


@dataclass(frozen=True)
class Errors:
    """Sums of squares for each value left out, (value,): what a fit misses, and what the mean."""

    left: np.ndarray
    whole: np.ndarray

    @property
    def r2(self) -> float:
        """1 − Σ left / Σ whole; below 0 where the mean of the other values says more."""
        return float(1 - self.left.sum() / self.whole.sum())

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % of R² when values are drawn again, with replacement."""
        rows = np.random.default_rng(seed).integers(len(self.left), size=(DRAWS, len(self.left)))
        whole = self.whole[rows].sum(1)
        drawn = 1 - self.left[rows].sum(1)[whole > 0] / whole[whole > 0]
        low, high = np.percentile(drawn, [2.5, 97.5])
        return float(low), float(high)


def leave_one_out(groups: Tensor, truth: Tensor, inputs: Sequence[Tensor]) -> Errors:
    """The errors on the rows of each value of `groups` (n,), by least squares on the other rows.

    `truth` (n, number) is what should be predicted, `inputs` from what, (n, column) for each value
    in rising order, as it may itself be fitted without it. Raises `SymscopeError` for fewer than
    three values: of two points any curve says what it likes.
    """
    left, whole = [], []
    for value, x in zip(several(groups), inputs, strict=True):
        asked, others = groups == value, groups != value
        slope, offset = least_squares(x[others], truth[others])
        left.append(float((truth[asked] - x[asked] @ slope - offset).square().sum()))
        whole.append(float((truth[asked] - truth[others].mean(0)).square().sum()))
    return Errors(np.array(left), np.array(whole))


def several(groups: Tensor) -> Tensor:
    """The values there are; raises `SymscopeError` for fewer than three."""
    values = groups.unique()
    if len(values) < 3:
        raise SymscopeError(
            f"the variable has {len(values)} value{'' if len(values) == 1 else 's'}, and a curve"
            " needs at least three"
        )
    return values


def relabelled(values: Tensor, seed: int = 0) -> Tensor:
    """The values (n,) exchanged for each other: rows that had one in common still do."""
    found, which = values.unique(return_inverse=True)
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed))
    return found[order][which]


def least_squares(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The slope (column, number) and the offset (number,) of the best y ≈ x · slope + offset."""
    middle, mean = x.mean(0), y.mean(0)
    slope = torch.linalg.lstsq(x - middle, y - mean, driver="gelsd").solution
    return slope, mean - middle @ slope
