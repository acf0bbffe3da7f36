"""Pairs of programs that are the same function, written differently, and pairs that are not."""

import itertools
import math

from symscope.program import Program, Variable

BIT = (Variable("x", 0, 1),)
BITS = (Variable("s", 0, 1), Variable("t", 0, 1))
DIGIT = (Variable("x", 0, 9),)
FORCE = (Variable("x", -10, 10),)
FORCES = (Variable("a", -10, 10), Variable("b", -10, 10))
SIGNED = (Variable("x", -100, 99),)
ANY = (Variable("x", -math.inf, math.inf),)


def stepping(inputs, output, rules=None, start=None, **computed):
    """A step program whose registers start at 0 unless `start` says otherwise."""
    rules, start = rules or {}, start or {}
    variables = tuple(Variable(k, -math.inf, math.inf) for k in (*computed, *rules))
    return Program(
        "program", inputs, variables, {**computed, **rules}, output,
        {k: start.get(k, 0) for k in rules},
    )  # fmt: skip


def majority(symbols, by_counts):
    """The most frequent input, the smallest of several; counted, or compared with the zeros."""
    inputs, rest = (Variable("x", 0, symbols - 1),), range(1, symbols)
    if by_counts:
        names = [f"c{i}" for i in range(symbols)]
        rules = {f"c{i}": f"c{i} + (x == {i})" for i in range(symbols)}
    else:
        names = ["0", *(f"d{i}" for i in rest)]
        rules = {f"d{i}": f"d{i} + (1 if x == {i} else -1 if x == 0 else 0)" for i in rest}
    most = f"max({', '.join(names)})"
    cases = "".join(f"{i} if {names[i]} == {most} else " for i in range(symbols - 1))
    return stepping(inputs, cases + str(symbols - 1), rules)


def addition(base):
    digits = (Variable("s", 0, base - 1), Variable("t", 0, base - 1))
    return stepping(digits, f"v % {base}", {"carry": f"v // {base}"}, v="s + t + carry")


def addition_by_comparing(base):
    digits = (Variable("s", 0, base - 1), Variable("t", 0, base - 1))
    rules = {"more": f"v > {base - 1}"}
    return stepping(
        digits, f"v - {base} if v >= {base} else v", rules, v="s + t + (1 if more else 0)"
    )


def dividing(m, delayed=False):
    if delayed:
        return stepping(
            BIT, "late", {"r": f"v % {m}", "late": "q", "q": f"v // {m}"}, v="2 * r + x"
        )
    return stepping(BIT, f"v // {m}", {"r": f"v % {m}"}, v="2 * r + x")


def dividing_by_table(m):
    after = "".join(f"{(2 * r + b) % m} if r == {r} and x == {b} else "
                    for r in range(m) for b in (0, 1))  # fmt: skip
    return stepping(BIT, "q", {"r": after + "0", "q": f"1 if 2 * r + x >= {m} else 0"})


def last_sum(k, ring=True):
    names = [f"h{i}" for i in range(k)]
    rules = {name: "x" if i == 0 else names[i - 1] for i, name in enumerate(names)}
    if ring:
        return stepping(SIGNED, " + ".join(names), rules)
    return stepping(SIGNED, "s", {**rules, "s": f"s + x - {names[-1]}"})


def alternating(k):
    names = [f"h{i}" for i in range(k)]
    rules = {name: "x" if i == 0 else names[i - 1] for i, name in enumerate(names)}
    return stepping(BIT, " and ".join(f"{a} != {b}" for a, b in itertools.pairwise(names)), rules)


def alternating_by_run(k, bounded=True):
    longer = f"min(run + 1, {k})" if bounded else "run + 1"
    return stepping(
        BIT, f"run >= {k}", {"run": f"{longer} if x != old else 1", "old": "x"}, {"run": 1}
    )


PARITY = stepping(BIT, "odd", {"odd": "odd ^ x"})
BALANCED = stepping(BIT, "d == 0 and not dead",
                    {"d": "d + 1 - 2 * x", "dead": "dead or d + 1 - 2 * x < 0"})  # fmt: skip
FREEBODY = stepping(FORCE, "p", {"v": "v + x", "p": "p + v + x"})
DITHERING = stepping((Variable("x", 0, 15),), "v // 15", {"s": "v % 15"}, v="s + x")
PALINDROME = stepping(BIT, "f == r", {"f": "2 * f + x", "r": "r + x * p", "p": "2 * p"}, {"p": 1})
POWERS = stepping(  # decimal addition with the whole numbers kept: too hard for every route
    (Variable("s", 0, 9), Variable("t", 0, 9)), "n // old % 10",
    {"n": "n + (s + t) * p", "old": "p", "p": "10 * p"}, {"p": 1},
)  # fmt: skip
LINDLEY = stepping(FORCE, "w", {"w": "max(w + x, 0)"})

