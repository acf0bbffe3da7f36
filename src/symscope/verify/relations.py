"""Relations between the registers of two programs, guessed from what they hold on many inputs.

A relation is an expression over the registers' names. Each holds on all rows it was guessed from;
which of them always hold is for an induction to say.
"""

import ast
import itertools
import math
from collections.abc import Iterable, Iterator

import numpy as np

from symscope.extras import needed
from symscope.program import State
from symscope.verify.pair import Pair
from symscope.verify.sampling import constant, sequences

_ROWS, _EARLY = 600, 150
_SHORT, _LONG = 24, 200
_MOST_VALUES = 4
"""A register with no more values than this splits the rows into cases."""
_MOST_ATOMS = 400
_MOST_COLUMNS = 24
_MOST_NUMBERS = 6


def reached(pair: Pair, seed: int) -> State:
    """Registers as they are in the middle of sequences, without repetitions, a column each."""
    rng = np.random.default_rng(seed)
    rows: dict[tuple[int, ...], None] = {tuple(pair.initial().values()): None}
    for steps in (_SHORT, _LONG):  # thresholds may lie far from the start
        steps = min(steps, pair.domain.length or steps)
        drawn = sequences(pair.domain, rng, 60, steps)
        for _, step in pair.walk(np.concatenate([drawn, constant(pair.domain, steps)[:20]])):
            columns = [c.tolist() for c in step.state.values()]
            rows |= dict.fromkeys(zip(*columns, strict=True))
    chosen = list(rows)
    if len(chosen) > _ROWS:  # the early ones, and some from all over
        rest = rng.choice(np.arange(_EARLY, len(chosen)), _ROWS - _EARLY, replace=False)
        chosen = chosen[:_EARLY] + [chosen[i] for i in sorted(rest)]
    table = np.empty((len(chosen), len(pair.registers)), dtype=object)
    for i, row in enumerate(chosen):
        table[i] = row
    return {name: table[:, j] for j, name in enumerate(pair.registers)}


def guessed(pair: Pair, rows: State, rich: bool) -> list[str]:
    """Candidates for an inductive relation: the usual ones, or with `rich` all there are."""
    divisors, constants = _numbers(pair)
    found: dict[str, None] = dict.fromkeys(_linear(rows))
    found |= dict.fromkeys(_ranges(rows))
    for modulus in divisors:
        found |= dict.fromkeys(_modular(rows, modulus))
    found |= dict.fromkeys(_by_case(rows, constants))
    if rich:
        found |= dict.fromkeys(_orders(rows))
        found |= dict.fromkeys(_functions(rows, divisors, constants))
        found |= dict.fromkeys(_equivalent_atoms(rows, constants))
        found |= dict.fromkeys(_products(rows, divisors))
    return list(found)


def _linear(rows: State) -> Iterator[str]:
    """Affine relations over the rationals: a basis of all that hold, sparse ones first."""
    for weights in nullspace(np.stack([*rows.values(), _ones(rows)], 1)):
        yield _text(list(rows), weights)


def _modular(rows: State, modulus: int) -> Iterator[str]:
    """Affine relations modulo `modulus`, a basis of all that hold."""
    table = np.stack([*rows.values(), _ones(rows)], 1)
    for weights in kernel(table, modulus):
        if any(weights[:-1]):
            yield f"({_sum(list(rows), weights)}) % {modulus} == 0"


def _ranges(rows: State) -> Iterator[str]:
    """The least and the greatest value of each register."""
    for name, column in rows.items():
        yield f"{name} >= {column.min()}"
        yield f"{name} <= {column.max()}"


def _by_case(rows: State, constants: Iterable[int]) -> Iterator[str]:
    """Affine relations that hold where a register has one value, or is on one side of one."""
    for name, column in rows.items():
        values = sorted(set(column.tolist()))
        if len(values) <= _MOST_VALUES:
            cases = {f"{name} == {v}": column == v for v in values}
        else:
            cases = {f"{name} == 0": column == 0}
            for c in sorted({0, *constants}):
                cases |= {f"{name} < {c}": column < c, f"{name} > {c}": column > c}
        for condition, mask in cases.items():
            mask = mask.astype(bool)
            if 0 < mask.sum() < len(column):
                part = {n: c[mask] for n, c in rows.items()}
                yield from (f"not {condition} or {relation}" for relation in _linear(part))


