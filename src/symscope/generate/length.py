"""How simple are a network's weights? The bits they need at its loss, and counts beside them.

The code is our choice, and the same for every network. Each matrix and each bias is rounded to
multiples of a step of its own, 2^(k/2); the steps grow, where bits are cheapest in loss, until the
loss would be more than 5 % above the network's own. Then, for each, are sent: k; which multiples
occur (Elias gamma codes of their number, of the first, and of the gaps); how often each occurs,
log₂ C(n − 1, d − 1); and their arrangement, log₂ n!/∏nᵢ!. Nothing is trained again, and hidden
units are not scaled before, since a SiLU has no such freedom. That the order of the units is free,
worth log₂ h!, is left out: it is the same for all networks of a size.

Two other counts need no code: how many weights are needed, when the least important ones are set to
0, and how many different values, when those that lie together become one.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.generate.baselines import Regression, loss_of
from symscope.models.perceptron import Weights

TOLERANCE, SAMPLES = 0.05, 8192
EXACT = 1e-6
"""A smaller loss, as of a function of few inputs learned by heart, counts as this."""
_FINEST = 12
"""Rounding starts with steps of this many octaves below the largest number."""
_AHEAD = 3
"""By so many half-octaves a step may grow at once: a somewhat coarser one can be the better."""
_STEP_BITS = 8
_OWNED = 2.0
_CHUNK = 64


@dataclass(frozen=True)
class Length:
    """`bits` in all and `per_weight`; the loss before and `after` rounding, on fresh inputs.

    `nonzero` and `levels` count the weights that are not 0 and the different values of the rounded
    matrices; `rounded` are the weights that the bits describe.
    """

    bits: float
    per_weight: float
    nonzero: int
    levels: int
    loss: float
    after: float
    rounded: Weights


@dataclass(frozen=True)
class Selectivity:
    """How the units of the first hidden layer read the inputs, over the units that are `used`.

    `owned` is the share that reads one input (its largest weight is more than twice the second),
    `second` the median of second largest over largest, and `participation` the mean number of
    inputs, (Σw²)²/Σw⁴, that a unit reads.
    """

    used: int
    owned: float
    second: float
    participation: float


class Tolerated:
    """The losses of a network's variants, and the one that is still tolerated."""

    def __init__(
        self, weights: Weights, task: Regression, tolerance: float, seed: int, activation: str
    ):
        if weights.matrices[0].dim() != 2:
            raise SymscopeError("one network at a time: choose one with .of(index)")
        self.inputs = task.sample(SAMPLES, torch.Generator().manual_seed(seed))
        self.outputs, self.activation = task.correct(self.inputs), activation
        self.own = float(self.losses(weights))
        if not math.isfinite(self.own):
            raise ComputationFailed(f"the network's loss is {self.own}")
        self.most = (1 + tolerance) * max(self.own, EXACT)

    def losses(self, weights: Weights) -> Tensor:
        """Mean squared errors, (…)."""
        with torch.no_grad():
            found = weights.run(self.inputs, self.activation)
            return (found - self.outputs).square().mean((-2, -1))


def description_length(
    weights: Weights, task: Regression, tolerance: float = TOLERANCE, seed: int = 0,
    activation: str = "silu",
) -> Length:  # fmt: skip
    """The bits that the weights need where the loss may rise by `tolerance`, relatively.

    Raises `SymscopeError` for weights of several networks, `ComputationFailed` for a loss of NaN.
    """
    allowed = Tolerated(weights, task, tolerance, seed, activation)
    parts = [*weights.matrices, *weights.biases]
    steps = [_finest(part) for part in parts]
    best, bits = steps, _bits(parts, steps)
    while (coarser := _coarsened(weights, steps, allowed)) is not None:
        steps = coarser
        if (found := _bits(parts, steps)) < bits:
            best, bits = steps, found
    rounded = _rounded(weights, best)
    values = torch.cat([m.flatten() for m in rounded.matrices])
    return Length(
        bits, bits / sum(p.numel() for p in parts), int((values != 0).sum()),
        sum(len(m.unique()) for m in rounded.matrices),
        float(loss_of(weights, task, activation)), float(loss_of(rounded, task, activation)),
        rounded,
    )  # fmt: skip


def weights_needed(
    weights: Weights, task: Regression, tolerance: float = TOLERANCE, seed: int = 0,
    activation: str = "silu",
) -> int:  # fmt: skip
    """How many weights are left when the least important are 0 and the loss rises by `tolerance`.

    Important is what raises the loss when it alone is set to 0. Nothing is trained again.
    """
    allowed = Tolerated(weights, task, tolerance, seed, activation)
    flat = torch.cat([m.flatten() for m in weights.matrices])
    count = len(flat)

    def losses(keeps: Tensor) -> Tensor:
        found = []
        for rows in keeps.split(_CHUNK):
            kept = (flat * rows).split([m.numel() for m in weights.matrices], -1)
            matrices = tuple(
                k.view(-1, *m.shape) for k, m in zip(kept, weights.matrices, strict=True)
            )
            biases = tuple(b.expand(len(rows), -1) for b in weights.biases)
            found.append(allowed.losses(Weights(matrices, biases)))
        return torch.cat(found)

    order = losses(~torch.eye(count, dtype=torch.bool)).argsort(stable=True)
    place = torch.empty(count, dtype=torch.long).scatter_(0, order, torch.arange(count))
    left_out = torch.arange(count + 1)
    fine = (losses(place >= left_out[:, None]) <= allowed.most).nonzero()
    return count - int(fine.max())


