"""A transformer from heads: its weights, its noise, and the claims about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from symscope.models.compiled.planted import Built, Decoy, Design
from symscope.models.compiled.wiring import SHARP, Readout
from symscope.models.transformer import Block, Transformer
from symscope.network import logits
from symscope.site import Site
from symscope.task import Task

GAP = 6.0
"""From the highest attention score to the next: a share of exp(−6) = 0.0025 goes astray."""
Reads = Mapping[str, float]
Codes = Mapping[str, Tensor]
"""What each token, or each position, writes to a coordinate."""


@dataclass(frozen=True)
class Head:
    """`looks`: what a query and a key read; their products add up to the score.

    `brings`: what is read where it looks, and where it is written.
    """

    looks: Sequence[tuple[Reads, Reads]]
    brings: Sequence[tuple[Reads, Reads]]


def last(output: Tensor) -> Tensor:
    """The answer at the last position alone."""
    return logits(output)[:, -1]


def circle(x: str, y: str, count: int, ring: int = 0, first: int = 0) -> Codes:
    """`count` codes on a circle of `ring` places, after `first` empty ones."""
    angle = 2 * torch.pi * torch.arange(count) / (ring or count)
    pad = torch.nn.functional.pad
    return {x: pad(angle.cos(), (first, 0)), y: pad(angle.sin(), (first, 0))}


def attention_design(
    task: Task, coordinates: Sequence[str], tokens: Codes, places: Codes, heads: Sequence[Head],
    readout: Readout, true: Mapping[str, tuple[Site, Sequence[str]]], decoys: Mapping[str, Decoy],
    every: bool = False,
) -> Design:  # fmt: skip  # one parameter per part of the network and its claims
    """A transformer of one head per block; its answer is the last position's, or `every` one's."""
    length = max(map(len, places.values()))

    def build(width: int, noise: int, generator: torch.Generator) -> Built:
        weights, offset = readout
        module = Transformer(len(task.vocabulary), width, len(heads), 1, "learned", False, length)
        assert module.place is not None
        noisy = slice(len(coordinates), len(coordinates) + noise)
        with torch.no_grad():
            for weight in module.parameters():
                weight.zero_()
            for table, codes in ((module.embed.weight, tokens), (module.place.weight, places)):
                for name, code in codes.items():
                    table[:, coordinates.index(name)] = code
                table[:, noisy] = torch.randn(len(table), noise, generator=generator)
            for block, head in zip(cast("list[Block]", list(module.blocks)), heads, strict=True):
                _fill(block, head, coordinates, noisy, generator)
            module.readout.bias.fill_(-20 * SHARP)  # tokens that are never an answer
            module.readout.weight[: len(offset), : len(coordinates)] = weights
            module.readout.bias[: len(offset)] = offset
        return module, *_ends(module)

    sites = {name: (site, tuple(map(coordinates.index, at))) for name, (site, at) in true.items()}
    return Design(task, task.program.name, build, len(coordinates), sites, decoys,
                  logits if every else last)  # fmt: skip


def _fill(
    block: Block, head: Head, coordinates: Sequence[str], noisy: slice, generator: torch.Generator
) -> None:
    """The head, in a random basis of its own, and an MLP that mixes everything into noise."""
    attention, width = block.attention, block.attention.q.in_features
    for row, (query, key) in enumerate(head.looks):
        for name, weight in query.items():
            attention.q.weight[row, coordinates.index(name)] = weight * width**0.5
        for name, weight in key.items():
            attention.k.weight[row, coordinates.index(name)] = weight
    for row, (source, target) in enumerate(head.brings):
        for name, weight in source.items():
            attention.v.weight[row, coordinates.index(name)] = weight
        for name, weight in target.items():
            attention.out.weight[coordinates.index(name), row] = weight
    looks, brings = (
        torch.linalg.qr(torch.randn(width, width, generator=generator)).Q for _ in range(2)
    )
    for layer, basis in ((attention.q, looks), (attention.k, looks), (attention.v, brings)):
        layer.weight.copy_(basis @ layer.weight)
    attention.out.weight.copy_(attention.out.weight @ brings.T)
    read, write = (layer.weight for layer in _ends_of(block))
    reach, noise = noisy.stop, noisy.stop - noisy.start
    read[:noise, :reach] = torch.randn(noise, reach, generator=generator) / reach**0.5
    write[noisy, :noise] = 0.5 * torch.randn(noise, noise, generator=generator)


def _ends(module: Transformer) -> tuple[list[Tensor], list[Tensor]]:
    """The weights that write the residual stream, and those that read it."""
    assert module.place is not None
    writers, readers = [module.embed.weight, module.place.weight], [module.readout.weight]
    for block in cast("list[Block]", list(module.blocks)):
        attention, (read, write) = block.attention, _ends_of(block)
        writers += [attention.out.weight.T, attention.out.bias, write.weight.T, write.bias]
        readers += [attention.q.weight, attention.k.weight, attention.v.weight, read.weight]
    return [w.detach() for w in writers], [w.detach() for w in readers]


def _ends_of(block: Block) -> tuple[nn.Linear, nn.Linear]:
    return cast("nn.Linear", block.mlp[0]), cast("nn.Linear", block.mlp[2])
