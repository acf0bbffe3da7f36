"""Python expressions over a whitelist of syntax, evaluated on whatever the names hold.

The same text runs on Python numbers, NumPy arrays, torch tensors and z3 terms. Nothing is ever
`exec`uted: the text is parsed to a tree and the tree is walked. Division by zero inside a batch
is 0 for integers, because both branches of `a if c else b` are computed there.
"""

import ast
import math
import operator
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from symscope.evidence import SymscopeError

FUNCTIONS = ("abs", "min", "max", "total")
MOST_NESTED = 300
"""Deeper expressions could exhaust Python's stack where they are evaluated or printed."""
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call,
    ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.And, ast.Or, ast.Not, ast.USub,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitXor,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip
_COMPARE: dict[type, Any] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def parse(text: str) -> ast.expr:
    """The tree of an expression; raises `SymscopeError` for anything outside the whitelist."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strange escapes: it is never run
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SymscopeError(f"not an expression: {text[:200]!r} ({error})") from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise SymscopeError(f"{type(node).__name__} is not allowed in {text[:200]!r}")
        if isinstance(node, ast.Constant):
            _check_number(node.value, text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in calls:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            raise SymscopeError(f"only {', '.join(FUNCTIONS)} may be called in {text[:200]!r}")
        if (len(node.args) > 1) != (node.func.id in ("min", "max")) or not node.args:
            raise SymscopeError(
                f"{node.func.id} has {len(node.args)} arguments in {text[:200]!r}: abs and total"
                " take one, min and max two or more"
            )
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in FUNCTIONS]
    if len(functions) > len(calls):
        raise SymscopeError(f"{functions[0].id} is a function, not a name, in {text[:200]!r}")
    if _depth(tree) > MOST_NESTED:
        raise SymscopeError(f"more than {MOST_NESTED} levels are nested in {text[:200]!r}")
    return tree.body


def _check_number(value: Any, text: str) -> None:
    if not isinstance(value, bool | int | float):
        raise SymscopeError(f"constant {str(value)[:99]!r} is not a number in {text[:200]!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise SymscopeError(f"a constant that is too large is in {text[:200]!r}")


def _depth(tree: ast.AST) -> int:
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


def names_in(tree: ast.expr) -> set[str]:
    """The names an expression reads."""
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - set(FUNCTIONS)


def totals_in(tree: ast.expr) -> list[ast.Call]:
    """The `total(x)` calls of an expression: sums of x over all steps so far."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "total"]


def evaluate(tree: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression where `names` hold numbers, batches or z3 terms."""
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names[name]
        case ast.Tuple(elts=parts):
            return tuple(evaluate(p, names) for p in parts)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            chosen = truth(evaluate(test, names))
            if isinstance(chosen, bool):
                return evaluate(body if chosen else orelse, names)
            return select(chosen, evaluate(body, names), evaluate(orelse, names))
        case ast.BoolOp(op=op, values=values):
            result = evaluate(values[0], names)
            for part in values[1:]:
                result = _either(isinstance(op, ast.And), result, part, names)
            return result
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _logical_not(truth(evaluate(operand, names)))
        case ast.UnaryOp(operand=operand):
            return -number(evaluate(operand, names))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _compare(evaluate(left, names), ops, [evaluate(c, names) for c in comparators])
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, evaluate(left, names), evaluate(right, names))
        case ast.Call(func=ast.Name(id="total")):
            return names[ast.unparse(tree)]
        case ast.Call(func=ast.Name(id=function), args=args):
            return _call(function, [evaluate(a, names) for a in args])
    raise AssertionError(ast.dump(tree))


def select(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where `condition` holds, else `no`, for numbers, batches and z3 terms alike."""
    if isinstance(condition, bool | int):
        return yes if condition else no
    if isinstance(condition, torch.Tensor):
        return torch.where(condition, yes, no)
    if isinstance(condition, np.ndarray | np.generic):
        return np.where(condition, yes, no)
    import z3

    if all(isinstance(value, bool) or _is_z3_bool(value) for value in (yes, no)):
        return z3.If(condition, yes, no)
    return z3.If(condition, number(yes), number(no))


def truth(value: Any) -> Any:
    """`value` as a Boolean: nonzero is true."""
    if isinstance(value, bool | int | float):
        return bool(value)
    if isinstance(value, torch.Tensor):
        return value if value.dtype == torch.bool else value != 0
    if isinstance(value, np.ndarray | np.generic):
        return value.astype(bool)
    return value if _is_z3_bool(value) else value != 0


def _is_z3(value: Any) -> bool:
    return type(value).__module__.startswith("z3")


def _is_z3_bool(value: Any) -> bool:
    if not _is_z3(value):
        return False
    import z3

    return z3.is_bool(value)


def number(value: Any) -> Any:
    """`value` with truth values as 0 and 1; raises `SymscopeError` for a tuple."""
    if isinstance(value, tuple):  # which Python would repeat as often as it is multiplied by
        raise SymscopeError(f"the tuple {str(value)[:99]} stands where a number has to")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, torch.Tensor) and value.dtype == torch.bool:
        return value.long()
    if isinstance(value, np.ndarray | np.generic) and value.dtype == bool:
        return value.astype(np.int64)
    return select(value, 1, 0) if _is_z3_bool(value) else value


