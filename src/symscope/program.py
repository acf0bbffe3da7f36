"""A symbolic program as a causal model: named, typed variables and the rules between them."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch

from symscope.causal_model import Edit, Run, UnknownName
from symscope.evidence import SymscopeError
from symscope.expression import evaluate, names_in, number, parse, select, totals_in

State = dict[str, Any]


@dataclass(frozen=True)
class Variable:
    """A named number between `low` and `high`, both included; `kind` is "int" or "real"."""

    name: str
    low: float
    high: float
    kind: str = "int"


@dataclass(frozen=True)
class Program:
    """Rules that compute variables from inputs, and an output from both.

    Each rule is a Python expression (`expression.py` says what is allowed). Rules are evaluated in
    the order of `variables`. A variable with a `start` value is state: its rule reads the previous
    step's state, all states change together, and the program is a *step program*, run over a
    sequence of inputs. With an empty `start` it is an *expression program*, a DAG run once.
    `total(x)` sums x over all steps so far: it reads the history, and is no variable.

    In a step program a name to read or edit is `(variable, step)`, the value after that step, with
    one step for all samples or one for each; in an expression program it is the variable's name.
    The output may be a tuple.

    >>> parity = Program("parity", (Variable("bit", 0, 1),), (Variable("odd", 0, 1),),
    ...                  {"odd": "odd ^ bit"}, "odd", start={"odd": 0})
    >>> parity.run([1, 1, 1]).output
    [1, 0, 1]
    >>> parity.run([1, 1, 1], do={("odd", 0): lambda _: 0}).output[-1]
    0
    """

    name: str
    inputs: tuple[Variable, ...]
    variables: tuple[Variable, ...]
    rules: Mapping[str, str]
    output: str
    start: Mapping[str, int | float] = field(default_factory=dict)
    constants: Mapping[str, int | float | tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        variables = [v.name for v in self.variables]
        if set(variables) != set(self.rules) or not set(self.start) <= set(variables):
            raise SymscopeError(f"{self.name}: variables {variables} need one rule each")
        computed = [v for v in variables if v not in self.start]
        known = {v.name for v in self.inputs} | set(self.constants) | set(self.start)
        for name in (*computed, *self.start, None):
            unknown = names_in(self.trees[name]) - known
            if unknown:
                raise UnknownName(f"name in {name or 'the output'}:", sorted(unknown)[0], known)
            known |= {name} if name else set()

    @cached_property
    def trees(self) -> dict[str | None, ast.expr]:
        """The parsed rules, and under None the output."""
        trees: dict[str | None, ast.expr] = {k: parse(v) for k, v in self.rules.items()}
        trees[None] = parse(self.output)
        return trees

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names, in the order of their rules."""
        return tuple(v.name for v in self.variables)

    @property
    def stepped(self) -> bool:
        """Whether this is a step program, run over a sequence."""
        return bool(self.start) or any(totals_in(t) for t in self.trees.values())

    def initial(self) -> State:
        """The state before the first step (the sums that `total` keeps among it)."""
        totals = {ast.unparse(c): 0 for t in self.trees.values() for c in totals_in(t)}
        return {**self.start, **totals}

    def step(
        self, state: State, inputs: Mapping[str, Any], edits: Mapping[str, Edit] = {}
    ) -> tuple[State, Any]:
        """One step: the values of all variables and sums after it, and the output.

        Works on numbers, batches and z3 terms; `edits` replace variables as they are computed.
        """
        scope = {**self.constants, **state, **inputs}
        sums: State = {}

        def value(name: str | None, scope: State) -> Any:
            tree = self.trees[name]
            for call in totals_in(tree):
                sums[ast.unparse(call)] = state[ast.unparse(call)] + number(
                    evaluate(call.args[0], {**scope, **sums})
                )
            result = evaluate(tree, {**scope, **sums})
            return edits[name](result) if name is not None and name in edits else result

        for name in (n for n in self.names if n not in self.start):
            scope[name] = value(name, scope)
        scope |= {name: value(name, scope) for name in self.start}
        output = value(None, scope)
        return {**{n: scope[n] for n in self.names}, **sums}, output

    def run(self, inputs: Any, *, read: Iterable[Any] = (), do: Mapping[Any, Edit] = {}) -> Run:
        """The outputs on `inputs`, with the values in `read`, after the edits in `do`.

        A step program takes a list of numbers or terms, or a (batch, step) array or tensor, and
        returns outputs of the same form. One with several inputs takes a list of tuples, or a
        (batch, step, input) array or tensor; several outputs come out likewise. An expression
        program takes a mapping from input to value (or one tensor with the inputs along its last
        axis).
        """
        return (
            self._run_steps(inputs, list(read), do)
            if self.stepped
            else self._run_once(inputs, list(read), do)
        )

    def _run_once(self, inputs: Any, read: list[str], do: Mapping[str, Edit]) -> Run:
        self._check([*read, *do])
        if not isinstance(inputs, Mapping):
            inputs = {v.name: inputs[..., i] for i, v in enumerate(self.inputs)}
        values, output = self.step({}, inputs, do)
        return Run(output, {name: values[name] for name in read})

    def _run_steps(self, tokens: Any, read: list[Any], do: Mapping[Any, Edit]) -> Run:
        self._check([name for name, _ in (*read, *do)])
        batched = isinstance(tokens, torch.Tensor | np.ndarray)
        columns = [tokens[:, t] for t in range(tokens.shape[1])] if batched else list(tokens)
        steps = {name: _steps(name[1], columns, tokens) for name in (*read, *do)}
        values: dict[Any, Any] = {}
        state, outputs = self.initial(), []
        for t, token in enumerate(columns):
            edits: dict[str, Edit] = {}
            for name in do:
                if _any(here := steps[name] == t):
                    edits[name[0]] = _edit_where(here, do[name], after=edits.get(name[0]))
            given = self._named(token, batched)
            state, output = self.step(state, given, edits)
            first = next(iter(given.values()))
            parts = output if isinstance(output, tuple) else (output,)
            parts = tuple(_like(part, first) for part in parts)
            outputs.append(_together(parts) if isinstance(output, tuple) else parts[0])
            for name in read:
                if _any(here := steps[name] == t):
                    value = _like(state[name[0]], first)
                    values[name] = select(here, value, values.get(name, value))
        if not batched or not outputs:
            return Run(tokens[:, :0] if batched else outputs, values)
        stack = torch.stack if isinstance(tokens, torch.Tensor) else np.stack
        return Run(stack(outputs, 1), values)

    def _named(self, token: Any, batched: bool) -> dict[str, Any]:
        """The inputs of one step by their names."""
        names = [v.name for v in self.inputs]
        if len(names) == 1:
            return {names[0]: token}
        parts = [token[..., i] for i in range(token.shape[-1])] if batched else list(token)
        if len(parts) != len(names):
            raise SymscopeError(f"{self.name} takes {names} at each step, not {len(parts)} values")
        return dict(zip(names, parts, strict=True))

    def _check(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.names:
                raise UnknownName("variable", name, self.names)


def _steps(step: Any, columns: Sequence[Any], tokens: Any) -> Any:
    index = step if isinstance(step, int) else np.asarray(step)
    length = len(columns)
    if np.any((np.asarray(index) < -length) | (np.asarray(index) >= length)):
        raise SymscopeError(f"step {step} is outside the {length} steps there are")
    index = index % length
    if isinstance(tokens, torch.Tensor) and not isinstance(index, int):
        return torch.as_tensor(index, device=tokens.device)
    return index


def _any(here: Any) -> bool:
    return bool(here if isinstance(here, bool) else here.any())


def _edit_where(here: Any, edit: Edit, after: Edit | None = None) -> Edit:
    """The edit in the rows that are `here`, after another that may concern other rows."""

    def edited(value: Any) -> Any:
        value = value if after is None else after(value)
        return select(here, edit(value), value)

    return edited


def _together(parts: tuple[Any, ...]) -> Any:
    """The outputs of one step, side by side along a last axis where they are batches."""
    parts = tuple(map(number, parts))
    if isinstance(parts[0], torch.Tensor):
        return torch.stack(parts, -1)
    return np.stack(parts, -1) if isinstance(parts[0], np.ndarray) else parts


def _like(value: Any, token: Any) -> Any:
    """`value` as a batch of the token's length where it is still one number."""
    if isinstance(token, torch.Tensor) and not isinstance(value, torch.Tensor):
        kind = None if isinstance(value, int) else torch.float32
        return torch.full_like(token, value, dtype=kind)
    if isinstance(token, np.ndarray) and not isinstance(value, np.ndarray):
        return np.full_like(token, value, dtype=type(value))
    return value
