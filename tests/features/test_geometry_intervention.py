"""Writing angles into networks whose circle is known, built by hand, and into a published one."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.features.geometry import (
    Crossed,
    circles,
    counterfactuals,
    fit_circle,
    intervene,
    key_frequencies,
    off_circle,
)
from symscope.features.geometry.intervention import edits, states_of
from symscope.models.modular_addition import load_modular_addition
from symscope.network import Network
from symscope.site import Site

WEIGHTS = Path(os.environ.get("SYMSCOPE_WEIGHTS", "/nowhere")) / "clock_pizza"
CLOCK = WEIGHTS / "model_l8k1hzciux.pt"
PERIOD, WIDTH, SHARP = 7, 16, 10.0
BOTH = torch.cartesian_prod(torch.arange(PERIOD), torch.arange(PERIOD))
CROSSED = Crossed(BOTH, BOTH[:, 0], BOTH[:, 1], BOTH.sum(1) % PERIOD)
FIRST = Site("embed").at(0)
PLANE = torch.from_numpy(np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH))).Q)
"""Rows: a circle lies along the first two, and what the answer does not use along others."""


class Clock(nn.Module):
    """Logit of c: 10 · cos(2π(a + b − c)/7), from the circles in both tokens' vectors.

    The vectors have a large mean, in the plane too, and three directions that differ by number and
    are not read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(PERIOD, WIDTH)
        rng = np.random.default_rng(1)
        self.register_buffer("mean", torch.from_numpy(rng.normal(size=WIDTH)) * 3)
        table = circles(torch.arange(PERIOD), PERIOD) @ PLANE[:2]
        table += torch.from_numpy(0.8 * rng.normal(size=(PERIOD, 3))) @ PLANE[2:5]
        self.embed.weight.data = table - table.mean(0) + self.mean
        self.answer = circles(torch.arange(PERIOD), PERIOD)

    def forward(self, tokens: Tensor) -> Tensor:
        cos, sin = ((self.embed(tokens) - self.mean) @ PLANE[:2].T).unbind(-1)
        product = torch.stack(
            [cos[:, 0] * cos[:, 1] - sin[:, 0] * sin[:, 1],
             cos[:, 0] * sin[:, 1] + sin[:, 0] * cos[:, 1]], 1,
        )  # fmt: skip
        return SHARP * product @ self.answer.T


@pytest.fixture(scope="module")
def clock():
    module = Clock()
    table = module.embed.weight.detach()
    circle = fit_circle(table, torch.arange(PERIOD), PERIOD, components=5)
    return Network(module), circle


@pytest.fixture(scope="module")
def found(clock):
    network, circle = clock
    return intervene(network, CROSSED, counterfactuals(CROSSED), FIRST, circle)


def test_pairs_differ_by_the_first_operand_alone():
    pairs = counterfactuals(CROSSED)
    assert len(pairs) == PERIOD * PERIOD * (PERIOD - 1)
    assert bool((pairs.base[:, 1] == pairs.source[:, 1]).all())
    assert bool((pairs.base[:, 0] != pairs.source[:, 0]).all())
    assert torch.equal(pairs.target, pairs.source.sum(1) % PERIOD)
    assert len(counterfactuals(CROSSED, most=10)) == 10


def test_the_answer_follows_the_circle_with_the_rest_kept_or_not(found):
    """Old and new answers are equally far from each other, whichever comes first."""
    natural = SHARP * PERIOD / (PERIOD - 1)
    assert found["difference"].score == pytest.approx(-natural, abs=1e-4)
    assert found["kept.difference"].score == pytest.approx(-natural, abs=1e-4)
    assert found["share"].score == found["kept.share"].score == 1.0
    assert found["difference"].low <= -natural + 1e-4 <= found["difference"].high + 2e-4
    assert found["share"].n == 294 and found["share"].config["prompts"] == 49


def test_controls_have_their_known_values(found):
    natural = SHARP * PERIOD / (PERIOD - 1)
    difference, share = found["difference"].controls, found["share"].controls
    known = {"no_op": natural, "whole": -natural, "components": -natural, "mean": 0.0,
             "plane_removed": 0.0, "plane_alone": natural}  # fmt: skip
    for name, value in known.items():
        assert difference[name] == pytest.approx(value, abs=1e-4), name
    assert share["no_op"] == share["plane_alone"] == 0.0
    assert share["whole"] == share["components"] == 1.0
    assert share["mean"] <= 1 / PERIOD + 0.1


def test_controls_that_are_drawn_do_not_reach_what_the_circle_does(found):
    share = found["share"].controls
    for name in ("random_plane", "random_plane_in_components", "shuffled_values"):
        assert share[name] < 0.7, name
    assert share["random_plane"] < 0.2
    difference = found["difference"].controls
    assert difference["random_plane_in_components"] < difference["random_plane"]
    assert set(share) == {
        "circle_kept", "no_op", "whole", "mean", "components", "plane_removed", "plane_alone",
        "random_plane", "random_plane_in_components", "shuffled_values", "random_displacement",
    }  # fmt: skip


