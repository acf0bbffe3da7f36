"""A recurrent network from a wiring: its weights, its noise, and the claims about it."""

from collections.abc import Mapping

import torch

from symscope.models.compiled.planted import Built, Decoy, Design
from symscope.models.compiled.wiring import Readout, Wiring
from symscope.models.mlp_rnn import MLPRNN
from symscope.program import Program, Variable
from symscope.site import Site
from symscope.task import Task

STATE = Site("rnn", "state")


def step_program(
    name: str, token: int, variables: Mapping[str, int], rules: Mapping[str, str], output: str
) -> Program:
    """A step program over tokens 0..`token`, called `bit`; all its state starts at 0."""
    named = tuple(Variable(v, 0, variables.get(v, token)) for v in rules)
    start = dict.fromkeys(variables, 0)
    return Program(name, (Variable("bit", 0, token),), named, rules, output, start=start)


def recurrent_design(
    task: Task, wiring: Wiring, true: Mapping[str, tuple[str, ...]], readout: Readout,
    decoys: Mapping[str, Decoy], program: str = "", start: Mapping[str, float] = {},
) -> Design:  # fmt: skip
    """The design of a network with this hidden layer and readout; variables name coordinates."""

    def build(width: int, noise: int, generator: torch.Generator) -> Built:
        full = _with_noise(wiring, noise, generator)
        read, bias, write = full.layer(width)
        weights, offset = readout
        module = MLPRNN(wiring.symbols, width, len(full.units), len(offset))
        with torch.no_grad():
            for weight in module.parameters():
                weight.zero_()
            module.embed.weight.copy_(full.tokens() + bias)
            module.rnn.read.weight.copy_(read)
            module.rnn.write.weight.copy_(write)
            module.readout.weight[:, : weights.shape[1]] = weights
            module.readout.bias.copy_(offset)
            for name, value in start.items():
                module.rnn.start[wiring.coordinates.index(name)] = value
        writers = [module.rnn.write.weight.detach().T, module.rnn.start.detach()]
        readers = [module.rnn.read.weight.detach(), module.readout.weight.detach()]
        return module, writers, readers

    places = {v: (STATE, tuple(map(wiring.coordinates.index, at))) for v, at in true.items()}
    name = program or task.program.name
    return Design(task, name, build, len(wiring.coordinates), places, decoys)


def _with_noise(wiring: Wiring, noise: int, generator: torch.Generator) -> Wiring:
    """The same units, and leaky sums of random numbers per token that nothing else reads."""
    names = [f"noise{i}" for i in range(noise)]
    full = Wiring([*wiring.coordinates, *names], wiring.symbols)
    full.units = list(wiring.units)
    if noise:
        turned = torch.linalg.qr(torch.randn(noise, noise, generator=generator)).Q
        pushed = torch.randn(wiring.symbols, noise, generator=generator)
        for i, name in enumerate(names):
            from_noise = {other: 0.6 * float(turned[i, j]) for j, other in enumerate(names)}
            from_token = {k: float(pushed[k, i]) for k in range(wiring.symbols)}
            full.linear({**from_noise, **from_token}, {name: 1})
    return full
