"""Where in the network's state a program keeps its registers.

A register that is stored as a number lies along a direction: an affine function of the state gives
it. One that is stored as a symbol has regions of states for each value, and the nearest state that
is known tells it, also from a little way off. Both are fitted to half of the states that some
sequences reach and scored on the other half; a state that is reached often counts once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.extract.machine import Machine
from symscope.program import Program

SEQUENCES = 2000
LINEAR, TOLD = 0.99, 0.99
"""The share of a register's variance, and of its values, from which it counts as located."""
COMPARED = 2000
"""So many states of either half are compared with each other."""
OFF = 0.02
"""How far from a state its neighbour is looked for, in units of the states' spread: what differs by
less is no place to keep anything in. The smallest radius of `automaton` (our choice)."""
FEW = 64
"""So few different states are fitted and scored alike: there is no other half."""


@dataclass(frozen=True)
class Place:
    """How one register is kept in the state after a step.

    `linear`: the share of its variance that an affine function of the state gives (R²), along
    `direction` (state,) of length 1. `told`: how often the nearest state of other sequences has the
    same value.
    """

    linear: float
    direction: list[float]
    told: float

    @property
    def found(self) -> bool:
        """Whether the register can be read from the state."""
        return self.linear >= LINEAR or self.told >= TOLD

    def __str__(self) -> str:
        if self.linear >= LINEAR:
            along = ", ".join(f"{d:.2f}" for d in self.direction)
            return f"in the state along ({along}), R² {self.linear:.3f}"
        if self.told >= TOLD:
            return f"in the state, not along one direction (R² {self.linear:.2f}), {self._nearest}"
        return f"not told by the state alone (R² {self.linear:.2f}, {self._nearest})"

    @property
    def _nearest(self) -> str:
        return f"nearest neighbour right in {self.told:.1%}"


def located(machine: Machine, program: Program, seed: int = 0) -> dict[str, Place]:
    """The place of each register that varies; empty for a machine without states."""
    if machine.step is None or not program.start:
        return {}
    x = machine.sample(SEQUENCES, seed + 7)
    given = x if len(program.inputs) > 1 else x[..., 0]
    steps = range(x.shape[1])
    run = program.run(given, read=[(n, t) for n in program.start for t in steps])
    states = machine.states(x)
    found = {}
    for name in program.start:
        column = [torch.as_tensor(run.values[name, t]).double().expand(len(x)) for t in steps]
        values = torch.stack(column, 1)
        if bool((values != values[0, 0]).any()):
            found[name] = _place(states, values)
    return found


def _place(states: Tensor, values: Tensor) -> Place:
    table = torch.cat([states.flatten(0, 1), values.flatten()[:, None]], 1)
    table = torch.unique(table, dim=0)
    table = table[torch.randperm(len(table), generator=torch.Generator().manual_seed(0))]
    fit, test = table.chunk(2) if len(table) > FEW else (table, table)
    direction, offset = _affine(fit[:, :-1], fit[:, -1])
    expected = test[:, -1]
    left = expected - test[:, :-1] @ direction - offset
    variance = (expected - expected.mean()).square().sum()
    linear = 1 - float(left.square().sum() / variance) if float(variance) else 0.0
    length = direction.norm().clamp_min(1e-12)
    return Place(linear, (direction / length).tolist(), _told(fit[:COMPARED], test[:COMPARED]))


def _affine(states: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """The least-squares weights and offset that give the values."""
    mean = states.mean(0)
    wanted = (values - values.mean())[:, None]
    weights = torch.linalg.lstsq(states - mean, wanted, driver="gelsd").solution[:, 0]
    return weights, values.mean() - mean @ weights


def _told(known: Tensor, asked: Tensor) -> float:
    """How often the nearest known state has the value of a state that is `OFF` away."""
    generator = torch.Generator().manual_seed(1)
    spread = known[:, :-1].std(0, correction=0).norm()
    aside = torch.randn(asked[:, :-1].shape, generator=generator, dtype=asked.dtype)
    aside = OFF * spread * aside / aside.norm(dim=1, keepdim=True)
    nearest = torch.cdist(asked[:, :-1] + aside, known[:, :-1]).argmin(1)
    return float((known[nearest, -1] == asked[:, -1]).double().mean())
