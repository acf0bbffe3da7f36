"""Maps that are no discovery, made from those at hand, and the threshold they give."""

import math
from dataclasses import dataclass
from functools import cache

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.localize.heuristics import (
    Heuristic,
    alike,
    false_share,
    held_out,
    heuristics,
    nulls,
    shuffled,
    threshold,
)
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=50, numbers=100)
PROMPTS = TASK.prompts()
A, B = PROMPTS[:, 0], PROMPTS[:, 2]
KINDS = ("range", "modulo", "digits", "same")
SMOOTH = nulls(A, B, 20, "smooth", 10.0)


def operands(sign: str) -> tuple[torch.Tensor, torch.Tensor]:
    prompts = Arithmetic(sign, operands=50, numbers=100).prompts()
    return prompts[:, 0], prompts[:, 2]


def correlation(x: torch.Tensor, y: torch.Tensor) -> float:
    """The mean over maps."""
    x, y = (m - m.mean(1, keepdim=True) for m in (x, y))
    return float(((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))).mean())


def neighbours(maps: torch.Tensor, first: torch.Tensor, second: torch.Tensor, step: int) -> float:
    """How alike values are that are `step` apart in either operand."""
    place = torch.full((50 + step, 50 + step), -1)
    place[first, second] = torch.arange(len(first))
    found = []
    for other in (place[first + step, second], place[first, second + step]):
        there = other >= 0
        found.append(correlation(maps[:, there], maps[:, other[there]]))
    return sum(found) / 2


@pytest.mark.parametrize("sign", ["+", "-", "*", "/"])
def test_a_map_that_is_alike_has_the_same_values_elsewhere(sign):
    first, second = operands(sign)
    maps = nulls(first, second, 20, "smooth", 10.0)
    found = alike(maps, first, second)
    assert torch.equal(found.sort(1).values, maps.sort(1).values)
    assert abs(correlation(found, maps)) < 0.25


@pytest.mark.parametrize(("sign", "length"), [("+", 3.0), ("+", 10.0), ("-", 10.0), ("/", 10.0)])
def test_a_map_that_is_alike_is_as_smooth(sign, length):
    first, second = operands(sign)
    maps = nulls(first, second, 30, "smooth", length)
    found = alike(maps, first, second)
    for step in (1, 3, 6):
        wanted = neighbours(maps, first, second, step)
        assert neighbours(found, first, second, step) == pytest.approx(wanted, abs=0.1)


def test_a_map_that_is_alike_keeps_waves_but_not_their_places():
    """A wave in one operand stays one of that period; noise stays noise."""
    wave = torch.sin(2 * torch.pi * A / 5)[None].repeat(8, 1) + 0.01 * nulls(A, B, 8, "noise")
    found = alike(wave, A, B)
    assert neighbours(found, A, B, 5) > 0.9 and neighbours(found, A, B, 2) < 0.3
    noise = nulls(A, B, 8, "noise")
    assert abs(neighbours(alike(noise, A, B), A, B, 1)) < 0.03


def test_noise_has_its_seed_and_each_map_its_own():
    for make in (alike, shuffled):
        assert torch.equal(make(SMOOTH, A, B, 3), make(SMOOTH, A, B, 3))
        assert not torch.equal(make(SMOOTH, A, B, 3), make(SMOOTH, A, B, 4))
    same = SMOOTH[:1].repeat(5, 1)
    assert len({tuple(m.tolist()) for m in alike(same, A, B)}) == 5


def test_in_a_full_grid_shuffling_exchanges_rows_and_columns_as_a_whole():
    both = A.float()[None] * 1_000 + B.float()  # says where each value comes from
    found = shuffled(both, A, B, 1)[0]
    assert torch.equal(found.sort().values, both[0].sort().values)
    grid = found.reshape(50, 50).long()
    rows, columns = grid // 1_000, grid % 1_000
    assert bool((rows == rows[:, :1]).all()) and bool((columns == columns[:1]).all())
    assert rows[:, 0].tolist() != list(range(50)) != columns[0].tolist()
    assert rows[:, 0].tolist() != columns[0].tolist()
    assert neighbours(shuffled(SMOOTH, A, B), A, B, 1) < 0.5 < neighbours(SMOOTH, A, B, 1)


def test_where_not_every_pair_is_a_prompt_shuffling_takes_other_values_of_the_map():
    first, second = operands("-")
    maps = (first * 1_000 + second).float()[None]
    found = shuffled(maps, first, second)[0]
    assert set(found.tolist()) <= set(maps[0].tolist())
    assert len(set(found.tolist())) > 0.5 * len(found)


