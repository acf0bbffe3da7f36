"""Which curve or surface do the states of a variable lie on: a line, a circle, a helix, a grid?

Each shape is a set of coordinates of the values; the states' principal components are regressed on
them. Shapes are compared where it costs to be flexible: by R² on values left out, and by the length
of a description, L = (N/2) log₂(RSS/N) + (P/2) log₂ N bits (Schwarz, 1978), for N = values ×
components numbers with one variance for all of them, P = (coordinates + 1) × components, and the
states of a value averaged. Constants that are the same for every shape are left out.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.circle import circles
from symscope.features.geometry.cloud import finite, principal
from symscope.features.geometry.held_out import least_squares, leave_one_out

COMPONENTS, SHUFFLES = 5, 5
LEAST = 1e-9
"""A smaller share of the variance left is rounding, and makes a description no shorter."""

Coordinates = Callable[[Tensor, Sequence[float]], Tensor]


def _line(values: Tensor, _: Sequence[float]) -> Tensor:
    return values[:, :1]


def _circle(values: Tensor, periods: Sequence[float]) -> Tensor:
    return circles(values[:, 0], periods[0])


def _helix(values: Tensor, periods: Sequence[float]) -> Tensor:
    return torch.cat([_circle(values, periods), values[:, :1]], 1)


def _torus(values: Tensor, periods: Sequence[float]) -> Tensor:
    return torch.cat([circles(values[:, 0], periods[0]), circles(values[:, -1], periods[-1])], 1)


def _grid(values: Tensor, periods: Sequence[float]) -> Tensor:
    if values.shape[1] > 1:
        return values[:, :2]
    return torch.cat([values // periods[0], values % periods[0]], 1)


CURVES: Mapping[str, Coordinates] = {
    "line": _line, "circle": _circle, "helix": _helix, "torus": _torus, "grid": _grid,
}  # fmt: skip
"""Name → coordinates of values (n, 1 or 2) with their periods.

The torus has a circle of the first and one of the last value, or two of one value with two periods;
the grid has both values, or quotient and remainder of one value by the first period.
"""


def compare_curves(
    states: Tensor, values: Tensor, periods: Sequence[float],
    curves: Sequence[str] = tuple(CURVES), components: int = COMPONENTS,
    claim: str = "geometry.curve", seed: int = 0,
) -> dict[str, Evidence]:  # fmt: skip
    """Curve → R² of the states' principal components on values left out; the shortest comes first.

    `states` are (n, width), `values` (n,) or (n, 2). `config["bits"]` is the length of the
    description less that of one point for all, below 0 where the curve pays; `config["parameters"]`
    its P. Controls: "shuffled", R² when values are exchanged for each other (the mean of five), and
    "in_sample". Raises `UnknownName` for a curve that is not there.
    """
    began = time.monotonic()
    for curve in curves:
        if curve not in CURVES:
            raise UnknownName("curve", curve, CURVES)
    if len(values) != len(states) or not periods:
        raise SymscopeError(f"{len(values)} values of {len(states)} states, periods {periods}")
    points, means = _of_values(states, values)
    mean, axes = principal(means, components)
    y = (means - mean) @ axes.T
    found = {}
    for curve in curves:
        x = CURVES[curve](points, periods)
        errors = leave_one_out(torch.arange(len(y)), y, [x] * len(y))
        shuffled = [_shuffled_r2(x, y, SHUFFLES * seed + i) for i in range(SHUFFLES)]
        slope, offset = least_squares(x, y)
        missed = float((y - x @ slope - offset).square().sum())
        whole = float(y.square().sum())
        low, high = errors.interval(seed)
        found[curve] = Evidence(
            f"{claim}.{curve}", errors.r2, low, high, len(states), "held-out R²",
            {"in_sample": 1 - missed / whole, "shuffled": sum(shuffled) / SHUFFLES},
            seeds=[seed], seconds=time.monotonic() - began,
            config={"bits": description(missed / whole, len(y), y.shape[1], x.shape[1])
                            - description(1.0, len(y), y.shape[1], 0),
                    "parameters": (x.shape[1] + 1) * y.shape[1], "values": len(y),
                    "components": y.shape[1], "periods": list(periods)},
        )  # fmt: skip
    return dict(sorted(found.items(), key=lambda one: one[1].config["bits"]))


def description(left: float, values: int, components: int, coordinates: int) -> float:
    """L in bits, see the top of this file; `left` is the share of the variance that is missed.

    >>> description(0.25, 8, 2, 1) - description(1.0, 8, 2, 0)
    -12.0
    """
    numbers = values * components
    fit = numbers / 2 * math.log2(max(left, LEAST))
    return fit + (coordinates + 1) * components / 2 * math.log2(numbers)


def _of_values(states: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """The different values (value, 1 or 2), and the mean state of each (value, width)."""
    vectors = torch.from_numpy(finite(states))
    table = values.detach().cpu().double()
    table = table[:, None] if table.dim() == 1 else table
    points, which = table.unique(dim=0, return_inverse=True)
    if len(points) < 3:
        raise SymscopeError(f"{len(points)} different values: a curve needs at least three")
    total = vectors.new_zeros(len(points), vectors.shape[1]).index_add(0, which, vectors)
    return points, total / which.bincount()[:, None]


def _shuffled_r2(x: Tensor, y: Tensor, seed: int) -> float:
    mixed = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))]
    return leave_one_out(torch.arange(len(y)), y, [mixed] * len(y)).r2
