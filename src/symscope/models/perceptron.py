"""A multi-layer perceptron of real inputs, and the weights of one or of many at once."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": nn.functional.silu, "relu": torch.relu, "tanh": torch.tanh,
}  # fmt: skip


class Weights(NamedTuple):
    """The weights of perceptrons: `matrices` (…, in, out) and `biases` (…, out), one per layer.

    Rows are inputs, columns are units. Leading axes, if any, count networks.
    """

    matrices: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of inputs, of units of each hidden layer, and of outputs."""
        return (self.matrices[0].shape[-2], *(m.shape[-1] for m in self.matrices))

    def of(self, index: int | Tensor | slice) -> "Weights":
        """Those of some of the networks, along the first leading axis."""
        return Weights(*(tuple(part[index] for part in parts) for parts in self))

    def each(self) -> "list[Weights]":
        """Several networks one by one, along the first leading axis."""
        return [self.of(i) for i in range(len(self.matrices[0]))]

    def hidden(self, inputs: Tensor, activation: str = "silu") -> Tensor:
        """The units of the last hidden layer, (…, batch, units), for inputs (…, batch, in)."""
        for matrix, bias in zip(self.matrices[:-1], self.biases[:-1], strict=True):
            inputs = ACTIVATIONS[activation](inputs @ matrix + bias.unsqueeze(-2))
        return inputs

    def run(self, inputs: Tensor, activation: str = "silu") -> Tensor:
        """Outputs, (…, batch, out)."""
        hidden = self.hidden(inputs, activation)
        return hidden @ self.matrices[-1] + self.biases[-1].unsqueeze(-2)

    def detached(self) -> "Weights":
        """The same numbers without gradients."""
        return Weights(*(tuple(part.detach() for part in parts) for parts in self))


class Perceptron(nn.Module):
    """Real outputs, (batch, in) → (batch, out).

    `sizes` are the inputs, the units of each hidden layer, and the outputs. The units of hidden
    layer l after their activation are at `Site("hidden.l")`.
    """

    def __init__(self, sizes: Sequence[int], activation: str = "silu"):
        super().__init__()
        checked_sizes(sizes)
        if activation not in ACTIVATIONS:
            raise UnknownName("activation", activation, ACTIVATIONS)
        self.sizes, self.activation = tuple(sizes), activation
        self.hidden = nn.ModuleList(_Layer(a, b, activation) for a, b in pairwise(sizes[:-1]))
        self.readout = nn.Linear(sizes[-2], sizes[-1])

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs, (batch, out)."""
        for layer in self.hidden:
            inputs = layer(inputs)
        return self.readout(inputs)

    @property
    def weights(self) -> Weights:
        """Its weights, inputs in rows; they share memory with the parameters."""
        layers = self.layers
        return Weights(tuple(x.weight.T for x in layers), tuple(x.bias for x in layers))

    @property
    def layers(self) -> list[nn.Linear]:
        """Its linear maps, from the inputs to the outputs."""
        return [part for part in self.modules() if isinstance(part, nn.Linear)]


class _Layer(nn.Module):
    """activation(linear(x))."""

    def __init__(self, inputs: int, units: int, activation: str):
        super().__init__()
        self.linear, self.activation = nn.Linear(inputs, units), ACTIVATIONS[activation]

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, inputs) → (batch, units)."""
        return self.activation(self.linear(inputs))


def perceptron(weights: Weights, activation: str = "silu") -> Perceptron:
    """The module with these weights, of one network; raises where they are of several."""
    if weights.matrices[0].dim() != 2:
        raise SymscopeError(
            f"weights of {weights.matrices[0].shape[0]} networks: choose one with .of(index)"
        )
    module = Perceptron(weights.sizes, activation)
    with torch.no_grad():
        for layer, matrix, bias in zip(module.layers, *weights, strict=True):
            layer.weight.copy_(matrix.T)
            layer.bias.copy_(bias)
    return module


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """The sizes as a tuple; raises `SymscopeError` where no perceptron has such."""
    found = tuple(sizes)
    if len(found) < 3 or not all(isinstance(n, int) and n > 0 for n in found):
        raise SymscopeError(
            f"sizes {found}: inputs, one hidden layer or more, and outputs, each at least 1"
        )
    return found
