"""A network over tokens as extraction may ask it: it answers with the likeliest token."""

import torch
from torch import Tensor, nn

from symscope.extract.machine import Grammar, Machine
from symscope.network import Network
from symscope.program import Variable

_CHUNK = 512


def token_machine(
    module: nn.Module, vocabulary: int, length: int, grammar: Grammar, name: str = "token"
) -> Machine:
    """A module from (batch, step) tokens to (batch, step, token) logits, on a grammar's sequences.

    Only its answers can be asked for, whatever its architecture.
    """
    network = Network(module)

    def answers(x: Tensor) -> Tensor:
        with torch.no_grad():
            parts = [network.run(part[..., 0].to(network.device)).output.argmax(-1)
                     for part in x.split(_CHUNK)]  # fmt: skip
        return torch.cat(parts).cpu()[..., None]

    return Machine((Variable(name, 0, vocabulary - 1),), length, answers, grammar=grammar)
