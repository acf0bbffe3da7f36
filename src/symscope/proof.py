"""What a verifier answers: a proof, a counterexample, or neither, which is no proof."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Proof:
    """That a statement holds on the whole of `domain`, by a named `method`.

    `kind` says of which inputs: "for all inputs", "for all lengths" or "to length 10". Where an
    induction was needed, `invariants` are the relations that it goes through.
    """

    statement: str
    domain: str
    method: str
    cases: int
    seconds: float = 0.0
    kind: str = "for all inputs"
    invariants: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"proved {self.kind}: {self.statement} ({self.domain}; {self.method})"


@dataclass(frozen=True)
class Counterexample:
    """An input on which a statement fails, with what was expected and what came out.

    In a sequence that is at `step`, the last one; `shortest` where no shorter sequence does it.
    """

    statement: str
    inputs: Any
    expected: Any
    found: Any
    step: int | None = None
    shortest: bool = False
    method: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        at = "" if self.step is None else f" at step {self.step}"
        return (
            f"refuted: {self.statement}: on {self.inputs}{at} expected {self.expected},"
            f" got {self.found}"
        )


@dataclass(frozen=True)
class Unknown:
    """That neither was found: `cases` inputs agree, and each route in `tried` says how far it got.

    All sequences of up to `length` steps are known to agree, which says nothing of longer ones.
    """

    statement: str
    domain: str
    tried: tuple[str, ...]
    cases: int
    seconds: float = 0.0
    length: int = 0

    def __str__(self) -> str:
        return (
            f"undecided: {self.statement} ({self.domain}); the same on {self.cases} inputs tested"
            f" and on all sequences of up to {self.length} steps"
        )
