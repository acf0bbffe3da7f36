"""Is a mean effect above zero, when many were looked at? Sign flips, and Holm's correction."""

import numpy as np
import torch
from torch import Tensor

DRAWS = 20_000
"""So that with 384 tests (12 blocks of 8 heads, 4 roles) the least corrected p is 0.02."""
AT_ONCE = 2_000


def above_zero(effects: Tensor, draws: int = DRAWS, seed: int = 0) -> Tensor:
    """One-sided p-values of means above zero, (…,) for effects (…, pair).

    A permutation test (Fisher, 1935): if nothing is there, each pair's effect may as well have the
    other sign. Signs are drawn `draws` times, the same for all effects; p = (1 + draws whose mean
    is as large) / (1 + draws), so never below 1 / (1 + draws).
    """
    rng = np.random.default_rng(seed)
    flat = effects.detach().double().cpu().reshape(-1, effects.shape[-1])
    as_large = torch.zeros(len(flat))
    for start in range(0, draws, AT_ONCE):
        count = min(AT_ONCE, draws - start)
        signs = torch.as_tensor(rng.integers(0, 2, (flat.shape[1], count)) * 2.0 - 1)
        as_large += (flat @ signs >= flat.sum(1, keepdim=True) - 1e-12).sum(1)
    return ((1 + as_large) / (1 + draws)).view(effects.shape[:-1])


def holm(p: Tensor) -> Tensor:
    """p-values corrected for their number: the chance of any false one is the level (Holm, 1979).

    >>> holm(torch.tensor([0.01, 0.04, 0.03]))
    tensor([0.0300, 0.0600, 0.0600])
    """
    flat, order = p.flatten().sort()
    scaled = flat * torch.arange(len(flat), 0, -1)
    corrected = torch.cummax(scaled, 0).values.clamp(max=1)
    return torch.empty_like(corrected).index_copy(0, order, corrected).view(p.shape)
