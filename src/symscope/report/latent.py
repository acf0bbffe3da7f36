"""Where a network's states lie, beside what a program's registers are in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from symscope.expression import number
from symscope.extract.machine import Machine
from symscope.program import Program

SEQUENCES, POINTS = 200, 600
"""Sequences that are run, and states of them that are drawn."""


@dataclass(frozen=True)
class Affine:
    """Registers → state by least squares: `origin` where all are 0, one of `steps` for each.

    Both in the axes of the drawing. `explained` is the share of the states' variance, in all
    directions, that the map accounts for.
    """

    origin: np.ndarray
    steps: np.ndarray
    explained: float


@dataclass(frozen=True)
class Latent:
    """Network states after single steps, and the values of a program's variables there.

    `points` (state, 1 or 2) are on the first principal axes, which hold `shares` of the variance;
    the only number of a narrower state is as it is. `values` (state, name) belong to `names`.
    """

    points: np.ndarray
    shares: tuple[float, ...]
    width: int
    names: tuple[str, ...]
    values: np.ndarray
    answers: np.ndarray
    affine: Affine | None

    def column(self, name: str) -> np.ndarray:
        """The values of one register."""
        return self.values[:, self.names.index(name)]


def latent(machine: Machine, program: Program, seed: int = 0) -> Latent | None:
    """States of `SEQUENCES` drawn sequences with the registers of the program beside them.

    None where the network has no states. A program without registers has its answer as the only
    variable.
    """
    if machine.step is None:
        return None
    x = machine.sample(SEQUENCES, seed + 17)
    given = x if len(program.inputs) > 1 else x[..., 0]
    steps = range(x.shape[1])
    run = program.run(given, read=[(n, t) for n in program.start for t in steps])
    columns = [torch.stack([number(run.values[n, t]) for t in steps], 1) for n in program.start]
    answers = number(torch.as_tensor(run.output)).reshape(*x.shape[:2], -1)
    names = tuple(program.start) or ("answer",)
    values = torch.stack(columns, -1) if columns else answers[..., :1]
    states = machine.states(x).flatten(0, 1).double().numpy()
    table = values.flatten(0, 1).double().numpy()
    axes, shares = _axes(states)
    points = (states - states.mean(0)) @ axes if states.shape[1] > 1 else states
    chosen = np.random.default_rng(seed).permutation(len(points))[:POINTS]
    return Latent(
        points[chosen], shares, states.shape[1], names, table[chosen],
        answers.flatten(0, 1).double().numpy()[chosen], _affine(states, points, table),
    )  # fmt: skip


def told_apart(found: Latent, names: Sequence[str]) -> str:
    """The register that a map of the drawing's axes explains best, among `names`."""
    design = np.column_stack([found.points, np.ones(len(found.points))])

    def left(name: str) -> float:
        value = found.column(name)
        spread = float(((value - value.mean()) ** 2).sum())
        rest = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
        return float((rest**2).sum()) / spread if spread else 2.0

    return min(names, key=left)


def _axes(states: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
    """The first two principal axes, (width, 1 or 2), and their shares of the variance."""
    spread, axes = np.linalg.eigh(np.cov(states.T).reshape(states.shape[1], -1))
    order = np.argsort(-spread)[:2]
    total = float(spread.sum())
    return axes[:, order], tuple(float(spread[i]) / total if total else 0.0 for i in order)


def _affine(states: np.ndarray, points: np.ndarray, table: np.ndarray) -> Affine | None:
    """The map fitted to all states; None where the registers or the states do not vary."""
    design = np.column_stack([table, np.ones(len(table))])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    total = float(((states - states.mean(0)) ** 2).sum())
    if not total:
        return None
    solved = np.linalg.lstsq(design, states, rcond=None)[0]
    explained = 1 - float(((states - design @ solved) ** 2).sum()) / total
    drawn = np.linalg.lstsq(design, points, rcond=None)[0]
    return Affine(drawn[-1], drawn[:-1], explained)
