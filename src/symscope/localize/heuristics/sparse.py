"""What a few features of a family say of each neuron's map: orthogonal matching pursuit.

Families of features are told apart at the same number of parameters: a long list of patterns and
a long list of waves both explain nearly every map when all of it may be used.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from symscope.evidence import SymscopeError

RIDGE = 1e-4
"""Of each feature's length, against features that are nearly the same."""


def pursued(
    maps: Tensor, features: Tensor, on: Tensor, terms: Sequence[int]
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """For each count in `terms`, rising: the count, the fits (map, prompt), the features chosen.

    `maps` (map, prompt) are fitted on the prompts `on`; `features` (prompt, feature). Each step
    takes, for each map, the feature that what is left follows most, and fits all taken ones and a
    constant anew (Pati, Rezaiifar & Krishnaprasad, 1993). Chosen are (map, count). Raises
    `SymscopeError` where there are fewer features than terms.
    """
    if max(terms) > features.shape[1]:
        raise SymscopeError(f"{max(terms)} terms of {features.shape[1]} features")
    x = features - features[on].mean(0)
    x = x / x[on].norm(dim=0).clamp(min=1e-6)
    offset = maps[:, on].mean(1, keepdim=True)
    gram = x[on].T @ x[on]
    whole = (maps[:, on] - offset) @ x[on]
    left, rows = whole.clone(), torch.arange(len(maps))[:, None]
    chosen = torch.empty(len(maps), 0, dtype=torch.long)
    for count in range(1, max(terms) + 1):
        free = left.abs().scatter(1, chosen, -1.0)
        chosen = torch.cat([chosen, free.argmax(1, keepdim=True)], 1)
        among = gram[chosen[:, :, None], chosen[:, None]] + RIDGE * torch.eye(count)
        weights = torch.linalg.solve(among, whole[rows, chosen][..., None])[..., 0]
        full = torch.zeros(len(maps), len(gram)).scatter(1, chosen, weights)
        left = whole - full @ gram
        if count in terms:
            yield count, full @ x.T + offset, chosen