def test_the_false_share_is_the_null_s_over_the_maps_one_more_counted():
    found = torch.tensor([0.9, 0.8, 0.7, 0.1, torch.nan])
    null = torch.tensor([0.75, 0.2, 0.1, torch.nan, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert false_share(found, null, 0.8) == pytest.approx(((1 + 0) / 10) / (2 / 5))
    assert false_share(found, null, 0.7) == pytest.approx(((1 + 1) / 10) / (3 / 5))
    assert false_share(found, null, 0.1) == pytest.approx(((1 + 3) / 10) / (4 / 5))
    assert false_share(found, null, 0.95) == 1.0  # none passes
    assert false_share(found[3:], null, 0.1) == pytest.approx(0.8)
    assert false_share(found[3:], null[:3], 0.1) == 1.0  # no more than all


def test_the_threshold_is_the_smallest_score_that_keeps_to_the_rate():
    found = torch.tensor([0.9, 0.8, 0.7, 0.1, torch.nan])
    null = torch.tensor([0.75, 0.2, 0.1, torch.nan, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert threshold(found, null, 0.5) == pytest.approx(0.1)
    assert threshold(found, null, 0.4) == pytest.approx(0.7)
    assert threshold(found, null, 0.3) == pytest.approx(0.8)
    assert threshold(found, null, 0.2) == math.inf
    assert threshold(torch.full((3,), torch.nan), null) == math.inf


def test_few_null_maps_prove_little_and_none_nothing():
    found = torch.ones(100)
    assert threshold(found, torch.zeros(18)) == math.inf
    assert threshold(found, torch.zeros(19)) == 1.0
    with pytest.raises(SymscopeError, match="maps that are no discovery"):
        threshold(found, torch.empty(0))


@dataclass(frozen=True)
class Listed:
    """The prompts of one sign, their patterns and the number of each one's kind."""

    first: torch.Tensor
    second: torch.Tensor
    named: list[Heuristic]
    masks: torch.Tensor

    def best(self, maps: torch.Tensor) -> torch.Tensor:
        """What each kind's best pattern scores on the other half, (map, kind)."""
        groups = torch.tensor([KINDS.index(h.kind) for h in self.named])
        half = torch.rand(len(self.first), generator=torch.Generator().manual_seed(0)) < 0.5
        return held_out(maps, self.masks, half, groups).kappa

    def passing(self, maps: torch.Tensor) -> torch.Tensor:
        """Which maps pass for each kind, by thresholds from maps that are alike."""
        found, null = self.best(maps), self.best(alike(maps, self.first, self.second))
        limits = torch.tensor([threshold(found[:, k], null[:, k]) for k in range(len(KINDS))])
        return found >= limits


@cache
def listed(sign: str) -> Listed:
    task = Arithmetic(sign, operands=50, numbers=100)
    prompts = task.prompts()
    first, second = prompts[:, 0], prompts[:, 2]
    return Listed(first, second, *heuristics(first, second, task.answers(prompts)))


@pytest.mark.parametrize("sign", ["+", "-", "*"])
@pytest.mark.parametrize("length", [7.0, 20.0, 50.0, None])
def test_smooth_maps_hardly_pass_though_they_are_labelled_by_the_published_rule(sign, length):
    about, kind = listed(sign), "linear" if length is None else "smooth"
    maps = nulls(about.first, about.second, 40, kind, length or 0.0, seed=3)
    assert float(about.passing(maps).any(1).float().mean()) <= 0.1


def test_true_patterns_pass_under_noise_and_among_smooth_maps():
    about = listed("+")
    true = [Heuristic("modulo", "first", (7, 3)), Heuristic("digits", "answer", (-1, 5)),
            Heuristic("modulo", "answer", (3, 1)), Heuristic("same", "both")]  # fmt: skip
    for pattern in true:  # one at a time: a map alike to a modulo pattern is a wave too
        mask = about.masks[about.named.index(pattern)].float()
        noisy = mask + 0.2 * nulls(A, B, 30, "noise")
        found = about.passing(torch.cat([noisy, SMOOTH]))
        passes = found[:, KINDS.index(pattern.kind)]
        assert float(passes[:30].float().mean()) > 0.9, pattern
        assert float(passes[30:].float().mean()) <= 0.1
