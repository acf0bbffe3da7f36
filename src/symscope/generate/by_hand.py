"""Perceptrons for the L1 norm that are written by hand: networks whose algorithm is known.

The algorithms are the three of Liao, Liu and Tegmark (2023), arXiv 2312.03051; how a network of a
given size is filled is our choice, and as varied as may be: they are the labelled examples from
which the boundaries between algorithms are fitted.

A network is a `Blueprint`, units that belong to the parts of the algorithm; spare units double
some of them or are small and mixed, all are shuffled, and noise is added. What is fitted in the end
by least squares is only one factor for each part, drawn towards 1, and the output bias: output
weights that are free would mend noise by an algorithm of their own.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.models.perceptron import ACTIVATIONS, Weights, checked_sizes
from symscope.tasks.functions import Function, l1_norm

GAINS = 2.0, 8.0
"""Of the units: log-uniform for a network, from which each unit's strays by a fifth or so."""
_LENGTHS = 0.5, 4.0
"""Of a convexity network's directions, log-uniform; with SiLU, longer ones make it less round."""
_STRAY = 0.2
_MOST_COPIES = 3
_SMALL = 0.1
"""Entries of a spare mixed unit, as a share of the root mean square of the others'."""
_FAINT = 0.03
"""Its output weights, as a share of the others' median."""
_FIT_ON = 4096
_RIDGE = 1e-3
"""Of the parts' factors; a part adds a few hundredths to the variance, so they are little held."""
_SPARE = -1
"""The part of units that belong to no part."""


class Blueprint(NamedTuple):
    """Hidden units in columns: `matrix` (in, units), `bias` (units,), `output` (units, out).

    `part` (units,) numbers the terms of the algorithm that the units are of.
    """

    matrix: Tensor
    bias: Tensor
    output: Tensor
    part: Tensor

    def columns(self, index: Tensor) -> "Blueprint":
        """Some of the units."""
        return Blueprint(
            self.matrix[:, index], self.bias[index], self.output[index], self.part[index]
        )


Design = Callable[[int, int, torch.Generator], Blueprint]
"""(inputs, hidden units there are, generator) → a blueprint of at most as many units."""


def by_hand(
    algorithm: str, sizes: tuple[int, ...], seed: int, noise: float = 0.0, activation: str = "silu"
) -> Weights:
    """A network of `sizes` (n, h, 1) that computes the standardised L1 norm by `algorithm`.

    "double_sided" takes 2n units or more; "pudding", of a sign that the seed decides, n + 1, as do
    "pudding_positive", where +Σx_i stands beside kinks at negative inputs (the program "pudding"),
    and "pudding_negative", its mirror; "convexity" n + 1. `noise` is that of the first layer, see
    `written`. Raises `SymscopeError` where units do not suffice, and on other shapes.
    """
    if algorithm not in DESIGNS:
        raise UnknownName("algorithm", algorithm, DESIGNS)
    found = checked_sizes(sizes)
    if len(found) != 3 or found[2] != 1:
        raise SymscopeError(f"sizes {found}: the L1 norm by hand is written as (inputs, hidden, 1)")
    return written(DESIGNS[algorithm], l1_norm(found[0]), found[1], seed, noise, activation)


def written(
    design: Design, task: Function, hidden: int, seed: int, noise: float, activation: str
) -> Weights:
    """The network of a design: spare units filled, units shuffled, noise added, parts fitted.

    Every entry of a unit's column and its bias get noise · rms · N(0, 1), with the root mean square
    of the column's entries. In half of all networks the entries, not the bias, get an offset too,
    noise · rms · o, where o is one number for the network, uniform on ±½: trained hypernetworks
    leave such offsets.
    """
    if activation not in ACTIVATIONS:
        raise UnknownName("activation", activation, ACTIVATIONS)
    if not 0 <= noise < math.inf:
        raise SymscopeError(f"noise {noise}: 0 or more, as a share of the entries' size")
    generator = torch.Generator().manual_seed(seed)
    units = _filled(design(task.inputs, hidden, generator), hidden, generator)
    units = units.columns(torch.randperm(hidden, generator=generator))
    units = _noisy(units, noise, generator)
    output, bias = _fitted(units, task, activation, generator)
    return Weights((units.matrix.float(), output.float()), (units.bias.float(), bias.float()))