def _logical_not(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if _is_z3(value):
        import z3

        return z3.Not(value)
    return ~value


def _either(conjunction: bool, left: Any, right_tree: ast.expr, names: Mapping[str, Any]) -> Any:
    """Python's `and` and `or`, which return an operand; the right one is not always computed."""
    decided = truth(left)
    if isinstance(decided, bool):
        return evaluate(right_tree, names) if decided == conjunction else left
    right = evaluate(right_tree, names)
    return select(decided, right, left) if conjunction else select(decided, left, right)


def _compare(left: Any, ops: list[ast.cmpop], rights: list[Any]) -> Any:
    result: Any = True
    for op, right in zip(ops, rights, strict=True):
        if isinstance(op, ast.In | ast.NotIn):
            held: Any = False
            for option in right if isinstance(right, tuple) else (right,):
                held = select(truth(held), True, number(left) == number(option))
            held = _logical_not(truth(held)) if isinstance(op, ast.NotIn) else held
        else:
            held = _COMPARE[type(op)](number(left), number(right))
        result = held if result is True else select(truth(result), held, False)
        left = right
    return result


def _arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    left, right = number(left), number(right)
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return _real(left) / _real(right)
        case ast.FloorDiv():
            return _floor_divide(left, right)
        case ast.Mod():
            return left - right * _floor_divide(left, right)
    if _is_real(left) or _is_real(right):
        raise SymscopeError("^ is of whole numbers alone; one of these is real")
    return _xor_of_terms(left, right) if _is_z3(left) or _is_z3(right) else left ^ right


def _is_real(value: Any) -> bool:
    """Whether a number, a batch or a term is of real numbers."""
    if isinstance(value, torch.Tensor):
        return value.is_floating_point()
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind == "f"
    return isinstance(value, float) or (_is_z3(value) and bool(value.is_real()))


def _xor_of_terms(left: Any, right: Any) -> Any:
    """`^` of integer terms: exact for bits, else a function of which a solver knows nothing.

    What is proved of an unknown function holds for the right one; of a wrong one it would not.
    """
    import z3

    differ = select(left == right, 0, 1)
    if _is_bit(left) and _is_bit(right):
        return differ
    bits = z3.And([z3.And(value >= 0, value <= 1) for value in (left, right)])
    other = z3.Function("bitwise_xor", z3.IntSort(), z3.IntSort(), z3.IntSort())
    return z3.If(bits, differ, other(left, right))


def _is_bit(value: Any) -> bool:
    """Whether it can be seen in the term itself that it is 0 or 1."""
    if not _is_z3(value):
        return value in (0, 1)
    import z3

    if z3.is_int_value(value):
        return value.as_long() in (0, 1)
    return z3.is_app_of(value, z3.Z3_OP_ITE) and all(map(_is_bit, value.children()[1:]))


def _real(value: Any) -> Any:
    if not _is_z3(value) or value.is_real():
        return value
    import z3

    return z3.ToReal(value)


def _floor_divide(left: Any, right: Any) -> Any:
    if _is_z3(left) or _is_z3(right):
        import z3

        if any(isinstance(v, float) or (_is_z3(v) and v.is_real()) for v in (left, right)):
            return z3.ToReal(z3.ToInt(_real(left) / _real(right)))
        # SMT division keeps the remainder non-negative, Python's gives it the divisor's sign
        return select(right > 0, left / right, (-left) / (-right))
    if isinstance(left, bool | int | float) and isinstance(right, bool | int | float):
        return left // right
    return select(truth(right == 0), 0, left // select(truth(right == 0), 1, right))


def _call(function: str, args: list[Any]) -> Any:
    if function == "abs":
        value = number(args[0])
        return select(value < 0, -value, value)
    result = number(args[0])
    for arg in map(number, args[1:]):
        better = arg < result if function == "min" else arg > result
        result = select(better, arg, result)
    return result
