"""A hidden layer written by hand: each unit by what it reads and what it writes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from symscope.causal_model import UnknownName

Weights = Mapping[Any, float]
"""Weight by the name of a coordinate, or by a token's number."""
Readout = tuple[Tensor, Tensor]
"""Weights (class, coordinate) and biases (class,) of the logits."""
SHARP = 5.0
"""The logit by which the right whole number leads the next."""


class Wiring:
    """Units of one hidden layer between named coordinates; biases are written once for all.

    >>> w = Wiring(["a", "b", "both"])
    >>> w.unit({"a": 1, "b": 1}, {"both": 1}, bias=-1)  # relu(a + b − 1)
    >>> [part.tolist() for part in w.layer(width=3)]
    [[[1.0, 1.0, 0.0]], [-1.0], [[0.0], [0.0], [1.0]]]
    """

    def __init__(self, coordinates: Sequence[str], symbols: int = 0):
        self.coordinates, self.symbols = tuple(coordinates), symbols
        self.units: list[tuple[Weights, float, Mapping[str, float]]] = []

    def unit(self, reads: Weights, writes: Mapping[str, float], bias: float = 0.0) -> None:
        """One unit: activation(Σ weight · read + bias), added to what is written with weights."""
        for name in (*reads, *writes):
            if isinstance(name, str) and name not in self.coordinates:
                raise UnknownName("coordinate", name, self.coordinates)
        self.units.append((reads, bias, writes))

    def linear(self, reads: Weights, writes: Mapping[str, float]) -> None:
        """A linear map through two ReLU units: x = relu(x) − relu(−x)."""
        self.unit(reads, writes)
        self.unit({k: -v for k, v in reads.items()}, {k: -v for k, v in writes.items()})

    def at_least(self, threshold: int, reads: Weights, writes: Mapping[str, float]) -> None:
        """1 where a whole number x is `threshold` or more, else 0.

        1.25 relu(x − threshold + 0.9) − 1.25 relu(x − threshold + 0.1): flat near whole numbers, so
        that a rounding error ends here.
        """
        for weight, bias in ((1.25, 0.9), (-1.25, 0.1)):
            scaled = {name: weight * w for name, w in writes.items()}
            self.unit(reads, scaled, bias - threshold)

    def equal(self, left: str, right: str, writes: Mapping[str, float]) -> None:
        """1 where two whole numbers agree, else 0."""
        self.at_least(0, {left: 1, right: -1}, writes)
        self.at_least(1, {left: 1, right: -1}, {name: -w for name, w in writes.items()})

    def layer(self, width: int) -> tuple[Tensor, Tensor, Tensor]:
        """Read weights (unit, width), biases (unit,) and write weights (width, unit)."""
        read, write = torch.zeros(len(self.units), width), torch.zeros(width, len(self.units))
        bias = torch.zeros(len(self.units))
        for i, (reads, offset, writes) in enumerate(self.units):
            bias[i] = offset
            for name, weight in reads.items():
                if isinstance(name, str):
                    read[i, self.coordinates.index(name)] = weight
            for name, weight in writes.items():
                write[self.coordinates.index(name), i] = weight
        return read, bias, write

    def tokens(self) -> Tensor:
        """What each token adds to each unit, (symbol, unit)."""
        shares = torch.zeros(self.symbols, len(self.units))
        for i, (reads, _, _) in enumerate(self.units):
            for name, weight in reads.items():
                if isinstance(name, int):
                    shares[name, i] = weight
        return shares


def nearest(value: Mapping[str, float], classes: int, wiring: Wiring) -> Readout:
    """Logits 2·k·x − k², times `SHARP`: the class k nearest to x = Σ weight · coordinate."""
    k = torch.arange(float(classes))
    x = torch.tensor([value.get(name, 0.0) for name in wiring.coordinates])
    return SHARP * 2 * k[:, None] * x, -SHARP * k**2


def nearest_corner(
    x: str, y: str, classes: int, coordinates: Sequence[str], none: bool = False
) -> Readout:
    """The class whose corner of a regular polygon lies nearest to (x, y), times 8 · `SHARP`.

    With `none` class 0 stands for a vector without a code, and the corners for 1 to `classes`.
    """
    angle = 2 * torch.pi * torch.arange(classes) / classes
    weights = torch.zeros(classes, len(coordinates))
    weights[:, coordinates.index(x)], weights[:, coordinates.index(y)] = angle.cos(), angle.sin()
    bias = torch.zeros(classes)
    if none:
        weights = torch.cat([torch.zeros(1, len(coordinates)), weights])
        bias = torch.cat([(1 + angle[1].cos())[None] / 2, bias])
    return 8 * SHARP * weights, 8 * SHARP * bias
