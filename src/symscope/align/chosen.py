"""Coordinates chosen without a search: what any search has to be compared with."""

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.featurizer import PCA, Mask, Rotation

MOST_VECTORS = 4000


def neurons(vectors: Tensor, values: Tensor, size: int) -> Mask:
    """The `size` units that correlate best with the variable, by its `values` (vector,)."""
    centred = (vectors - vectors.mean(0)).double().cpu()
    target = values - values.mean()
    correlation = (centred.T @ target).abs() / centred.norm(dim=0).clamp(min=1e-9)
    return Mask(vectors.shape[1], size, sorted(correlation.topk(size).indices.tolist()))


def principal_axes(vectors: Tensor, size: int) -> PCA:
    """The `size` widest principal axes of (the first 4,000 of) the vectors."""
    return PCA(vectors.shape[1], size, vectors[:MOST_VECTORS].cpu())


def probe_axes(vectors: Tensor, values: Tensor, size: int) -> Rotation:
    """The `size` directions along which ridge probes read the variable.

    One probe of the value itself gives the first; more come from one probe per value, the widest
    first. Raises `SymscopeError` where the variable has one value only.
    """
    from sklearn.linear_model import Ridge

    if len(values.unique()) < 2:
        raise SymscopeError("a probe needs a variable with more than one value")
    targets = values[:, None].double()
    if size > 1:
        targets = (targets == values.unique()).double()
    ridge = Ridge(alpha=1e-3, solver="svd").fit(vectors.double().cpu().numpy(), targets.numpy())
    weights = torch.as_tensor(ridge.coef_, dtype=vectors.dtype).reshape(targets.shape[1], -1)
    axes = torch.linalg.svd(weights, full_matrices=True).Vh[:size]
    return Rotation(vectors.shape[1], size, start=axes.T.contiguous())