def enough(needed: int, hidden: int, what: str) -> None:
    """Raises `SymscopeError` where `what` cannot be written with so few units."""
    if hidden < needed:
        raise SymscopeError(f"{hidden} hidden units: {what} takes {needed} or more")


def gains(count: int, generator: torch.Generator) -> Tensor:
    """Positive factors, (count,), around one that is drawn from `GAINS`."""
    stray = (_STRAY * _normal(generator, count)).exp()
    return (_log_uniform(GAINS, generator) * stray).clamp(*GAINS)


def kinks(directions: Tensor, slopes: Tensor, thresholds: Tensor, gain: Tensor) -> Blueprint:
    """slope · max(direction · x − threshold, 0), each a part of its own, one unit each.

    Directions are columns (in, units); slopes are (units, out). `gain` changes nothing with ReLU.
    """
    part = torch.arange(directions.shape[1])
    return Blueprint(directions * gain, -thresholds * gain, slopes / gain[:, None], part)


def _double_sided(inputs: int, hidden: int, generator: torch.Generator) -> Blueprint:
    enough(2 * inputs, hidden, f"double_sided of {inputs} inputs, two for each,")
    sides = torch.cat([torch.eye(inputs), -torch.eye(inputs)], 1).double()
    slopes = torch.full((2 * inputs, 1), 1 / _spread(inputs)).double()
    return kinks(sides, slopes, torch.zeros(2 * inputs), gains(2 * inputs, generator))


def _pudding(sign: int) -> Design:
    """2 Σ max(−sign · x_i, 0) + sign · Σ x_i; a random sign where it is 0."""

    def design(inputs: int, hidden: int, generator: torch.Generator) -> Blueprint:
        enough(inputs + 1, hidden, f"pudding of {inputs} inputs, one for each and a linear one,")
        side = sign or 2 * _integer(0, 1, generator) - 1
        slopes = torch.full((inputs, 1), 2 / _spread(inputs)).double()
        owners = kinks(-side * torch.eye(inputs).double(), slopes, torch.zeros(inputs),
                       gains(inputs, generator))  # fmt: skip
        rest = _linear(side / _spread(inputs), inputs, hidden - inputs, generator)
        return Blueprint(*(torch.cat(pair, dim=1 if i == 0 else 0)
                           for i, pair in enumerate(zip(owners, rest, strict=True))))  # fmt: skip

    return design


def _linear(slope: float, inputs: int, most: int, generator: torch.Generator) -> Blueprint:
    """One to `most` units, slope · Σ x_i together, each with a large bias.

    Their directions are random, then moved as little as it takes for the sum to be right.
    """
    count = _integer(1, most, generator)
    size = float(_log_uniform((0.1, 0.6), generator))
    matrix = size * (0.5 + torch.rand(inputs, count, generator=generator, dtype=torch.double))
    matrix = matrix * (1 - 2 * torch.randint(2, (count,), generator=generator))
    matrix = matrix + 0.3 * size * _normal(generator, inputs, count)
    output = slope * matrix.mean(0) / matrix.mean(0).square().sum()
    matrix = matrix + (slope - matrix @ output)[:, None] * output / output.square().sum()
    bias = (3 + 2 * torch.rand(count, generator=generator)) * (1 + matrix.norm(dim=0))
    return Blueprint(matrix, bias, output[:, None], inputs + torch.arange(count))


