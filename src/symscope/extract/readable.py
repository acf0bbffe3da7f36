"""A program written as a person would: tidy formulas, and registers with names that say something.

What is computed stays the same; the formulas may become a little longer.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from symscope.expression import names_in, parse
from symscope.extract.formula.plain import plain
from symscope.program import Program

_GIVEN = re.compile(r"(r|register|z|q)\d+")
"""Names that the routes make up. Others say something already."""
ENDLESS = 10**6
"""Ranges that go so far say nothing."""
_NAMED = (
    (r"_ \+ 1", "steps", "how many steps so far"),
    (r"_ \+ \((\w+) == (\d+)\)", "count_{1}", "how often {0} was {1} so far"),
    (r"_ \+ \((\w+) == (-\d+)\)", "count", "how often {0} was {1} so far"),
    (r"_ \+ (\w+)", "sum_{0}", "the sum of {0} so far"),
    (r"_ \+ 1 - 2 \* (\w+)", "balance", "how many more {0} = 0 than {0} = 1 so far"),
    (r"_ if _ < 0 else _ \+ 1 - 2 \* (\w+)", "balance",
     "how many more {0} = 0 than {0} = 1 so far; it stays where it first fell below 0"),
    (r"max\(_, (\w+)\)", "largest_{0}", "the largest {0} so far"),
    (r"min\(_, (\w+)\)", "smallest_{0}", "the smallest {0} so far"),
    (r"\(_ \+ (\w+)\) % (\d+)", "sum_{0}_mod_{1}", "the sum of {0} so far, modulo {1}"),
    (r"\(_ \+ 1\) % (\d+)", "steps_mod_{0}", "how many steps so far, modulo {0}"),
    (r"\((\d+) \* _ \+ (\w+)\) % (\d+)", "remainder",
     "all {1} so far as one number in base {0}, its remainder by {2}"),
    (r"(\d+) \* forward \+ (\w+)", "forward", "all {1} so far as one number in base {0}"),
    (r"backward \+ place \* (\w+)", "backward", "the same number with its digits turned round"),
    (r"(\d+) \* place", "place", "{0} to the power of the steps so far"),
)  # fmt: skip
"""Rules with `_` for the register itself, its name, and what it is after each step."""


def readable(program: Program) -> Program:
    """The same program with tidy rules and telling names.

    >>> from symscope.program import Variable
    >>> bit = (Variable("x", 0, 1),)
    >>> made = Program("p", bit, (Variable("r7", 0, 9),), {"r7": "(not x % 2) + r7"}, "2 < r7",
    ...                start={"r7": 0})
    >>> readable(made).rules, readable(made).output
    ({'register1': 'register1 + (x % 2 == 0)'}, 'register1 > 2')
    """
    inputs = {v.name for v in program.inputs}
    rules = {name: tidy(rule, inputs) for name, rule in program.rules.items()}
    names = _names(rules, inputs)

    def told(text: str) -> str:
        return tidy(_renamed(text, names), inputs)

    return replace(
        program,
        variables=tuple(replace(v, name=names[v.name]) for v in program.variables),
        rules={names[name]: told(rule) for name, rule in rules.items()},
        output=told(program.output),
        start={names[name]: value for name, value in program.start.items()},
    )


def meanings(program: Program) -> dict[str, str]:
    """What each register holds after a step, in words, as far as its rule says so."""
    inputs = {v.name for v in program.inputs}
    found = {}
    for variable in program.variables:
        own, rule = variable.name, program.rules[variable.name]
        said = _as_answer(own, program.output)
        said += [f"one of {variable.high - variable.low + 1:g} states"] if own == "state" else []
        said += [known for _, known in _known(own, rule, inputs)][:1]
        first = program.start.get(own)
        said += [f"from {first:g} on"] if first and own in names_in(program.trees[own]) else []
        if max(abs(variable.low), abs(variable.high)) < ENDLESS:
            said += [f"{variable.low:g} to {variable.high:g} at the trained length"]
        found[own] = "; ".join(said or ["a number"])
    return found


def _as_answer(own: str, output: str) -> list[str]:
    tree = parse(output)
    if not isinstance(tree, ast.Tuple):
        return ["the answer"] if own == output else []
    parts = [ast.unparse(part) for part in tree.elts]
    return [f"answer {parts.index(own) + 1} of {len(parts)}"] if own in parts else []


def tidy(text: str, inputs: set[str]) -> str:
    """An expression with registers before inputs and variables before numbers.

    Also `2 * a` for `a + a`, `a % 2 == 0` for `not a % 2`, and choices in one row.

    >>> tidy("(3 if 0 < a else 4) if x == r else r + r + x", {"x"})
    '2 * r + x if r != x else 3 if a > 0 else 4'
    """

    def place(tree: ast.expr) -> int:
        names = names_in(tree)
        return 0 if names - inputs else 1 if names else 2

    return ast.unparse(_Tidy(place).visit(parse(plain(text))))


class _Tidy(ast.NodeTransformer):
    """`place` says what stands first where the order is free: small numbers do."""

    def __init__(self, place: Callable[[ast.expr], int]) -> None:
        self.place = place

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        match node.op:
            case ast.Add() | ast.Sub():
                return self._sum(list(_terms(node)))
            case ast.BitXor():
                first, *others = sorted(_chain(node, ast.BitXor), key=self.place)
                for other in others:
                    first = ast.BinOp(first, ast.BitXor(), other)
                return first
            case ast.Mult():
                numbers_first = sorted([node.left, node.right], key=lambda t: self.place(t) != 2)
                return ast.BinOp(numbers_first[0], ast.Mult(), numbers_first[1])
        return node

    def _sum(self, terms: list[tuple[bool, ast.expr]]) -> ast.expr:
        """Registers first; of them one that is added, so that no minus leads."""
        joined: dict[tuple[bool, str], tuple[ast.expr, int]] = {}
        for minus, term in terms:
            key = minus, ast.unparse(term)
            joined[key] = term, joined.get(key, (term, 0))[1] + 1
        once = [(minus, term if count == 1 else ast.BinOp(ast.Constant(count), ast.Mult(), term))
                for (minus, _), (term, count) in joined.items()]  # fmt: skip
        once.sort(key=lambda t: self.place(t[1]) > 0)
        leading = next((i for i, (minus, _) in enumerate(once) if not minus), None)
        if leading is None:
            once[0] = False, ast.UnaryOp(ast.USub(), once[0][1])
        else:
            once.insert(0, once.pop(leading))
        total = once[0][1]
        for minus, term in once[1:]:
            total = ast.BinOp(total, ast.Sub() if minus else ast.Add(), term)
        return total

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) > 1 or isinstance(node.ops[0], ast.In | ast.NotIn):
            return node
        turned = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}
        if self.place(node.left) > self.place(node.comparators[0]):
            op = turned.get(type(node.ops[0]), type(node.ops[0]))()
            return ast.Compare(node.comparators[0], [op], [node.left])
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        return ast.BoolOp(node.op, sorted(node.values, key=self.place))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name), "parsed, so a function of ours"
        order = sorted(node.args, key=self.place) if node.func.id in ("max", "min") else node.args
        return ast.Call(node.func, order, [])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return _negated(node.operand) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.body, ast.IfExp) and not isinstance(node.orelse, ast.IfExp):
            return ast.IfExp(_negated(node.test), node.orelse, node.body)
        return node


def _terms(tree: ast.expr, minus: bool = False) -> Iterator[tuple[bool, ast.expr]]:
    """The terms of a sum, with whether they are subtracted."""
    match tree:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield from _terms(tree.left, minus)
            yield from _terms(tree.right, minus != isinstance(tree.op, ast.Sub))
        case ast.UnaryOp(op=ast.USub()):
            yield from _terms(tree.operand, not minus)
        case _:
            yield minus, tree


def _chain(tree: ast.expr, op: type) -> Iterator[ast.expr]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, op):
        yield from _chain(tree.left, op)
        yield from _chain(tree.right, op)
    else:
        yield tree


def _negated(tree: ast.expr) -> ast.expr:
    opposite = {
        ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    }  # fmt: skip
    match tree:
        case ast.Compare(ops=[op]):
            return ast.Compare(tree.left, [opposite[type(op)]()], tree.comparators)
        case ast.UnaryOp(op=ast.Not()):
            return ast.Compare(tree.operand, [ast.NotEq()], [ast.Constant(0)])
        case ast.BinOp():
            return ast.Compare(tree, [ast.Eq()], [ast.Constant(0)])
    return ast.UnaryOp(ast.Not(), tree)


def _names(rules: Mapping[str, str], inputs: set[str]) -> dict[str, str]:
    """A new name for each register; those that say something keep theirs."""
    names = {name: name for name in rules if not _GIVEN.fullmatch(name)}
    waiting = [name for name in rules if name not in names]
    number = 0
    while waiting:
        known = [(own, made) for own in waiting
                 for made, _ in _known(own, _renamed(rules[own], names), inputs)]  # fmt: skip
        if known:
            own, made = known[0]
        else:
            number += 1
            own, made = waiting[0], f"register{number}"
        while made in names.values() or made in inputs or made in rules:
            made += "_"
        names[own] = made
        waiting.remove(own)
    return names


def _known(own: str, rule: str, inputs: set[str]) -> Iterator[tuple[str, str]]:
    """A name and a meaning for the register `own` with this rule, if its form is known."""
    text = re.sub(rf"\b{own}\b", "_", rule)
    absolute = re.fullmatch(r"abs\((\w+)\)", text)
    if text in inputs or (absolute and absolute[1] in inputs):
        yield (f"abs_{absolute[1]}_0" if absolute else f"{text}_0"), f"{text} at this step"
        return
    delayed = re.fullmatch(r"(\w+)_(\d+)", text)
    if delayed and delayed[1].removeprefix("abs_") in inputs:
        back = int(delayed[2]) + 1
        yield f"{delayed[1]}_{back}", f"{delayed[1]} {_steps(back)} before"
    summed = re.fullmatch(r"(?:(\w+)_0|last_(\d+)_(\w+)) \+ (\w+)", text)
    if summed and summed[4] in inputs and summed[4] in (summed[1], summed[3]):
        many = int(summed[2] or 1) + 1
        yield f"last_{many}_{summed[4]}", f"the sum of the last {many} {summed[4]}"
    for form, name, said in _NAMED:
        match = re.fullmatch(form, text)
        if match and (inputs & set(match.groups()) or not match.groups()
                      or all(g.isdigit() for g in match.groups())):  # fmt: skip
            yield name.format(*match.groups()), said.format(*match.groups())
            return


def _steps(back: int) -> str:
    return "one step" if back == 1 else f"{back} steps"


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\b[A-Za-z_]\w*\b", lambda m: names.get(m[0], m[0]), text)