EQUAL = {
    "parity by xor, by a count": (PARITY, stepping(BIT, "total(x) % 2")),
    "parity of zeros": (
        stepping(BIT, "z", {"z": "z if x else 1 - z"}),
        stepping(BIT, "total(1 - x) % 2"),
    ),
    "parity of steps": (
        stepping(BIT, "k % 2", {"k": "k + 1"}, {"k": -1}),
        stepping(BIT, "b", {"b": "not b"}, {"b": 1}),
    ),
    "dot product mod 2": (
        stepping(BITS, "b", {"b": "b ^ (s * t)"}),
        stepping(BITS, "total(s and t) % 2"),
    ),
    "thirds": (dividing(3), dividing_by_table(3)),
    "sevenths": (dividing(7), dividing_by_table(7)),
    "late thirds": (
        dividing(3, delayed=True),
        stepping(BIT, "late", {"late": "w // 3", "w": "2 * (w % 3) + x"}),
    ),
    "max from 0, from below": (
        stepping(DIGIT, "m", {"m": "max(m, x)"}),
        stepping(DIGIT, "m", {"m": "x if x > m else m"}, {"m": -1}),
    ),
    "max of any integers": (
        stepping(ANY, "m", {"m": "max(m, x) if seen else x", "seen": "1"}),
        stepping(ANY, "b", {"b": "x if k == 0 or x > b else b", "k": "k + 1"}),
    ),
    "evens": (stepping(DIGIT, "total(x % 2 == 0)"), stepping(DIGIT, "c", {"c": "c + 1 - x % 2"})),
    "balanced, sticky": (
        BALANCED,
        stepping(BIT, "d == 0", {"d": "-1 if d < 0 else d + 1 - 2 * x"}),
    ),
    "balanced, by the lowest": (
        BALANCED,
        stepping(
            BIT, "low == 0 and total(1 - 2 * x) == 0", {"low": "min(low, h)"}, h="total(1 - 2 * x)"
        ),
    ),
    "binary addition": (addition(2), addition_by_comparing(2)),
    "decimal addition": (addition(10), addition_by_comparing(10)),
    "binary addition by logic": (
        addition(2),
        stepping(
            BITS,
            "s ^ t ^ (old == 1)",
            {"carry": "s + t > 1 or (carry == 1 and s + t > 0)", "old": "carry"},
        ),
    ),
    "free body": (FREEBODY, stepping(FORCE, "new", {"new": "2 * new - old + x", "old": "new"})),
    "gravity": (
        stepping(FORCE, "p", {"v": "v + x - 1", "p": "p + v + x - 1"}),
        stepping(FORCE, "new", {"new": "2 * new - old + x - 1", "old": "new"}),
    ),
    "spring": (
        stepping(FORCE, "p", {"v": "v + x - p", "p": "v + x"}),
        stepping(FORCE, "new", {"new": "new - old + x", "old": "new"}),
    ),
    "magnetic": (
        stepping(
            FORCES,
            "(px, py)",
            {
                "vx": "vx + a - vy",
                "vy": "vy + b + vx",
                "px": "px + vx + a - vy",
                "py": "py + vy + b + vx",
            },
        ),
        stepping(
            FORCES,
            "(x, y)",
            {
                "x": "2 * x - ox + a - (y - oy)",
                "ox": "x",
                "y": "2 * y - oy + b + (x - ox)",
                "oy": "y",
            },
        ),
    ),
    "majority of 2": (majority(2, True), majority(2, False)),
    "majority of 3": (majority(3, True), majority(3, False)),
    "majority of 4": (majority(4, True), majority(4, False)),
    "palindromes": (
        PALINDROME,
        stepping(
            BIT, "d == 0", {"d": "d + f + x * (1 - p)", "f": "2 * f + x", "p": "p + p"}, {"p": 1}
        ),
    ),
    "dithering": (
        DITHERING,
        stepping((Variable("x", 0, 15),), "total(x) // 15 - (total(x) - x) // 15"),
    ),
    **{
        f"sums mod {k}": (
            stepping(DIGIT, "y", {"y": f"(y + x) % {k}"}),
            stepping(DIGIT, f"total(x) % {k}"),
        )
        for k in (4, 6, 7)
    },
    "alternating 3": (alternating(3), alternating_by_run(3)),
    "alternating 4, run without bound": (alternating(4), alternating_by_run(4, bounded=False)),
    "sums of 7": (last_sum(7), last_sum(7, ring=False)),
    "distances": (
        stepping(SIGNED, "abs(a - b)", {"a": "x", "b": "a"}),
        stepping(SIGNED, "d", {"d": "max(x - a, a - x)", "a": "x"}),
    ),
    "queue": (LINDLEY, stepping(FORCE, "s - low", {"s": "s + x", "low": "min(low, s + x)"})),
    "triangular numbers": (
        stepping(BIT, "k * (k + 1) // 2", {"k": "k + 1"}),
        stepping(BIT, "n", {"k": "k + 1", "n": "n + k + 1"}),
    ),
    "spread": (
        stepping(SIGNED, "hi - lo", {"hi": "max(hi, x)", "lo": "min(lo, x)"}),
        stepping(
            SIGNED,
            "w",
            {
                "w": "max(hi, x) - min(lo, x)",
                "hi": "x if x > hi else hi",
                "lo": "lo if x > lo else x",
            },
        ),
    ),
    "powers never vanish": (
        stepping(BIT, "p == 0", {"p": "2 * p"}, {"p": 1}),
        stepping(BIT, "0 * total(x)"),
    ),
    "an idle counter": (
        stepping(BIT, "b", {"b": "x", "k": "k + 3"}),
        stepping(BIT, "c + 0 * total(x)", {"c": "1 if x else 0"}),
    ),
    "squares": (
        stepping((Variable("x", 0, 19),), "x in (0, 1, 4, 9, 16)"),
        stepping((Variable("x", 0, 19),), "x <= 1 or x == 4 or (x == 9 or x == 16)"),
    ),
    "even integers": (stepping(ANY, "x % 2 == 0"), stepping(ANY, "x // 2 * 2 == x")),
    "exclusive or": (stepping(BITS, "s ^ t"), stepping(BITS, "(s + t) % 2")),
}

