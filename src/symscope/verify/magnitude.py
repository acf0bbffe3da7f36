"""How large the numbers inside one step of a program can become: 64 bits wrap, Python's do not."""

import ast
from collections.abc import Mapping
from typing import Any

from symscope.expression import totals_in
from symscope.program import Program

Sizes = Mapping[str, float]
MOST = 2**70
"""Sizes above this are all alike: no bound on them is needed, and a float may not hold them."""


def largest(program: Program, state: Sizes, inputs: Sizes) -> float:
    """A bound on the absolute value of every number in one step, from those that go into it."""
    scope = {name: _size(value) for name, value in program.constants.items()}
    scope |= {**state, **inputs}
    met = [0.0, *scope.values()]

    def bound(name: str | None, scope: Sizes) -> float:
        tree = program.trees[name]
        sums = {
            ast.unparse(c): state[ast.unparse(c)] + _bound(c.args[0], scope, met)
            for c in totals_in(tree)
        }
        return _bound(tree, {**scope, **sums}, met)

    for name in (n for n in program.names if n not in program.start):
        scope[name] = bound(name, scope)
    after = {name: bound(name, scope) for name in program.start}
    met.append(bound(None, {**scope, **after}))
    return max(met)


def _size(value: Any) -> float:
    if isinstance(value, tuple):
        return max(map(_size, value), default=0.0)
    return float(min(abs(value), MOST))


def _bound(tree: ast.expr, scope: Sizes, met: list[float]) -> float:
    """A bound on one expression; those of all its parts are added to `met`."""
    match tree:
        case ast.Constant(value=value):
            bound = _size(value)
        case ast.Name(id=name):
            bound = scope[name]
        case ast.Call(func=ast.Name(id="total")):
            bound = scope[ast.unparse(tree)]
        case _:
            parts = [n for n in ast.iter_child_nodes(tree) if isinstance(n, ast.expr)]
            if isinstance(tree, ast.Call):
                parts = tree.args
            bounds = [_bound(part, scope, met) for part in parts]
            bound = _combined(tree, bounds)
    met.append(bound)
    return bound


def _combined(tree: ast.expr, bounds: list[float]) -> float:
    if isinstance(tree, ast.Compare) or (
        isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)
    ):
        return 1
    if isinstance(tree, ast.IfExp):
        return max(bounds[1:])
    if not isinstance(tree, ast.BinOp):
        return max(bounds, default=0)
    match tree.op:
        case ast.Mult():
            return bounds[0] * bounds[1]
        case ast.FloorDiv():
            return bounds[0]
        case ast.BitXor():
            return 2 * max(bounds) + 1
        case ast.Mod() if isinstance(tree.right, ast.Constant) and tree.right.value:
            return bounds[1]  # inside, left − right · (left // right) adds no more than both
    return sum(bounds)
