"""Vectors whose features are known: those of the toy model of superposition."""

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.models.superposition import ToyModel, features_drawn


def superposed(
    model: ToyModel, count: int, sparsity: float = 0.95, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """`count` vectors W x (sample, width) of a toy model, and its directions (feature, width).

    The features of x are 0 with probability `sparsity`, else uniform in 0..1; vectors without any
    are left out. Directions are the columns of W that are longer than a half: features that the
    model keeps. Raises `SymscopeError` where it keeps none.
    """
    columns = model.squeeze.weight.detach()
    kept = columns.norm(dim=0) > 0.5
    if not bool(kept.any()):
        raise SymscopeError("the toy model keeps no feature: train it for longer")
    generator = torch.Generator().manual_seed(seed)
    parts: list[Tensor] = []
    while sum(map(len, parts)) < count:
        x = features_drawn(max(64, count), columns.shape[1], sparsity, generator)
        x = x[(x > 0).any(1)]
        if not len(x):
            raise SymscopeError(f"sparsity {sparsity} leaves no feature in {max(64, count)} draws")
        parts.append(x)
    return torch.cat(parts)[:count] @ columns.T, columns[:, kept].T
