"""Do the neurons of a pattern serve the prompts that have it, and others less?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.localize.heuristics.knockout import Bag, silenced
from symscope.network import Network

LEAST = 10
"""Neurons that a pattern has to have, as published."""
BATCH = 2_000


@dataclass(frozen=True)
class Knocked:
    """All neurons of one pattern silenced: what accuracy falls by, with the pattern and without.

    `having` and `others` are (right before, right after, prompts).
    """

    heuristic: int
    neurons: int
    having: tuple[int, int, int]
    others: tuple[int, int, int]

    @property
    def specificity(self) -> float:
        """The fall among the prompts that have the pattern less that among the others."""
        return fall(self.having) - fall(self.others)

    @property
    def error(self) -> float:
        """The standard error of `specificity`, where all prompts were right before silencing."""
        return float(sum(_variance(side) for side in (self.having, self.others)) ** 0.5)


def fall(side: tuple[int, int, int]) -> float:
    """What accuracy falls by, of (right before, right after, prompts)."""
    before, after, count = side
    return (before - after) / max(1, count)


def _variance(side: tuple[int, int, int]) -> float:
    part = abs(fall(side))
    return part * (1 - part) / max(1, side[2])


@torch.no_grad()
def by_pattern(
    network: Network, prompts: Tensor, answers: Tensor, bags: Mapping[int, Bag], has: Tensor,
    least: int = LEAST,
) -> Iterator[Knocked]:  # fmt: skip
    """Every pattern with `least` neurons in all, silenced together at the last step.

    `bags` by layer, `has` (heuristic, prompt). Prompts are all that the caller gives: those with
    the pattern and all others, none of which has it.
    """
    sizes = dict.fromkeys(bags, network.layout.neurons)  # type: ignore[union-attr]
    having = sum((bag.share > 0).sum(0) for bag in bags.values())
    assert isinstance(having, Tensor)
    before = _right(network, prompts, answers, {})
    for h in (having >= least).nonzero()[:, 0].tolist():
        silent = {}
        for layer, bag in bags.items():
            mask = torch.zeros(sizes[layer], dtype=torch.bool)
            mask[bag.neurons[bag.share[:, h] > 0]] = True
            silent[layer] = mask
        after, mine = _right(network, prompts, answers, silent), has[h]
        sides = [(int(before[m].sum()), int(after[m].sum()), int(m.sum())) for m in (mine, ~mine)]
        yield Knocked(h, int(having[h]), sides[0], sides[1])


def _right(
    network: Network, prompts: Tensor, answers: Tensor, silent: Mapping[int, Tensor]
) -> Tensor:
    """Whether each prompt is answered right with neurons (neuron,) of some layers silent."""
    found = []
    for rows in prompts.split(BATCH):
        masks = {layer: m.expand(len(rows), -1) for layer, m in silent.items() if bool(m.any())}
        found.append(silenced(network, rows.to(network.device), masks).argmax(-1).cpu())
    return torch.cat(found) == answers
