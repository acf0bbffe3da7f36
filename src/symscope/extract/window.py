"""Does the answer depend on the last k inputs alone? Then it is a formula of these.

Everything before the last k inputs is drawn again; the answers must not change. Inputs before the
first step count as 0.
"""

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad

from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate, Regress, Rows

MOST = 8
"""Longer windows are not looked for."""
_PAIRS = 2000


def windowed(machine: Machine, rows: Rows, regress: Regress) -> Candidate | None:
    """The answer as a formula of the last inputs."""
    size = memory(machine)
    if size is None:
        return None
    columns: dict[str, Tensor] = {}
    rules: dict[str, str] = {}
    for i, variable in enumerate(machine.inputs):
        names = [variable.name, *(f"{variable.name}_{back}" for back in range(max(1, size)))]
        for back, (before, name) in enumerate(pairwise(names)):
            columns[name] = pad(rows.x[..., i], (back, 0))[:, : rows.x.shape[1]]
            rules[name] = before
    output = rows.formula(columns, regress)
    if output is None:
        return None
    program = rows.program(rules, columns, output, dict.fromkeys(rules, 0))
    return Candidate(program, "window", f"the last {size} inputs fix the answer")


def memory(machine: Machine, seed: int = 0) -> int | None:
    """The smallest k for which the last k inputs fix the answer; None if there is none."""
    for size in range(min(MOST, machine.length - 1) + 1):
        if all(_fixed(machine, size, t, seed) for t in range(size, machine.length)):
            return size
    return None


def _fixed(machine: Machine, size: int, step: int, seed: int) -> bool:
    base = machine.sample(_PAIRS, seed + 31 * step)[:, : step + 1]
    other = machine.sample(_PAIRS, seed + 31 * step + 17)[:, : step + 1]
    other[:, step + 1 - size :] = base[:, step + 1 - size :]
    return torch.equal(machine.answers(base)[:, -1], machine.answers(other)[:, -1])
