"""Addition modulo m, `a b =`: every pair of residues, four in five of them to train on."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.task import IGNORE


@dataclass(frozen=True)
class ModularAddition:
    """a + b modulo `modulus`; the tokens are the residues, and `modulus` itself for "=".

    The share `seen` of all pairs, drawn by `split_seed`, is the training set.

    >>> ModularAddition(7).prompts[9].tolist()
    [1, 2, 7]
    """

    modulus: int = 59
    seen: float = 0.8
    split_seed: int = 0
    length: int = field(default=3, init=False)

    def __post_init__(self) -> None:
        if self.modulus < 2 or not 0 < self.seen < 1:
            raise SymscopeError(
                f"modulus {self.modulus}, {self.seen} of the pairs seen: 2 or more, between 0 and 1"
            )

    @property
    def name(self) -> str:
        """What claims call it."""
        return f"add_mod_{self.modulus}"

    @cached_property
    def prompts(self) -> Tensor:
        """All of them, (modulus², 3), a varying slowest."""
        numbers = torch.arange(self.modulus)
        pairs = torch.cartesian_prod(numbers, numbers)
        return torch.cat([pairs, torch.full((len(pairs), 1), self.modulus)], 1)

    @cached_property
    def trained_on(self) -> Tensor:
        """Which of `prompts` are in the training set, (modulus²,)."""
        generator = torch.Generator().manual_seed(self.split_seed)
        order = torch.randperm(self.modulus**2, generator=generator)
        return order < round(self.seen * len(order))

    def drawn(self, count: int, generator: torch.Generator, split: str = "train") -> Tensor:
        """`count` prompts of the "train" or the "test" split, drawn with replacement."""
        if split not in ("train", "test"):
            raise UnknownName("split", split, ("train", "test"))
        of_split = self.prompts[self.trained_on == (split == "train")]
        return of_split[torch.randint(len(of_split), (count,), generator=generator)]

    def correct(self, inputs: Tensor) -> Tensor:
        """The sum at the last step, `IGNORE` before, (sample, 3)."""
        target = torch.full_like(inputs, IGNORE)
        target[:, -1] = (inputs[:, 0] + inputs[:, 1]) % self.modulus
        return target

    def floors(self, tokens: Tensor) -> dict[str, float]:
        """How often chance is right."""
        return {"chance": 1 / self.modulus}
