"""The fixed list of patterns that a neuron may fire on, each a set of prompts.

After Nikankin et al. (2025), §4. A pattern is about the first operand, the second, the answer, or
about both operands. Parameters are theirs for operands up to 300; smaller operands get ranges that
fit. Departures, where their paper and code differ: ranges are half open throughout, and a digit
pattern that fixes the leading digit alone is left out, as it is a range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import torch
from torch import Tensor

from symscope.causal_model import UnknownName

KINDS = ("range", "modulo", "digits", "same", "set")
OF = ("first", "second", "answer", "both")
DIGITS = 3
"""Digit patterns are of numbers padded with zeros to this length."""
MODULI = (2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15)
RARE, COMMON = 10, 0.55
"""Patterns that fewer prompts have, or a larger share of them, are left out."""
COMMONEST = 8
LARGE = 150
"""Operands below this many get the shorter ranges."""


@dataclass(frozen=True)
class Heuristic:
    """One pattern: `kind` "range" (from, below), "modulo" (n, rest), "digits", "set" or "same".

    Digit patterns hold a digit or -1, any, for each of three places, a set the numbers that are in
    it. `values` are empty for "same", identical operands.
    """

    kind: str
    of: str
    values: tuple[int, ...] = ()

    def holds(self, first: Tensor, second: Tensor, answer: Tensor) -> Tensor:
        """Whether each prompt, (prompt,) given by its numbers, has the pattern."""
        if self.kind == "same":
            return first == second
        if self.of == "both":
            return self._of(first) & self._of(second)
        return self._of({"first": first, "second": second, "answer": answer}[self.of])

    def _of(self, number: Tensor) -> Tensor:
        if self.kind == "range":
            return (number >= self.values[0]) & (number < self.values[1])
        if self.kind == "modulo":
            return number % self.values[0] == self.values[1]
        if self.kind == "set":
            return torch.isin(number, torch.tensor(self.values))
        if self.kind != "digits":
            raise UnknownName("kind of heuristic", self.kind, KINDS)
        fits = torch.ones_like(number, dtype=torch.bool)
        for place, digit in enumerate(self.values):
            if digit >= 0:
                fits &= number // 10 ** (len(self.values) - 1 - place) % 10 == digit
        return fits

    def __str__(self) -> str:
        if self.kind == "same":
            return "operands are the same"
        subject = "both operands" if self.of == "both" else self.of
        if self.kind == "range":
            return f"{subject} in {self.values[0]}..{self.values[1] - 1}"
        if self.kind == "modulo":
            return f"{subject} = {self.values[1]} mod {self.values[0]}"
        if self.kind == "set":
            return f"{subject} one of {', '.join(map(str, self.values))}"
        return f"{subject} like {''.join('.' if d < 0 else str(d) for d in self.values)}"


def heuristics(
    first: Tensor, second: Tensor, answer: Tensor, both: bool = False,
    moduli: Sequence[int] = MODULI, sets: bool = False,
) -> tuple[list[Heuristic], Tensor]:  # fmt: skip
    """Every pattern that ten prompts or more have, but no more than 55 %, and which have it.

    What more have, or hardly any, is soon matched by any map at the published threshold of 0.6.
    The second is (heuristic, prompt). `both` adds patterns that both operands have, `sets` those of
    2 to 4 of the eight commonest answers: the multiple results that are for quotients alone.
    Departure: published sets are looked for in each neuron, out of all answers.
    """
    found: list[Heuristic] = []
    operands = max(int(first.max()), int(second.max())) + 1
    for of in OF[: 4 if both else 3]:
        most = int(answer.max()) + 1 if of == "answer" else operands
        found += _ranges(of, most, operands)
        found += [Heuristic("modulo", of, (n, rest)) for n in moduli for rest in range(n)]
        if of != "both":
            found += _patterns(of, most)
    found.append(Heuristic("same", "both"))
    found += _sets(answer) if sets else []
    masks = torch.stack([h.holds(first, second, answer) for h in found])
    some = (masks.sum(1) >= RARE) & (masks.float().mean(1) <= COMMON)
    return [h for h, kept in zip(found, some.tolist(), strict=True) if kept], masks[some]


def _ranges(of: str, most: int, operands: int) -> list[Heuristic]:
    lengths = (10, 30, 50, 100) if operands > LARGE else (5, 10, 20, 30, 50)
    least = 10 if operands > LARGE else 3
    return [
        Heuristic("range", of, (start, start + length))
        for length in lengths if length < most
        for start in range(0, most, max(length // 3, least)) if start < most
    ]  # fmt: skip


def _sets(answer: Tensor) -> list[Heuristic]:
    values, counts = answer.unique(return_counts=True)
    commonest = sorted(values[counts.argsort(descending=True)[:COMMONEST]].tolist())
    return [Heuristic("set", "answer", some) for size in (2, 3, 4)
            for some in combinations(commonest, size)]  # fmt: skip


def _patterns(of: str, most: int) -> list[Heuristic]:
    """Patterns with a digit and a wildcard, but for those that fix the leading digits alone."""
    places = DIGITS if most > 100 else 2
    found = []
    for digits in product(range(-1, 10), repeat=places):
        fixed = [i for i, d in enumerate(digits) if d >= 0]
        leading = fixed == list(range(len(fixed)))
        if fixed and not leading:
            found.append(Heuristic("digits", of, digits))
    return found
