"""The toy model of superposition: more sparse features than dimensions (Elhage et al., 2022)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError


class ToyModel(nn.Module):
    """x' = relu(Wᵀ W x + b), (batch, features) → the same; W x is the output of `squeeze`."""

    def __init__(self, features: int, width: int):
        super().__init__()
        self.squeeze = nn.Linear(features, width, bias=False)
        self.bias = nn.Parameter(torch.zeros(features))
        nn.init.xavier_normal_(self.squeeze.weight)

    def forward(self, x: Tensor) -> Tensor:
        """The features read back."""
        return (self.squeeze(x) @ self.squeeze.weight + self.bias).relu()


@dataclass(frozen=True)
class Packing:
    """How features are packed at one sparsity.

    `norms` are the lengths of W's columns, (feature,): 1 where a feature is kept, 0 where it is
    left out; `interference` is Σ_{j≠i} (ŵ_i · w_j)², 0 where it has a dimension of its own;
    `dimensionality` is ‖w_i‖² / Σ_j (ŵ_i · w_j)², the share of a dimension it has.
    """

    sparsity: float
    loss: float
    norms: Tensor
    interference: Tensor
    dimensionality: Tensor

    @property
    def kept(self) -> int:
        """How many features are longer than a half."""
        return int((self.norms > 0.5).sum())


def features_drawn(
    count: int, features: int, sparsity: float, generator: torch.Generator
) -> Tensor:
    """Features that are 0 with probability `sparsity`, else uniform in 0..1, (count, features)."""
    values = torch.rand(count, features, generator=generator)
    return values * (torch.rand(count, features, generator=generator) >= sparsity)


def packed(
    features: int = 5, width: int = 2, sparsity: float = 0.9, importance: float = 0.9,
    steps: int = 4000, seed: int = 0, restarts: int = 4,
) -> tuple[ToyModel, Packing]:  # fmt: skip
    """A toy model trained at one sparsity, the best of some `restarts`, and what it packs.

    Feature i has weight `importance`^i in the squared error. Adam, 1e-2 falling to 0 as a cosine,
    1,024 fresh samples per step. Raises `SymscopeError` unless 0 ≤ sparsity < 1.
    """
    if not 0 <= sparsity < 1:
        raise SymscopeError(f"sparsity {sparsity}: 0 or more, below 1 (at 1 there is no feature)")
    weights = importance ** torch.arange(features)
    best: tuple[ToyModel, float] | None = None
    for restart in range(restarts):
        model, loss = _trained(features, width, sparsity, weights, steps, seed + 1000 * restart)
        if best is None or loss < best[1]:
            best = model, loss
    assert best is not None, "restarts is 1 or more"
    return best[0], _packing(best[0], sparsity, best[1])


def sweep(
    sparsities: Sequence[float], features: int = 5, width: int = 2, steps: int = 4000,
    seed: int = 0,
) -> list[Packing]:  # fmt: skip
    """The packing at each sparsity."""
    return [packed(features, width, s, steps=steps, seed=seed)[1] for s in sparsities]


def _trained(
    features: int, width: int, sparsity: float, weights: Tensor, steps: int, seed: int
) -> tuple[ToyModel, float]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = ToyModel(features, width)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        x = features_drawn(1024, features, sparsity, generator)
        loss = (weights * (x - model(x)) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        x = features_drawn(100_000, features, sparsity, torch.Generator().manual_seed(seed + 1))
        return model, float((weights * (x - model(x)) ** 2).mean())


def _packing(model: ToyModel, sparsity: float, loss: float) -> Packing:
    columns = model.squeeze.weight.detach()
    norms = columns.norm(dim=0)
    projections = (columns / norms.clamp(min=1e-9)).T @ columns  # ŵ_i · w_j
    overlaps = (projections**2).sum(1)
    return Packing(
        sparsity, loss, norms, overlaps - norms**2, norms**2 / overlaps.clamp(min=1e-9)
    )  # fmt: skip
