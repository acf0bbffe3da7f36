"""Which units, rather than which directions: a mask over the axes, fitted by gradient.

Desiderata-based masking (De Cao et al., 2020; Davies et al., 2023): unit j is swapped to the degree
σ(l_j / T) while T falls from 1 to 0.02, and each swapped unit costs. What is returned swaps the
units with l_j > 0, wholly, or the one with the largest.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.align.descend import DEFAULT, Search, descend
from symscope.align.swap import Swaps
from symscope.alignment import Alignment, Handle
from symscope.featurizer import Mask


class Choice(nn.Module):
    """One number per unit: whether it is swapped."""

    def __init__(self, width: int):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(width))

    def units(self) -> list[int]:
        """The units that are swapped; at least one."""
        chosen = (self.logits > 0).nonzero()[:, 0].tolist()
        return chosen or [int(self.logits.argmax())]

    def mask(self) -> Mask:
        """The same as a featurizer."""
        units = self.units()
        return Mask(len(self.logits), len(units), units).to(self.logits.device)


def masked(
    claim: Alignment, pairs: Swaps, search: Search = DEFAULT, seed: int = 0, cost: float = 0.05,
) -> Alignment:  # fmt: skip
    """The claimed variable in those units of its site that the search leaves it."""
    ((variable, handle),) = claim.handles.items()
    found = Choice(pairs.fit.width)

    def loss(rows: Tensor, done: float) -> Tensor:
        degrees = torch.sigmoid(found.logits / 0.02**done)
        base, source = pairs.fit.base[rows], pairs.fit.source[rows]
        answers = pairs.fit.down.from_vectors(base + (source - base) * degrees, rows)
        wrong = cross_entropy(answers, pairs.fit.target[rows][pairs.fit.scored[rows]])
        return wrong + cost * degrees.mean()

    def score() -> float:
        mask = found.mask()
        return float(pairs.validation.right(mask, range(mask.size)).float().mean())

    descend(found, [(len(pairs.fit), loss)], score, search, seed)
    mask = found.mask()
    return Alignment(claim.program, {variable: Handle(handle.site, mask, tuple(range(mask.size)))})
