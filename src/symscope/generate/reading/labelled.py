"""Networks whose algorithm is known, and networks that follow none, for fitting and for testing."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from symscope.generate.by_hand import by_hand
from symscope.generate.reading.drawn import draw
from symscope.generate.reading.formula_network import ALGORITHMS
from symscope.generate.reading.interventions import shuffled
from symscope.generate.reading.one_layer import one_layer
from symscope.models.perceptron import Weights
from symscope.tasks.functions import Function, function

NONE = ("mixed", "shuffled", "gaussian", "zero")
"""Kinds of networks that follow none of the algorithms."""
SIZES = ((4, 8, 1), (4, 16, 1), (8, 16, 1), (8, 24, 1), (8, 32, 1), (16, 32, 1), (16, 48, 1))
NOISE = 0.05, 0.3
"""Of the first layer's entries, as a share of their root mean square, uniform."""


class Labelled(NamedTuple):
    """A network of a kind, with the function that it computes, if any."""

    kind: str
    weights: Weights
    task: Function
    seed: int


def labelled(kinds: tuple[str, ...], count: int, seed: int) -> Iterator[Labelled]:
    """`count` networks of each kind, of the sizes and noise above; other seeds, other networks.

    Kinds are the algorithms, of which a pudding has its sign, and those in `NONE`.
    """
    for kind in kinds:
        for number in range(count):
            own = 100_000 * seed + number
            rng = np.random.default_rng((own, sum(map(ord, kind))))
            sizes = SIZES[number % len(SIZES)]
            noise = float(rng.uniform(*NOISE))
            weights = _network(kind, sizes, int(rng.integers(2**31)), noise)
            yield Labelled(kind, weights, function("l1_norm", sizes[0]), own)


def _network(kind: str, sizes: tuple[int, ...], seed: int, noise: float) -> Weights:
    rng = np.random.default_rng(seed)
    if kind == "mixed":
        pudding = "pudding_positive" if rng.random() < 0.5 else "pudding_negative"
        first, second = (by_hand(a, sizes, seed, noise) for a in ("double_sided", pudding))
        return half_and_half(first, second, seed)
    if kind == "shuffled":
        return shuffled(by_hand(ALGORITHMS[seed % 4], sizes, seed, noise), seed)
    if kind in ("gaussian", "zero"):
        generator = torch.Generator().manual_seed(seed)
        inputs, units, _ = sizes
        size = float(np.exp(rng.uniform(-1, 2))) * (kind == "gaussian")
        drawn = (size * torch.randn(*shape, generator=generator) / shape[0] ** 0.5
                 for shape in ((inputs, units), (units, 1), (1, units), (1, 1)))  # fmt: skip
        first, last, bias, offset = drawn
        return Weights((first, last), (bias[0], offset[0]))
    return by_hand(kind, sizes, seed, noise)


def half_and_half(first: Weights, second: Weights, seed: int = 0) -> Weights:
    """A network that treats half of the inputs as `first` does and the others as `second` does.

    Which half, the seed decides. Both networks stand side by side, each blind to the other's
    inputs; units that see nothing are left out, and the output's mean is that of the L1 norm.
    """
    pair = [one_layer(first), one_layer(second)]
    inputs = pair[0].inputs
    half = np.random.default_rng(seed).permutation(inputs) < inputs // 2
    blind = [layer.first * seen[:, None] for layer, seen in zip(pair, (half, ~half), strict=True)]
    kept = [matrix.any(0) for matrix in blind]
    columns = [m[:, k] for m, k in zip(blind, kept, strict=True)]
    bias, last = (
        np.concatenate([part[k] for part, k in zip(parts, kept, strict=True)])
        for parts in ([a.bias for a in pair], [a.last for a in pair])
    )
    drawn = draw(function("l1_norm", inputs), inputs, seed, 4096)
    joined = pair[0]._replace(first=np.hstack(columns), bias=bias, last=last, offset=0.0)
    offset = np.array([(drawn.target - joined.run(drawn.x)).mean()])
    parts = (joined.first, joined.last[:, None], bias, offset)
    matrix, readout, shift, constant = (torch.from_numpy(part).float() for part in parts)
    return Weights((matrix, readout), (shift, constant))
