"""Two programs side by side on the same inputs: the one object that every route works on."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from symscope.evidence import Counterexample, Proof, SymscopeError, Unknown
from symscope.expression import number
from symscope.program import Program, State
from symscope.programs.registers import needed, registers
from symscope.verify.domain import Domain
from symscope.verify.magnitude import MOST, largest

Answer = Proof | Counterexample | Unknown
Outputs = tuple[Any, ...]
_SAFE = 2.0**60
"""No number in a step may be larger for 64 bits to hold it, and the few sums made of it."""


class Step(NamedTuple):
    """The registers after one step, and what each program gave out at it."""

    state: State
    found: Outputs
    expected: Outputs


@dataclass(frozen=True)
class Pair:
    """A program and the rule that it is said to equal, on a domain: their synchronous product.

    Its state holds the registers of both, `program_x` and `rule_x`, sums included, without those
    that no output depends on. Truth values are 0 and 1. A program without state is applied at each
    step. Integers are exact; `x // 0` is 0, as in any batch.
    """

    program: Program
    rule: Program
    domain: Domain

    def __post_init__(self) -> None:
        for one in (self.program, self.rule):
            if len(one.inputs) != len(self.domain.inputs):
                names = [v.name for v in one.inputs]
                raise SymscopeError(
                    f"{one.name} takes {names}, the domain is about"
                    f" {[v.name for v in self.domain.inputs]}"
                )

    @cached_property
    def sides(self) -> tuple[Program, Program]:
        """Both programs without the variables that no output depends on."""
        return needed(self.program), needed(self.rule)

    @cached_property
    def registers(self) -> dict[str, tuple[int, str]]:
        """For each register of the state: whose it is (0 or 1) and its name there."""
        names = [registers(one, s) for one, s in zip(self.sides, ("program", "rule"), strict=True)]
        return {key: (side, own) for side in (0, 1) for key, own in names[side].items()}

    @property
    def stepped(self) -> bool:
        """Whether inputs are sequences."""
        return self.program.stepped or self.rule.stepped

    @cached_property
    def integral(self) -> bool:
        """Whether nothing but integers can occur."""
        for one in self.sides:
            values: list[Any] = [*one.start.values()]
            for value in one.constants.values():
                values += value if isinstance(value, tuple) else [value]
            nodes = [n for tree in one.trees.values() for n in ast.walk(tree)]
            values += [n.value for n in nodes if isinstance(n, ast.Constant)]
            if any(isinstance(v, float) for v in values):
                return False
            if any(isinstance(n, ast.Div) for n in nodes):
                return False
        return True

    @property
    def rows(self) -> int:
        """How many rows a batch may have, so that one step of it takes no longer than a moment."""
        return 2**16 if self.integral else 2**10

    def initial(self) -> State:
        """The registers before the first step."""
        starts = [one.initial() for one in self.sides]
        return {name: number(starts[side][own]) for name, (side, own) in self.registers.items()}

    def step(self, state: Mapping[str, Any], symbol: Sequence[Any]) -> Step:
        """One step of both on numbers, int64 arrays that hold it, or z3 terms."""
        after: list[State] = []
        outputs: list[Outputs] = []
        for side, one in enumerate(self.sides):
            own = {name: state[key] for key, (s, name) in self.registers.items() if s == side}
            inputs = {v.name: value for v, value in zip(one.inputs, symbol, strict=True)}
            try:
                values, output = one.step(own, inputs)
            except ZeroDivisionError:
                raise SymscopeError(f"{one.name} divides by zero within the domain") from None
            after.append(values)
            outputs.append(tuple(map(number, output if isinstance(output, tuple) else (output,))))
        state = {key: number(after[s][name]) for key, (s, name) in self.registers.items()}
        return Step(state, *outputs)

    def step_rows(self, state: State, columns: list[np.ndarray]) -> Step:
        """One step of a whole batch, exact however large the numbers become."""
        rows = len(columns[0])
        if not self.integral:  # Python's own floats, row by row
            steps = [
                self.step({k: c[i] for k, c in state.items()}, [c[i] for c in columns])
                for i in range(rows)
            ]
            table = {k: _column([s.state[k] for s in steps]) for k in self.registers}
            found, expected = (
                tuple(_column(list(c)) for c in zip(*side, strict=True))
                for side in ([s.found for s in steps], [s.expected for s in steps])
            )
            return Step(table, found, expected)
        wide = self._bound(state, columns) > _SAFE
        kind: type = object if wide else np.int64
        state = {k: c.astype(kind) for k, c in state.items()}
        step = self.step(state, [c.astype(kind) for c in columns])
        state = {k: np.broadcast_to(np.asarray(c), rows) for k, c in step.state.items()}
        found, expected = (
            tuple(np.broadcast_to(np.asarray(c), rows) for c in side)
            for side in (step.found, step.expected)
        )
        return Step(state, found, expected)

    def walk(self, tokens: np.ndarray) -> Iterator[tuple[State, Step]]:
        """The state before each step and the step, over tokens (batch, step, input)."""
        kind: type = np.int64 if self.integral else object
        state: State = {k: np.full(len(tokens), v, dtype=kind) for k, v in self.initial().items()}
        for t in range(tokens.shape[1]):
            symbol = tokens[:, t] if self.integral else tokens[:, t].astype(object)
            step = self.step_rows(state, list(symbol.T))
            yield state, step
            state = step.state

    def first_difference(self, tokens: np.ndarray) -> tuple[int, int] | None:
        """Row and step of the earliest difference, or None."""
        for t, (_, step) in enumerate(self.walk(tokens)):
            differs = unequal(step.found, step.expected, len(tokens))
            if differs.any():
                return int(differs.argmax()), t
        return None

    def counterexample(
        self, tokens: np.ndarray, method: str, shortest: bool = False
    ) -> Counterexample:
        """The tokens (step, input), on whose last step the two differ, in the users' form."""
        *_, (_, step) = self.walk(tokens[None])
        found, expected = (
            tuple(_plain(part[0]) for part in side) for side in (step.found, step.expected)
        )
        assert found != expected, "the two are the same on what was found"
        rows = [tuple(map(int, row)) for row in tokens]
        inputs: Any = [row[0] for row in rows] if tokens.shape[1] == 1 else rows
        if not self.stepped:
            inputs = dict(zip((v.name for v in self.program.inputs), rows[0], strict=True))
        told, answer = (o[0] if len(o) == 1 else o for o in (expected, found))
        return Counterexample(
            self.statement, inputs, told, answer, len(rows) - 1 if self.stepped else None,
            shortest, method,
        )  # fmt: skip

    def proof(self, method: str, cases: int, kind: str = "", **more: Any) -> Proof:
        """A proof of the whole domain, or of what `kind` says."""
        kind = kind or self.domain.kind(self.stepped)
        return Proof(self.statement, str(self.domain), method, cases, kind=kind, **more)

    def unknown(self, tried: str, cases: int = 0, length: int = 0) -> Unknown:
        """That a route came to no end."""
        return Unknown(self.statement, str(self.domain), (tried,), cases, length=length)

    @property
    def statement(self) -> str:
        """What is to be proved."""
        return f"{self.program.name} equals {self.rule.name}"

    def _bound(self, state: State, columns: list[np.ndarray]) -> float:
        bounds = []
        for side, one in enumerate(self.sides):
            own = {n: _most(state[k]) for k, (s, n) in self.registers.items() if s == side}
            sizes = {v.name: _most(c) for v, c in zip(one.inputs, columns, strict=True)}
            bounds.append(largest(one, own, sizes))
        return max(bounds)


def unequal(found: Outputs, expected: Outputs, rows: int) -> np.ndarray:
    """Where two batches of outputs differ; everywhere if one program gives more of them."""
    if len(found) != len(expected):
        return np.ones(rows, dtype=bool)
    differs = np.zeros(rows, dtype=bool)
    for f, e in zip(found, expected, strict=True):
        differs |= np.asarray(f != e, dtype=bool)
    return differs


def _column(values: list[Any]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _most(column: np.ndarray) -> float:
    return float(min(max(abs(int(column.max())), abs(int(column.min()))), MOST))
