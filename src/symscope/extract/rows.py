"""What was seen of a machine, as columns to be explained, and what an explanation is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symscope.extract.machine import Machine
from symscope.program import Program, Variable
from symscope.programs.registers import needed

Regress = Callable[[Mapping[str, np.ndarray], np.ndarray], str | None]
"""Columns of integers and a target of as many rows → an expression that gives it, or None."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A program, the route that found it, and what that route saw, in words."""

    program: Program
    route: str
    why: str


@dataclass(frozen=True)
class Nothing:
    """That a route found no program, and why, in words."""

    why: str


@dataclass(frozen=True, eq=False)
class Rows:
    """Sequences and a machine's answers, (sequence, step, input) and (sequence, step, output).

    `asked` says which answers count, (sequence, step); without it all do.
    """

    inputs: tuple[Variable, ...]
    x: Tensor
    y: Tensor
    asked: Tensor | None = None

    def formula(self, columns: Mapping[str, Tensor], regress: Regress) -> str | None:
        """The answer as an expression in the columns, (sequence, step) each; None if none is found.

        Several outputs are a tuple.
        """
        parts = [fitted(columns, self.y[..., i], regress) for i in range(self.y.shape[-1])]
        if any(part is None for part in parts):
            return None
        return ", ".join(map(str, parts))

    def program(
        self, rules: Mapping[str, str], columns: Mapping[str, Tensor], output: str,
        start: Mapping[str, int],
    ) -> Program:  # fmt: skip
        """The rules as a program, without those that the output does not need.

        `columns` are the variables' values, from which their ranges are taken. A rule without a
        start is computed anew at each step.
        """
        ranges = {n: (int(columns[n].min()), int(columns[n].max())) for n in rules}
        variables = tuple(
            Variable(n, min(low, start.get(n, low)), max(high, start.get(n, high)))
            for n, (low, high) in ranges.items()
        )
        program = needed(Program("extracted", self.inputs, variables, rules, output, start=start))
        if not program.rules:  # of the inputs alone: a step program keeps something all the same
            return self.program({"answer": output}, {"answer": self.y[..., 0]}, "answer",
                                {"answer": 0})  # fmt: skip
        return program


def fitted(
    columns: Mapping[str, Tensor], target: Tensor, regress: Regress, asked: Tensor | None = None
) -> str | None:
    """An expression for `target`, from the rows that differ; None where they contradict.

    With `asked` from the rows where that holds.
    """
    names = list(columns)
    table = torch.stack([*(columns[n].flatten() for n in names), target.flatten()], 1)
    table = table if asked is None else table[asked.flatten()]
    table = torch.unique(table, dim=0)
    if len(torch.unique(table[:, :-1], dim=0)) < len(table):
        return None
    seen = {name: table[:, i].numpy() for i, name in enumerate(names)}
    return regress(seen, table[:, -1].numpy())


def watched(machine: Machine, count: int, seed: int = 0) -> Rows:
    """What the machine answers to all sequences, or to `count` of them."""
    x = machine.observed(count, seed)
    asked = None if machine.grammar is None else machine.grammar.asked(x)
    return Rows(machine.inputs, x, machine.answers(x), asked)
