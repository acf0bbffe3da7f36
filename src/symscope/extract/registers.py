"""Do a few simple registers, with the inputs, fix the answer?

A pool of registers is run beside the machine: what was last seen, sums, counts, sums mod m,
running maxima and minima, digits, remainders, carries, walks that end below 0. The smallest set
whose values before a step, together with the inputs of the step, fix the answer is taken, and the
answer is made a formula of them. Where nothing fixes this answer but something fixes the next one,
it is late.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import torch
from torch import Tensor

from symscope.expression import evaluate, number, parse
from symscope.extract.cost import cost
from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate, Regress, Rows, fitted

MOST = 4
"""Registers in a set."""
MOST_SYMBOLS = 64
"""With more, hardly any registers are met twice, and every set seems to fix the answer."""
BEAM, MADE = 24, 4000
"""Sets that are extended by another register, fewer where more sets than that would be made."""
HELD = 3
"""What a bit of memory costs in bits of description: a remainder shall come before a long sum."""
TRIED = 6
"""Sets for which a formula is looked for, until one is found."""
COMPARED, SEARCHED = 1000, 4000
"""Sequences, and steps of them, by which sets are compared; the formula is fitted to all."""
_NUMBER = re.compile(r"\b\d+\b")


@dataclass(frozen=True, eq=False)
class Register:
    """Rules for one or more variables, their starts, and their values before and after each step.

    `before` and `after` are (sequence, step, variable).
    """

    rules: dict[str, str]
    start: dict[str, int]
    before: Tensor
    after: Tensor


def registered(machine: Machine, rows: Rows, regress: Regress) -> Candidate | None:
    """The answer as a formula of the fewest registers that fix it, those that are soon said."""
    if rows.y.shape[-1] > 1 or len(machine.symbols) > MOST_SYMBOLS:
        return None
    few = torch.randperm(len(rows.x), generator=torch.Generator().manual_seed(1))[:COMPARED]
    some = Rows(rows.inputs, rows.x[few], rows.y[few])
    pool = list(_pool(machine, some))
    for late in (0, 1):
        for chosen in smallest(pool, some, late):
            whole = [traced(r.rules, r.start, rows) for r in chosen]
            found = explained(machine, rows, whole, late, regress)
            if found is not None:
                return found
    return None


def _pool(machine: Machine, rows: Rows) -> Iterator[Register]:
    """All registers, each trace once, the simplest rules first."""
    seen = set[bytes]()
    features = _features(machine, rows)
    written = sorted(
        ((rule, start) for name in features for rule, start in _rules(name, features[name])),
        key=lambda made: len(made[0]),
    )
    for number_of, (rule, start) in enumerate(written):
        name = f"r{number_of}"
        made = traced({name: rule.replace("_r_", name)}, {name: start}, rows)
        key = sha256(made.after.numpy().tobytes()).digest()
        if key not in seen and len(made.after.unique()) > 1:
            seen.add(key)
            yield made
    if len(machine.inputs) == 1 and machine.ranges[0].start == 0 and rows.x.shape[1] < 32:
        yield traced(*_digits(machine.inputs[0].name, len(machine.ranges[0])), rows)


def _features(machine: Machine, rows: Rows) -> dict[str, Tensor]:
    """Expressions in the inputs of one step, and their values; each value once."""
    names = [v.name for v in machine.inputs]
    texts = ["1", *names]
    for name, seen in zip(names, machine.ranges, strict=True):
        texts += [f"({name} % 2 == 0)"] if len(seen) > 2 else [f"(1 - {name})", f"(1 - 2 * {name})"]
        texts += [f"abs({name})"] if seen.start < 0 else []
        texts += [f"({name} == {v})" for v in seen] if 2 < len(seen) <= 10 else []
    if len(names) == 2:
        one, other = names
        texts += [f"({one} + {other})", f"({one} * {other})", f"({one} == {other})"]
    given = {name: rows.x[..., i] for i, name in enumerate(names)}
    found: dict[str, Tensor] = {}
    for text in texts:
        value = torch.as_tensor(number(evaluate(parse(text), given)))
        value = value.expand(rows.x.shape[:2])
        if not any(torch.equal(value, old) for old in found.values()):
            found[text] = value
    return found


def _rules(feature: str, value: Tensor) -> Iterator[tuple[str, int]]:
    """(rule with `_r_` for the register, start) of each register over one feature."""
    low, high = int(value.min()), int(value.max())
    yield feature, 0
    yield f"_r_ + {feature}", 0
    yield f"max(_r_, {feature})", low
    yield f"min(_r_, {feature})", high
    if low < 0:
        yield f"max(_r_ + {feature}, 0)", 0
        yield f"_r_ if _r_ < 0 else _r_ + {feature}", 0
    for m in range(2, 17):
        yield f"(_r_ + {feature}) % {m}", 0
        if high > 1 and m <= high + 1:
            yield f"(_r_ + {feature}) // {m}", 0
    if low >= 0 and 1 <= high <= 9:
        for m in range(3, 17):
            yield f"({high + 1} * _r_ + {feature}) % {m}", 0


def _digits(name: str, base: int) -> tuple[dict[str, str], dict[str, int]]:
    """The whole sequence as a number, written forwards and backwards."""
    rules = {"forward": f"{base} * forward + {name}", "backward": f"backward + {name} * place",
             "place": f"{base} * place"}  # fmt: skip
    return rules, {"forward": 0, "backward": 0, "place": 1}


def traced(rules: dict[str, str], start: dict[str, int], rows: Rows) -> Register:
    """The register's values on all sequences."""
    trees = {name: parse(rule) for name, rule in rules.items()}
    names = [v.name for v in rows.inputs]
    state = {n: torch.full_like(rows.x[:, 0, 0], v) for n, v in start.items()}
    before, after = [], []
    for t in range(rows.x.shape[1]):
        given = {name: rows.x[:, t, i] for i, name in enumerate(names)}
        before.append(torch.stack([state[n] for n in rules], -1))
        scope = {**state, **given}
        state = {
            n: torch.as_tensor(number(evaluate(tree, scope))).expand(len(rows.x))
            for n, tree in trees.items()
        }
        after.append(torch.stack([state[n] for n in rules], -1))
    return Register(rules, start, torch.stack(before, 1), torch.stack(after, 1))


