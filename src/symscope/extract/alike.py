"""Which inputs does the network treat alike? Put one in the other's place, and look at the answers.

Only what is read before an answer that counts can be told apart; the rest is in no class.
"""

import torch
from torch import Tensor

from symscope.extract.machine import Machine
from symscope.extract.rows import Rows

PLACES = 200
"""Sequences in which one input takes another's place."""


def alike(machine: Machine, rows: Rows, seed: int = 0) -> list[tuple[int, ...]]:
    """The inputs that are read before an answer, in classes, each in increasing order.

    Two are in one class if no answer changes when either stands once where the other stood.
    """
    assert rows.asked is not None and rows.x.shape[-1] == 1, "one input, with a grammar"
    before = rows.asked.flip(1).cumsum(1).flip(1) > 0
    generator = torch.Generator().manual_seed(seed)
    classes: list[list[int]] = []
    for symbol in rows.x[..., 0][before].unique().tolist():
        home = next((c for c in classes
                     if all(_same(machine, rows, before, (symbol, other), generator)
                            for other in c)), None)  # fmt: skip
        if home is None:
            classes.append([symbol])
        else:
            home.append(symbol)
    return [tuple(c) for c in classes]


def _same(
    machine: Machine, rows: Rows, before: Tensor, pair: tuple[int, int], generator: torch.Generator
) -> bool:
    return _unchanged(machine, rows, before, pair, generator) and _unchanged(
        machine, rows, before, pair[::-1], generator
    )


def _unchanged(
    machine: Machine, rows: Rows, before: Tensor, pair: tuple[int, int], generator: torch.Generator
) -> bool:
    """Whether the answers stay when the second takes the first's place at one step."""
    assert rows.asked is not None, "with a grammar"
    one, other = pair
    here = (rows.x[..., 0] == one) & before
    having = here.any(1).nonzero()[:, 0]
    picked = having[torch.randperm(len(having), generator=generator)[:PLACES]]
    x, steps = rows.x[picked].clone(), torch.multinomial(here[picked].double(), 1,
                                                         generator=generator)  # fmt: skip
    x[torch.arange(len(x)), steps[:, 0], 0] = other
    changed = (machine.answers(x) != rows.y[picked]).any(-1) & rows.asked[picked]
    return not bool(changed.any())
