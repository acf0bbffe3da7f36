"""A program read back from the Python source that `python_source` writes.

The text is parsed, never run: anything that is not of that form is refused with its line.
"""

import ast
import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from symscope.evidence import SymscopeError
from symscope.expression import parse
from symscope.files import read_text, refusing
from symscope.program import Program, Variable
from symscope.programs.printing import MAIN

LONGEST = 200_000
"""Characters of a source; those that are printed have some thousand."""
LARGEST = 2**63
"""Proofs go on with such integers; a program that is read is run on tensors, too."""
_CONSTANT = "a constant is a number or a tuple of numbers"
_RANGES = "gives each name its least and its largest number"


def read_program(path: Path) -> Program:
    """The program in a file; raises `SymscopeError` naming the first line that is not allowed."""
    return program_in(read_text(path), str(path))


def program_in(source: str, name: str = "the program") -> Program:
    """The program in a source text; `name` is said in errors.

    >>> from symscope.programs.printing import python_source
    >>> bit, odd = (Variable("bit", 0, 1),), (Variable("odd", 0, 1),)
    >>> parity = Program("parity", bit, odd, {"odd": "odd ^ bit"}, "odd", start={"odd": 0})
    >>> program_in(python_source(parity)) == parity
    True
    """
    if len(source) > LONGEST:
        raise SymscopeError(f"{name} has {len(source):,} characters; a program has {LONGEST:,}")
    with refusing(f"{name} is no Python source"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of strange escapes and comparisons: it is never run
        tree = ast.parse(source)
    with refusing(f"{name} is no program"):
        return _Reader(source, name).read(tree.body)


class _Reader:
    """One pass over the statements of a source."""

    def __init__(self, source: str, name: str):
        self.source, self.name = source.splitlines(), name
        self.constants: dict[str, Any] = {}

    def read(self, body: list[ast.stmt]) -> Program:
        title = self._title(body)
        step, run = self._parts(body[1:])
        inputs, variables = ([*self._variables(key)] for key in ("INPUTS", "VARIABLES"))
        start = self._start(run)
        rules, output, totals = self._rules(step, start)
        names = {v.name for v in variables}
        return Program(
            title, tuple(inputs), tuple(variables),
            {v.name: _summed(rules[v.name], totals) for v in variables if v.name in rules},
            _summed(output, totals), {k: v for k, v in start.items() if k in names},
            {k: v for k, v in self.constants.items() if k not in ("INPUTS", "VARIABLES")},
        )  # fmt: skip

    def refused(self, node: ast.stmt | ast.expr | None, why: str) -> SymscopeError:
        """The error for a line that is not of the form."""
        line = (
            ""
            if node is None
            else f", line {node.lineno}: {self.source[node.lineno - 1].strip()!r}"
        )
        return SymscopeError(f"{self.name}{line}: {why}")

    def _title(self, body: list[ast.stmt]) -> str:
        match body:
            case [ast.Expr(value=ast.Constant(value=str(text))), *_]:
                title = text.rsplit(": a program over", 1)[0]
                if not re.fullmatch(r"\w[\w .,()+*-]{0,99}", title):
                    raise self.refused(body[0], "a program's name is letters, digits and signs")
                return title
        raise self.refused(None, "a program begins with a docstring that names it")

    def _parts(self, body: list[ast.stmt]) -> tuple[ast.FunctionDef, ast.FunctionDef]:
        found: dict[str, ast.FunctionDef] = {}
        for node in body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    ranges = name in ("INPUTS", "VARIABLES")
                    why = f"{name} {_RANGES}" if ranges else _CONSTANT
                    self.constants[name] = self._literal(value, why)
                case ast.FunctionDef(name="step" | "run", decorator_list=[]):
                    found[node.name] = node
                case ast.If() if ast.unparse(node) in _ENDS:
                    pass
                case _:
                    raise self.refused(node, "only constants, step and run are allowed here")
        for name in ("step", "run"):
            if name not in found:
                raise self.refused(None, f"there is no function {name}")
        return found["step"], found["run"]

    def _literal(self, value: ast.expr, why: str = _CONSTANT) -> Any:
        try:
            found = ast.literal_eval(value)
        except (ValueError, TypeError):
            found = None
        if isinstance(found, dict) and all(isinstance(name, str) for name in found):
            parts = [*found.values()]
        else:
            parts = [found]
        if not all(map(_numbers, parts)):
            raise self.refused(value, why)
        return found

    def _variables(self, key: str) -> Iterator[Variable]:
        ranges = self.constants.get(key, {})
        if not isinstance(ranges, dict) or not all(map(_range, ranges.values())):
            raise self.refused(None, f"{key} {_RANGES}")
        for name, (low, high) in ranges.items():
            if not name.isidentifier():
                raise self.refused(None, f"{name[:99]!r} in {key} is no name")
            if high < low and key == "INPUTS":
                raise self.refused(None, f"input {name} has no numbers from {low} to {high}")
            yield Variable(name, low, high, "real" if isinstance(low, float) else "int")

    def _start(self, run: ast.FunctionDef) -> dict[str, Any]:
        match run.body[0] if run.body else None:
            case ast.Assign(
                targets=[ast.Tuple(elts=[ast.Name(id="state"), ast.Name(id="outputs")])],
                value=ast.Tuple(elts=[ast.Dict() as values, ast.List(elts=[])]),
            ):
                start = self._literal(values)
                if not all(isinstance(number, int | float) for number in start.values()):
                    raise self.refused(values, "a variable starts as a number")
            case other:
                raise self.refused(other, "run begins with state, outputs = {...}, []")
        rest = "\n".join(ast.unparse(node) for node in run.body[1:])
        if rest not in _LOOPS:
            raise self.refused(run.body[1], "run steps through the sequence and nothing else")
        return start

    def _rules(
        self, step: ast.FunctionDef, start: dict[str, Any]
    ) -> tuple[dict[str, ast.expr], ast.expr, dict[str, ast.expr]]:
        """Variable → rule, the output, and what each total sums."""
        rules: dict[str, ast.expr] = {}
        totals: dict[str, ast.expr] = {}
        for node in step.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript()):
                    if ast.unparse(node.value) != f"state[{name!r}]" or name not in start:
                        raise self.refused(node, "a register is read as name = state['name']")
                case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                    totals[name] = self._allowed(value)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    rules[name] = self._allowed(value)
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    if len(names) != len(values):
                        raise self.refused(node, "each name needs one expression")
                    for target, value in zip(names, values, strict=True):
                        rules[ast.unparse(target)] = self._allowed(value)
                case ast.Return(value=ast.Tuple(elts=[ast.Name(id="output"), ast.Dict()])):
                    pass
                case _:
                    raise self.refused(node, "only assignments of expressions are allowed in step")
        if "output" not in rules:
            raise self.refused(None, "step has no output")
        return rules, rules.pop("output"), totals

    def _allowed(self, value: ast.expr) -> ast.expr:
        try:
            tree = parse(ast.unparse(value))
        except SymscopeError as error:
            raise self.refused(value, str(error)) from None
        for node in ast.walk(tree):
            value_of = getattr(node, "value", None)
            if isinstance(value_of, int | float) and abs(value_of) >= LARGEST:
                raise self.refused(value, "a constant has 63 bits or more, which no batch holds")
        return tree


def _numbers(value: Any) -> bool:
    """Whether this is a number that is one, or a tuple of such."""
    parts = value if isinstance(value, tuple) else (value,)
    return all(isinstance(n, int | float) and abs(n) < math.inf for n in parts)


def _range(ends: Any) -> bool:
    """Whether these are two numbers."""
    numbers = isinstance(ends, tuple) and all(type(end) in (int, float) for end in ends)
    return numbers and len(ends) == 2


def _summed(rule: ast.expr, totals: dict[str, ast.expr]) -> str:
    """The rule's text with sums written as `total(x)` again."""

    class Named(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if node.id not in totals:
                return node
            return ast.Call(ast.Name("total", ast.Load()), [self.visit(totals[node.id])], [])

    return ast.unparse(Named().visit(rule))


def _ended(item: str) -> str:
    return ast.unparse(ast.parse(MAIN.replace("ITEM", item)).body[0])


_ENDS = {_ended(item) for item in ("int(text)", 'tuple(map(int, text.split(",")))')}
_LOOPS = {
    ast.unparse(ast.parse(
        f"for item in sequence:\n    output, state = step({item}, state)\n"
        "    outputs.append(output)\n"
    )) + "\nreturn outputs"
    for item in ("item", "*item")
}  # fmt: skip
