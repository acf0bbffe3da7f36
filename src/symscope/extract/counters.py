"""Do counters over classes of inputs fix the answer, where the sequences have a grammar?

Inputs that the network treats alike are one class. Registers are run over the classes: which was
last, which was seen, how many of one, how many more of one than of another, the same modulo m, and
counters that stop, start or turn round once a class was seen. Of the smallest sets that fix the
answers the one with the shortest program is taken.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import permutations
from typing import TypeVar

import torch

from symscope.extract.alike import alike
from symscope.extract.cost import cost, length
from symscope.extract.machine import Machine
from symscope.extract.registers import Register, explained, smallest, traced
from symscope.extract.rows import Candidate, Regress, Rows
from symscope.program import Program

MOST_CLASSES = 8
MODULI = range(2, 17)
SEEN = 200
"""Sequences by which sets of registers are compared; the formula is fitted to all."""
T = TypeVar("T", str, int)


def counted(machine: Machine, rows: Rows, regress: Regress) -> Candidate | None:
    """The answer as the shortest formula of the fewest counters that fix it."""
    if rows.asked is None or rows.x.shape[-1] > 1 or rows.y.shape[-1] > 1:
        return None
    classes = alike(machine, rows)
    if len(classes) > MOST_CLASSES:
        return None
    few = torch.randperm(len(rows.x), generator=torch.Generator().manual_seed(1))[:SEEN]
    some = Rows(rows.inputs, rows.x[few], rows.y[few], rows.asked[few])
    best: Candidate | None = None
    for registers in smallest(list(_pool(machine.inputs[0].name, classes, some)), some, 0):
        rules = [rule for r in registers for rule in r.rules.values()]
        if best is not None and sum(map(cost, rules)) >= length(best.program):
            continue
        named = _named([name for r in registers for name in r.rules])
        whole = [traced(_with(r.rules, named), _with(r.start, named), rows) for r in registers]
        found = explained(machine, rows, whole, 0, regress)
        if found is None or _divides(found.program):
            continue
        if best is None or length(found.program) < length(best.program):
            best = found
    if best is None:
        return None
    return Candidate(best.program, "counters", f"{len(classes)} classes of inputs; {best.why}")


def _divides(program: Program) -> bool:
    """Whether it divides by what may be 0 at a step whose answer does not count."""
    nodes = [n for tree in program.trees.values() for n in ast.walk(tree)]
    divisions = [
        n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod | ast.FloorDiv)
    ]
    return not all(isinstance(n.right, ast.Constant) for n in divisions)


def _pool(name: str, classes: Sequence[tuple[int, ...]], rows: Rows) -> Iterator[Register]:
    """All registers over the classes, each trace once, the shortest rules first."""
    tests = [_member(name, c) for c in classes]
    written = sorted(_written(tests), key=lambda rules: sum(map(cost, rules.values())))
    met = set[bytes]()
    for place, rules in enumerate(written):
        own = {name: f"{name}_{place}" for name in rules}
        made = traced(_with(rules, own), dict.fromkeys(own.values(), 0), rows)
        key = sha256(made.after.numpy().tobytes()).digest()
        if key not in met and len(made.after.unique()) > 1:
            met.add(key)
            yield made


def _written(tests: Sequence[str]) -> Iterator[dict[str, str]]:
    """Rules of each register over the tests of the classes."""
    for one in tests:
        yield {"last": one}
        yield {"seen": f"max(seen, {one})"}
        yield from _sums(f"count + {one}")
    for one, other in permutations(tests, 2):
        yield from _sums(f"count + {one} - {other}")
        seen = {"seen": f"max(seen, {other})"}
        for late, early in (("count", f"count + {one}"), (f"count + {one}", "count"),
                            (f"count - {one}", f"count + {one}")):  # fmt: skip
            yield {**seen, "count": f"{late} if seen else {early}"}


def _sums(total: str) -> Iterator[dict[str, str]]:
    yield {"count": total}
    yield from ({"count": f"({total}) % {m}"} for m in MODULI)


def _member(name: str, symbols: tuple[int, ...]) -> str:
    return f"({name} == {symbols[0]})" if len(symbols) == 1 else f"({name} in {symbols})"


def _named(names: Sequence[str]) -> dict[str, str]:
    """Each name without its number, and with another where two would be called the same."""
    found: dict[str, str] = {}
    for name in names:
        plain = name.split("_")[0]
        same = sum(other.split("_")[0] == plain for other in found)
        found[name] = f"{plain}_{same + 1}" if same else plain
    return found


def _with(rules: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    """Rules, or starts, with their registers called otherwise."""

    def told(value: T) -> T:
        if isinstance(value, str):
            for old, new in names.items():
                value = re.sub(rf"\b{old}\b", new, value)
        return value

    return {names.get(key, key): told(value) for key, value in rules.items()}
