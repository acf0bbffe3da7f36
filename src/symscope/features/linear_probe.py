"""A linear read-out trained by Adam, as Nikankin et al. (2025) do: can the answer be read here?"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.evidence import SymscopeError

RATE, BATCH, EPOCHS = 3e-4, 32, 20
"""Theirs."""


def read_out(
    vectors: Tensor, labels: Tensor, fitted: Tensor, seed: int = 0, epochs: int = EPOCHS
) -> Tensor:
    """Whether each vector that was not fitted on is read right, (sample,), in their order.

    `vectors` (sample, width) are standardised; `labels` (sample,) or, where several things are read
    and all have to be right, (sample, part): the digits of a number, for example, so that numbers
    can be read that no sample to fit on has. `fitted` (sample,) says which samples are fitted on.
    Raises `SymscopeError` where fewer than 20 are, or none is left.
    """
    if int(fitted.sum()) < 20 or bool(fitted.all()):
        raise SymscopeError(f"{int(fitted.sum())} of {len(fitted)} samples to fit on")
    labels = labels if labels.dim() == 2 else labels[:, None]
    sizes = (labels.amax(0) + 1).tolist()
    x = vectors if vectors.dtype == torch.float64 else vectors.float()
    x = (x - x[fitted].mean(0)) / x[fitted].std(0).clamp(min=1e-6)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(seed)
        layer = nn.Linear(x.shape[1], sum(sizes)).to(x)
        optimiser = torch.optim.Adam(layer.parameters(), RATE)
        rows = fitted.nonzero()[:, 0]
        for _ in range(epochs):
            for batch in rows[torch.randperm(len(rows), generator=generator)].split(BATCH):
                parts = layer(x[batch]).split(sizes, 1)
                loss = sum(cross_entropy(p, labels[batch, i]) for i, p in enumerate(parts))
                optimiser.zero_grad()
                torch.as_tensor(loss).backward()
                optimiser.step()
    with torch.no_grad():
        said = torch.stack([p.argmax(1) for p in layer(x[~fitted]).split(sizes, 1)], 1)
    return (said == labels[~fitted]).all(1)
