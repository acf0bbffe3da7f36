"""A circle in a network's states: where a cyclic variable's angle can be read, and written.

The circular probe of Engels, Liao et al. (ICLR 2025, section 5): with W the top k principal axes of
the states and x₀ their mean, B is the least squares of (cos, sin)(2πfa/m) on W(x − x₀), for one or
more frequencies f. With B = QR, the point that reads as an angle c, of all in the k axes the
nearest to the mean, is x₀ + Wᵀ Q R⁻ᵀ c. Nothing else is taken from the mean: the published code
subtracts x₀'s own share of the plane as well, and so writes another angle than it means to.
"""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.cloud import FewerComponents, finite, principal
from symscope.features.geometry.held_out import (
    least_squares,
    leave_one_out,
    relabelled,
    several,
)

COMPONENTS, SHUFFLES, LEAST = 5, 5, 1e-9


@dataclass(frozen=True, eq=False)
class Circle:
    """(x − mean) Wᵀ QR + offset ≈ the circles of a value.

    `mean` is (width,), `axes` W (k, width), `q` (k, 2f) and `r` (2f, 2f) for f `frequencies` of
    the `period`. `offset` (2f,) is 0 where each value is as common as the others; else it is the
    mean of the circles' points.
    """

    mean: Tensor
    axes: Tensor
    q: Tensor
    r: Tensor
    offset: Tensor
    period: float
    frequencies: tuple[int, ...]

    @property
    def plane(self) -> Tensor:
        """Orthonormal columns that span the circles' planes, (width, 2f)."""
        return self.axes.T @ self.q


def circles(values: Tensor, period: float, frequencies: Sequence[int] = (1,)) -> Tensor:
    """cos and sin of 2π · frequency · value / period, (n, 2 · frequencies), one pair after another.

    >>> circles(torch.tensor([1]), 4).round(decimals=3).tolist()
    [[0.0, 1.0]]
    """
    turns = torch.as_tensor(list(frequencies), dtype=torch.float64) * (2 * torch.pi / period)
    angles = values.detach().cpu().double()[:, None] * turns
    return torch.stack([angles.cos(), angles.sin()], 2).flatten(1)


def fit_circle(
    states: Tensor, values: Tensor, period: float, frequencies: Sequence[int] = (1,),
    components: int = COMPONENTS,
) -> Circle:  # fmt: skip
    """The probe of `values` (n,), which repeat after `period`, in `states` (n, width).

    Raises `SymscopeError` where the variable has fewer than three values, or there are fewer
    components than the circles need (two each), or nothing of a circle; warns `FewerComponents`
    where states span fewer.
    """
    several(values)
    if len(values) != len(states) or not period > 0 or not frequencies:
        raise SymscopeError(
            f"{len(values)} values of period {period} for {len(states)} states, and the"
            f" frequencies {tuple(frequencies)}: one value each, a positive period, a frequency"
        )
    if components < 2 * len(frequencies):
        raise SymscopeError(
            f"{components} components hold no {len(frequencies)} circles: two each, at least"
        )
    mean, axes = principal(states, components)
    if len(axes) < 2 * len(frequencies):
        raise SymscopeError(f"the states span {len(axes)} directions, and a circle needs two")
    x = (torch.from_numpy(finite(states)) - mean) @ axes.T
    slope, offset = least_squares(x, circles(values, period, frequencies))
    q, r = torch.linalg.qr(slope)
    size = torch.linalg.svdvals(r)
    if not float(size[-1]) > LEAST * float(size[0]):
        raise SymscopeError(
            f"the values trace no circle of period {period:g} at frequencies {tuple(frequencies)},"
            " or the states hold nothing of it: try another frequency, or more components"
        )
    return Circle(mean, axes, q, r, offset, float(period), tuple(frequencies))


def read_circle(circle: Circle, states: Tensor) -> Tensor:
    """What the probe reads from states (n, width): cosines and sines, (n, 2f)."""
    x = (states.detach().cpu().double() - circle.mean) @ circle.axes.T
    return x @ circle.q @ circle.r + circle.offset


