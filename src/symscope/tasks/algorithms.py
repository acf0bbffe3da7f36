"""The 62 sequence tasks of Michaud, Liao, Tegmark et al. (2024, arXiv 2402.05110).

At every step come one or two integers, and one integer is asked for (two in `newton_magnetic`).
Inputs are uniform and independent but in `bit_palindrome`; those before step 0 count as 0. Where
text and data of the paper disagree the rules follow the data: a majority's tie goes to the smaller
number, `parity_bits_mod2` begins with 0, `dithering` carries its rounding error, and the quotients
of `div_3`, `div_5` and `div_7` come one step late (`EXTRAS` has them without delay).

>>> task = algorithm("div_3")
>>> task.answers(torch.tensor([[1, 1, 0, 1]])).tolist()  # 13 = 4 · 3 + 1, the quotient is 0100
[[0, 0, 1, 0]]
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.program import Program, Variable
from symscope.tasks.programmed import Programmed

Register = tuple[str, int, int]
"""The rule, the lowest and the highest value within the trained length."""
BITS = range(2)


@dataclass(frozen=True)
class Rule:
    """One task: what comes in, what is asked for, from which registers.

    `state` is carried from step to step and starts at 0 unless `start` says otherwise; `computed`
    is not. Rules read the state before the step, the output reads it after the step. `answers`
    are the outputs that occur within `length` steps.
    """

    inputs: Mapping[str, range]
    output: str
    state: Mapping[str, Register]
    computed: Mapping[str, Register] = field(default_factory=dict)
    start: Mapping[str, int] = field(default_factory=dict)
    answers: range = BITS
    length: int = 10

    def program(self, name: str) -> Program:
        """The rule as a step program."""
        registers = {**self.computed, **self.state}
        return Program(
            name,
            tuple(Variable(n, r.start, r.stop - 1) for n, r in self.inputs.items()),
            tuple(Variable(n, low, high) for n, (_, low, high) in registers.items()),
            {n: rule for n, (rule, _, _) in registers.items()},
            self.output,
            start=dict.fromkeys(self.state, 0) | dict(self.start),
        )


def algorithm(name: str, length: int | None = None) -> Programmed:
    """The task of that name, on sequences of `length` (10 or, as published, 20 if unsaid)."""
    rules = ALGORITHMS | EXTRAS
    if name not in rules:
        raise UnknownName("task", name, rules)
    rule = rules[name]
    kind = Palindromes if name == "bit_palindrome" else Programmed
    return kind(rule.program(name), length=length or rule.length, classes=rule.answers)


class Palindromes(Programmed):
    """Bits that begin with a palindrome of a length uniform on 2 to 10; random bits follow."""

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` sequences, (sample, step)."""
        bits = super().sample(count, generator)
        most = min(10, self.length)
        ends = torch.randint(2, most + 1, (count, 1), generator=generator)
        steps = torch.arange(self.length)
        mirrored = bits.gather(1, (ends - 1 - steps).clamp(min=0))
        return torch.where((steps >= ends // 2) & (steps < ends), mirrored, bits)

    def enumerate(self) -> Tensor:
        """All sequences that can be drawn: all but those that begin with no palindrome."""
        listed = super().enumerate()
        return listed[(self.correct(listed)[:, 1:10] == 1).any(1)]

    def answers(self, inputs: Tensor) -> Tensor:
        """The program's output; from 63 steps on its registers outgrow 64 bits."""
        if inputs.shape[1] < 63:
            return super().answers(inputs)
        return torch.as_tensor(self.program.run(inputs.numpy().astype(object)).output.astype(int))


BIT = {"x": BITS}
TWO_BITS = {"s": BITS, "t": BITS}
DIGIT, OCTAL, LARGE, SIGNED = (
    {"x": r} for r in (range(10), range(8), range(100), range(-100, 100))
)
PUSH = {"x": range(-10, 11)}


def _at_once(inputs: Mapping[str, range], rule: str, answers: range = BITS) -> Rule:
    """Each answer is about the current input alone."""
    state = {"answer": (rule, answers.start, answers.stop - 1)}
    return Rule(inputs, "answer", state, answers=answers)


def _window(
    inputs: Mapping[str, range], size: int, output: str, answers: range = BITS, length: int = 10
) -> Rule:
    """The last inputs are kept: now, back1, back2, … up to `size` in all."""
    (seen,) = inputs.values()
    names = ["now", *(f"back{i}" for i in range(1, size))]
    state = {
        name: (before, min(0, seen.start), seen.stop - 1)
        for name, before in zip(names, ["x", *names], strict=False)
    }
    return Rule(inputs, output, state, answers=answers, length=length)


def _sum(size: int) -> str:
    return " + ".join(["now", *(f"back{i}" for i in range(1, size))])


def _addition(base: int) -> Rule:
    column = {"column": ("s + t + carry", 0, 2 * base - 1)}
    carry = {"carry": (f"(s + t + carry) // {base}", 0, 1)}
    inputs = {"s": range(base), "t": range(base)}
    return Rule(inputs, f"column % {base}", carry, column, answers=range(base))


def _majority(highest: int) -> Rule:
    counts = [f"count{i}" for i in range(highest + 1)]
    output = str(highest)
    for i in reversed(range(highest)):
        later = counts[i + 1 :]
        most = f"max({', '.join(later)})" if len(later) > 1 else later[0]
        output = f"{i} if {counts[i]} >= {most} else {output}"
    state = {name: (f"{name} + (x == {i})", 0, 10) for i, name in enumerate(counts)}
    return Rule({"x": range(highest + 1)}, output, state, answers=range(highest + 1))


def _division(divisor: int, late: bool) -> Rule:
    now = {"dividend": ("2 * remainder + x", 0, 2 * divisor - 1)}
    state = {
        "remainder": (f"dividend % {divisor}", 0, divisor - 1),
        "quotient": (f"dividend // {divisor}", 0, 1),
    }
    delay = {"late": ("quotient", 0, 1)} if late else {}
    return Rule(BIT, "late" if late else "quotient", state | delay, now)


def _add_mod(modulus: int) -> Rule:
    residue = {"residue": (f"(residue + x) % {modulus}", 0, modulus - 1)}
    return Rule({"x": range(modulus)}, "residue", residue, answers=range(modulus))


def _motion(force: str, pushes: tuple[int, int], speed: int, answers: range) -> Rule:
    """The force changes the velocity, and the new velocity the position."""
    state = {
        "velocity": ("velocity + force", -speed, speed),
        "position": ("position + velocity + force", answers.start, answers.stop - 1),
    }
    return Rule(PUSH, "position", state, {"force": (force, *pushes)}, answers=answers)


_MAGNETIC = Rule(
    {"a": range(-10, 11), "b": range(-10, 11)},
    "position_x, position_y",
    {
        "velocity_x": ("velocity_x + force_x", -930, 930),
        "velocity_y": ("velocity_y + force_y", -930, 930),
        "position_x": ("position_x + velocity_x + force_x", -1260, 1260),
        "position_y": ("position_y + velocity_y + force_y", -1260, 1260),
    },
    {"force_x": ("a - velocity_y", -940, 940), "force_y": ("b + velocity_x", -940, 940)},
    answers=range(-1260, 1261),
)
_PALINDROME = {
    "forward": ("2 * forward + x", 0, 1023),
    "backward": ("backward + x * place", 0, 1023),
    "place": ("2 * place", 1, 1024),
}
_DEPTH = {"depth": ("depth + 1 - 2 * x", -10, 10), "dead": ("1 if depth < x else dead", 0, 1)}
_ABS_DIFF = _window(SIGNED, 2, "abs(now - back1)", range(200))
_SIZES = {"size": ("abs(x)", 0, 100), "size_before": ("size", 0, 100)}
_EQUAL = {"equal": ("1 if x == before else 0", 0, 1)}

ALGORITHMS: dict[str, Rule] = {
    "binary_addition": _addition(2),
    **{f"base_{b}_addition": _addition(b) for b in range(3, 8)},
    "bitwise_xor": _at_once(TWO_BITS, "s ^ t"),
    "bitwise_or": _at_once(TWO_BITS, "max(s, t)"),
    "bitwise_and": _at_once(TWO_BITS, "min(s, t)"),
    "bitwise_not": _at_once(BIT, "1 - x"),
    **{f"parity_last{k}": _window(BIT, k, f"({_sum(k)}) % 2") for k in (2, 3, 4)},
    "parity_all": Rule(BIT, "odd", {"odd": ("odd ^ x", 0, 1)}),
    "parity_zeros": Rule(BIT, "odd", {"odd": ("odd ^ (1 - x)", 0, 1)}),
    "evens_counter": Rule(
        DIGIT, "evens", {"evens": ("evens + (x % 2 == 0)", 0, 10)}, answers=range(11)
    ),
    "sum_all": Rule(LARGE, "sum", {"sum": ("sum + x", 0, 990)}, answers=range(991)),
    **{
        f"sum_last{k}": _window(LARGE, k, _sum(k), range(99 * k + 1), 20 if k >= 5 else 10)
        for k in range(2, 8)
    },
    "current_number": _at_once(LARGE, "x", range(100)),
    **{
        f"prev{k}": _window(LARGE, k + 1, f"back{k}", range(100), 20 if k == 5 else 10)
        for k in range(1, 6)
    },
    "previous_equals_current": Rule(OCTAL, "equal", {"before": ("x", 0, 7)}, _EQUAL),
    "diff_last2": _window(SIGNED, 2, "now - back1", range(-199, 200)),
    "abs_diff": _ABS_DIFF,
    "abs_current": _at_once(SIGNED, "abs(x)", range(101)),
    "diff_abs_values": Rule(SIGNED, "size - size_before", _SIZES, answers=range(-100, 101)),
    "min_seen": Rule(
        DIGIT, "smallest", {"smallest": ("min(smallest, x)", 0, 9)}, start={"smallest": 9},
        answers=range(10),
    ),
    "max_seen": Rule(DIGIT, "largest", {"largest": ("max(largest, x)", 0, 9)}, answers=range(10)),
    **{f"majority_0_{m}": _majority(m) for m in (1, 2, 3)},
    "evens_detector": _at_once(DIGIT, "1 if x % 2 == 0 else 0"),
    "perfect_square_detector": _at_once({"x": range(20)}, "1 if x in (0, 1, 4, 9, 16) else 0"),
    "bit_palindrome": Rule(
        BIT, "1 if forward == backward else 0", _PALINDROME, start={"place": 1}
    ),
    "balanced_parenthesis": Rule(BIT, "1 if depth == 0 and not dead else 0", _DEPTH),
    "parity_bits_mod2": Rule(BIT, "odd", {"odd": ("1 - odd", 0, 1)}, start={"odd": 1}),
    "alternating_last3": _window(BIT, 3, "1 if now != back1 != back2 else 0"),
    "alternating_last4": _window(BIT, 4, "1 if now != back1 != back2 != back3 else 0"),
    "bit_shift_right": _window(BIT, 2, "back1"),
    "bit_dot_prod_mod2": Rule(TWO_BITS, "odd", {"odd": ("odd ^ (s * t)", 0, 1)}),
    **{f"div_{m}": _division(m, late=True) for m in (3, 5, 7)},
    **{f"add_mod_{m}": _add_mod(m) for m in range(3, 9)},
    "dithering": Rule(
        {"x": range(16)}, "level", {"error": ("(error + x) % 15", 0, 14)},
        {"level": ("(error + x) // 15", 0, 1)},
    ),
    "newton_freebody": _motion("x", (-10, 10), 100, range(-550, 551)),
    "newton_gravity": _motion("x - 1", (-11, 9), 110, range(-605, 496)),
    "newton_spring": _motion("x - position", (-80, 80), 80, range(-70, 71)),
    "newton_magnetic": _MAGNETIC,
}  # fmt: skip
"""The published tasks, in the published order."""

EXTRAS: dict[str, Rule] = {
    **{f"div_{m}_now": _division(m, late=False) for m in (3, 5, 7)},
    "add_mod_11": _add_mod(11),
    "parity_last5": _window(BIT, 5, f"({_sum(5)}) % 2"),
    "max_last2": _window(DIGIT, 2, "max(now, back1)", range(10)),
    "rises": Rule(
        OCTAL, "rises", {"rises": ("rises + (x > last)", 0, 10), "last": ("x", 0, 7)},
        start={"last": 7}, answers=range(11),
    ),
    "toggle_at_3": Rule(OCTAL, "on", {"on": ("on ^ (x == 3)", 0, 1)}),
    "clipped_sum": Rule(
        {"x": range(4)}, "level", {"level": ("min(level + x, 9)", 0, 9)}, answers=range(10)
    ),
    "second_largest": Rule(
        OCTAL, "second",
        {"largest": ("max(largest, x)", 0, 7), "second": ("max(second, min(largest, x))", 0, 7)},
        answers=range(8),
    ),
    "longest_run": Rule(
        BIT, "longest",
        {"run": ("(run + 1) * x", 0, 10), "longest": ("max(longest, (run + 1) * x)", 0, 10)},
        answers=range(11),
    ),
    "same_as_first": Rule(
        OCTAL, "1 if now == first else 0",
        {"now": ("x", 0, 7), "first": ("first if begun else x", 0, 7), "begun": ("1", 0, 1)},
    ),
}  # fmt: skip
"""Tasks outside the 62: the quotient's digit at its own step, and nine that were written down after
the extractor, to see what it does with what nobody had in mind."""
