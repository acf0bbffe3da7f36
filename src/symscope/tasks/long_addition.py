"""Addition digit by digit, `0 4 7 + 1 2 5 = 2 7 1 0`: one token for each digit, with carries.

The second form in which numbers can be given to a network: the answer is written token by token,
units first or last, and each digit depends on a carry that no token says.
"""

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor

from symscope.causal_model import interchange
from symscope.evidence import SymscopeError
from symscope.program import Program, Variable
from symscope.task import IGNORE, Pairs, Task, joined

PLUS, EQUALS = 10, 11
_SPLITS = {"fit": range(6), "validation": range(6, 8), "test": range(8, 10)}
"""Tenths of the test prompts, for alignments, by a hash of both numbers."""
_HELD_OUT = 5
"""One in so many pairs of numbers is never trained on."""
_ROUNDS = 200


class LongAddition(Task):
    """Two numbers of `digits` digits, and their sum of one more.

    A sequence is both numbers, the highest digit first, each followed by its sign, then the answer,
    the units first or, without `units_first`, last: 3 · digits + 3 tokens. What is scored is the
    answer, each token at the step before it. Variables of the program, place by place from the
    units (1): "carry_i" into the place, "digit_i" of the answer.

    >>> task = LongAddition(3)
    >>> task.text(task.written(torch.tensor([47]), torch.tensor([125]))[0])
    '0 4 7 + 1 2 5 = 2 7 1 0'
    """

    name = "long_addition"

    def __init__(self, digits: int = 3, units_first: bool = True):
        if not 1 <= digits <= 9:
            raise SymscopeError(f"{digits} digits: there are 1 to 9")
        self.digits, self.units_first = digits, units_first
        self.vocabulary = (*map(str, range(10)), "+", "=")

    @property
    def length(self) -> int:
        """Tokens of a prompt without its answer."""
        return 2 * self.digits + 2

    def written(self, first: Tensor, second: Tensor) -> Tensor:
        """Sequences of numbers and their sums, (sample, 3 · digits + 3)."""
        parts = (_digits(first, self.digits), torch.full((len(first), 1), PLUS),
                 _digits(second, self.digits), torch.full((len(first), 1), EQUALS))  # fmt: skip
        answer = _digits(first + second, self.digits + 1)
        return torch.cat([*parts, answer.flip(1) if self.units_first else answer], 1)

    def numbers(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The two numbers, (sample,) each."""
        first = inputs[:, : self.digits]
        second = inputs[:, self.digits + 1 : 2 * self.digits + 1]
        tens = 10 ** torch.arange(self.digits - 1, -1, -1)
        return (first * tens).sum(1), (second * tens).sum(1)

    def step_of(self, place: int) -> int:
        """The step at which the answer's digit of a place, from 1 for the units, is said."""
        return self.length - 1 + (place - 1 if self.units_first else self.digits + 1 - place)

    def correct(self, inputs: Tensor) -> Tensor:
        """The answer's digits, each at the step before it, nothing elsewhere, (sample, step)."""
        whole = self.written(*self.numbers(inputs))
        target = torch.full_like(inputs, IGNORE)
        steps = inputs.shape[1] - self.length + 1
        target[:, self.length - 1 :] = whole[:, self.length : self.length + steps]
        return target

    @cached_property
    def programs(self) -> Mapping[str, Program]:  # type: ignore[override]
        """The rule with its carries, and addition of each place by itself."""
        return {"carrying": self._program("carrying", True),
                "no_carry": self._program("no_carry", False)}  # fmt: skip

    @property
    def program(self) -> Program:
        """Digit by digit, with a carry from each place to the next."""
        return self.programs["carrying"]

    def _program(self, name: str, carrying: bool) -> Program:
        n = self.digits
        places = range(1, n + 1)
        named = [[f"{side}_{i}" for i in reversed(places)] for side in ("a", "b")]
        inputs = tuple(Variable(v, 0, 11) for v in (*named[0], "plus", *named[1], "equals"))
        rules = {"carry_1": "0 * a_1"}
        for i in places:
            rules[f"digit_{i}"] = f"(a_{i} + b_{i} + carry_{i}) % 10"
            carry = f"1 if a_{i} + b_{i} + carry_{i} > 9 else 0"
            rules[f"carry_{i + 1}"] = carry if carrying else "0 * a_1"
        rules[f"digit_{n + 1}"] = f"carry_{n + 1}"
        variables = tuple(Variable(v, 0, 1 if v.startswith("carry") else 9) for v in rules)
        order = range(1, n + 2) if self.units_first else range(n + 1, 0, -1)
        output = ", ".join(f"digit_{i}" for i in order)
        return Program(name, inputs, variables, rules, f"({output})")

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` sequences with their answers; one pair of numbers in five is never trained on."""
        found = [torch.empty(0, self.length + self.digits + 1, dtype=torch.long)]
        while sum(map(len, found)) < count:
            numbers = torch.randint(10**self.digits, (2, 2 * count + 64), generator=generator)
            mine = self.held_out(*numbers) != training
            found.append(self.written(*numbers[:, mine]))
        return torch.cat(found)[:count]

    @staticmethod
    def held_out(first: Tensor, second: Tensor) -> Tensor:
        """Whether pairs of numbers, (sample,), are never trained on: one in five."""
        return _key(first, second) % _HELD_OUT == 0

    def drawn(self, count: int, generator: torch.Generator, split: str = "train") -> Tensor:
        """`count` sequences of one split, without their last token, (sample, step)."""
        return self.sample(count, generator, split == "train")[:, :-1]

    def floors(self, tokens: Tensor) -> dict[str, float]:
        """How often addition of each place by itself is right in all places."""
        first, second = (_digits(n, self.digits + 1) for n in self.numbers(tokens))
        digits = (first + second) % 10
        found = digits.flip(1) if self.units_first else digits
        return {"no carry": float((found == self.correct(tokens)[:, self.length - 1 :]).all(1)
                                  .float().mean())}  # fmt: skip

    def gate(self, generator: torch.Generator) -> Tensor:
        """1,000 sequences that are not trained on."""
        return self.sample(1000, generator, training=False)[:, :-1]

    def text(self, sequence: Tensor) -> str:
        """One sequence, (step,), as text."""
        return " ".join(self.vocabulary[t] for t in sequence.tolist())

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """Pairs of test sequences in which a swap of one carry changes the digit of its place.

        The swap is at the step that says that digit, and what is scored is that digit alone: later
        tokens are those of the base. "digit_i" is swapped there as well.
        """
        asked = program, variables, seed, split, _SPLITS, same_phase
        generator = self.pairs_generator(*asked)
        if len(variables) != 1:
            raise SymscopeError(f"one variable at a time, not {variables}")
        place = int(variables[0].rsplit("_", 1)[1])
        step, inputs = self.step_of(place), self.length
        column = place - 1 if self.units_first else self.digits + 1 - place
        found: list[Pairs] = []
        tried = have = 0
        while have < count and tried < _ROUNDS * count:
            base, source = (self._of(split, 2 * count, generator) for _ in range(2))
            swapped = interchange(program, base[:, :inputs], source[:, :inputs], variables)
            natural = program.run(base[:, :inputs]).output
            target = torch.full_like(base, IGNORE)
            target[:, step] = swapped[column]
            good = swapped[column] != natural[column]
            values = {f"{variables[0]}.{end}": program.run(x[:, :inputs], read=variables).values[
                variables[0]] for end, x in (("base", base), ("source", source))}  # fmt: skip
            at = torch.full((len(base),), step)
            found.append(Pairs(base, at, source, at, target, values)[good])
            tried, have = tried + len(base), have + int(good.sum())
        if have < count:
            raise SymscopeError(f"{have} of {tried} pairs let a swap of {variables[0]} change it")
        whole = joined(found, padding=0)[torch.arange(count)]
        return Pairs(whole.base, whole.base_step, whole.source, whole.source_step, whole.target,
                     whole.labels, variables, 1 - have / tried)  # fmt: skip

    def _of(self, split: str, count: int, generator: torch.Generator) -> Tensor:
        """Test sequences, without the last token, of one of the splits for alignments."""
        parts = [torch.empty(0, self.length + self.digits, dtype=torch.long)]
        while sum(map(len, parts)) < count:
            drawn = self.sample(2 * count, generator, training=False)[:, :-1]
            key = _key(*self.numbers(drawn)) // _HELD_OUT % 10
            parts.append(drawn[torch.isin(key, torch.tensor(_SPLITS[split]))])
        return torch.cat(parts)[:count]


def _digits(numbers: Tensor, count: int) -> Tensor:
    """The highest digit first, (sample, digit)."""
    return numbers[:, None] // 10 ** torch.arange(count - 1, -1, -1) % 10


def _key(first: Tensor, second: Tensor) -> Tensor:
    """A number that mixes both, for splits."""
    return (first * 1_103_515_245 + second * 12_345 + 2_531_011) % 2_147_483_647 // 7
