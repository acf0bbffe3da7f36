"""A network over tokens as extraction may ask it: it answers with the likeliest token."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from symscope.extract.machine import Grammar, Machine
from symscope.models.rnn import RNN
from symscope.network import Network
from symscope.program import Variable

_CHUNK = 512


def token_machine(
    module: nn.Module, vocabulary: int, length: int, grammar: Grammar, name: str = "token"
) -> Machine:
    """A module from (batch, step) tokens to (batch, step, token) logits, on a grammar's sequences.

    An `RNN` can be stepped too; the state of an LSTM is h and c side by side.
    """
    network = Network(module)

    def answers(x: Tensor) -> Tensor:
        with torch.no_grad():
            parts = [network.run(part[..., 0].to(network.device)).output.argmax(-1)
                     for part in x.split(_CHUNK)]  # fmt: skip
        return torch.cat(parts).cpu()[..., None]

    inputs = (Variable(name, 0, vocabulary - 1),)
    if not isinstance(module, RNN):
        return Machine(inputs, length, answers, grammar=grammar)
    start, step, read = _stepped(module)
    return Machine(inputs, length, answers, start, step, read, grammar)


def _stepped(
    module: RNN,
) -> tuple[Tensor, Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor]]:
    cell, width = module.rnn, module.rnn.hidden_size
    both = isinstance(cell, nn.LSTM)

    def step(state: Tensor, symbols: Tensor) -> Tensor:
        parts = tuple(p[None].contiguous() for p in state.split(width, 1))
        with torch.no_grad():
            after = cell(module.embed(symbols), parts if both else parts[0])[1]
        return torch.cat([p[0] for p in after], 1) if both else after[0]

    def read(state: Tensor) -> Tensor:
        with torch.no_grad():
            return module.readout(state[:, :width]).argmax(-1, keepdim=True)

    return torch.zeros(2 * width if both else width), step, read
