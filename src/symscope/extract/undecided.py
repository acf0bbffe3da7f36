"""Answers so near to the middle between two integers that rounding them is a toss."""

from dataclasses import dataclass

from torch import Tensor

from symscope.extract.machine import Machine

NEAR = 0.02
"""An answer this near to a half-integer is undecided."""
LISTED = 5
"""So many of the inputs are listed, the shortest first."""


@dataclass(frozen=True)
class Undecided:
    """How many answers of how many are undecided, and inputs that end in one.

    An input is one number for each step, or one tuple of numbers.
    """

    count: int
    of: int
    inputs: tuple[tuple[int | tuple[int, ...], ...], ...]

    def __str__(self) -> str:
        shown = "; ".join(str(list(word)) for word in self.inputs)
        return (
            f"{self.count} of {self.of} answers lie within {NEAR} of a half-integer, and rounding"
            f" them is a toss: after {shown}"
        )


def undecided(machine: Machine, x: Tensor) -> Undecided | None:
    """The undecided answers to sequences (sequence, step, input); None where there is none.

    None also where only rounded answers can be seen.
    """
    if machine.values is None:
        return None
    values = machine.values(x)
    near = (values - values.floor() - 0.5).abs() < NEAR
    if not bool(near.any()):
        return None
    rows, steps = near.any(-1).nonzero(as_tuple=True)
    words: dict[tuple[int | tuple[int, ...], ...], None] = {}
    for i in steps.argsort(stable=True).tolist():
        word = x[rows[i], : steps[i] + 1].tolist()
        words[tuple(s[0] if len(s) == 1 else tuple(s) for s in word)] = None
        if len(words) == LISTED:
            break
    return Undecided(int(near.sum()), near.numel(), tuple(words))
