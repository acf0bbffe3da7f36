"""What vectors have to be before anything is fitted on them."""

import torch
from torch import Tensor

from symscope.evidence import SymscopeError


def finite(vectors: Tensor, what: str = "vectors") -> Tensor:
    """`vectors` (sample, width) in float32, or in float64 where they are that.

    Raises `SymscopeError` for other shapes, and where a row is not finite, which the message names.
    """
    if vectors.dim() != 2 or not vectors.numel():
        raise SymscopeError(f"{what} of shape {tuple(vectors.shape)}: (sample, width) is needed")
    vectors = vectors if vectors.dtype == torch.float64 else vectors.float()
    off = (~vectors.isfinite()).any(1)
    if bool(off.any()):
        row = int(off.nonzero()[0, 0])
        raise SymscopeError(f"row {row} of the {what} is not finite ({int(off.sum())} such rows)")
    return vectors


def fit_to_fit(vectors: Tensor, batch: int, what: str = "vectors") -> Tensor:
    """As `finite`, and also that there are a batch of them and that they are not all the same."""
    vectors = finite(vectors, what)
    if len(vectors) < batch:
        raise SymscopeError(f"{len(vectors)} {what} are fewer than a batch of {batch}")
    if bool((vectors == vectors[0]).all()):
        raise SymscopeError(f"all {len(vectors)} {what} are the same: there is nothing to find")
    return vectors
