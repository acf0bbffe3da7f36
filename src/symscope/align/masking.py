"""Which units, rather than which directions: a mask over the axes, fitted by gradient.

Desiderata-based masking (De Cao et al., 2020; Davies et al., 2023): unit j is swapped to the degree
σ(l_j / T) while T falls from 1 to 0.02, and each swapped unit costs. What is returned swaps the
units with l_j > 0, wholly, or the one with the largest.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.align.descend import DEFAULT, Search, descend
from symscope.align.swap import Swap
from symscope.alignment import Alignment, Handle
from symscope.featurizer import Mask
from symscope.site import Site


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
    program: str, variable: str, site: Site, fit: Swap, validation: Swap,
    search: Search = DEFAULT, seed: int = 0, cost: float = 0.05,
) -> Alignment:  # fmt: skip
    """The variable in those units of the site that the search leaves it."""
    found = Choice(fit.width)

    def loss(rows: Tensor, done: float) -> Tensor:
        degrees = torch.sigmoid(found.logits / 0.02**done)
        base, source = fit.base[rows], fit.source[rows]
        answers = fit.down.from_vectors(base + (source - base) * degrees, rows)
        wrong = cross_entropy(answers, fit.target[rows][fit.scored[rows]])
        return wrong + cost * degrees.mean()

    def score() -> float:
        mask = found.mask()
        return float(validation.right(mask, range(mask.size)).float().mean())

    descend(found, [(len(fit), loss)], score, search, seed)
    mask = found.mask()
    return Alignment(program, {variable: Handle(site, mask, tuple(range(mask.size)))})