def _orders(rows: State) -> Iterator[str]:
    """How far two registers are apart at most, and their sum."""
    for (a, x), (b, y) in itertools.combinations(rows.items(), 2):
        for sign, values in (("-", x - y), ("+", x + y)):
            yield f"{a} {sign} {b} >= {values.min()}"
            yield f"{a} {sign} {b} <= {values.max()}"


def _functions(rows: State, divisors: Iterable[int], constants: Iterable[int]) -> Iterator[str]:
    """Registers that are a function of one or two others, up to a constant."""
    terms: dict[str, np.ndarray] = {}
    for name, x in rows.items():
        terms[f"abs({name})"] = abs(x)
        for m in divisors:
            terms[f"{name} // {m}"], terms[f"{name} % {m}"] = x // m, x % m
        for c in constants:
            terms[f"min({name}, {c})"] = np.minimum(x, c)
            terms[f"max({name}, {c})"] = np.maximum(x, c)
    for (a, x), (b, y) in itertools.combinations(rows.items(), 2):
        terms[f"max({a}, {b})"], terms[f"min({a}, {b})"] = np.maximum(x, y), np.minimum(x, y)
        terms[f"{a} * {b}"] = x * y
    for name, column in rows.items():
        for text, values in terms.items():
            rest = column - values
            if name not in text and (rest == rest[0]).all():
                yield f"{name} == {text} + {rest[0]}"


def _equivalent_atoms(rows: State, constants: Iterable[int]) -> Iterator[str]:
    """Comparisons that are true at the same time, and those of which one implies the other."""
    atoms: dict[str, np.ndarray] = {}
    for name, column in rows.items():
        values = sorted(set(column.tolist()))
        for value in values if len(values) <= 2 * _MOST_VALUES else (-1, 0, 1):
            atoms[f"{name} == {value}"] = (column == value).astype(bool)
        for c in sorted({0, *constants}):
            atoms[f"{name} < {c}"] = (column < c).astype(bool)
            atoms[f"{name} > {c}"] = (column > c).astype(bool)
    for (a, x), (b, y) in itertools.combinations(rows.items(), 2):
        atoms[f"{a} < {b}"] = (x < y).astype(bool)
        atoms[f"{a} == {b}"] = (x == y).astype(bool)
    open_ = {text: mask for text, mask in atoms.items() if 0 < mask.sum() < len(mask)}
    pairs = itertools.combinations(open_.items(), 2)
    implied: list[str] = []
    for (a, x), (b, y) in pairs:
        if (x == y).all():
            yield f"({a}) == ({b})"
        elif (x != y).all():
            yield f"({a}) != ({b})"
        else:
            implied += [f"not {a} or {b}"] if (y | ~x).all() else []
            implied += [f"not {b} or {a}"] if (x | ~y).all() else []
            implied += [f"{a} or {b}"] if (x | y).all() else []
            implied += [f"not {a} or not {b}"] if (~x | ~y).all() else []
    yield from implied[:_MOST_ATOMS]


def _products(rows: State, divisors: Iterable[int]) -> Iterator[str]:
    """Affine relations between registers, their remainders and, where they are few, products."""
    columns = dict(rows)
    for (name, x), m in itertools.product(rows.items(), divisors):
        columns[f"({name} % {m})"] = x % m
    if len(columns) <= _MOST_COLUMNS:
        yield from _linear(columns)
    columns = dict(rows)
    for (a, x), (b, y) in itertools.combinations_with_replacement(rows.items(), 2):
        columns[f"{a} * {b}"] = x * y
    if len(columns) <= _MOST_COLUMNS:
        yield from _linear(columns)


