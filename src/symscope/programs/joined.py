"""A program that answers only where another one says so: on legal sequences, at the steps asked."""

import ast
from collections.abc import Mapping
from dataclasses import replace

from symscope.evidence import SymscopeError
from symscope.expression import names_in
from symscope.program import Program


def answered(program: Program, where: Program, otherwise: int) -> Program:
    """`program` at the steps at which the output of `where` is not 0, else `otherwise`.

    Inputs are matched by position. Variables and constants of `where` keep their names unless
    `program` has others of that name: then `where`'s own name goes before. Raises `SymscopeError`
    where one takes more inputs than the other.

    >>> from symscope.program import Variable
    >>> bit = (Variable("bit", 0, 1),)
    >>> ones = Program("ones", bit, (), {}, "total(bit)")
    >>> second = Program("second", bit, (), {}, "total(1) > 1")
    >>> answered(ones, second, -1).run([1, 1, 0]).output
    [-1, 2, 2]
    """
    if len(program.inputs) != len(where.inputs):
        raise SymscopeError(
            f"{where.name} speaks of {len(where.inputs)} inputs, {program.name} takes"
            f" {len(program.inputs)}"
        )
    used = set().union(*map(names_in, where.trees.values()))
    constants = {k: v for k, v in where.constants.items() if k in used}
    shared = {k for k, v in constants.items() if program.constants.get(k) == v}
    taken = {v.name for v in program.inputs} | set(program.names) | set(program.constants)
    renamed = {a.name: b.name for a, b in zip(where.inputs, program.inputs, strict=True)}
    for name in (*where.names, *constants):
        renamed[name] = name
        while name not in shared and renamed[name] in taken:
            renamed[name] = f"{where.name}_{renamed[name]}"
    variables = tuple(replace(v, name=renamed[v.name]) for v in where.variables)
    rules = {renamed[n]: _renamed(where.trees[n], renamed) for n in where.names}
    return replace(
        program,
        variables=(*program.variables, *variables),
        rules={**program.rules, **rules},
        output=given_where(program, _renamed(where.trees[None], renamed), otherwise),
        start={**program.start, **{renamed[k]: v for k, v in where.start.items()}},
        constants={**program.constants, **{renamed[k]: v for k, v in constants.items()}},
    )


def given_where(program: Program, condition: str, otherwise: int) -> str:
    """The output of `program` as an expression that is `otherwise` unless `condition` holds."""
    tree = program.trees[None]
    parts = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    other = ast.unparse(ast.Constant(otherwise))
    return ", ".join(f"({ast.unparse(p)}) if {condition} else {other}" for p in parts)


def _renamed(tree: ast.expr, names: Mapping[str, str]) -> str:
    class Named(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.Name:
            return ast.Name(names.get(node.id, node.id), node.ctx)

    return ast.unparse(Named().visit(ast.parse(ast.unparse(tree), mode="eval").body))
