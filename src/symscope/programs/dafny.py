"""A program as a Dafny method, with the rule it shall follow as its postcondition.

Dafny's `/` and `%` are Euclidean: the remainder is never negative. They are Python's `//` and `%`
for positive divisors only, so any other divisor goes through `FloorDiv` and `FloorMod`. Those give
0 and the dividend for a divisor of 0, as in a batch.
"""

import ast
import math
from collections.abc import Iterable, Mapping

from symscope.evidence import SymscopeError
from symscope.expression import parse, totals_in
from symscope.program import Program
from symscope.programs.registers import needed, registers

Text = str | int | float | tuple[int, ...]
Scope = Mapping[str, Text]
"""What each name is in Dafny; constants are there as they are."""
_FUNCTIONS = {  # in the order in which they use each other
    "FloorMod": "(a: int, b: int): int { a - b * FloorDiv(a, b) }",
    "FloorDiv": """(a: int, b: int): int
{
  if b == 0 then 0 else if b > 0 then a / b else (-a) / (-b)
}""",
    "Min": "(a: int, b: int): int { if b < a then b else a }",
    "Max": "(a: int, b: int): int { if b > a then b else a }",
    "Abs": "(a: int): int { if a < 0 then -a else a }",
    "Xor": """(a: int, b: int): int
  decreases Size(a) + Size(b)
{
  if Size(a) + Size(b) == 0 then (if a == b then 0 else -1)
  else (a + b) % 2 + 2 * Xor(a / 2, b / 2)
}""",
    "Size": "(a: int): nat { if a < 0 then -a - 1 else a }",
}
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_COMPARE = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip


def dafny_source(
    program: Program, rule: Program | None = None, invariants: Iterable[str] = ()
) -> str:
    """A method `Run` on a sequence of inputs; `dafny verify` says whether it follows the rule.

    `Run` gives the outputs at all steps. With a `rule`, that is a ghost function of the inputs so
    far, and `Run` ensures that each output is the rule's. `invariants` relate the registers of
    both, `program_x` and `rule_x`, as in `Proof.invariants`; without them Dafny may not find the
    proof. Integers only: a program with `/` or floats is refused.
    """
    own = needed(program)
    kind = "int" if len(own.inputs) == 1 else f"({', '.join(['int'] * len(own.inputs))})"
    lines = [f"predicate Alphabet(xs: seq<{kind}>)", "{"]
    lines += [f"  forall i :: 0 <= i < |xs| ==> {_alphabet(own)}", "}", ""]
    lines += [] if rule is None else _rule(needed(rule), kind)
    lines += [*_method(own, rule and needed(rule), kind, list(invariants)), ""]
    for name, body in _FUNCTIONS.items():
        if any(f"{name}(" in line for line in lines):
            lines = [f"function {name}{body}", "", *lines]
    return f"// {program.name}, by symscope. Not checked yet: dafny verify FILE\n\n" + "\n".join(
        lines
    )


def _rule(rule: Program, kind: str) -> list[str]:
    """The rule's registers as a datatype, a step of it, and the rule as a function of prefixes."""
    names = registers(rule, "rule")
    fields = ", ".join(f"{name}: int" for name in names)
    start = ", ".join(str(int(value)) for value in rule.initial().values())
    state = {own: f"s.{name}" for name, own in names.items()}
    step, values, output = _step(rule, state, _inputs(rule, "x"), "r")
    body = [f"  {line}" for line in step]
    after = ", ".join(values[own] for own in names.values())
    last = "xs[..|xs| - 1]"
    return [
        f"datatype RuleState = RuleState({fields})", "",
        f"ghost function RuleStep(s: RuleState, x: {kind}): RuleState", "{",
        *body, f"  RuleState({after})", "}", "",
        f"ghost function RuleOutput(s: RuleState, x: {kind}): {_output_kind(rule)}", "{",
        *body, f"  {output}", "}", "",
        f"ghost function RuleAfter(xs: seq<{kind}>): RuleState", "{",
        f"  if |xs| == 0 then RuleState({start})",
        f"  else RuleStep(RuleAfter({last}), xs[|xs| - 1])", "}", "",
        f"ghost function Rule(xs: seq<{kind}>): {_output_kind(rule)}",
        "  requires |xs| > 0", "{",
        f"  RuleOutput(RuleAfter({last}), xs[|xs| - 1])", "}", "",
    ]  # fmt: skip


