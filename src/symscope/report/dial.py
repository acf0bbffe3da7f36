"""What a page shows of one hypernetwork: the network at each β, laid out so that it morphs."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from symscope.generate.drawing import laid_out_along
from symscope.generate.hypernetwork import Hypernetwork
from symscope.generate.reading import read_algorithm
from symscope.generate.sampling import losses, sampled
from symscope.models.perceptron import Weights
from symscope.report.geometry import packed
from symscope.report.hypernetworks import packed_weights
from symscope.tasks.functions import Function


def dial(  # the hypernetwork, what it is called, and how it is looked at
    name: str, module: Hypernetwork, task: Function, betas: Tensor, seed: int = 0,
    samples: int = 20_000, earlier: Sequence[tuple[int, Hypernetwork]] = (),
) -> dict[str, Any]:  # fmt: skip
    """One entry of the page's "hypernetworks"; all networks are drawn with the same noise.

    `earlier` are (step, the hypernetwork as it was then); the last of them may be left out.
    """
    found = {
        "name": name, "seed": seed, "task": task.name, "sizes": list(module.sizes),
        "betas": betas.tolist(), "floors": task.floors(samples),
        "networks": _along(module, task, betas, seed, samples),
    }  # fmt: skip
    if earlier:
        found["steps"] = [{"step": step, "networks": _along(was, task, betas, seed, samples)}
                          for step, was in earlier]  # fmt: skip
    return found


def _along(
    module: Hypernetwork, task: Function, betas: Tensor, seed: int, samples: int
) -> list[dict[str, Any]]:
    written = sampled(module, betas, seed, alike=True)
    weights = written.weights.each()
    layouts = laid_out_along(weights, seed, steps=1500, restarts=5)
    each = losses(written.weights, task, samples, seed).mean(1).tolist()
    return [
        shown(one, layout.positions, loss, nats, task)
        for one, layout, loss, nats in zip(weights, layouts, each, written.nats.tolist(),
                                           strict=True)
    ]  # fmt: skip


def shown(
    weights: Weights, positions: Tensor, loss: float, nats: float, task: Function
) -> dict[str, Any]:
    """One network as the page holds it, with the algorithm that its geometry speaks for."""
    said: Mapping[str, Any] = {"class": None}
    if task.kind == "l1_norm" and len(weights.matrices) == 2:
        reading = read_algorithm(weights, task, causal=False)
        said = {"class": reading.algorithm, "confidence": reading.confidence}
    return {"weights": packed_weights(weights), "positions": packed(positions.numpy()),
            "loss": loss, "kl": max(nats, 0.0), **said}  # fmt: skip


def spread(count: int) -> Tensor:
    """`count` trade-offs over the trained range."""
    return torch.logspace(-12, 0, count)
