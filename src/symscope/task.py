"""What a network is asked to do, and the pairs of inputs on which a program is tested."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.program import Program

IGNORE = -100
"""The target where nothing is scored."""


@dataclass(frozen=True)
class Pairs:
    """Counterfactual pairs: what the program says happens on `base` when variables are swapped.

    `base` and `source` are inputs (pair, step); the variable is taken from the source at
    `source_step` and put into the base at `base_step`, (pair,). `target` (pair, step) is the
    program's answer after the swap at each step of the base, `IGNORE` where it is not scored. For
    inputs without steps the steps are 0 and `target` is (pair,). `labels` hold the variables'
    values before the swap and whatever else a score may be split by, (pair,) each. `redrawn` is
    the share of draws for which the program had no answer, and which were drawn again. With no
    `variables` nothing is swapped: the program says that the base goes on as it was. Targets count
    answers from `lowest` on, so that they are classes of a network where answers are negative.
    """

    base: Tensor
    base_step: Tensor
    source: Tensor
    source_step: Tensor
    target: Tensor
    labels: Mapping[str, Tensor]
    variables: tuple[str, ...] = ()
    redrawn: float = 0.0
    lowest: int = 0

    def __len__(self) -> int:
        return len(self.base)

    @property
    def scored(self) -> Tensor:
        """Where the target counts."""
        return self.target != IGNORE

    def __getitem__(self, rows: Tensor) -> "Pairs":
        """The pairs in `rows`, indices or a mask."""
        labels = {name: value[rows] for name, value in self.labels.items()}
        names = ("base", "base_step", "source", "source_step", "target")
        return replace(self, labels=labels, **{name: getattr(self, name)[rows] for name in names})


def joined(parts: Sequence[Pairs], padding: int) -> Pairs:
    """All pairs of `parts`; shorter inputs are filled up on the right with `padding`."""

    def stacked(name: str, filler: int) -> Tensor:
        values = [getattr(part, name) for part in parts]
        if values[0].dim() == 1:
            return torch.cat(values)
        width = max(v.shape[1] for v in values)
        return torch.cat([pad(v, (0, width - v.shape[1]), value=filler) for v in values])

    return replace(
        parts[0],
        base=stacked("base", padding),
        base_step=torch.cat([p.base_step for p in parts]),
        source=stacked("source", padding),
        source_step=torch.cat([p.source_step for p in parts]),
        target=stacked("target", IGNORE),
        labels={name: torch.cat([p.labels[name] for p in parts]) for name in parts[0].labels},
    )


class Task(ABC):
    """Inputs, their right answers, the program behind them, and counterfactual pairs."""

    name: str
    vocabulary: tuple[str, ...]
    programs: Mapping[str, Program]

    @property
    @abstractmethod
    def program(self) -> Program:
        """The task's own rule."""

    @abstractmethod
    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` inputs, (sample, step); in training, values that are held out do not occur."""

    @abstractmethod
    def correct(self, inputs: Tensor) -> Tensor:
        """The right answer at each step, `IGNORE` where none is scored, (sample, step)."""

    @abstractmethod
    def gate(self, generator: torch.Generator) -> Tensor:
        """The inputs a network must answer without a mistake before it is analysed."""

    @abstractmethod
    def pairs(
        self,
        program: Program,
        variables: tuple[str, ...],
        count: int,
        seed: int,
        split: str,
        same_phase: bool = False,
    ) -> Pairs:
        """`count` pairs in which `variables` of `program` are swapped.

        Pairs of different `split` ("fit", "validation", "test") are disjoint. With `same_phase`
        base and source are in the same phase of the task.
        """

    def pairs_generator(
        self, program: Program, variables: Sequence[str], seed: int, split: str,
        splits: Mapping[str, range], same_phase: bool,
    ) -> torch.Generator:  # fmt: skip
        """The source of what is random about a split's pairs, for a task without phases.

        Raises where `pairs` was asked for a variable, a split or phases that are not there.
        """
        for variable in variables:
            if variable not in program.names:
                raise UnknownName("variable", variable, program.names)
        if split not in splits:
            raise UnknownName("split", split, splits)
        if same_phase:
            raise SymscopeError(f"{self.name} has no phases")
        return torch.Generator().manual_seed(3 * seed + list(splits).index(split))

    def hypothesis(self, name: str) -> Program:
        """The program of that name; raises `UnknownName` with those there are."""
        if name not in self.programs:
            raise UnknownName("program", name, self.programs)
        return self.programs[name]
