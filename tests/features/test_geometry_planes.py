"""Planes that carry the answer or do not, in a network built by hand; and bands in a plane."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.features.geometry import Crossed, circles, counterfactuals, swap_planes
from symscope.features.geometry.cluster_score import TRIED, _planes
from symscope.features.geometry.mixture import (
    WIDTH,
    _best_offsets,
    in_band,
    thinnest_band,
)
from symscope.network import Network
from symscope.site import Site
from symscope.task import Pairs

P, WIDE, SHARP = 7, 12, 10.0
BOTH = torch.cartesian_prod(torch.arange(P), torch.arange(P))
CROSSED = Crossed(BOTH, BOTH[:, 0], BOTH[:, 1], BOTH.sum(1) % P)
AXES = torch.from_numpy(np.linalg.qr(np.random.default_rng(0).normal(size=(WIDE, WIDE))).Q)
STATE = Site("state")
NATURAL = SHARP * P / (P - 1)
"""The logit of the right answer less the mean of the others: 10 · cos sums to 0 over answers."""


class ReadsTwo(nn.Module):
    """Logit of c: 10 · cos(2π(a + b − c)/7), read off two directions of a state of twelve.

    Along the other ten the state differs as much by the prompt, and is not read.
    """

    def __init__(self) -> None:
        super().__init__()
        other = torch.from_numpy(np.random.default_rng(1).normal(size=(P, P, WIDE - 2)))
        self.table = torch.cat([circles(BOTH.sum(1), P), other.flatten(0, 1)], 1) @ AXES
        self.state, self.answer = nn.Identity(), circles(torch.arange(P), P)

    def forward(self, tokens: Tensor) -> Tensor:
        state = self.state(self.table[tokens[:, 0] * P + tokens[:, 1]])
        return SHARP * state @ AXES[:2].T @ self.answer.T


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return counterfactuals(CROSSED)


def swapped(pairs: Pairs, directions: Tensor, **more):
    return swap_planes(Network(ReadsTwo()), CROSSED, pairs, STATE, directions, **more)


def test_the_directions_that_are_read_carry_the_answer_and_all_others_nothing(pairs):
    found = swapped(pairs, AXES[:2])
    assert found["share"].score == found["share"].low == found["share"].high == 1.0
    assert found["difference"].score == pytest.approx(-NATURAL)
    share, difference = found["share"].controls, found["difference"].controls
    assert set(share) == set(difference) == {"no_op", "whole", "others", "random"}
    assert share["no_op"] == share["others"] == 0.0 and share["whole"] == 1.0
    assert difference["no_op"] == difference["others"] == pytest.approx(NATURAL)
    assert difference["whole"] == pytest.approx(-NATURAL)
    assert found["share"].n == len(pairs) == P * P * (P - 1)


def test_random_directions_carry_some_of_the_answer(pairs):
    """Of twelve directions two, which a random plane meets in a sixth of the square."""
    found = swapped(pairs, AXES[:2], claim="x.planes", seed=3)
    assert -NATURAL < found["difference"].controls["random"] < NATURAL - 0.1
    assert 0.0 <= found["share"].controls["random"] < 0.5
    assert found["share"].claim == "x.planes.share" and found["share"].seeds == [3]
    other = swapped(pairs, AXES[:2], seed=4)
    assert other["difference"].controls["random"] != found["difference"].controls["random"]


def test_directions_that_are_not_read_change_nothing_and_the_others_everything(pairs):
    found = swapped(pairs, AXES[2:])
    assert found["share"].score == 0.0 and found["share"].controls["others"] == 1.0
    assert found["difference"].score == pytest.approx(NATURAL)
    assert found["share"].config["dimensions"] == WIDE - 2


def test_what_the_directions_span_counts_and_not_how_they_are_given(pairs):
    one, two = AXES[:2]
    skewed = torch.stack([one, 0.01 * one + two, 5 * two - one, 0 * one]).float()
    plain, other = swapped(pairs, AXES[:2]), swapped(pairs, skewed)
    assert other["share"].score == 1.0 and other["share"].config["dimensions"] == 2
    assert other["difference"].score == pytest.approx(plain["difference"].score, abs=1e-4)


def test_the_interval_draws_base_prompts_and_not_pairs(pairs):
    """Half of the plane answers some pairs; the same pairs twice say no more than once."""
    once = swapped(pairs, AXES[:1])
    twice = torch.arange(len(pairs)).repeat(2)
    labels = {name: values[twice] for name, values in pairs.labels.items()}
    again = swapped(
        Pairs(pairs.base[twice], pairs.base_step[twice], pairs.source[twice],
              pairs.source_step[twice], pairs.target[twice], labels, pairs.variables),
        AXES[:1],
    )  # fmt: skip
    for name in ("share", "difference"):
        assert once[name].low < once[name].score < once[name].high
        for end in ("low", "high"):
            assert getattr(again[name], end) == pytest.approx(getattr(once[name], end))
    assert again["share"].n == 2 * once["share"].n


@pytest.mark.parametrize("wrong", [AXES[0], AXES[:2, :-1], AXES[None]])
def test_directions_of_another_shape_are_refused(pairs, wrong):
    with pytest.raises(SymscopeError, match=rf"\(k, {WIDE}\), not"):
        swapped(pairs, wrong)


def test_directions_that_are_all_zero_are_refused(pairs):
    with pytest.raises(SymscopeError, match="all directions are zero"):
        swapped(pairs, torch.zeros(2, WIDE))


def test_the_best_offset_of_each_normal_is_that_of_counting_every_point():
    rng = np.random.default_rng(0)
    cloud = np.round(rng.normal(size=(60, 3)), 1)  # with ties
    cloud -= cloud.mean(0)
    normals = rng.normal(size=(5, 3))
    offsets = np.tile(np.linspace(-2, 2, 41), (5, 1)) + rng.normal(size=(5, 1))
    shares, chosen = _best_offsets(cloud, normals, offsets)
    for normal, some, share, best in zip(normals, offsets, shares, chosen, strict=True):
        line = cloud @ normal
        counted = []
        for offset in some * line.std():
            along = line + offset
            counted.append(float((np.abs(along) < WIDTH * np.sqrt((along**2).mean())).mean()))
        assert share == max(counted) and best == some[int(np.argmax(counted))]


def half_on_a_line(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    on = rng.random(n) < 0.5
    return np.where(on[:, None], rng.normal(size=(n, 1)) * [1.0, 0.5], rng.normal(size=(n, 2)))


def test_the_points_of_the_band_are_as_many_as_its_share():
    cloud = half_on_a_line(600, 0)
    share, normal, offset = thinnest_band(cloud, 1, np.random.default_rng(0))
    assert in_band(cloud, normal, offset).mean() == pytest.approx(share) and share > 0.45


@pytest.mark.parametrize("seed", [0, 2])
def test_a_band_that_is_looked_for_on_some_points_has_as_many_of_all(seed):
    cloud = half_on_a_line(2_000, 2)
    whole, _, _ = thinnest_band(cloud, 1, np.random.default_rng(0))
    ((_, mixture),), (inside,) = _planes(cloud, 4, np.random.default_rng(seed))
    assert mixture == pytest.approx(whole, abs=0.02) and inside.mean() == mixture
    assert len(inside) == 2_000 > TRIED