def nullspace(table: np.ndarray) -> list[list[int]]:
    """Whole weights w, a basis of all with table · w = 0; the table holds Python's integers."""
    sympy = needed("sympy", "a proof by relations between registers")
    width = table.shape[1]
    chosen: list[int] = []
    while True:
        basis = sympy.Matrix([list(table[i]) for i in chosen] or [[0] * width]).nullspace()
        weights = [[int(v) for v in b * sympy.ilcm(1, *(v.q for v in b))] for b in basis]
        wrong = next((r for w in weights if (r := _violated(table, w)) is not None), None)
        if wrong is None:
            return weights
        chosen.append(wrong)  # each adds a dimension: there are no more than columns


def _violated(table: np.ndarray, weights: list[int], modulus: int = 0) -> int | None:
    values = table @ np.array(weights, dtype=object)
    bad = ((values % modulus if modulus else values) != 0).astype(bool)
    return int(bad.argmax()) if bad.any() else None


def kernel(table: np.ndarray, modulus: int) -> list[list[int]]:
    """Weights w that generate all with table · w ≡ 0 (mod `modulus`), between ± half of it.

    Row by row: of the weights so far, Euclid's algorithm leaves one on which the row is not 0,
    and the least multiple of that one is 0.
    """
    width = table.shape[1]
    basis = [[int(i == j) for j in range(width)] for i in range(width)]
    for row in {tuple(int(v) % modulus for v in r): None for r in table}:
        values = [sum(r * w for r, w in zip(row, b, strict=True)) % modulus for b in basis]
        while sum(map(bool, values)) > 1:
            least = min((i for i, v in enumerate(values) if v), key=values.__getitem__)
            for i, v in enumerate(values):
                if v and i != least:
                    times = v // values[least]
                    values[i] = v - times * values[least]
                    basis[i] = [(x - times * y) % modulus
                                for x, y in zip(basis[i], basis[least], strict=True)]  # fmt: skip
        for i, v in enumerate(values):
            if v:
                times = modulus // math.gcd(v, modulus)
                basis[i] = [times * x % modulus for x in basis[i]]
    half = [[x - modulus if 2 * x > modulus else x for x in b] for b in basis]
    return [b for b in half if any(b)]


def _numbers(pair: Pair) -> tuple[list[int], list[int]]:
    """2 and what the programs divide by, and the other numbers from 2 on that occur in them."""
    divisors, constants = {2}, set()
    for one in pair.sides:
        for node in (n for tree in one.trees.values() for n in ast.walk(tree)):
            value = getattr(node, "value", one.constants.get(getattr(node, "id", ""), 0))
            constants |= {value} if isinstance(value, int) and value > 1 else set()
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.FloorDiv):
                name = getattr(node.right, "id", "")
                value = getattr(node.right, "value", one.constants.get(name, 0))
                divisors |= {value} if isinstance(value, int) and value > 1 else set()
    return sorted(divisors)[:_MOST_NUMBERS], sorted(constants - divisors)[:_MOST_NUMBERS]


def _ones(rows: State) -> np.ndarray:
    count = len(next(iter(rows.values()))) if rows else 1
    return np.array([1] * count, dtype=object)


def _text(names: list[str], weights: list[int]) -> str:
    divisor = math.gcd(*weights)
    return f"{_sum(names, [w // divisor for w in weights])} == 0"


def _sum(names: list[str], weights: list[int]) -> str:
    """The weighted sum of the names, the last weight alone: `2 * a - b + 1`."""
    terms = [
        ("-" if w < 0 else "+", (f"{abs(w)} * " if abs(w) != 1 else "") + name)
        for name, w in zip(names, weights, strict=False) if w
    ]  # fmt: skip
    terms += [("-" if weights[-1] < 0 else "+", str(abs(weights[-1])))] if weights[-1] else []
    text = " ".join(f"{sign} {term}" for sign, term in terms)
    return (text[2:] if text.startswith("+ ") else "-" + text[2:]) if text else "0"
