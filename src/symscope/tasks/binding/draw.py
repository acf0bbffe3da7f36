"""Random programs whose queried chain has a wanted depth, many at once.

The publication gives no rule; ours: the left side of a line is any letter; the right side is a
digit with probability `constants`, or when no other letter has a value, else a letter that has one,
with weight depth ** `power`. The depth is drawn first, uniform over 1 to `hops`; programs are drawn
anew until some letter has it, and one such letter is asked for. Balanced by "root" instead, the
line that holds the digit is uniform over all lines, so that no line's digit answers more often than
another's; the depth is then whatever it is, `hops` at most.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.tasks.binding.alphabet import Alphabet

REDRAWS = 10_000
BALANCES = ("depth", "root")


@dataclass(frozen=True)
class Rule:
    """How programs are drawn; `held_out` are (letter, digit) that no line may bind, from 0."""

    lines: int = 16
    hops: int = 4
    constants: float = 0.45
    power: float = 3.0
    held_out: frozenset[tuple[int, int]] = frozenset()
    balance: str = "depth"

    def __post_init__(self) -> None:
        if not 1 <= self.hops <= self.lines:
            raise SymscopeError(f"{self.hops} hops do not fit into {self.lines} lines")
        if not 0 < self.constants <= 1:
            raise SymscopeError(f"constants {self.constants} is no probability above 0")
        if self.balance not in BALANCES:
            raise UnknownName("balance", self.balance, BALANCES)


def draw(rule: Rule, count: int, alphabet: Alphabet, generator: torch.Generator) -> Tensor:
    """`count` programs as tokens, (sample, step)."""
    most = rule.hops if rule.balance == "depth" else rule.lines
    wanted = torch.randint(1, most + 1, (count,), generator=generator)
    left = torch.empty(count, rule.lines, dtype=torch.long)
    right, query = torch.empty_like(left), torch.empty_like(wanted)
    missing = torch.arange(count)
    for _ in range(REDRAWS):
        if not len(missing):
            return alphabet.written(left + alphabet.digits, right, query + alphabet.digits)
        lefts, rights, depth, root = _lines(rule, len(missing), alphabet, generator)
        balanced = balanced_by(rule.balance, depth, root, rule.hops)
        fits = balanced == wanted[missing, None]
        found = fits.any(1)
        done = missing[found]
        if len(done):
            asked = torch.multinomial(fits[found].float(), 1, generator=generator)[:, 0]
            left[done], right[done], query[done] = lefts[found], rights[found], asked
        missing = missing[~found]
    most = int(wanted[missing].max())
    what = f"a chain of {most} hops" if rule.balance == "depth" else f"a root on line {most}"
    raise SymscopeError(
        f"{what} was not reached in {REDRAWS} programs of"
        f" {rule.lines} lines with constants {rule.constants}; ask for fewer hops or more lines"
    )


def balanced_by(balance: str, depth: Tensor, root: Tensor, hops: int) -> Tensor:
    """What is uniform over the letters asked for: depth, or root line from 1. 0 is never asked."""
    value = depth if balance == "depth" else root + 1
    return torch.where((depth > 0) & (depth <= hops), value, 0)


def _lines(
    rule: Rule, count: int, alphabet: Alphabet, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Left letters, right sides as tokens, and each letter's depth (0: no value) and root line."""
    depth = torch.zeros(count, alphabet.letters)
    root = torch.zeros(count, alphabet.letters, dtype=torch.long)
    left = torch.randint(alphabet.letters, (count, rule.lines), generator=generator)
    right = torch.empty_like(left)
    allowed = torch.ones(alphabet.letters, alphabet.digits)
    for letter, value in rule.held_out:
        allowed[letter, value] = 0
    for i in range(rule.lines):
        here = left[:, i : i + 1]
        weights = depth.pow(rule.power).masked_fill(depth == 0, 0).scatter(1, here, 0.0)
        alone = weights.sum(1) == 0
        constant = alone | (torch.rand(count, generator=generator) < rule.constants)
        weights[alone] = 1.0  # not used: the right side is a digit
        name = torch.multinomial(weights, 1, generator=generator)[:, 0]
        digit = torch.multinomial(allowed[here[:, 0]], 1, generator=generator)[:, 0]
        right[:, i] = torch.where(constant, digit, name + alphabet.digits)
        longer = depth.gather(1, name[:, None])[:, 0] + 1
        depth.scatter_(1, here, longer.masked_fill(constant, 1.0)[:, None])
        first = root.gather(1, name[:, None])[:, 0].masked_fill(constant, i)
        root.scatter_(1, here, first[:, None])
    return left, right, depth, root
