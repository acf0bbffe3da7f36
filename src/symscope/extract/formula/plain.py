"""An expression written with no more parentheses than it needs."""

import ast

from symscope.expression import parse


def plain(text: str) -> str:
    """The same expression, sums as one row of terms: as long as before, by `cost`.

    >>> plain("(a + (b - (c)))")
    'a + b - c'
    """
    return ast.unparse(_Rows().visit(parse(text)))


class _Rows(ast.NodeTransformer):
    """Turns a + (b ± c) into (a + b) ± c, and joins what `and`, `or` nest."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.BinOp(op=ast.Add(), right=ast.BinOp(op=ast.Add() | ast.Sub()) as right):
                joined = self.visit_BinOp(ast.BinOp(node.left, ast.Add(), right.left))
                return ast.BinOp(joined, right.op, right.right)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        parts: list[ast.expr] = []
        for part in node.values:
            same = isinstance(part, ast.BoolOp) and type(part.op) is type(node.op)
            parts += part.values if same else [part]  # type: ignore[attr-defined]
        return ast.BoolOp(node.op, parts)
