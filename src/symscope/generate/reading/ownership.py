"""Which hidden unit belongs to which input, with which sign, and how large a kink it makes there.

A unit belongs to an input whose weight is more than twice its second largest. Our choice beyond
that: a unit that hardly reaches the output, or that does not bend where the inputs are, owns none,
since such units would otherwise be counted by chance where there are few inputs.
"""

from dataclasses import dataclass

import numpy as np

from symscope.generate.reading.one_layer import OneLayer, one_layer
from symscope.models.perceptron import Weights

DOMINANCE = 2.0
"""How many times its second largest weight a unit's largest has to be."""
FAINT = 0.05
"""The share of the largest |W_ij| |w₂_j| below which a unit does not count."""
BENT = 2.0
"""How far from 0, in standard deviations of the input, a unit may bend and still own it."""
MOST = 0.8
"""What share of the inputs is "most of them"."""


@dataclass(frozen=True)
class Owners:
    """For each unit the input that it belongs to, or −1, and the sign of that weight, or 0.

    All are (units,). `path` is w₂_j |W_ij|, the slope that the unit adds on its side of the kink:
    negative where it takes away; 0 where it owns nothing.
    """

    inputs: int
    owned: np.ndarray
    sign: np.ndarray
    path: np.ndarray

    def units(self, index: int, sign: int) -> np.ndarray:
        """The units that belong to input `index` with that sign, as numbers."""
        return np.flatnonzero((self.owned == index) & (self.sign == sign))

    @property
    def any(self) -> np.ndarray:
        """Which units belong to an input, (units,), as a mask."""
        return self.owned >= 0


@dataclass(frozen=True)
class Shares:
    """Shares of the inputs that own units of `both` signs, only `positive`, `negative`, or `none`.

    `twice` and `once` are the shares with two owners or more and with exactly one. `units` is the
    share of hidden units that belong to an input, `against` that of the owners whose output weight
    is negative. `rule` names the algorithm by these shares alone: both signs for at least 80 % of
    the inputs "double_sided", only negative ones "pudding_positive" (its linear part is what is
    positive), only positive ones "pudding_negative"; fewer than 20 % of the units owned
    "convexity"; else "mixed".
    """

    both: float
    positive: float
    negative: float
    none: float
    twice: float
    once: float
    units: float
    against: float
    rule: str


def owners(weights: Weights) -> Owners:
    """Whom the hidden units belong to; raises for any but one hidden layer and one output."""
    return owners_of(one_layer(weights))


def owners_of(layer: OneLayer) -> Owners:
    """The same of a network given as arrays."""
    absolute = np.abs(layer.first)
    units = np.arange(layer.units)
    largest = absolute.argmax(0)
    top = absolute[largest, units]
    second = np.partition(absolute, -2, 0)[-2] if layer.inputs > 1 else np.zeros(layer.units)
    paths = top * np.abs(layer.last)
    owns = (top > DOMINANCE * second) & (paths > FAINT * paths.max(initial=0))
    owns &= np.abs(layer.bias) < BENT * top
    sign = np.sign(layer.first[largest, units]).astype(int)
    return Owners(
        layer.inputs,
        np.where(owns, largest, -1),
        np.where(owns, sign, 0),
        np.where(owns, layer.last * top, 0.0),
    )


def kinks(found: Owners) -> np.ndarray:
    """The slope that the owners of each input add right and left of 0, (input, 2), not below 0.

    The L1 norm times c bends by 2c at each input: (c, c) in a double-sided network, (2c, 0) in a
    pudding of negative sign, whose linear part takes away c, (0, 2c) in one of positive sign.
    """
    slopes = np.zeros((found.inputs, 2))
    owner = found.any
    np.add.at(slopes, (found.owned[owner], (found.sign[owner] < 0) * 1), found.path[owner])
    return slopes.clip(min=0)


def shares(found: Owners) -> Shares:
    """How the units are shared out among the inputs."""
    counts = np.zeros((found.inputs, 2), int)
    owner = found.any
    np.add.at(counts, (found.owned[owner], (found.sign[owner] < 0) * 1), 1)
    right, left, total = counts[:, 0] > 0, counts[:, 1] > 0, counts.sum(1)
    both, positive, negative = (right & left), (right & ~left), (left & ~right)
    named = {
        "double_sided": both, "pudding_positive": negative, "pudding_negative": positive,
    }  # fmt: skip
    rule = next((name for name, held in named.items() if held.mean() >= MOST), "mixed")
    if rule == "mixed" and owner.mean() < 1 - MOST:
        rule = "convexity"
    return Shares(
        float(both.mean()), float(positive.mean()), float(negative.mean()),
        float((total == 0).mean()), float((total > 1).mean()), float((total == 1).mean()),
        float(owner.mean()), float((found.path[owner] < 0).mean()) if owner.any() else 0.0, rule,
    )  # fmt: skip
