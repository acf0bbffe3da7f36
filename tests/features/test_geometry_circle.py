"""Circles in states: what is read, what is written, and which other curve it might be."""

import numpy as np
import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.features.geometry import (
    FewerComponents,
    NotFinite,
    by_frequency,
    circle_evidence,
    circles,
    compare_curves,
    fit_circle,
    nearest_value,
    point_on,
    put_on,
    read_circle,
    turn_to,
)
from symscope.features.geometry.circle import _without_each

PERIOD, WIDTH = 7, 12
VALUES = torch.arange(PERIOD).repeat(6)


def embedded(frequencies=(2,), noise=0.0, seed=0, values=VALUES, period=PERIOD):
    """States with circles of these frequencies, squeezed and turned, far from the origin."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH))).Q
    size = 2 * len(frequencies)
    squeezed = circles(values, period, frequencies).numpy() @ (
        np.eye(size) + 0.3 * rng.normal(size=(size, size))
    )
    rest = noise * rng.normal(size=(len(values), WIDTH))
    mean = 10 * rng.normal(size=WIDTH)
    return torch.from_numpy(squeezed @ basis[:size] + rest + mean), torch.from_numpy(basis[:size])


@pytest.fixture
def some():
    states, plane = embedded(noise=0.05)
    return states, plane, fit_circle(states, VALUES, PERIOD, (2,))


def test_an_embedded_circle_is_read_without_error_by_values_not_seen():
    states, _ = embedded((1, 3))
    found = circle_evidence(states, VALUES, PERIOD, (1, 3), 4)
    assert found.score == pytest.approx(1.0, abs=1e-9) == found.controls["in_sample"]
    assert found.controls["shuffled"] < 0.2


def test_only_the_frequency_that_is_there_is_read():
    states, _ = embedded((2,), 0.02)
    found = by_frequency(states, VALUES, PERIOD)
    assert list(found) == [1, 2, 3] and found[2] > 0.98 and max(found[1], found[3]) < 0.3


def test_in_sample_a_probe_reads_what_is_not_there_and_held_out_it_does_not():
    noise = torch.randn(PERIOD, WIDTH, generator=torch.Generator().manual_seed(0))
    found = circle_evidence(noise, torch.arange(PERIOD), PERIOD, components=5)
    assert found.controls["in_sample"] > 0.5 and found.score < 0.3
    assert found.low <= found.score <= found.high


def test_a_point_of_the_circle_reads_as_its_value_wherever_the_mean_lies(some):
    """The mean has a large share in the plane itself, which must not be taken off."""
    states, plane, circle = some
    assert float((plane @ states.mean(0)).norm()) > 5
    wanted = torch.arange(PERIOD * 2).double() / 2
    points = point_on(circle, wanted)
    assert torch.allclose(read_circle(circle, points), circles(wanted, PERIOD, (2,)), atol=1e-9)
    whole = torch.arange(PERIOD)
    assert torch.equal(nearest_value(circle, points[: 2 * PERIOD : 2], whole), whole)
    assert torch.equal(nearest_value(circle, states, whole), VALUES)
    assert float((points[:PERIOD:2] - states[:4]).norm(dim=1).max()) < 0.8


def test_of_all_such_points_in_the_components_it_is_the_nearest_to_the_mean(some):
    _, _, circle = some
    points = point_on(circle, VALUES) - circle.mean
    inside = circle.plane @ circle.plane.T
    assert torch.allclose(points @ inside, points, atol=1e-9)
    assert torch.allclose(circle.plane.T @ circle.plane, torch.eye(2).double(), atol=1e-9)


def test_a_turn_changes_the_plane_alone_and_a_put_everything(some):
    states, _, circle = some
    wanted = (VALUES + 3) % PERIOD
    turned, put = turn_to(circle, wanted)(states), put_on(circle, wanted)(states)
    for edited in (turned, put):
        assert torch.allclose(read_circle(circle, edited), circles(wanted, PERIOD, (2,)), atol=1e-9)
    outside = torch.eye(WIDTH).double() - circle.plane @ circle.plane.T
    assert torch.allclose(turned @ outside, states @ outside, atol=1e-9)
    assert torch.allclose(put @ outside, (circle.mean @ outside).expand_as(put), atol=1e-9)
    assert put_on(circle, wanted)(states.float()).dtype == torch.float32


def test_turning_back_gives_the_state_that_was_there():
    states, _ = embedded()
    circle = fit_circle(states, VALUES, PERIOD, (2,), 2)
    back = turn_to(circle, VALUES)(turn_to(circle, (VALUES + 2) % PERIOD)(states))
    assert torch.allclose(back, states, atol=1e-9)


def test_values_that_are_not_equally_common_are_read_all_the_same():
    values = torch.tensor([0, 0, 0, 0, 1, 2, 3, 3])
    states, _ = embedded((1,), values=values)
    circle = fit_circle(states, values, PERIOD, (1,), 2)
    assert float(circle.offset.norm()) > 0.2
    for vectors in (states, point_on(circle, values), turn_to(circle, values)(states.roll(1, 0))):
        assert torch.allclose(read_circle(circle, vectors), circles(values, PERIOD), atol=1e-9)


def test_the_axes_are_fitted_without_the_value_that_is_left_out():
    states, _ = embedded((2,), 0.1)
    moved, others = states.clone(), VALUES != 6
    moved[~others] += 100 * torch.randn(WIDTH, generator=torch.Generator().manual_seed(0))
    first, second = (_without_each(s, VALUES, 2)[6][others] for s in (states, moved))
    assert torch.equal(first, second)


def test_more_components_than_directions_are_reduced_with_a_warning():
    states, _ = embedded((2,))
    with pytest.warns(FewerComponents, match="5 components .* span 2"):
        assert len(fit_circle(states, VALUES, PERIOD, (2,), 5).axes) == 2


def test_what_is_no_circle_is_refused():
    states, _ = embedded((2,), 0.1)
    with pytest.raises(SymscopeError, match="1 value,"):
        fit_circle(states, torch.zeros(len(states)), PERIOD)
    with pytest.raises(SymscopeError, match="hold no 2 circles"):
        fit_circle(states, VALUES, PERIOD, (1, 2), 3)
    with pytest.raises(SymscopeError, match="no circle of period 4 at frequencies"):
        fit_circle(states, VALUES % 4, 4, (2,))
    with pytest.raises(SymscopeError, match="all vectors are the same"):
        fit_circle(torch.ones(42, 5), VALUES, PERIOD)
    states[4, 1] = torch.inf
    with pytest.raises(NotFinite, match="row 4 of 42"):
        fit_circle(states, VALUES, PERIOD)


NUMBERS = torch.arange(30)
GRID = torch.cartesian_prod(torch.arange(6), torch.arange(6))
TRUE_CURVES = {
    "line": (NUMBERS[:, None].double() / 8, NUMBERS, (10.0,)),
    "circle": (circles(NUMBERS, 10), NUMBERS, (10.0,)),
    "helix": (torch.cat([circles(NUMBERS, 10), NUMBERS[:, None] / 12], 1), NUMBERS, (10.0,)),
    "torus": (
        torch.cat([circles(GRID[:, 0], 6), circles(GRID[:, 1], 6)], 1), GRID, (6.0, 6.0),
    ),
    "grid": (GRID.double(), GRID, (6.0, 6.0)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::symscope.features.geometry.FewerComponents")
@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("name", TRUE_CURVES)
def test_the_shortest_description_is_the_true_curve(name, noise):
    shape, values, periods = TRUE_CURVES[name]
    rng = np.random.default_rng(1)
    axes = torch.from_numpy(np.linalg.qr(rng.normal(size=(WIDTH, WIDTH))).Q[: shape.shape[1]])
    states = shape @ axes + noise * torch.from_numpy(rng.normal(size=(len(shape), WIDTH)))
    found = compare_curves(states, values, periods, components=4)
    assert next(iter(found)) == name
    assert found[name].score > 0.9 and found[name].config["bits"] < 0
    assert found[name].controls["shuffled"] < 0.2
    if noise == 0:
        assert found[name].score == pytest.approx(1.0, abs=1e-6)


def test_curves_that_are_not_there_and_two_values_are_refused():
    with pytest.raises(UnknownName, match="spiral"):
        compare_curves(torch.randn(9, 4), torch.arange(9), (3,), ("spiral",))
    with pytest.raises(SymscopeError, match="2 different values"):
        compare_curves(torch.randn(8, 4), torch.arange(8) % 2, (3,))
