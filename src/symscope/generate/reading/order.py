"""Order parameters: a few numbers of a network's weights by which its algorithm shows.

Liao, Liu and Tegmark (2023, section 3) use three: double-sidedness, strongest connection and seed
dependence. Each has a weak point: the first hangs on one input and divides by a median that
vanishes where W is sparse; the second changes when weights move from one layer to the other; the
third calls a network with its units renumbered another one. Beside each stands a repaired one,
which is our choice. Only the first layer's weights W (inputs, units) and, where said, the last
layer's w₂ (units,) enter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from symscope.evidence import SymscopeError
from symscope.generate.reading.one_layer import one_layer
from symscope.models.perceptron import Weights


@dataclass(frozen=True)
class Order:
    """The order parameters of one network; None where there is none, and `missing` says why.

    As published: `double_sidedness`, min_i min(−min_j W_ij, max_j W_ij) / median|W|; `strongest`,
    max|W|; `seed_dependence`, |W − V|² / (|W|² + |V|²) with V of the same hypernetwork from another
    sampling seed: 0 where the network is memorised, about 1 where it is drawn independently.

    Repaired: `most_double_sided` takes the 10th percentile over inputs, and divides by the 90th of
    |W|; `strongest_path` is max_ij |W_ij| |w₂_j|, in units of the output per unit of an input;
    `matched_dependence` is the seed dependence after V's units are renumbered so that it is least.
    """

    double_sidedness: float | None
    most_double_sided: float | None
    strongest: float
    strongest_path: float
    seed_dependence: float | None
    matched_dependence: float | None
    missing: Mapping[str, str]


def order_parameters(weights: Weights, other: Weights | None = None) -> Order:
    """The order parameters of `weights`; `other` is the network of a second sampling seed.

    Raises `SymscopeError` where a network is no perceptron of one hidden layer and one output, or
    where the two have different sizes.
    """
    layer = one_layer(weights)
    absolute = np.abs(layer.first)
    sides = np.minimum(-layer.first.min(1), layer.first.max(1))
    missing: dict[str, str] = {}

    def shown(name: str, above: float, below: float, why: str) -> float | None:
        if below > 0:
            return float(above / below)
        missing[name] = why
        return None

    zero = not absolute.any()
    raw, matched = _dependence(weights, other, missing)
    return Order(
        shown("double_sidedness", sides.min(), float(np.median(absolute)),
              "all weights are 0" if zero else "the median of |W| is 0"),
        shown("most_double_sided", float(np.quantile(sides, 0.1)),
              float(np.quantile(absolute, 0.9)),
              "all weights are 0" if zero else "the 90th percentile of |W| is 0"),
        float(absolute.max()), float((absolute * np.abs(layer.last)).max()), raw, matched, missing,
    )  # fmt: skip


def seed_dependence(weights: Weights, other: Weights) -> tuple[float, float] | None:
    """|W − V|² / (|W|² + |V|²) as published, and least over all orders of V's units.

    The order is found by the Hungarian method. None where all weights are 0.
    """
    first, second = one_layer(weights).first, one_layer(other).first
    if first.shape != second.shape:
        raise SymscopeError(
            f"networks of sizes {weights.sizes} and {other.sizes}: seed dependence compares two of"
            " the same sizes"
        )
    total = (first**2).sum() + (second**2).sum()
    if total == 0:
        return None
    costs = cdist(first.T, second.T, "sqeuclidean")
    matched = costs[linear_sum_assignment(costs)].sum()
    return float(((first - second) ** 2).sum() / total), float(matched / total)


def _dependence(
    weights: Weights, other: Weights | None, missing: dict[str, str]
) -> tuple[float | None, float | None]:
    found = None if other is None else seed_dependence(weights, other)
    if found is None:
        why = "one sampling seed: give a second network" if other is None else "all weights are 0"
        missing.update(dict.fromkeys(("seed_dependence", "matched_dependence"), why))
        return None, None
    return found