def test_every_edit_changes_what_its_name_says(clock):
    network, circle = clock
    states = states_of(network, counterfactuals(CROSSED), FIRST)
    made, base, source, mean = edits(circle, states), states.base, states.source, circle.mean
    plane, axes = circle.plane @ circle.plane.T, circle.axes.T @ circle.axes
    outside = torch.eye(WIDTH).double() - plane

    def same(name, kept, like):
        assert torch.allclose(made[name] @ kept, (like @ kept).expand_as(base), atol=1e-8), name

    for name, inside, rest in (
        ("plane_removed", mean, base), ("plane_alone", base, mean), ("no_op", base, base),
        ("circle", source, mean), ("circle_kept", source, base), ("mean", mean, mean),
    ):  # fmt: skip
        if name not in ("circle", "circle_kept"):
            same(name, plane, inside)
        same(name, outside, rest)
    same("components", axes, source)
    same("components", torch.eye(WIDTH).double() - axes, base)
    same("random_plane_in_components 0", torch.eye(WIDTH).double() - axes, mean)
    for name, start in (("random_plane 1", base), ("random_plane_in_components 2", mean)):
        change = made[name] - start  # two directions, in which it is the source's
        assert int(torch.linalg.matrix_rank(change)) == 2
        assert float((change * (source - made[name])).sum(1).abs().max()) < 1e-8
    moved = (made["random_displacement 0"] - base).norm(dim=1)
    assert torch.allclose(moved, (made["circle"] - base).norm(dim=1))
    assert not torch.allclose(made["random_plane 0"], made["random_plane 1"])


def test_off_the_circle_the_answer_is_that_of_the_nearest_value_at_any_radius(clock):
    network, circle = clock
    found = off_circle(network, CROSSED, FIRST, circle, (0.0, 0.3, 1.0, 1.9), 25)
    assert [e.score for e in found[1:]] == [1.0, 1.0, 1.0]
    assert found[0].score == found[2].controls["radius_0"] < 0.4
    assert found[2].controls["chance"] == pytest.approx(1 / PERIOD) and found[2].n == 25 * PERIOD


def test_a_network_may_answer_in_tokens_of_which_few_are_answers(clock):
    network, circle = clock
    wide = Network(network.module, answer=lambda x: torch.cat([99 + 0 * x[:, :2], x], 1)[:, None])
    crossed = Crossed(BOTH, BOTH[:, 0], BOTH[:, 1], BOTH.sum(1) % PERIOD,
                      torch.arange(2, 2 + PERIOD))  # fmt: skip
    found = intervene(wide, crossed, counterfactuals(crossed, most=40), FIRST, circle)
    assert found["share"].score == 1.0 and found["share"].controls["no_op"] == 0.0


def test_prompts_that_do_not_fit_are_refused(clock):
    network, circle = clock
    with pytest.raises(SymscopeError, match="has one prompt"):
        Crossed(BOTH[:2], torch.zeros(2), torch.zeros(2), torch.zeros(2))
    with pytest.raises(SymscopeError, match="one each"):
        Crossed(BOTH, BOTH[:3, 0], BOTH[:, 1], BOTH[:, 0])
    diagonal = torch.arange(5)
    with pytest.raises(SymscopeError, match="no two prompts"):
        counterfactuals(Crossed(BOTH[:5], diagonal, diagonal, diagonal))
    with pytest.raises(SymscopeError, match=r"say which with \.at"):
        intervene(network, CROSSED, counterfactuals(CROSSED), Site("embed"), circle)


@pytest.mark.skipif(not CLOCK.exists(), reason="SYMSCOPE_WEIGHTS is not set")
def test_in_a_published_clock_one_circle_is_little_and_all_of_them_are_everything():
    """A lower mean difference says little: the mean state and random planes have one as well."""
    network = Network(load_modular_addition(CLOCK))
    table = network.module.embed.weight.detach()
    both = torch.cartesian_prod(torch.arange(59), torch.arange(59))
    crossed = Crossed(both, both[:, 0], both[:, 1], both.sum(1) % 59)
    pairs, keys = counterfactuals(crossed, most=150), key_frequencies(table)
    one = fit_circle(table, torch.arange(59), 59, keys[:1], 5)
    every = fit_circle(table, torch.arange(59), 59, keys, 12)
    alone = intervene(network, crossed, pairs, FIRST, one)
    together = intervene(network, crossed, pairs, FIRST, every)
    assert alone["difference"].score < alone["difference"].controls["mean"] - 10
    assert alone["share"].score < 0.4
    assert alone["difference"].controls["random_plane_in_components"] < 0
    assert together["share"].score > 0.97 and together["share"].controls["shuffled_values"] < 0.1
    assert together["difference"].controls["random_plane"] > 40
    assert math.isclose(together["difference"].score, together["difference"].controls["whole"],
                        rel_tol=0.1)  # fmt: skip
