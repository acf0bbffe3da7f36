"""How much of a neuron's map does a family of patterns explain, beside other families?

Each family is a set of features of a prompt: the patterns of the list, a table of each operand, or
waves in the operands and their sum (the "clock" of Nanda et al., 2023). A map is fitted on one half
of the prompts by ridge regression and scored on the other. What the network answers when its
neurons are replaced by their fits says what the rest was worth.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from symscope.causal_model import Edit
from symscope.localize.places import layout_in
from symscope.network import Network
from symscope.site import Site

RIDGE = 1e-3
"""Times the mean square of the features: keeps dependent features from a fit without bounds."""


def operand_tables(first: Tensor, second: Tensor) -> Tensor:
    """One column for each value of each operand, (prompt, column)."""
    size = int(max(first.max(), second.max())) + 1
    return torch.cat([one_hot(first, size), one_hot(second, size)], 1).float()


def waves(numbers: Sequence[Tensor], periods: Sequence[float]) -> Tensor:
    """Cosine and sine of each number at each period, (prompt, 2 · numbers · periods)."""
    angles = torch.stack([2 * torch.pi * n.float() / p for n in numbers for p in periods], 1)
    return torch.cat([angles.cos(), angles.sin()], 1)


def fitted(maps: Tensor, features: Tensor, on: Tensor) -> Tensor:
    """What the features say of each map on all prompts, (map, prompt), fitted on the prompts `on`.

    A constant is a feature too.
    """
    mean = features[on].mean(0)
    x = (features - mean).double()
    offset = maps[:, on].double().mean(1, keepdim=True)
    gram = x[on].T @ x[on]
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weights = torch.linalg.solve(gram, x[on].T @ (maps[:, on].double() - offset).T)
    return ((x @ weights).T + offset).float()


def explained(maps: Tensor, fits: Tensor, on: Tensor) -> Tensor:
    """R² on the prompts `on`, (map,): 1 − the share of the variance that is left; NaN for none."""
    error = (maps[:, on] - fits[:, on]).square().sum(1)
    whole = (maps[:, on] - maps[:, on].mean(1, keepdim=True)).square().sum(1)
    return torch.where(whole > 0, 1 - error / whole, torch.nan)


@torch.no_grad()
def with_fits(network: Network, prompts: Tensor, fits: Mapping[int, Tensor]) -> Tensor:
    """Logits at the last step when neurons there are what the fits say, layer by layer.

    `fits` are (neuron, prompt) for every neuron of a layer.
    """
    layout, do = layout_in(network), dict[Site, Edit]()
    for layer, fit in fits.items():
        do[layout.site(layer, "neuron").at(-1)] = _put(fit.T)
    return network.run(prompts.to(network.device), do=do).output[:, -1]


def _put(value: Tensor) -> Edit:
    return lambda old: value.to(old)
