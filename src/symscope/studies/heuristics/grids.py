"""What is asked of a network, sign by sign: every legal prompt, and what it is about."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.network import Network
from symscope.task import IGNORE, Pairs
from symscope.tasks.arithmetic import Arithmetic
from symscope.tasks.long_addition import LongAddition

WORDS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
"""How claims call the signs."""


@dataclass(frozen=True)
class Grid:
    """All legal prompts of one sign, (prompt, step), and their numbers, (prompt,) each.

    `token` is the right next token, `held_out` says which prompts were not trained on. Of a number
    that is written digit by digit the prompt goes on to the digit that is asked for.
    """

    name: str
    sign: str
    prompts: Tensor
    first: Tensor
    second: Tensor
    answer: Tensor
    token: Tensor
    held_out: Tensor

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, rows: Tensor) -> "Grid":
        """The same with some of the prompts, indices or a mask."""
        names = ("prompts", "first", "second", "answer", "token", "held_out")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def some(self, count: int, seed: int) -> Tensor:
        """Indices of `count` of the prompts, drawn without replacement, or of all."""
        return torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))[:count]


def grids(task: Arithmetic | LongAddition) -> list[Grid]:
    """One for each sign of the task, or for each digit but the last carry, the units first."""
    if isinstance(task, LongAddition):
        return _of_digits(task)
    found = []
    for sign in task.signs:
        prompts, unseen = task.prompts("all", sign), task.prompts("test", sign)
        key, other = (p[:, 0] * task.numbers + p[:, 2] for p in (prompts, unseen))
        answer = task.answers(prompts)
        found.append(Grid(WORDS[sign], sign, prompts, prompts[:, 0], prompts[:, 2], answer, answer,
                          torch.isin(key, other)))  # fmt: skip
    return found


def _of_digits(task: LongAddition) -> list[Grid]:
    numbers = torch.arange(10**task.digits)
    first, second = torch.cartesian_prod(numbers, numbers).unbind(1)
    whole, found = task.written(first, second), []
    for place in range(1, task.digits + 1):  # the carry out of the last is one bit
        step = task.step_of(place)
        found.append(Grid(f"digit_{place}", "+", whole[:, : step + 1], first, second,
                          first + second, whole[:, step + 1],
                          task.held_out(first, second)))  # fmt: skip
    return found


@torch.no_grad()
def said(network: Network, prompts: Tensor) -> Tensor:
    """The most likely next token of each prompt, (prompt,), on the CPU."""
    return torch.cat([network.run(rows.to(network.device)).output[:, -1].argmax(-1).cpu()
                      for rows in prompts.split(512)])  # fmt: skip


def pairs_of(grid: Grid, count: int, seed: int) -> Pairs:
    """Pairs of the grid's prompts with other answers; the target is the source's.

    Raises `SymscopeError` where all prompts have the same answer.
    """
    if len(grid.token.unique()) < 2:
        raise SymscopeError(f"{grid.sign}: all prompts have the same answer, so no pair differs")
    generator = torch.Generator().manual_seed(seed)
    found = torch.empty(2, 0, dtype=torch.long)
    while found.shape[1] < count:
        drawn = torch.randint(len(grid), (2, 2 * count), generator=generator)
        found = torch.cat([found, drawn[:, grid.token[drawn[0]] != grid.token[drawn[1]]]], 1)
    base, source = found[:, :count]
    target = torch.full_like(grid.prompts[base], IGNORE)
    target[:, -1] = grid.token[source]
    at = torch.full((count,), grid.prompts.shape[1] - 1)
    labels = {"answer.base": grid.token[base], "answer.source": grid.token[source]}
    return Pairs(grid.prompts[base], at, grid.prompts[source], at, target, labels)