def _convexity(inputs: int, hidden: int, generator: torch.Generator) -> Blueprint:
    """const · Σ_j max(w_j · x, 0) over all units, in directions that add up to 0.

    They are independent or, in half of all networks, random bases; then opposites, in a quarter of
    those that can; then made to favour no direction: Σ w_j w_jᵀ is a multiple of the identity.
    """
    enough(inputs + 1, hidden, f"convexity of {inputs} inputs, which its directions enclose,")
    bases, opposite = _integer(0, 1, generator), _integer(0, 3, generator)
    opposite = opposite == 0 and hidden % 2 == 0 and hidden >= 2 * inputs
    drawn = _normal(generator, -(-hidden // inputs), inputs, inputs)
    drawn = torch.linalg.qr(drawn).Q if bases and inputs > 1 else drawn
    matrix = drawn.flatten(0, 1).T[:, : hidden // 2 if opposite else hidden]
    matrix = torch.cat([matrix, -matrix], 1) if opposite else matrix
    matrix = matrix - matrix.mean(1, keepdim=True)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    matrix = left @ right
    length = float(matrix.norm(dim=0).mean())
    gain = float(_log_uniform(_LENGTHS, generator)) / length
    # E max(w · x, 0) is |w|/√(2π), and E|x_i| is √(2/π)
    each = 2 * inputs / (gain * float(matrix.norm(dim=0).sum())) / _spread(inputs)
    output = torch.full((hidden, 1), each).double()
    return Blueprint(matrix * gain, torch.zeros(hidden), output, torch.arange(hidden))


def _filled(units: Blueprint, hidden: int, generator: torch.Generator) -> Blueprint:
    """As many units as `hidden`: some are doubled or trebled, the others small and mixed."""
    present = units.matrix.shape[1]
    wanted = float(torch.rand((), generator=generator)) * (hidden - present + 1)
    slots = torch.arange(present).repeat(_MOST_COPIES - 1)
    chosen = slots[torch.randperm(len(slots), generator=generator)[: int(wanted)]]
    index = torch.cat([torch.arange(present), chosen])
    copies = torch.bincount(index, minlength=present).double()
    stray = torch.ones(len(index)).double()
    stray[present:] = (_STRAY * _normal(generator, len(chosen))).exp()
    drawn = units.columns(index)
    scaled = Blueprint(
        drawn.matrix * stray, drawn.bias * stray, drawn.output / (stray * copies[index])[:, None],
        drawn.part,
    )  # fmt: skip
    return _with_mixed(scaled, hidden - len(index), generator)


def _with_mixed(units: Blueprint, count: int, generator: torch.Generator) -> Blueprint:
    """`count` more units, of small entries of either sign and small output weights."""
    rms = _SMALL * units.matrix.square().mean().sqrt()
    typical = _FAINT * units.output.abs().median()
    return Blueprint(
        torch.cat([units.matrix, rms * _normal(generator, len(units.matrix), count)], 1),
        torch.cat([units.bias, rms * _normal(generator, count)]),
        torch.cat([units.output, typical * _normal(generator, count, units.output.shape[1])]),
        torch.cat([units.part, torch.full((count,), _SPARE)]),
    )


def _noisy(units: Blueprint, noise: float, generator: torch.Generator) -> Blueprint:
    """See `written`."""
    size = noise * units.matrix.square().mean(0).sqrt()
    offset = float(torch.rand((), generator=generator) - 0.5) * _integer(0, 1, generator)
    return units._replace(
        matrix=units.matrix + size * (_normal(generator, *units.matrix.shape) + offset),
        bias=units.bias + size * _normal(generator, len(units.bias)),
    )


def _fitted(
    units: Blueprint, task: Function, activation: str, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Output weights and biases: one factor for each part and output, by ridge regression."""
    inputs = task.sample(_FIT_ON, generator).double()
    hidden = ACTIVATIONS[activation](inputs @ units.matrix + units.bias)
    terms = hidden[:, :, None] * units.output
    belongs = torch.nn.functional.one_hot(units.part + 1).double()
    sums = torch.einsum("bho,hp->obp", terms, belongs)
    left = (task.correct(inputs).T - sums.sum(2))[:, :, None]
    seen = sums[:, :, 1:] - sums[:, :, 1:].mean(1, keepdim=True)
    gram = seen.mT @ seen / _FIT_ON + _RIDGE * torch.eye(seen.shape[2])
    change = torch.linalg.solve(gram, seen.mT @ (left - left.mean(1, keepdim=True)) / _FIT_ON)
    factors = torch.cat([torch.ones(len(sums), 1), 1 + change[:, :, 0]], 1).T
    output = units.output * factors[units.part + 1]
    return output, (task.correct(inputs) - hidden @ output).mean(0)


def _spread(inputs: int) -> float:
    return float(l1_norm(inputs).scale)


def _integer(low: int, high: int, generator: torch.Generator) -> int:
    """From `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def _log_uniform(limits: tuple[float, float], generator: torch.Generator) -> Tensor:
    low, high = map(math.log, limits)
    return (low + (high - low) * torch.rand((), generator=generator, dtype=torch.double)).exp()


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.double)


DESIGNS: Mapping[str, Design] = {
    "double_sided": _double_sided, "pudding": _pudding(0), "convexity": _convexity,
    "pudding_positive": _pudding(1), "pudding_negative": _pudding(-1),
}  # fmt: skip
ALGORITHMS = ("double_sided", "pudding", "convexity")
"""The published ones; of pudding there are two signs."""
