"""Do counters over classes of inputs fix the answer, where the sequences have a grammar?

Inputs that the network treats alike are one class. Registers are run over the classes: which was
last, which was seen, how many of one, how many more of one than of another, the same modulo m, and
counters that stop, start or turn round once a class was seen. Of the smallest sets that fix the
answers the one with the shortest program is taken.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import permutations

import torch

from symscope.extract.alike import alike
from symscope.extract.cost import cost, length
from symscope.extract.machine import Machine
from symscope.extract.registers import COMPARED, Register, explained, smallest, traced
from symscope.extract.rows import Candidate, Regress, Rows

MOST_CLASSES = 8
MODULI = range(2, 17)
Rules = dict[str, str]


def counted(machine: Machine, rows: Rows, regress: Regress) -> Candidate | None:
    """The answer as the shortest formula of the fewest counters that fix it."""
    if rows.asked is None or rows.x.shape[-1] > 1 or rows.y.shape[-1] > 1:
        return None
    classes = alike(machine, rows)
    if len(classes) > MOST_CLASSES:
        return None
    few = torch.randperm(len(rows.x), generator=torch.Generator().manual_seed(1))[:COMPARED]
    some = Rows(rows.inputs, rows.x[few], rows.y[few], rows.asked[few])
    best: Candidate | None = None
    for registers in smallest(list(_pool(machine.inputs[0].name, classes, some)), some, 0):
        rules = [rule for r in registers for rule in r.rules.values()]
        if best is not None and sum(map(cost, rules)) >= length(best.program):
            continue
        whole = [traced(r.rules, r.start, rows) for r in registers]
        found = explained(machine, rows, whole, 0, regress)
        if found is not None and (best is None or length(found.program) < length(best.program)):
            best = found
    if best is None:
        return None
    return Candidate(best.program, "counters", f"{len(classes)} classes of inputs; {best.why}")


def _pool(name: str, classes: Sequence[tuple[int, ...]], rows: Rows) -> Iterator[Register]:
    """All registers over the classes, each trace once, the shortest rules first."""
    tests = [_member(name, c) for c in classes]
    written = sorted(_written(tests), key=lambda rules: sum(map(cost, rules.values())))
    met = set[bytes]()
    for place, rules in enumerate(written):
        own = {"_r_": f"r{place}", "_seen_": f"s{place}"}
        named = {own[k]: _with(rule, own) for k, rule in rules.items()}
        made = traced(named, dict.fromkeys(named, 0), rows)
        key = sha256(made.after.numpy().tobytes()).digest()
        if key not in met and len(made.after.unique()) > 1:
            met.add(key)
            yield made


def _written(tests: Sequence[str]) -> Iterator[Rules]:
    """Rules of each register over the tests of the classes; `_r_` is its name."""
    for one in tests:
        yield {"_r_": one}
        yield {"_r_": f"max(_r_, {one})"}
        yield from _sums(f"_r_ + {one}")
    for one, other in permutations(tests, 2):
        yield from _sums(f"_r_ + {one} - {other}")
        seen = {"_seen_": f"max(_seen_, {other})"}
        for late, early in (("_r_", f"_r_ + {one}"), (f"_r_ + {one}", "_r_"),
                            (f"_r_ - {one}", f"_r_ + {one}")):  # fmt: skip
            yield {**seen, "_r_": f"{late} if _seen_ else {early}"}


def _sums(total: str) -> Iterator[Rules]:
    yield {"_r_": total}
    yield from ({"_r_": f"({total}) % {m}"} for m in MODULI)


def _member(name: str, symbols: tuple[int, ...]) -> str:
    return f"({name} == {symbols[0]})" if len(symbols) == 1 else f"({name} in {symbols})"


def _with(rule: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        rule = rule.replace(old, new)
    return rule
