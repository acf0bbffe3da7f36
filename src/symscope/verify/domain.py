"""The inputs that a claim of equality is about."""

import math
from dataclasses import dataclass

import numpy as np

from symscope.evidence import SymscopeError
from symscope.program import Program, Variable


@dataclass(frozen=True)
class Domain:
    """Integers in the ranges of `inputs`, in sequences of 1 to `length` steps.

    `length` None means sequences of any length; it says nothing where both programs run only once.
    A range may be infinite: `Variable("x", -math.inf, math.inf)` is any integer. With `legal`, a
    step program, outputs are compared only at the steps at which it gives something other than 0.
    """

    inputs: tuple[Variable, ...]
    length: int | None = None
    legal: Program | None = None

    def __post_init__(self) -> None:
        for v in self.inputs:
            if v.kind != "int":
                raise SymscopeError(f"input {v.name} is {v.kind}: equality is decided on integers")
            if any(math.isfinite(end) and end != int(end) for end in (v.low, v.high)):
                raise SymscopeError(f"input {v.name} is an integer: {v.low} to {v.high} is not")
            if not v.low <= v.high:
                raise SymscopeError(f"input {v.name} has no value: {v.low} to {v.high}")
        if self.legal is not None and not self.legal.start:
            raise SymscopeError(f"{self.legal.name} keeps nothing, so it allows single steps only")
        if self.length is not None and self.length < 1:
            raise SymscopeError(f"length {self.length} leaves no sequence; ask for 1 step or more")

    def __str__(self) -> str:
        said = ", ".join(f"{v.name} {v.low:g}..{v.high:g}" for v in self.inputs)
        said += "" if self.length is None else f", up to {self.length} steps"
        return said + ("" if self.legal is None else f", on {self.legal.name} sequences only")

    @property
    def symbols(self) -> float:
        """How many inputs there are at one step, possibly infinitely many."""
        return math.prod(v.high - v.low + 1 for v in self.inputs)

    def listed(self) -> np.ndarray:
        """All inputs of one step, (symbol, input)."""
        columns = [np.arange(int(v.low), int(v.high) + 1) for v in self.inputs]
        return np.stack(np.meshgrid(*columns, indexing="ij"), -1).reshape(-1, len(columns))

    def kind(self, stepped: bool) -> str:
        """What a proof on the whole of this domain is called."""
        if not stepped:
            return "for all inputs"
        return "for all lengths" if self.length is None else f"to length {self.length}"
