"""A recurrent network whose step is a multi-layer perceptron, as in Michaud et al. (2024)."""

import torch
from torch import Tensor, nn

from symscope.visit import Recurrent


class MLPRecurrence(Recurrent):
    """h' = write(relu(read(h) + x)) from `start` on; x is the input's share of that layer."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.read = nn.Linear(width, hidden, bias=False)
        self.write = nn.Linear(hidden, width)
        self.start = nn.Parameter(torch.zeros(width))

    def forward(self, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(batch, step, hidden) → states (batch, step, width) and the last (1, batch, width)."""
        h = self.start.expand(len(inputs), -1) if state is None else state[0]
        states = []
        for x in inputs.unbind(1):
            h = self.write((self.read(h) + x).relu())
            states.append(h)
        return torch.stack(states, 1), h[None]


class MLPRNN(nn.Module):
    """Logits at every step, (batch, step) integers → (batch, step, classes).

    The state after each step, of `width` numbers, is at `Site("rnn", "state")`; the readout is
    affine. `hidden` is the width of the perceptron's one hidden layer.
    """

    def __init__(self, symbols: int, width: int, hidden: int, classes: int):
        super().__init__()
        self.embed = nn.Embedding(symbols, hidden)
        self.rnn = MLPRecurrence(width, hidden)
        self.readout = nn.Linear(width, classes)

    def hidden(self, tokens: Tensor) -> Tensor:
        """What `readout` reads, step by step, (batch, step, width)."""
        return self.rnn(self.embed(tokens))[0]

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of each class at every step."""
        return self.readout(self.hidden(tokens))
