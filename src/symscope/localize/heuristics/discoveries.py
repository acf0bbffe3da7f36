"""From which score on is a match more than what any map of this kind would give?

A smooth map always has its strongest prompts together, so the published threshold of 0.6 accepts
maps that are no heuristic. Here each neuron's map is set beside one made from it, as smooth and as
sparse but otherwise random (`alike`): on maps that are random functions of any smoothness, both
score the same. The threshold is the smallest score at which, of all that pass, no more than a given
share would be such maps: a false discovery rate, by counting.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from symscope.evidence import SymscopeError

RATE = 0.05


def alike(maps: Tensor, first: Tensor, second: Tensor, seed: int = 0) -> Tensor:
    """For each map, (map, prompt), one with its power spectrum and its values but other phases.

    The amplitude-adjusted surrogates of Theiler et al. (1992), in two dimensions: the map over
    both operands, mirrored at its edges so that they make no jump, gets random phases, and then
    the map's own values, the largest where the new map is largest. Where there is no prompt the
    map is continued from the prompts nearby: any other value would make an edge that the map does
    not have, and the new map would be rougher than it is.
    """
    grid = _continued(maps, first, second)
    mirrored = torch.cat([grid, grid.flip(1)], 1)
    mirrored = torch.cat([mirrored, mirrored.flip(2)], 2)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.fft.rfft2(torch.randn(mirrored.shape, generator=generator))
    spectrum = torch.fft.rfft2(mirrored).abs() * noise / noise.abs().clamp(min=1e-12)
    found = torch.fft.irfft2(spectrum, s=mirrored.shape[1:])
    return _with_values_of(maps, found[:, first, second])


def _continued(maps: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The maps over all pairs of operands, (map, first, second).

    Ring by ring from the prompts on, each pair without one has the mean of its neighbours so far.
    """
    known = torch.zeros(1, int(first.max()) + 1, int(second.max()) + 1)
    grid = known.repeat(len(maps), 1, 1)
    known[:, first, second], grid[:, first, second] = 1.0, maps

    def around(values: Tensor) -> Tensor:
        return avg_pool2d(values[:, None], 3, 1, padding=1, divisor_override=1)[:, 0]

    while not bool(known.all()):
        count = around(known)
        grid = torch.where(known > 0, grid, around(grid) / count.clamp(min=1))
        known = (count > 0).float()
    return grid


def shuffled(maps: Tensor, first: Tensor, second: Tensor, seed: int = 0) -> Tensor:
    """Each map with the values of the first operand exchanged, and those of the second."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = int(first.max()) + 1, int(second.max()) + 1
    place = torch.full((rows, columns), -1)
    place[first, second] = torch.arange(len(first))
    moved = place[torch.randperm(rows, generator=generator)][:, torch.randperm(
        columns, generator=generator)]  # fmt: skip
    source = moved[first, second]
    absent = source < 0  # where not every pair is a prompt, any other is taken
    source[absent] = torch.randint(len(first), (int(absent.sum()),), generator=generator)
    return maps[:, source]


def _with_values_of(maps: Tensor, order: Tensor) -> Tensor:
    """The values of each map, placed by the ranks of another."""
    ranks = order.argsort(1).argsort(1)
    return maps.sort(1).values.gather(1, ranks)


def threshold(found: Tensor, null: Tensor, rate: float = RATE) -> float:
    """The smallest of the scores `found` from which on at most `rate` are false; inf for none.

    `found` (map,) are the best scores of the neurons' maps, `null` (map,) those of maps that are no
    discovery, NaN where there is none.
    """
    scores = found[found.isfinite()].unique().tolist()
    return next((t for t in scores if false_share(found, null, t) <= rate), float("inf"))


def false_share(found: Tensor, null: Tensor, at: float) -> float:
    """Of those that pass the score `at`, the share that is false: the null's share over theirs.

    1 where none pass. The null's share is counted as if one more of its maps had passed, so that
    few null maps cannot prove much.
    """
    if not len(null):
        raise SymscopeError("a false discovery rate needs maps that are no discovery")
    passing = float((found.nan_to_num(-torch.inf) >= at).float().mean())
    by_chance = (1 + int((null.nan_to_num(-torch.inf) >= at).sum())) / (1 + len(null))
    return min(1.0, by_chance / passing) if passing else 1.0
