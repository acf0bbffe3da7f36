"""Which frequencies over the residues modulo p does a network use?

After Nanda et al. (2023): an embedding of the numbers 0 to p − 1 is a set of functions on them, and
so is a neuron's map over both operands; those of a network that adds modulo p are few waves.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.features.geometry.cloud import finite

PERMUTATIONS, LEVEL, ROUNDING = 200, 0.99, 1e-12


def power_spectrum(table: Tensor) -> Tensor:
    """The share of the variance at each frequency, (p // 2 + 1,), of numbers (p, width).

    Frequency 0, the mean, is left out of the variance and has share 0.
    """
    power = np.abs(np.fft.rfft(finite(table), axis=0)) ** 2
    whole, power[0] = power.sum(), 0
    if len(table) % 2:
        power[1:] *= 2  # each stands for its negative too
    else:
        power[1:-1] *= 2
    if not power.sum() > ROUNDING * whole:
        raise SymscopeError("all numbers have the same vector: there is no frequency")
    return torch.from_numpy(power.sum(1) / power.sum())


def key_frequencies(table: Tensor, level: float = LEVEL, seed: int = 0) -> tuple[int, ...]:
    """Frequencies with more power than any would have by chance, the strongest first.

    Chance is the same vectors for other numbers: of 200 permutations of the rows, the largest share
    at any frequency; its quantile `level` has to be passed. An untrained embedding has none, but
    for one in 1 / (1 − level).
    """
    share = power_spectrum(table)
    order = np.random.default_rng(seed)
    most = [float(power_spectrum(table[order.permutation(len(table))]).max())
            for _ in range(PERMUTATIONS)]  # fmt: skip
    floor = float(np.quantile(most, level))
    return tuple(int(k) for k in share.argsort(descending=True) if float(share[k]) > floor)


def map_spectrum(maps: Tensor) -> Tensor:
    """The share of the variance of maps (map, a, b) at each pair of frequencies, (map, p, p).

    Over the operands a and b modulo p, as complex waves: (k, 0) and (p − k, 0) are waves in a, and
    (k, k) those in the sum.
    """
    _square(maps)
    power = torch.fft.fft2(maps.detach().cpu().double()).abs().square()
    whole = power.sum((1, 2), keepdim=True)
    power[:, 0, 0] = 0
    varies = power.sum((1, 2), keepdim=True)
    return torch.where(varies > ROUNDING * whole, power / varies, 0.0)


def frequency_of_maps(maps: Tensor) -> tuple[Tensor, Tensor]:
    """For each map (map, a, b) the frequency that explains most of it, and that share, (map,).

    A frequency k explains what products of 1, cos ka, sin ka with 1, cos kb, sin kb say. Maps that
    are the same everywhere have a share of 0.
    """
    power = map_spectrum(maps)
    size = power.shape[1]
    shares = []
    for k in range(1, size // 2 + 1):
        both = sorted({k, size - k})
        rows = torch.tensor([0, *both])
        shares.append(power[:, rows][:, :, rows].sum((1, 2)))
    share, which = torch.stack(shares, 1).max(1)
    return which + 1, share


def with_frequencies(table: Tensor, frequencies: Sequence[int], keep: bool = True) -> Tensor:
    """The numbers' vectors (p, width) with only these frequencies, or with all others.

    The mean is kept in both. Raises `SymscopeError` for a frequency that p numbers do not have.
    """
    size = len(table)
    wrong = [k for k in frequencies if not 1 <= k <= size // 2]
    if wrong:
        raise SymscopeError(f"frequency {wrong[0]} of {size} numbers: 1 to {size // 2} there are")
    waves = torch.fft.rfft(torch.from_numpy(finite(table)), dim=0)
    chosen = torch.zeros(len(waves), dtype=torch.bool)
    chosen[list(frequencies)] = True
    mask = chosen if keep else ~chosen
    mask[0] = True
    return torch.fft.irfft(waves * mask[:, None], n=size, dim=0).to(table.dtype)


def _square(maps: Tensor) -> None:
    if maps.dim() != 3 or maps.shape[1] != maps.shape[2]:
        raise SymscopeError(f"maps are (map, p, p) over both operands, not {tuple(maps.shape)}")
