"""Does it go on? Other numbers of lines, other depths, letter–digit pairs never trained on."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from symscope.evidence import Evidence, wilson
from symscope.tasks.binding import Binding
from symscope.tasks.binding.rules import floors
from symscope.train_answers import answers

LINES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25)
DEEPEST = 13
FEWEST = 20
"""Cells with fewer programs are left out."""


def generalisation(
    module: nn.Module, task: Binding, count: int, name: str, seed: int
) -> list[Evidence]:
    """Accuracy by lines and hops, in one record, and on held-out pairs of letter and digit."""
    return [_lengths(module, task, count, name, seed), _held_out(module, task, count, name, seed)]


def _lengths(module: nn.Module, task: Binding, count: int, name: str, seed: int) -> Evidence:
    """[right, n] for each number of lines and hops; the score is over cells not trained on."""
    cells: dict[str, list[int]] = {}
    shallow: list[float] = []
    for lines in LINES:
        other, tokens = _other(task, lines, count // 2)
        run = other.trace(tokens)
        right = answers(module, tokens) == run.answer
        for hops in range(1, other.hops + 1):
            rows = run.hops == hops
            if int(rows.sum()) >= FEWEST:
                cells[f"{lines}:{hops}"] = [int(right[rows].sum()), int(rows.sum())]
        if lines != task.lines:
            shallow.append(floors(tokens, other.alphabet)["digit of line 1"])
    new = [c for key, c in cells.items() if not _trained(key, task)]
    right_count, n = (sum(c[i] for c in new) for i in (0, 1))
    low, high = wilson(right_count, n)
    mean = sum(shallow) / len(shallow)
    return Evidence(f"{name}.generalisation.lengths", right_count / n, low, high, n, "accuracy",
                    {"digit of line 1": mean, "any digit": 1 / task.digits}, [seed],
                    config={"cells": cells, "key": "lines:hops"},
                    note="lines or hops not trained on; Wilson interval, one seed")  # fmt: skip


def _other(task: Binding, lines: int, count: int) -> tuple[Binding, Tensor]:
    """The task with that many lines and programs of it, up to the depth that a draw can reach.

    Deep chains are rare in short programs: at least two lines for each hop beyond the third.
    """
    hops = min(DEEPEST, lines, 3 + max(0, lines - 3) // 2)
    other = replace(task, lines=lines, hops=hops)
    return other, other.drawn(count, torch.Generator().manual_seed(lines))


def _trained(key: str, task: Binding) -> bool:
    lines, hops = map(int, key.split(":"))
    return lines == task.lines and hops <= task.hops


def _held_out(module: nn.Module, task: Binding, count: int, name: str, seed: int) -> Evidence:
    """Programs whose queried digit is bound to a letter that never had it in training."""
    generator = torch.Generator().manual_seed(29)
    tokens = task.drawn(10 * count, generator, "test", all_pairs=True)
    run = task.trace(tokens)
    letter = run.left.gather(1, run.root_line[:, None])[:, 0] - task.digits
    new = (3 * letter + run.answer) % 10 == 0
    right = answers(module, tokens) == run.answer
    mine = right[new]
    low, high = wilson(int(mine.sum()), len(mine))
    controls = {"pairs trained on": float(right[~new].float().mean()),
                **floors(tokens[new], task.alphabet)}  # fmt: skip
    return Evidence(f"{name}.generalisation.held_out_pairs", float(mine.float().mean()), low, high,
                    len(mine), "accuracy", controls, [seed],
                    note="Wilson interval, one seed")  # fmt: skip
