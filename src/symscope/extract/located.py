"""Where in the network's state a program keeps its registers.

A register that is stored as a number lies along a direction: an affine function of the state gives
it. One that is stored as a symbol has regions of states for each value, and the nearest state that
is known tells it. Both are fitted to half of some sequences and scored on the other half.
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
    half = len(states) // 2
    fit, test = states[:half].flatten(0, 1), states[half:].flatten(0, 1)
    wanted, expected = values[:half].flatten(), values[half:].flatten()
    mean = fit.mean(0)
    slope = torch.linalg.lstsq(fit - mean, (wanted - wanted.mean())[:, None], driver="gelsd")
    weights = slope.solution[:, 0]
    left = expected - (test - mean) @ weights - wanted.mean()
    variance = (expected - expected.mean()).square().sum()
    linear = 1 - float(left.square().sum() / variance) if float(variance) else 0.0
    direction = weights / weights.norm().clamp_min(1e-12)
    return Place(linear, direction.tolist(), _told(fit, wanted, test, expected))


def _told(fit: Tensor, wanted: Tensor, test: Tensor, expected: Tensor) -> float:
    generator = torch.Generator().manual_seed(0)
    known = torch.randperm(len(fit), generator=generator)[:COMPARED]
    asked = torch.randperm(len(test), generator=generator)[:COMPARED]
    nearest = torch.cdist(test[asked], fit[known]).argmin(1)
    return float((wanted[known][nearest] == expected[asked]).double().mean())
