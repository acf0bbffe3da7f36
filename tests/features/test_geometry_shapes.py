"""Separability and mixture indices of shapes whose values are known."""

import numpy as np
import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.features.geometry import (
    SHAPES,
    NotFinite,
    mixture_index,
    neighbour_information,
    published_mixture,
    published_separability,
    separability,
    split_separability,
)
from symscope.features.geometry.mixture import in_band, thinnest_band
from symscope.features.geometry.separability import informations

KNOWN_S = {
    "circle": (2.31, 0.10), "ring of 7": (1.94, 0.02), "ring of 12": (1.59, 0.02),
    "square": (0.10, 0.02), "mixture": (0.57, 0.06),
}  # fmt: skip
KNOWN_M = {
    "circle": (0.23, 0.01), "ring of 7": (0.30, 0.01), "ring of 12": (0.25, 0.02),
    "square": (0.11, 0.015), "mixture": (0.63, 0.01), "lattice": (0.26, 0.01),
    "gaussian": (0.09, 0.01),
}  # fmt: skip
QUARTER = np.pi / 2 * np.arange(180) / 180


def least(points):
    return float(informations(points.numpy(), QUARTER).min())


def band(points, seed=0):
    return thinnest_band(points.numpy(), 200, np.random.default_rng(seed))[0]


@pytest.mark.parametrize("name", KNOWN_S)
def test_separability_of_known_shapes(name):
    value, tolerance = KNOWN_S[name]
    assert least(SHAPES[name](4096, 0)) == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("name", KNOWN_M)
def test_mixture_index_of_known_shapes(name):
    value, tolerance = KNOWN_M[name]
    assert band(SHAPES[name](4096, 0)) == pytest.approx(value, abs=tolerance)


def test_a_circle_is_told_from_a_product_by_its_null():
    found = separability(SHAPES["circle"](4096, 0), nulls=4)
    assert found.controls["shuffled"] == pytest.approx(0.07, abs=0.02)
    assert found.config["z"] > 50 and found.low < found.score < found.high
    assert found.config["neighbours"] > 2 and abs(found.config["neighbours_shuffled"]) < 0.15
    square = separability(SHAPES["square"](2000, 0), nulls=10, angles=90)
    assert square.config["z"] < 4 and square.score < 1.3 * square.controls["shuffled"]
    assert abs(square.config["neighbours"]) < 0.15


@pytest.mark.parametrize("seed", range(3))
def test_a_thin_normal_cloud_is_separable(seed):
    """Its principal axes lie between the angles of the grid, and both are tried."""
    points = torch.randn(2000, 2, generator=torch.Generator().manual_seed(seed)).double()
    turn = 0.3 + 0.1 * seed + 0.004
    cos, sin = np.cos(turn), np.sin(turn)
    points = points @ torch.tensor([[20 * cos, 20 * sin], [-0.3 * sin, 0.3 * cos]]).double()
    assert separability(points, nulls=10, angles=30, seed=seed).config["z"] < 4


def test_the_published_recipes_give_what_they_are_known_for():
    assert published_separability(SHAPES["ring of 7"](4096, 0)) == pytest.approx(1.94, abs=0.02)
    assert published_mixture(SHAPES["mixture"](1024, 0), 200) < 0.3  # and 63 % lie in one band


@pytest.mark.parametrize("name", ["ring of 7", "square"])
def test_neither_index_depends_on_place_size_or_angle(name):
    points = SHAPES[name](1000, 1)
    turn = QUARTER[40]  # one of those that are tried: the others are the same set again
    turned = points @ torch.tensor([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    for moved in (turned, 1e-4 * points + 3, -points.flip(1)):
        assert least(moved) == pytest.approx(least(points), abs=0.02)
        assert band(moved) == pytest.approx(band(points), abs=0.005)


def test_the_band_that_is_told_holds_that_share():
    points = SHAPES["mixture"](1000, 0).numpy()
    share, normal, offset = thinnest_band(points, 200, np.random.default_rng(0))
    assert in_band(points, normal, offset).mean() == pytest.approx(share, abs=0.002)
    assert abs(normal @ np.array([1.0, 0.5])) < 0.1


def test_a_hyperplane_in_five_dimensions_is_found():
    """A third of the points lies in a hyperplane."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(5, 5))).Q
    cloud = rng.normal(size=(1500, 5))
    cloud[:500, 0] = 0
    share, normal, _ = thinnest_band(cloud @ turn.T, 200, rng)
    assert (
        share == pytest.approx(1 / 3 + 2 / 3 * 0.065, abs=0.02) and abs(normal @ turn[:, 0]) > 0.999
    )


def test_few_tight_points_reach_two_of_their_number_and_the_support_says_so():
    points = SHAPES["ring of 7"](700, 0)
    values = (torch.atan2(points[:, 1], points[:, 0]) / (2 * np.pi) * 7).round() % 7
    found = mixture_index(points, values)
    assert 2 / 7 - 0.01 < found.controls["support"] < 0.36
    assert found.controls["gaussian"] == pytest.approx(0.11, abs=0.03)
    assert found.low < found.score < found.high


def test_neighbours_know_the_information_of_normal_numbers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 1))
    y = 0.8 * x + 0.6 * rng.normal(size=(3000, 1))
    assert neighbour_information(x, y) == pytest.approx(-0.5 * np.log2(1 - 0.64), abs=0.06)
    wide = np.concatenate([x, rng.normal(size=(3000, 1))], 1)
    assert neighbour_information(wide, y) == pytest.approx(0.737, abs=0.08)
    assert neighbour_information(np.round(x), np.round(y)) is None


def test_a_torus_splits_in_two_and_two_and_not_in_one_and_three():
    torus = SHAPES["torus"](1500, 0)
    even = split_separability(torus, 2, rotations=2, nulls=2)
    odd = split_separability(torus, 1, rotations=2, nulls=2)
    assert even.score < 0.1 and odd.score > 0.5
    assert odd.config["z"] > 10 and abs(even.controls["shuffled"]) < 0.15
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1))).Q.double()
    assert split_separability(torus @ turn, 2, rotations=2, nulls=1).score < 0.1


@pytest.mark.parametrize("index", [separability, mixture_index, split_separability])
def test_clouds_of_which_nothing_can_be_told_have_no_score_but_a_reason(index):
    few = index(torch.randn(49, 2))
    same = index(torch.full((60, 2), 3.7))
    line = index(torch.arange(60.0)[:, None] * torch.tensor([[1.0, 2.0]]))
    for found, reason in ((few, "49 points"), (same, "the same"), (line, "on one line")):
        assert found.score is None and reason in found.note
    broken = torch.randn(60, 2)
    broken[17, 1] = torch.nan
    with pytest.raises(NotFinite, match="row 17 of 60"):
        index(broken)
    with pytest.raises(ValueError, match="row 17"):
        index(broken.nan_to_num(torch.inf))


def test_wrong_shapes_are_refused_and_say_what_to_do():
    with pytest.raises(SymscopeError, match=r"split_separability"):
        separability(torch.randn(60, 3))
    with pytest.raises(SymscopeError, match="2 to 5 dimensions"):
        split_separability(torch.randn(60, 6))
    with pytest.raises(SymscopeError, match="values for each of the 60"):
        mixture_index(torch.randn(60, 2), torch.zeros(59))


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_the_same_for_the_same_seed(name):
    assert torch.equal(SHAPES[name](100, 3), SHAPES[name](100, 3))
    assert not torch.equal(SHAPES[name](100, 3), SHAPES[name](100, 4))
