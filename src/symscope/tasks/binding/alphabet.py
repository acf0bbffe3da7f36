"""The tokens: digits first, so that a digit's token is its value; letters; = ⏎ # and the colon."""

from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.evidence import SymscopeError

LINE = 4
"""Tokens of an assignment: letter, =, letter or digit, newline."""
QUERY = 3
"""Tokens of the query: #, letter, colon."""


@dataclass(frozen=True)
class Alphabet:
    """`digits` digits from 0 and `letters` letters from a, and the four signs."""

    digits: int = 10
    letters: int = 26

    def __post_init__(self) -> None:
        if not 2 <= self.digits <= 10 or not 2 <= self.letters <= 26:
            raise SymscopeError(
                f"{self.digits} digits and {self.letters} letters: there are 2 to 10 and 2 to 26"
            )

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every token as text, in the order of their numbers."""
        letters = (chr(ord("a") + i) for i in range(self.letters))
        return (*map(str, range(self.digits)), *letters, "=", "\n", "#", ":")

    @property
    def signs(self) -> tuple[int, int, int, int]:
        """The tokens of = ⏎ # and :."""
        first = self.digits + self.letters
        return first, first + 1, first + 2, first + 3

    def written(self, left: Tensor, right: Tensor, query: Tensor) -> Tensor:
        """Programs as tokens, (sample, 4·lines + 3); all three are given as tokens."""
        equals, end, mark, colon = self.signs
        lines = torch.stack(
            [left, torch.full_like(left, equals), right, torch.full_like(left, end)], 2
        )
        asked = torch.stack([torch.full_like(query, mark), query, torch.full_like(query, colon)], 1)
        return torch.cat([lines.flatten(1), asked], 1)


def left_at(line: int | Tensor) -> int | Tensor:
    """Where the letter to the left of = stands in that line, counted from 0."""
    return LINE * line


def right_at(line: int | Tensor) -> int | Tensor:
    """Where the letter or digit to the right of = stands in that line, counted from 0."""
    return LINE * line + 2


def lines_in(tokens: Tensor) -> int:
    """How many assignments the programs in `tokens` (sample, step) have."""
    lines, rest = divmod(tokens.shape[1] - QUERY, LINE)
    if rest or lines < 1:
        raise SymscopeError(
            f"{tokens.shape[1]} tokens are no program: 4 for each line and 3 for the query"
        )
    return lines
