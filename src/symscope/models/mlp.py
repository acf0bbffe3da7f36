"""A residual multi-layer perceptron on a few integer inputs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError

ACTIVATIONS = {"relu": torch.relu, "square": torch.square}


class MLPBlock(nn.Module):
    """x + write(activation(read(x)))."""

    def __init__(self, width: int, hidden: int, activation: str):
        super().__init__()
        self.read, self.write = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width) → the same."""
        return x + self.write(self.activation(self.read(x)))


class ResidualMLP(nn.Module):
    """Logits, (batch, input) integers → (batch, classes).

    The vectors of all inputs' values are added up: value v of input i is row i · `values` + v of
    the embedding. Block l's output, the residual stream, is at `Site("blocks.l")`.
    """

    def __init__(
        self, inputs: int, values: int, width: int, hidden: Sequence[int], classes: int,
        activation: str = "relu",
    ):  # fmt: skip
        super().__init__()
        if activation not in ACTIVATIONS:
            raise SymscopeError(f"activation {activation!r}: there is {', '.join(ACTIVATIONS)}")
        self.values = values
        self.embed = nn.Embedding(inputs * values, width)
        self.blocks = nn.ModuleList(MLPBlock(width, h, activation) for h in hidden)
        self.readout = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of each class."""
        offset = self.values * torch.arange(inputs.shape[1], device=inputs.device)
        x = self.embed(inputs + offset).sum(1)
        for block in self.blocks:
            x = block(x)
        return self.readout(x)
