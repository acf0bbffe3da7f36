"""Boundless DAS: how many dimensions a variable takes is learned with the rotation.

Wu, Geiger, Icard, Potts and Goodman (2023): coordinate j of a full rotation is swapped to the
degree m_j = σ((b · width − j − ½) / T); the boundary b and the rotation are fitted together while T
falls from width / 4 to 0.1. `cost` · b is added to the loss, so that a dimension has to be worth
it. What is returned swaps the coordinates below the boundary, wholly. Validation is of that form.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.align.descend import DEFAULT, Search, descend
from symscope.align.swap import Swaps
from symscope.alignment import Alignment, Handle
from symscope.featurizer import Rotation

COLDEST = 0.1


class Boundary(nn.Module):
    """A full rotation and the share of its coordinates that are swapped."""

    def __init__(self, width: int, seed: int):
        super().__init__()
        self.rotation = Rotation(width, width, seed)
        self.share = nn.Parameter(torch.tensor(0.5))

    def degrees(self, temperature: float) -> Tensor:
        """To what degree each coordinate is swapped, (width,)."""
        width = self.rotation.width
        edge = self.share * width - torch.arange(width, device=self.share.device) - 0.5
        return torch.sigmoid(edge / temperature)

    def kept(self) -> tuple[int, ...]:
        """The coordinates below the boundary; at least one."""
        width = self.rotation.width
        return tuple(range(max(1, min(width, round(float(self.share.detach()) * width)))))


def boundless(
    claim: Alignment, pairs: Swaps, search: Search = DEFAULT, seed: int = 0, cost: float = 0.1,
) -> Alignment:  # fmt: skip
    """The claimed variable in as many coordinates of its site as the search leaves it."""
    ((variable, handle),) = claim.handles.items()
    found = Boundary(pairs.fit.width, seed).to(pairs.fit.source)
    hottest = pairs.fit.width / 4

    def loss(rows: Tensor, done: float) -> Tensor:
        degrees = found.degrees(hottest * (COLDEST / hottest) ** done)
        axes = found.rotation.axes()
        base, source = pairs.fit.base[rows], pairs.fit.source[rows]
        edited = base + ((source - base) @ axes * degrees) @ axes.T
        answers = pairs.fit.down.from_vectors(edited, rows)
        return (
            cross_entropy(answers, pairs.fit.target[rows][pairs.fit.scored[rows]])
            + cost * found.share
        )

    def score() -> float:
        return float(pairs.validation.right(found.rotation, found.kept()).float().mean())

    descend(found, [(len(pairs.fit), loss)], score, search, seed)
    return Alignment(claim.program, {variable: Handle(handle.site, found.rotation, found.kept())})
