"""What each neuron does on every prompt, and what it adds to each answer.

Maps of a large model do not fit into memory: layers and neurons are taken in groups that do, one
pass over the prompts for each.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.layout import Layout
from symscope.localize.places import layout_in
from symscope.network import Network

BUDGET = 4 * 10**9
"""Bytes that maps may take beside the model."""
BATCH = 512


def neuron_maps(
    network: Network, prompts: Tensor, neurons: Mapping[int, Sequence[int]] | None = None,
    budget: int = BUDGET, batch: int = BATCH,
) -> Iterator[tuple[int, Tensor, Tensor]]:  # fmt: skip
    """Per layer: the layer, its neurons (neuron,), and their activations at the last step.

    The activations are (neuron, prompt), float32, on the CPU. `neurons` names some, by layer; None
    means all. Layers whose maps do not fit into `budget` bytes together are computed one after the
    other, a layer that does not fit by itself in several parts. Raises `SymscopeError` naming layer
    and neuron where an activation is not a number.
    """
    layout = layout_in(network)
    chosen = neurons or {layer: range(layout.neurons) for layer in range(layout.layers)}
    for group in _groups(chosen, len(prompts), budget):
        yield from _pass(network, layout, prompts, group, batch)


Part = tuple[int, Tensor]
"""A layer and some of its neurons."""


def _groups(chosen: Mapping[int, Sequence[int]], prompts: int, budget: int) -> Iterator[list[Part]]:
    """Parts of layers, in groups whose maps fit into the budget."""
    most = max(1, budget // (4 * prompts))
    group: list[Part] = []
    room = most
    for layer, neurons in chosen.items():
        for part in torch.as_tensor(list(neurons)).split(most):
            if group and len(part) > room:
                yield group
                group, room = [], most
            group.append((layer, part))
            room -= len(part)
    if group:
        yield group


@torch.no_grad()
def _pass(
    network: Network, layout: Layout, prompts: Tensor, group: list[Part], batch: int
) -> Iterator[tuple[int, Tensor, Tensor]]:
    sites = {layer: layout.site(layer, "neuron").at(-1) for layer, _ in group}
    found = [torch.empty(len(part), len(prompts)) for _, part in group]
    for rows in torch.arange(len(prompts)).split(batch):
        values = network.run(prompts[rows].to(network.device), read=sites.values()).values
        for (layer, part), map_ in zip(group, found, strict=True):
            map_[:, rows] = values[sites[layer]].float().cpu()[:, part].T
    for (layer, part), map_ in zip(group, found, strict=True):
        if not bool(torch.isfinite(map_).all()):
            wrong = int((~torch.isfinite(map_)).any(1).nonzero()[0])
            raise SymscopeError(f"layer {layer}, neuron {int(part[wrong])}: not a number")
        yield layer, part, map_


@torch.no_grad()
def output_rows(network: Network, layer: int) -> Tensor:
    """What one unit of each neuron adds to the residual stream, (neuron, width), float32."""
    layout = layout_in(network)
    down = network.modules[f"{layout.blocks}.{layer}.{layout.down or layout.hidden[0]}"]
    weight: Any = down.weight
    rows = weight.T if isinstance(down, nn.Linear) else weight  # GPT-2's own layer is transposed
    return rows.float()


@torch.no_grad()
def added_to(network: Network, layer: int, answers: Tensor) -> Tensor:
    """What one unit of each neuron adds to each answer's logit, (neuron, answer).

    Its row of the MLP's output, through the last norm's gains (not its scale) and the readout,
    less the mean over all tokens: an estimate, as the norm's scale depends on the prompt, and what
    later blocks make of it is left out. `answers` are tokens, as the network's own answers are.
    """
    layout, rows = layout_in(network), output_rows(network, layer)
    norm, readout = network.modules[layout.norm], network.modules[layout.readout]
    out: Any = readout.weight
    if isinstance(norm, nn.LayerNorm):
        rows = (rows - rows.mean(1, keepdim=True)) * norm.weight.float()
    elif not isinstance(norm, nn.Identity):
        rows = rows * norm(torch.ones_like(out[:1])).float()  # an RMSNorm of ones is its gains
    order = network.answer(torch.arange(len(out), device=out.device))  # which row each answer is
    out = out.float()
    return rows @ (out[order[answers.to(order.device)]] - out.mean(0)).T


def added_up(
    network: Network, maps: Mapping[int, tuple[Tensor, Tensor]], answers: Tensor
) -> Tensor:
    """What some neurons add to each answer by themselves, on every prompt, (prompt, answer).

    `maps` are by layer the neurons (neuron,) and their activations (neuron, prompt). Each adds as
    `added_to` says; the largest is what the neurons alone would answer.
    """
    parts = [map_.T @ added_to(network, layer, answers).cpu()[neurons]
             for layer, (neurons, map_) in maps.items()]  # fmt: skip
    return torch.stack(parts).sum(0)
