"""The task of doing what a program does, on inputs drawn from its ranges."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from symscope.causal_model import interchange
from symscope.evidence import SymscopeError
from symscope.program import Program
from symscope.task import IGNORE, Pairs, Task, joined

_SPLITS = {"fit": range(8), "validation": range(8, 9), "test": range(9, 10)}
"""Tenths of all pairs, told apart by a hash of both inputs and both steps."""
_MOST_LISTED = 4096
_MOST_LOGITS = 2**25
"""Of one batch at the gate, which is run at once: 128 MB."""
ANY = range(2**31)
"""The classes where only -1 asks for nothing."""
Draw = Callable[[int, torch.Generator], Tensor]


class Programmed(Task):
    """Any program as a task; others that behave alike can stand beside it as hypotheses.

    Inputs are integers, uniform over the program's input ranges: (sample, `length`) for a step
    program, (sample, `length`, input) if it takes several, (sample, input) for an expression
    program. `draw(count, generator)` gives others. The right answer is the program's output, at
    every step or once. A network chooses it from `classes`, and so it is given as its place among
    them; an output that is not among them asks for nothing, as -1 does if nothing else is said.

    >>> from symscope.program import Program, Variable
    >>> bits = Variable("a", 0, 1), Variable("b", 0, 1)
    >>> both = (Variable("both", 0, 1),)
    >>> task = Programmed(Program("and", bits, both, {"both": "a * b"}, "both"))
    >>> task.enumerate().tolist(), task.correct(task.enumerate()).tolist()
    ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    """

    def __init__(
        self, program: Program, others: Sequence[Program] = (), length: int = 12,
        draw: Draw | None = None, classes: range = ANY,
    ):  # fmt: skip
        self._program, self.name, self.length, self._draw = program, program.name, length, draw
        self.classes = classes
        self.programs: Mapping[str, Program] = {p.name: p for p in (program, *others)}
        lowest, highest = (f(int(v) for x in program.inputs for v in (x.low, x.high))
                           for f in (min, max))  # fmt: skip
        self.vocabulary = tuple(map(str, range(min(0, lowest), highest + 1)))

    @property
    def program(self) -> Program:
        """The program that says what is right."""
        return self._program

    @property
    def _ranges(self) -> list[tuple[int, int]]:
        """The lowest and the highest number of each column of the inputs."""
        ranges = [(int(v.low), int(v.high)) for v in self.program.inputs]
        return ranges * self.length if self.program.stepped else ranges

    @property
    def count(self) -> int:
        """How many inputs there are in the ranges."""
        return math.prod(high - low + 1 for low, high in self._ranges)

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` inputs; nothing is held out."""
        if self._draw is not None:
            return self._draw(count, generator)
        columns = [torch.randint(low, high + 1, (count,), generator=generator)
                   for low, high in self._ranges]  # fmt: skip
        return self._shaped(torch.stack(columns, 1))

    def enumerate(self) -> Tensor:
        """All inputs; raises `SymscopeError` where they are drawn by a rule or are too many."""
        if self._draw is not None or self.count > 2**20:
            raise SymscopeError(f"{self.name} cannot list its inputs; sample them")
        values = [torch.arange(low, high + 1) for low, high in self._ranges]
        return self._shaped(torch.cartesian_prod(*values).view(-1, len(values)))

    def _shaped(self, columns: Tensor) -> Tensor:
        several = self.program.stepped and len(self.program.inputs) > 1
        return columns.unflatten(1, (self.length, -1)) if several else columns

    def answers(self, inputs: Tensor) -> Tensor:
        """The program's output, (sample, step), (sample, step, output) or (sample,)."""
        return self.program.run(inputs).output

    def correct(self, inputs: Tensor) -> Tensor:
        """The answers' places among `classes`, `IGNORE` for an answer that is not among them."""
        return self._place(self.answers(inputs))

    def _place(self, answers: Tensor) -> Tensor:
        known = (answers >= self.classes.start) & (answers < self.classes.stop)
        return torch.where(known, answers - self.classes.start, IGNORE)

    def gate(self, generator: torch.Generator) -> Tensor:
        """All inputs where they are few, else 4,096 of them, or fewer where classes are many."""
        if self._draw is None and self.count <= _MOST_LISTED:
            return self.enumerate()
        if self.classes == ANY:
            return self.sample(_MOST_LISTED, generator)
        logits = self.answers(self.sample(1, generator)).numel() * len(self.classes)
        return self.sample(min(_MOST_LISTED, _MOST_LOGITS // logits), generator)

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """Pairs at uniform steps; in half of them or more the swap changes an answer, if it can.

        Every answer from the base's step on is scored. Pairs of different splits are disjoint.
        """
        asked = program, variables, seed, split, _SPLITS, same_phase
        generator = self.pairs_generator(*asked)
        found: list[Pairs] = []
        kept = changing = 0
        while kept < count or (changing < count // 2 and kept < 8 * count):
            drawn = self._drawn(program, variables, 4 * count, generator)
            buckets = _key(drawn) % 10
            mine = torch.isin(buckets, torch.tensor(_SPLITS[split]))
            found.append(drawn[mine & drawn.scored.view(len(drawn), -1).any(1)])
            kept += len(found[-1])
            changing += int(found[-1].labels["changes"].sum())
            if len(found) > 100 and kept < count:
                raise SymscopeError(f"{self.name} has too few inputs for pairs to {split}")
        whole = joined(found, padding=0)
        changed = whole.labels["changes"].bool()
        wanted = max(count // 2, int(count * changed.double().mean()))
        first = changed.nonzero()[:wanted, 0]
        rest = (~changed).nonzero()[: count - len(first), 0]
        chosen = torch.cat([first, rest])
        chosen = chosen[torch.randperm(len(chosen), generator=generator)]
        return whole[chosen]

    def _drawn(
        self, program: Program, variables: tuple[str, ...], count: int, generator: torch.Generator
    ) -> Pairs:
        base, source = (self.sample(count, generator) for _ in range(2))
        steps = base.shape[1] if program.stepped else 1
        at_base, at_source = (torch.randint(steps, (count,), generator=generator) for _ in range(2))
        here, there = tuple(at_base.tolist()), tuple(at_source.tolist())
        named = {n: ((n, here), (n, there)) if program.stepped else (n, n) for n in program.names}
        swapped = interchange(program, base, source, dict(named[v] for v in variables))
        target = self._place(swapped)
        natural = program.run(base, read=[b for b, _ in named.values()])
        donor = program.run(source, read=[s for _, s in named.values()]).values
        changes = target != self._place(natural.output)
        if program.stepped:
            later = torch.arange(steps) >= at_base[:, None]
            later = later.view(count, steps, *[1] * (target.dim() - 2))
            target, changes = torch.where(later, target, IGNORE), changes & later
        labels = {"changes": changes.view(count, -1).any(1)}
        for name, (b, s) in named.items():
            labels |= {f"{name}.base": natural.values[b], f"{name}.source": donor[s]}
        lowest = self.classes.start
        return Pairs(
            base, at_base, source, at_source, target, labels, variables, lowest=lowest
        )  # fmt: skip


def _key(pairs: Pairs) -> Tensor:
    """A number for each pair that depends on both inputs and both steps."""
    steps = pairs.base_step[:, None], pairs.source_step[:, None]
    columns = torch.cat([pairs.base.flatten(1), steps[0], pairs.source.flatten(1), steps[1]], 1)
    key = torch.zeros(len(columns), dtype=torch.long)
    for column in columns.T:
        key = (key * 1_103_515_245 + column + 12_345) % 2_147_483_647
    return key // 1000
