"""The description length of an expression and of a program: nodes, and the bits of constants.

Rissanen (1978): of two rules that explain the same rows, the shorter one is believed.
"""

import ast

from symscope.expression import parse
from symscope.program import Program

REAL_BITS = 53
"""What a constant that is no integer costs: the digits of a double."""


def cost(text: str) -> int:
    """Nodes plus bits of constants; names all cost the same.

    An operation between two parts is one node, however it is written: `a + b + c` and
    `max(a, b, c)` hold two each, `a < b < c` likewise. Parentheses and spaces are free.

    >>> cost("(s + t + c) % 7")  # 7 nodes, and 3 bits for the seven
    10
    """
    tree = parse(text)
    return _nodes(tree) + sum(_bits(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant))


def length(program: Program) -> int:
    """The length of a program's description: its formulas, and one for each register and start."""
    texts = [*program.rules.values(), program.output]
    return sum(map(cost, texts)) + 2 * len(program.rules)


def _nodes(tree: ast.expr) -> int:
    match tree:
        case ast.Name() | ast.Constant():
            return 1
        case ast.BoolOp(values=parts):
            return len(parts) - 1 + sum(map(_nodes, parts))
        case ast.Compare(left=left, comparators=rest):
            return len(rest) + sum(map(_nodes, [left, *rest]))
        case ast.Call(args=parts):
            return max(1, len(parts) - 1) + sum(map(_nodes, parts))
    return 1 + sum(
        _nodes(part) for part in ast.iter_child_nodes(tree) if isinstance(part, ast.expr)
    )


def _bits(value: object) -> int:
    if isinstance(value, float) and not value.is_integer():
        return REAL_BITS
    return int(value).bit_length()  # type: ignore[call-overload]