def values_needed(
    weights: Weights, task: Regression, tolerance: float = TOLERANCE, seed: int = 0,
    activation: str = "silu",
) -> int:  # fmt: skip
    """The least number of values per matrix for which the loss rises by at most `tolerance`.

    Values are merged into clusters (Ward, 1963) and become their cluster's mean; biases stay.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    allowed = Tolerated(weights, task, tolerance, seed, activation)
    flats = [m.flatten().double().numpy() for m in weights.matrices]
    trees = [linkage(f[:, None], "ward") if len(f) > 1 else None for f in flats]
    for number in range(1, max(map(len, flats)) + 1):
        merged = []
        for matrix, flat, tree in zip(weights.matrices, flats, trees, strict=True):
            labels = np.zeros(1, int) if tree is None else fcluster(tree, number, "maxclust") - 1
            means = np.bincount(labels, flat) / np.bincount(labels)
            merged.append(torch.as_tensor(means[labels]).to(matrix).view_as(matrix))
        if float(allowed.losses(Weights(tuple(merged), weights.biases))) <= allowed.most:
            return number
    return max(map(len, flats))


def selectivity(weights: Weights) -> Selectivity:
    """How the first hidden layer's units read the inputs; needs no hypothesis about the algorithm.

    A unit is used if |incoming| · |outgoing| is at least 1 % of the largest such product.
    """
    into, out = weights.matrices[0], weights.matrices[1]
    strength = into.norm(dim=0) * out.norm(dim=1)
    used = (strength > 0) & (strength >= 0.01 * strength.max())
    if not bool(used.any()):
        return Selectivity(0, 0.0, 0.0, 0.0)
    sizes = into[:, used].abs().sort(dim=0, descending=True).values
    second = sizes[1] / sizes[0] if len(sizes) > 1 else torch.zeros_like(sizes[0])
    squares = sizes.square()
    spread = squares.sum(0).square() / squares.square().sum(0)
    owned = (second * _OWNED < 1).float().mean()
    return Selectivity(int(used.sum()), float(owned), float(second.median()), float(spread.mean()))


def code_length(levels: Tensor) -> float:
    """The bits of whole numbers: which occur, how often each, and in which arrangement.

    >>> code_length(torch.zeros(64))  # one number, 64 times
    2.0
    >>> round(code_length(torch.arange(64) % 2), 1)  # 5 for the table, 6 for the counts, 60.7
    71.6
    """
    found, counts = levels.long().flatten().unique(return_counts=True)
    n, d = levels.numel(), len(found)
    first = int(found[0])
    table = _gamma(d) + _gamma(2 * abs(first) + (first < 0) + (first == 0))
    table += sum(_gamma(int(gap)) for gap in found.diff())
    orders = math.lgamma(n + 1) - sum(math.lgamma(int(c) + 1) for c in counts)
    return table + math.log2(math.comb(n - 1, d - 1)) + orders / math.log(2)


def _gamma(number: int) -> int:
    """The bits of the Elias gamma code of a number of at least 1."""
    return 2 * (number.bit_length() - 1) + 1


def _finest(part: Tensor) -> int:
    largest = float(part.abs().max())
    return math.floor(2 * math.log2(largest)) - 2 * _FINEST if largest > 0 else 0


def _rounded(weights: Weights, steps: list[int]) -> Weights:
    parts = [*weights.matrices, *weights.biases]
    new = [2 ** (k / 2) * (p / 2 ** (k / 2)).round() for p, k in zip(parts, steps, strict=True)]
    return Weights(tuple(new[: len(weights.matrices)]), tuple(new[len(weights.matrices) :]))


def _bits(parts: list[Tensor], steps: list[int]) -> float:
    return sum(
        _STEP_BITS + code_length((part / 2 ** (k / 2)).round())
        for part, k in zip(parts, steps, strict=True)
    )


def _coarsened(weights: Weights, steps: list[int], allowed: Tolerated) -> list[int] | None:
    """The steps with one of them grown, the one that saves most bits per loss; None if none may."""
    parts = [*weights.matrices, *weights.biases]
    before = float(allowed.losses(_rounded(weights, steps)))
    best, most = None, -math.inf
    for index in range(len(steps)):
        for more in range(1, _AHEAD + 1):
            tried = [k + more * (i == index) for i, k in enumerate(steps)]
            part, old, new = parts[index], steps[index], tried[index]
            if new > _finest(part) + 2 * _FINEST + 3:  # every number is 0 by then
                continue
            loss = float(allowed.losses(_rounded(weights, tried)))
            saved = _bits([part], [old]) - _bits([part], [new])
            worth = saved / max(loss - before, 1e-3 * allowed.most) if saved > 0 else saved - 1e9
            if loss <= allowed.most and worth > most:
                best, most = tried, worth
    return best
