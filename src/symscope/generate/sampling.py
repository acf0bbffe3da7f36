"""Perceptrons from a trained hypernetwork: at any β, of any sizes where the decoder suffices."""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.generate.hypernetwork import (
    BETAS,
    Hypernetwork,
    Written,
    checked_betas,
    edge_count,
    extrapolated,
)
from symscope.models.perceptron import Weights
from symscope.task import Task

SILENT = ("noise", "learned", "channel")
"""Blocks that can be put to zero."""
_MOST = 2**24
"""Numbers in one tensor of a batch of networks: 64 MB."""


class Extrapolated(UserWarning):
    """A β outside the range of training."""


@torch.no_grad()
def sampled(
    hypernetwork: Hypernetwork, betas: float | Sequence[float] | Tensor, seed: int = 0,
    sizes: Sequence[int] | None = None, encoder: bool = True, silent: Sequence[str] = (),
    alike: bool = False,
) -> Written:  # fmt: skip
    """A perceptron for each β, with its cost in nats.

    `sizes` other than those of training need `encoder=False`: every latent is then drawn from the
    decoder's own distribution. `silent` blocks are put to zero; with `alike` every β gets the same
    noise, so that networks differ by β alone. Warns `Extrapolated` outside the trained range.
    Raises `SymscopeError` for a β that is no positive number, `UnknownName` for a block.
    """
    like = hypernetwork.last.weight
    betas = checked_betas(torch.as_tensor(betas, dtype=like.dtype).flatten()).to(like.device)
    for name in silent:
        if name not in SILENT:
            raise UnknownName("block", name, SILENT)
    if bool(extrapolated(betas).any()):
        warnings.warn(
            f"beta {betas[extrapolated(betas)].tolist()} is outside {BETAS}, the range of training",
            Extrapolated, stacklevel=2,
        )  # fmt: skip
    generator = torch.Generator(device=like.device).manual_seed(seed)
    hyperweights = hypernetwork.hyperweights(betas)
    sizes = hypernetwork.fitting(sizes, encoder)

    def some(rows: Tensor) -> Written:
        part = {k: v[rows] for k, v in hyperweights.items()}
        return hypernetwork.written(part, generator, sizes, encoder, silent, alike)

    every = torch.arange(len(betas))
    return some(every) if alike else _joined(list(map(some, every.split(_at_once(sizes)))))


def _at_once(sizes: Sequence[int]) -> int:
    """Networks in one batch: attention needs (fan-in + fan-out)² numbers at each neuron."""
    fan = [
        (sizes[n - 1] if n else 0) + (sizes[n + 1] if n + 1 < len(sizes) else 0)
        for n in range(len(sizes))
    ]
    most = max(*(n * f * f for n, f in zip(sizes, fan, strict=True)), 60 * edge_count(sizes))
    return max(1, _MOST // (2 * most))


def _joined(parts: Sequence[Written]) -> Written:
    def stacked(pieces: Any) -> tuple[Tensor, ...]:
        return tuple(torch.cat(same) for same in zip(*pieces, strict=True))

    matrices = stacked([p.weights.matrices for p in parts])
    biases = stacked([p.weights.biases for p in parts])
    return Written(Weights(matrices, biases), torch.cat([p.nats for p in parts]))


@torch.no_grad()
def losses(weights: Weights, task: Task, samples: int = 100_000, seed: int = 0) -> Tensor:
    """The squared error of each network on each of `samples` fresh inputs, (network, sample).

    Weights of one network give one row. Inputs are the same for all networks.
    """
    if weights.matrices[0].dim() == 2:
        weights = Weights(*(tuple(part[None] for part in parts) for parts in weights))
    inputs = task.sample(samples, torch.Generator().manual_seed(seed))
    target = task.correct(inputs)
    like = weights.matrices[0]
    rows = [
        (weights.of(i).run(inputs.to(like)) - target.to(like)).square().mean(-1).cpu()
        for i in range(len(weights.matrices[0]))
    ]
    return torch.stack(rows)
