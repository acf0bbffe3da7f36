"""What happens when a program of assignments runs, line by line, for a whole batch."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from symscope.tasks.binding.alphabet import Alphabet, lines_in

NONE = -1
"""No line, or no value."""


@dataclass(frozen=True)
class Trace:
    """Per line what it binds and from where; all lines are counted from 0.

    `left`, `right` are tokens; `parent` is the line whose value a letter on the right takes, `NONE`
    for a digit; `value` the digit bound, `depth` the number of assignments it came through (1 for a
    digit), `root` the line of that digit, (sample, line) each. `query` is the letter asked for and
    `asked` the line that binds it last, (sample,) each.
    """

    left: Tensor
    right: Tensor
    parent: Tensor
    value: Tensor
    depth: Tensor
    root: Tensor
    query: Tensor
    asked: Tensor

    def __getitem__(self, rows: Tensor) -> "Trace":
        """The same for some samples."""
        return Trace(**{name: value[rows] for name, value in vars(self).items() if name[0] != "_"
                        and name in self.__dataclass_fields__})  # fmt: skip

    def _of_asked(self, per_line: Tensor) -> Tensor:
        found = per_line.gather(1, self.asked.clamp(min=0)[:, None])[:, 0]
        return torch.where(self.asked >= 0, found, NONE)

    @cached_property
    def answer(self) -> Tensor:
        """The digit asked for, `NONE` where the letter has no value, (sample,)."""
        return self._of_asked(self.value)

    @cached_property
    def hops(self) -> Tensor:
        """The depth of what is asked for: assignments on its chain, the digit's included."""
        return self._of_asked(self.depth)

    @cached_property
    def root_line(self) -> Tensor:
        """The line of the digit asked for."""
        return self._of_asked(self.root)

    @cached_property
    def chain(self) -> Tensor:
        """The lines of the queried chain by depth, root first, then `NONE`, (sample, line)."""
        found = torch.full_like(self.left, NONE)
        rows, line = torch.arange(len(found)), self.asked
        for _ in range(found.shape[1]):
            there = line >= 0
            depth = self.depth[rows, line.clamp(min=0)] - 1
            found[rows[there], depth[there]] = line[there]
            line = torch.where(there, self.parent[rows, line.clamp(min=0)], NONE)
        return found

    @cached_property
    def on_chain(self) -> Tensor:
        """Whether each line is on the queried chain, (sample, line)."""
        lines = torch.arange(self.left.shape[1])
        return (self.chain[:, :, None] == lines).any(1)

    @cached_property
    def reassigned(self) -> Tensor:
        """Whether a letter of the chain gets another value after the chain has read it."""
        lines = torch.arange(self.left.shape[1])
        here, other = lines[:, None], lines[None]
        same = self.left[:, :, None] == self.left[:, None, :]
        return (same & (other > here) & self.on_chain[:, :, None]).any((1, 2))

    @cached_property
    def branches(self) -> Tensor:
        """How many lines bind a digit: the chains there are."""
        return (self.parent == NONE).sum(1)


def trace(tokens: Tensor, alphabet: Alphabet) -> Trace:
    """Run the programs, (sample, step): assignments in order, values bind when their line runs."""
    lines, device = lines_in(tokens), tokens.device
    left, right = tokens[:, 0 : 4 * lines : 4], tokens[:, 2 : 4 * lines : 4]
    query, count = tokens[:, -2], len(tokens)
    rows = torch.arange(count, device=device)
    bound = torch.full((count, alphabet.letters), NONE, device=device)
    columns: dict[str, list[Tensor]] = {n: [] for n in ("parent", "value", "depth", "root")}
    for i in range(lines):
        constant = right[:, i] < alphabet.digits
        name = (right[:, i] - alphabet.digits).clamp(min=0)
        parent = torch.where(constant, NONE, bound[rows, name])
        for key, at_root in (("value", right[:, i]), ("depth", 1), ("root", i)):
            before = torch.stack(columns[key], 1) if i else torch.full_like(left, NONE)
            taken = before[rows, parent.clamp(min=0)] + (key == "depth")
            taken = torch.where(parent >= 0, taken, NONE)
            columns[key].append(torch.where(constant, torch.as_tensor(at_root), taken))
        columns["parent"].append(parent)
        bound[rows, left[:, i] - alphabet.digits] = i
    found = {name: torch.stack(column, 1) for name, column in columns.items()}
    asked = bound[rows, query - alphabet.digits]
    return Trace(left, right, **found, query=query, asked=asked)
