"""Programs that only add and scale: equal for ever when a few impulse responses are equal.

With state s of size n (the registers of both and a 1), s' = A s + B u and difference of outputs
d = C s + D u, all d vanish for all inputs if and only if D, C Aᵏ B and C Aᵏ s₀ do for k < n
(Cayley and Hamilton). These are what n + 1 steps show on constant inputs and after one impulse.
"""

import ast

import numpy as np

from symscope.program import Program
from symscope.verify.pair import Answer, Pair
from symscope.verify.sampling import bounds


def affine(pair: Pair, deadline: float, seed: int = 0) -> Answer:
    """A proof for all lengths and, however wide the ranges, all integers; or a counterexample."""
    if not (pair.integral and all(map(_is_affine, pair.sides))):
        return pair.unknown("affine: not both programs are")
    steps = len(pair.registers) + 2 if pair.stepped else 1
    if pair.domain.length is not None:
        steps = min(steps, pair.domain.length)
    tokens = _impulses(pair, steps)
    difference = pair.first_difference(tokens)
    if difference is not None:  # nothing shorter differs: these terms are all that there are
        row, step = difference
        return pair.counterexample(tokens[row, : step + 1], "affine", shortest=True)
    complete = pair.stepped and steps == len(pair.registers) + 2
    return pair.proof("affine", len(tokens), kind="for all lengths" if complete else "")


def _impulses(pair: Pair, steps: int) -> np.ndarray:
    """Constant inputs, and for each input that can change the same with its first value moved."""
    low, high = bounds(pair.domain)
    base = np.clip(0, low, high)
    moved = np.where(base < high, base + 1, base - 1)
    rows = [np.tile(base, (steps, 1))]
    for j in np.flatnonzero(low < high):
        row = rows[0].copy()
        row[0, j] = moved[j]
        rows.append(row)
    return np.stack(rows)


def _is_affine(program: Program) -> bool:
    return all(_degree(tree, program) <= 1 for tree in program.trees.values())


def _degree(tree: ast.expr, program: Program) -> float:
    """The degree of an expression as a polynomial in registers and inputs; inf if it is none."""
    match tree:
        case ast.Constant():
            return 0
        case ast.Name(id=name):
            return 0 if name in program.constants else 1
        case ast.Call(func=ast.Name(id="total"), args=[part]):
            return 1 if _degree(part, program) <= 1 else np.inf
        case ast.Call(args=args):
            parts = args
        case _:
            parts = [n for n in ast.iter_child_nodes(tree) if isinstance(n, ast.expr)]
    degrees = [_degree(part, program) for part in parts]
    match tree:
        case ast.BinOp(op=ast.Mult()):
            return sum(degrees)
        case ast.BinOp(op=ast.Add() | ast.Sub()) | ast.UnaryOp(op=ast.USub()) | ast.Tuple():
            return max(degrees, default=0)
    return np.inf if any(degrees) else 0