RUN_OF = "run + 1 if x == old else 1"
LINE = (Variable("x", 0, 4095),)
UNEQUAL = {  # with the length of a shortest counterexample
    "a run of 17": (
        stepping(DIGIT, "run >= 17", {"run": RUN_OF, "old": "x"}, {"old": -1}),
        stepping(DIGIT, "0"),
        17,
    ),
    "at step 40 only": (
        stepping(DIGIT, "k == 40", {"k": "k + 1"}),
        stepping(DIGIT, "0 * total(x)"),
        40,
    ),
    "one pair of 40,000": (
        stepping(SIGNED, "a == 77 and b == -33", {"a": "x", "b": "a"}),
        stepping(SIGNED, "0 * x"),
        2,
    ),
    "three rare inputs": (
        stepping(LINE, "a == 5 and b == 4000 and c == 7", {"a": "x", "b": "a", "c": "b"}),
        stepping(LINE, "0 * x"),
        3,
    ),
    "palindromes to 10 only": (
        PALINDROME,
        stepping(
            BIT, "f == r", {"f": "2 * f + x", "r": "r + x * p", "p": "min(2 * p, 1024)"}, {"p": 1}
        ),
        12,
    ),
    "wraps after 64 bits": (
        stepping(BIT, "p % 3", {"p": "2 * p"}, {"p": 1}),
        stepping(BIT, "b", {"b": "3 - b if k < 64 else b", "k": "k + 1"}, {"b": 1}),
        65,
    ),
    "the second output": (
        stepping(BIT, "(a, a)", {"a": "a + x"}),
        stepping(BIT, "(a, min(a, 3))", {"a": "a + x"}),
        4,
    ),
    "one output too many": (stepping(BIT, "(a, a)", {"a": "x"}), stepping(BIT, "a", {"a": "x"}), 1),
    "max of negative numbers": (
        stepping(SIGNED, "m", {"m": "max(m, x)"}),
        stepping(SIGNED, "m", {"m": "max(m, x)"}, {"m": -100}),
        1,
    ),
    "ties": (
        majority(3, True),
        stepping(
            (Variable("x", 0, 2),),
            "0 if a >= b and a >= c else 1 if b > c else 2",
            {"a": "a + (x == 0)", "b": "b + (x == 1)", "c": "c + (x == 2)"},
        ),
        2,
    ),
    "balanced, never dead": (BALANCED, stepping(BIT, "total(1 - 2 * x) == 0"), 2),
    "one step late": (dividing(5), dividing(5, delayed=True), 3),
    "xor of numbers that are no bits": (
        stepping(DIGIT, "y", {"y": "y ^ x"}),
        stepping(DIGIT, "y", {"y": "1 if y != x else 0"}),
        1,
    ),
    "any integer but one": (stepping(ANY, "x == 123456789"), stepping(ANY, "0"), 1),
}