def nearest_value(circle: Circle, states: Tensor, values: Tensor) -> Tensor:
    """For each state (n,), that of `values` (m,) whose circles' points are nearest to its own."""
    known = circles(values, circle.period, circle.frequencies)
    return values[torch.cdist(read_circle(circle, states), known).argmin(1)]


def point_on(circle: Circle, values: Tensor, radius: float = 1.0) -> Tensor:
    """The states (n, width) that read as these values, and else are the mean.

    `radius` other than 1 makes the circle wider or narrower than the natural one.
    """
    wanted = radius * circles(values, circle.period, circle.frequencies)
    return circle.mean + _coordinates(circle, wanted) @ circle.plane.T


def put_on(circle: Circle, values: Tensor, radius: float = 1.0) -> Edit:
    """An edit for `Network.run(do=…)`: each row becomes the point of its value (n,).

    Everything else that the state held is the mean's, see `point_on`.
    """
    points = point_on(circle, values, radius)
    return lambda old: points.to(old)


def turn_to(circle: Circle, values: Tensor) -> Edit:
    """An edit that moves each row within the circles' planes alone, so that it reads as its value.

    What lies outside of these planes stays as it was.
    """
    wanted = _coordinates(circle, circles(values, circle.period, circle.frequencies))

    def edit(old: Tensor) -> Tensor:
        plane = circle.plane.to(old)
        here = (old - circle.mean.to(old)) @ plane
        return old + (wanted.to(old) - here) @ plane.T

    return edit


def circle_evidence(
    states: Tensor, values: Tensor, period: float, frequencies: Sequence[int] = (1,),
    components: int = COMPONENTS, claim: str = "geometry.circle", seed: int = 0,
) -> Evidence:  # fmt: skip
    """R² of reading the circles of a value that the probe, axes and all, was fitted without.

    Controls: "in_sample", where nothing is left out, and "shuffled", the mean over five probes of
    values exchanged for each other. The interval draws the values again.
    """
    began = time.monotonic()
    circle = fit_circle(states, values, period, frequencies, components)
    vectors, truth = torch.from_numpy(finite(states)), circles(values, period, frequencies)
    inputs = _without_each(states.detach().cpu(), values, components)
    errors = leave_one_out(values, truth, inputs)
    shuffled = []
    for i in range(SHUFFLES):  # the same rows are left out together, so the inputs are the same
        mixed = circles(relabelled(values, SHUFFLES * seed + i), period, frequencies)
        shuffled.append(leave_one_out(values, mixed, inputs).r2)
    said = read_circle(circle, vectors)
    inside = 1 - (truth - said).square().sum() / (truth - truth.mean(0)).square().sum()
    low, high = errors.interval(seed)
    return Evidence(
        claim, errors.r2, low, high, len(states), "held-out R²",
        {"in_sample": float(inside), "shuffled": sum(shuffled) / SHUFFLES},
        seeds=[seed], seconds=time.monotonic() - began,
        config={"period": period, "frequencies": list(frequencies),
                "components": len(circle.axes), "values": len(values.unique())},
    )  # fmt: skip


def by_frequency(
    states: Tensor, values: Tensor, period: int, components: int = COMPONENTS
) -> dict[int, float]:
    """Frequency → held-out R² of its circle alone, for 1 to (period − 1) / 2."""
    inputs = _without_each(states.detach().cpu(), values, components)
    return {
        f: leave_one_out(values, circles(values, period, (f,)), inputs).r2
        for f in range(1, (period - 1) // 2 + 1)
    }


def _without_each(vectors: Tensor, values: Tensor, components: int) -> list[Tensor]:
    """All vectors in the principal components of those without one value, for each value."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewerComponents)  # said once, by the fit on all
        for value in several(values):
            mean, axes = principal(vectors[values != value], components)
            found.append((vectors - mean) @ axes.T)
    return found


def _coordinates(circle: Circle, wanted: Tensor) -> Tensor:
    """Where in the planes the wanted reading is: (wanted − offset) R⁻¹."""
    return torch.linalg.solve_triangular(circle.r, wanted - circle.offset, upper=True, left=False)
