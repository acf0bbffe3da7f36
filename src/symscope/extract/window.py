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
    """The answer as a formula of the last inputs, or of their absolute values if these do."""
    size = memory(machine)
    if size is None:
        return None
    signed = any(v.low < 0 for v in machine.inputs)
    for absolute in (True, False) if signed else (False,):
        columns, rules = _window(rows, max(1, size), absolute)
        output = rows.formula(columns, regress)
        if output is not None:
            program = rows.program(rules, columns, output, dict.fromkeys(rules, 0))
            return Candidate(program, "window", f"the last {size} inputs fix the answer")
    return None


def _window(rows: Rows, size: int, absolute: bool) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The last inputs, (sequence, step) each, and the rules of the registers that hold them."""
    columns: dict[str, Tensor] = {}
    rules: dict[str, str] = {}
    for i, variable in enumerate(rows.inputs):
        x, first, stem = rows.x[..., i], variable.name, variable.name
        if absolute:
            x, first, stem = x.abs(), f"abs({first})", f"abs_{first}"
        names = [first, *(f"{stem}_{back}" for back in range(size))]
        for back, (before, name) in enumerate(pairwise(names)):
            columns[name] = pad(x, (back, 0))[:, : x.shape[1]]
            rules[name] = before
    return columns, rules


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