def _method(program: Program, rule: Program | None, kind: str, invariants: list[str]) -> list[str]:
    names = registers(program, "program")
    state = {own: name for name, own in names.items()}
    step, values, output = _step(program, state, _inputs(program, "xs[i]"), "p")
    lines = [f"method Run(xs: seq<{kind}>) returns (ys: seq<{_output_kind(program)}>)"]
    lines += ["  requires Alphabet(xs)", "  ensures |ys| == |xs|"]
    if rule is not None:
        lines += ["  ensures forall i :: 0 <= i < |xs| ==> ys[i] == Rule(xs[..i + 1])"]
    lines += ["{", "  ys := [];"]
    lines += [f"  var {n} := {int(program.initial()[own])};" for n, own in names.items()]
    lines += ["  ghost var rule := RuleAfter([]);"] if rule is not None else []
    lines += ["  var i := 0;", "  while i < |xs|", "    invariant 0 <= i <= |xs| && |ys| == i"]
    if rule is not None:
        lines += ["    invariant rule == RuleAfter(xs[..i])"]
        scope: dict[str, Text] = {name: name for name in names}
        scope |= {name: f"rule.{name}" for name in registers(rule, "rule")}
        lines += [f"    invariant {_truth(parse(text), scope)}" for text in invariants]
        lines += ["    invariant forall j :: 0 <= j < i ==> ys[j] == Rule(xs[..j + 1])"]
    lines += ["  {", *(f"    {line}" for line in step), f"    ys := ys + [{output}];"]
    if rule is not None:
        lines += ["    assert xs[..i + 1][..i] == xs[..i];", "    rule := RuleStep(rule, xs[i]);"]
    if names:
        after = ", ".join(values[own] for own in names.values())
        lines += [f"    {', '.join(names)} := {after};"]
    return [*lines, "    i := i + 1;", "  }", "}"]


def _step(
    program: Program, state: Mapping[str, str], inputs: Mapping[str, str], prefix: str
) -> tuple[list[str], dict[str, str], str]:
    """Declarations of all that one step computes, what its variables are called, and the output."""
    scope: dict[str, Text] = {**program.constants, **state, **inputs}
    after: dict[str, str] = {}
    lines: list[str] = []

    def text(name: str | None, scope: Scope) -> str:
        tree = program.trees[name]
        for call in totals_in(tree):
            key, number = ast.unparse(call), len(lines)
            lines.append(f"var {prefix}{number} := {state[key]} + {_number(call.args[0], scope)};")
            after[key] = f"{prefix}{number}"
        parts = tree.elts if isinstance(tree, ast.Tuple) else [tree]
        texts = [_number(part, {**scope, **after}) for part in parts]
        return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"

    def declared(name: str) -> str:
        lines.append(f"var {prefix}_{name} := {text(name, scope)};")
        return f"{prefix}_{name}"

    for name in (n for n in program.names if n not in program.start):
        scope[name] = after[name] = declared(name)
    after |= {name: declared(name) for name in program.start}
    return lines, after, text(None, {**scope, **after})


def _inputs(program: Program, symbol: str) -> dict[str, str]:
    names = [v.name for v in program.inputs]
    many = len(names) > 1
    return {name: f"{symbol}.{i}" if many else symbol for i, name in enumerate(names)}


def _alphabet(program: Program) -> str:
    """That the inputs at step i are in their ranges."""
    facts = []
    for text, v in zip(_inputs(program, "xs[i]").values(), program.inputs, strict=True):
        facts += [f"{int(v.low)} <= {text}"] if math.isfinite(v.low) else []
        facts += [f"{text} <= {int(v.high)}"] if math.isfinite(v.high) else []
    return " && ".join(facts) or "true"


def _output_kind(program: Program) -> str:
    tree = program.trees[None]
    count = len(tree.elts) if isinstance(tree, ast.Tuple) else 1
    return "int" if count == 1 else f"({', '.join(['int'] * count)})"


def _number(tree: ast.expr, scope: Scope) -> str:
    text, truth = _translated(tree, scope)
    return f"(if {text} then 1 else 0)" if truth else text


