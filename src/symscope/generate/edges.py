"""The edges of a perceptron as one axis: where each stands, and attention at every neuron."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor


def positions(sizes: Sequence[int], size: int, wavelength: float) -> Tensor:
    """Three times `size` features per edge, (edge, 3 · size): of its input, its output, its layer.

    The input's number counts in the first layer only, the output's in the last, and else they are
    0: hidden units have no position. Half of the features are sin and cos of the number itself,
    the others of the number over `wavelength`, and so on for larger sizes.
    """
    layers = list(pairwise(sizes))
    parts = []
    for layer, (a, b) in enumerate(layers):
        row, column = torch.meshgrid(torch.arange(a), torch.arange(b), indexing="ij")
        before = _sines(row, size, wavelength) * (layer == 0)
        after = _sines(column, size, wavelength) * (layer == len(layers) - 1)
        number = _sines(torch.full_like(row, layer), size, wavelength)
        parts.append(torch.cat([before, after, number], -1).flatten(0, 1))
    return torch.cat(parts)


def _sines(number: Tensor, size: int, wavelength: float) -> Tensor:
    slower = wavelength ** torch.arange(size // 2)
    angle = number[..., None] / slower
    return torch.cat([angle.sin(), angle.cos()], -1)


def attended(heads: Tensor, sizes: Sequence[int]) -> Tensor:
    """What each edge hears at the neuron in front and at the one behind, (…, edge, 2 · head).

    `heads` (…, edge, 6 · head) are query, key and value for the one and for the other. At each
    neuron one head attends over all edges that enter or leave it.
    """
    shapes = list(pairwise(sizes))
    lead, size = heads.shape[:-2], heads.shape[-1] // 6
    tables = [
        part.reshape(*lead, a, b, 2, 3, size)
        for part, (a, b) in zip(heads.split([a * b for a, b in shapes], -2), shapes, strict=True)
    ]
    front: list[Tensor] = []
    behind: list[Tensor] = []
    for neuron in range(len(sizes)):
        entering = [t[..., 0, :, :].transpose(-4, -3) for t in tables[neuron - 1 : neuron]]
        leaving = [t[..., 1, :, :] for t in tables[neuron : neuron + 1]]
        query, key, value = torch.cat([*entering, *leaving], -3).unbind(-2)
        scores = query @ key.transpose(-1, -2) * size**-0.5
        heard = torch.softmax(scores, -1) @ value
        if entering:
            front.append(heard[..., : sizes[neuron - 1], :].transpose(-3, -2))
        if leaving:
            behind.append(heard[..., heard.shape[-2] - sizes[neuron + 1] :, :])
    edges = [torch.cat(pair, -1).flatten(-3, -2) for pair in zip(front, behind, strict=True)]
    return torch.cat(edges, -2)