def smallest(pool: Sequence[Register], rows: Rows, late: int) -> list[tuple[Register, ...]]:
    """Sets that fix the answer `late` steps later, of the smallest size at which there are any.

    At most `TRIED`, in the order of `_told`.
    """
    steps = rows.x.shape[1] - late
    picked = torch.randperm(len(rows.x) * steps, generator=torch.Generator().manual_seed(0))
    if rows.asked is not None:
        picked = picked[rows.asked[:, late:].flatten()[picked]]
    picked = picked[:SEARCHED]

    def keyed(values: Tensor) -> Tensor:
        columns = values[:, :steps].flatten(0, 1)[picked].unbind(-1)
        return _keyed([torch.unique(c, return_inverse=True)[1] for c in columns])

    y, inputs, columns = keyed(rows.y[:, late:]), keyed(rows.x), [keyed(r.before) for r in pool]
    told = cache(lambda own: _told([pool[i] for i in own]))
    left = cache(lambda own: _unexplained(_keyed([inputs, *(columns[i] for i in own)]), y))
    families = _families(pool)
    beam: list[tuple[int, ...]] = [()]
    for size in range(1, MOST + 1):
        longer = {tuple(sorted({*own, i})) for own in beam for i in range(len(pool))
                  if i not in own}  # fmt: skip
        longer |= {own for own in families if len(own) == size}
        ranked = sorted(longer, key=lambda own: (left(own), sum(own)))
        exact = sorted((own for own in ranked if left(own) == 0), key=told)
        if exact:
            better = {_exchanged(own, len(pool), told, left) for own in exact[:TRIED]}
            exact = sorted({*better, *exact}, key=lambda own: (told(own), own))
            return [tuple(pool[i] for i in own) for own in exact[:TRIED]]
        beam = ranked[: min(BEAM, 1 + MADE // len(pool))]
    return []


def _exchanged(
    own: tuple[int, ...], count: int, told: Callable[[tuple[int, ...]], float],
    left: Callable[[tuple[int, ...]], float],
) -> tuple[int, ...]:  # fmt: skip
    """The set after exchanging single registers for others while that makes it sooner told."""
    while True:
        others = {tuple(sorted({*own[:k], i, *own[k + 1 :]}))
                  for k in range(len(own)) for i in range(count) if i not in own}  # fmt: skip
        sooner = sorted((o for o in others if told(o) < told(own)), key=told)
        found = next((o for o in sooner if left(o) == 0), None)
        if found is None:
            return own
        own = found


def _told(registers: Sequence[Register]) -> float:
    """How many bits it takes to say what the registers are, and what they hold, which counts more.

    Rules that differ in numbers are said once: so the counts of 0, 1 and 2 come before a sum, a
    count and the number of steps; and a remainder comes before a sum without end.
    """
    texts = [text for register in registers for text in _texts(register)]
    forms = {_NUMBER.sub("0", text) for text in texts}
    bits = sum(int(n).bit_length() for text in texts for n in _NUMBER.findall(text))
    ranges = [v.max() - v.min() + 1 for r in registers for v in r.after.flatten(0, 1).unbind(-1)]
    held = sum(math.log2(int(values)) for values in ranges)
    return sum(map(cost, forms)) + bits + len(texts) + HELD * held


def _families(pool: Sequence[Register]) -> list[tuple[int, ...]]:
    """Registers whose rules differ in numbers only: the counts of each symbol, for one."""
    alike: dict[str, list[int]] = {}
    for i, register in enumerate(pool):
        alike.setdefault(_NUMBER.sub("0", "; ".join(_texts(register))), []).append(i)
    return [tuple(family) for family in alike.values()]


def _texts(register: Register) -> list[str]:
    """The rules, each of its own registers called r."""
    own = rf"\b({'|'.join(register.rules)})\b"
    return [re.sub(own, "r", rule) for rule in register.rules.values()]


def _keyed(columns: Sequence[Tensor]) -> Tensor:
    """Numbers that are equal where all columns are, from 0 up without gaps.

    Columns are from 0 up themselves, and the product of their sizes is below 2^63.
    """
    key = torch.zeros_like(columns[0])
    for column in columns:
        key = key * (int(column.max()) + 1) + column
    return torch.unique(key, return_inverse=True)[1]


def _unexplained(key: Tensor, y: Tensor) -> float:
    """The share of rows that another answer has than most rows of their key, among those not alone.

    Keys that are met once fix nothing: what they seem to explain is charged half.
    """
    answers = int(y.max()) + 1
    pairs, counts = torch.unique(key * answers + y, return_counts=True)
    most = torch.zeros(int(key.max()) + 1, dtype=torch.long)
    most.scatter_reduce_(0, pairs // answers, counts, "amax")
    sizes = torch.bincount(key)
    wrong = int((sizes - most).sum())
    alone = int((sizes == 1).sum())
    return (wrong + (0.5 * alone if alone > len(y) // 4 else 0)) / len(y)


def explained(
    machine: Machine, rows: Rows, chosen: Sequence[Register], late: int, regress: Regress
) -> Candidate | None:
    """The answer as a formula of these registers, as a program."""
    columns, after = {}, {}
    rules: dict[str, str] = {}
    start: dict[str, int] = {}
    for register in chosen:
        for i, name in enumerate(register.rules):
            columns[name], after[name] = register.before[..., i], register.after[..., i]
        rules |= register.rules
        start |= register.start
    given = {v.name: rows.x[..., i] for i, v in enumerate(machine.inputs)}
    y = rows.y[..., 0]
    if not late and (output := fitted(after, y, regress, rows.asked)) is not None:
        program = rows.program(rules, after, output, start)
        return Candidate(program, "registers", _why(chosen, late))
    steps = y.shape[1] - late
    known = {name: c[:, :steps] for name, c in {**columns, **given}.items()}
    asked = None if rows.asked is None else rows.asked[:, late:]
    rule = fitted(known, y[:, late:], regress, asked)
    if rule is None:
        return None
    answer = {"answer": rule}
    values = {**after, "answer": y}
    if not late:
        made = {**answer, **rules}
        return Candidate(rows.program(made, values, "answer", start | {"answer": 0}), "registers",
                         _why(chosen, late))  # fmt: skip
    first = y[:, 0].unique()
    if len(first) > 1:
        return None
    made = {"next_answer": rule, "answer": "next_answer", **rules}
    values["next_answer"] = y
    started = start | {"next_answer": int(first), "answer": int(first)}
    return Candidate(rows.program(made, values, "answer", started), "registers", _why(chosen, late))


def _why(chosen: Sequence[Register], late: int) -> str:
    count = sum(len(r.rules) for r in chosen)
    said = f"{count} registers fix the answer" if count > 1 else "one register fixes the answer"
    return f"{said}, one step late" if late else said