def _truth(tree: ast.expr, scope: Scope) -> str:
    text, truth = _translated(tree, scope)
    return text if truth else f"({text} != 0)"


def _translated(tree: ast.expr, scope: Scope) -> tuple[str, bool]:
    """An expression of Dafny, and whether it is a truth value."""
    match tree:
        case ast.Constant(value=bool() | int() as value):
            return str(value).lower(), isinstance(value, bool)
        case ast.Name(id=name) if isinstance(scope[name], str | int):
            return str(scope[name]) if isinstance(scope[name], str) else f"({scope[name]})", False
        case ast.IfExp(test=test, body=body, orelse=other):
            return _chosen(_truth(test, scope), body, other, scope)
        case ast.BoolOp(op=op, values=[*most, last]):
            first = most[0] if len(most) == 1 else ast.BoolOp(op, most)
            return _either(isinstance(op, ast.And), first, last, scope)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"!{_truth(operand, scope)}", True
        case ast.UnaryOp(operand=operand):
            return f"(-{_number(operand, scope)})", False
        case ast.Compare(left=left, ops=ops, comparators=rights):
            sides = zip([left, *rights], ops, rights, strict=False)
            return f"({' && '.join(_compared(*side, scope) for side in sides)})", True
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, left, right, scope), False
        case ast.Call(func=ast.Name(id="total")):
            return str(scope[ast.unparse(tree)]), False
        case ast.Call(func=ast.Name(id=function), args=[first, *rest]):
            text = _number(first, scope)
            for arg in rest:
                text = f"{function.capitalize()}({text}, {_number(arg, scope)})"
            return text if rest else f"Abs({text})", False
    raise SymscopeError(f"Dafny source is of integers only, not {ast.unparse(tree)}")


def _chosen(condition: str, yes: ast.expr, no: ast.expr, scope: Scope) -> tuple[str, bool]:
    """`yes` or `no`, as a truth value where both are."""
    (yes_text, truth), (no_text, too) = _translated(yes, scope), _translated(no, scope)
    if not (truth and too):
        yes_text, no_text = _number(yes, scope), _number(no, scope)
    return f"(if {condition} then {yes_text} else {no_text})", truth and too


def _either(conjunction: bool, first: ast.expr, last: ast.expr, scope: Scope) -> tuple[str, bool]:
    """Python's `and` and `or`, which return an operand."""
    (left, truth), (right, too) = _translated(first, scope), _translated(last, scope)
    if truth and too:
        return f"({left} {'&&' if conjunction else '||'} {right})", True
    yes, no = (last, first) if conjunction else (first, last)
    return _chosen(_truth(first, scope), yes, no, scope)


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, scope: Scope) -> str:
    if not isinstance(op, ast.In | ast.NotIn):
        return f"{_number(left, scope)} {_COMPARE[type(op)]} {_number(right, scope)}"
    options = scope[right.id] if isinstance(right, ast.Name) else None
    if isinstance(options, tuple):
        texts = list(map(str, options))
    else:
        parts = right.elts if isinstance(right, ast.Tuple) else [right]
        texts = [_number(part, scope) for part in parts]
    equal = " || ".join(f"{_number(left, scope)} == {text}" for text in texts) or "false"
    return f"({equal})" if isinstance(op, ast.In) else f"!({equal})"


def _arithmetic(op: ast.operator, left: ast.expr, right: ast.expr, scope: Scope) -> str:
    a, b = _number(left, scope), _number(right, scope)
    value = scope[right.id] if isinstance(right, ast.Name) else getattr(right, "value", 0)
    safe = isinstance(value, int) and value > 0
    match op:
        case ast.Add() | ast.Sub() | ast.Mult():
            return f"({a} {_ARITHMETIC[type(op)]} {b})"
        case ast.FloorDiv():
            return f"({a} / {b})" if safe else f"FloorDiv({a}, {b})"
        case ast.Mod():
            return f"({a} % {b})" if safe else f"FloorMod({a}, {b})"
        case ast.BitXor():
            return f"Xor({a}, {b})"
    raise SymscopeError(f"Dafny source is of integers only: {a} is divided by {b}")
