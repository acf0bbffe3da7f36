"""Prompts that ask for a function of two operands: every one, and what differs by one operand."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.task import Pairs


@dataclass(frozen=True, eq=False)
class Crossed:
    """`prompts` (n, …) on operands `first` and `second` (n,), with their right `answers` (n,).

    Answers are classes of the network's output, or, where there are `choices` (m,), places in
    those: the tokens that can be an answer, among which the network chooses.
    """

    prompts: Tensor
    first: Tensor
    second: Tensor
    answers: Tensor
    choices: Tensor | None = None

    def __post_init__(self) -> None:
        sizes = [len(t) for t in (self.prompts, self.first, self.second, self.answers)]
        if len(set(sizes)) != 1:
            raise SymscopeError(f"prompts, operands and answers are one each, not {sizes}")
        both = torch.stack([self.first, self.second], 1)
        if len(both.unique(dim=0)) < len(both):
            raise SymscopeError("a pair of operands has one prompt, and here one has more")

    def __len__(self) -> int:
        return len(self.prompts)

    @property
    def table(self) -> dict[tuple[int, int], int]:
        """(first, second) → the row of its prompt."""
        both = zip(self.first.tolist(), self.second.tolist(), strict=True)
        return {pair: row for row, pair in enumerate(both)}


def counterfactuals(crossed: Crossed, most: int | None = None, seed: int = 0) -> Pairs:
    """Each prompt with each that has the same second and another first operand.

    `target` is the answer to the source, which is what the network should say on the base when its
    first operand is the source's; `labels` are "first.base", "first.source", "answer.base", and the
    rows "base" and "source". With `most`, that many pairs are drawn.
    """
    table = crossed.table
    values = crossed.first.unique().tolist()
    rows = [
        (row, table[other, b])
        for (a, b), row in table.items()
        for other in values
        if other != a and (other, b) in table
    ]
    if not rows:
        raise SymscopeError("no two prompts differ in their first operand alone")
    if most is not None and most < len(rows):
        chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
        rows = [rows[i] for i in np.sort(chosen)]
    base, source = torch.tensor(rows).T
    zero = torch.zeros(len(rows), dtype=torch.long)
    labels = {
        "first.base": crossed.first[base], "first.source": crossed.first[source],
        "answer.base": crossed.answers[base], "base": base, "source": source,
    }  # fmt: skip
    target = crossed.answers[source]
    return Pairs(crossed.prompts[base], zero, crossed.prompts[source], zero, target, labels,
                 ("first",))  # fmt: skip


def last_step(output: Tensor, choices: Tensor | None) -> Tensor:
    """The logits at the last step, (n, choices), of outputs (n, step, class) or (n, class)."""
    logits = (output if output.dim() == 2 else output[:, -1]).detach().cpu()
    return logits if choices is None else logits[:, choices]
