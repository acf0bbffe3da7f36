"""Patterns that a neuron may fire on, and how well a map fits them, beside maps that are none."""

import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.localize.heuristics.matching import held_out, matches, nulls
from symscope.localize.heuristics.types import Heuristic, heuristics
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=100, numbers=200)
PROMPTS = TASK.prompts()
A, B, Y = PROMPTS[:, 0], PROMPTS[:, 2], TASK.answers(PROMPTS)
LIST, MASKS = heuristics(A, B, Y)


@pytest.mark.parametrize(
    ("heuristic", "said", "has"),
    [
        (Heuristic("range", "first", (10, 20)), "first in 10..19", lambda a, b: 10 <= a < 20),
        (Heuristic("modulo", "answer", (7, 3)), "answer = 3 mod 7", lambda a, b: (a + b) % 7 == 3),
        (Heuristic("digits", "answer", (1, -1, 2)), "answer like 1.2",
         lambda a, b: (a + b) // 100 == 1 and (a + b) % 10 == 2),
        (Heuristic("digits", "second", (-1, 5)), "second like .5", lambda a, b: b % 10 == 5),
        (Heuristic("same", "both"), "operands are the same", lambda a, b: a == b),
        (Heuristic("set", "answer", (3, 50)), "answer one of 3, 50", lambda a, b: a + b in (3, 50)),
        (Heuristic("modulo", "both", (2, 0)), "both operands = 0 mod 2",
         lambda a, b: a % 2 == 0 and b % 2 == 0),
    ],
)  # fmt: skip
def test_a_pattern_is_had_by_the_prompts_that_have_it(heuristic, said, has):
    assert str(heuristic) == said
    wanted = [has(a, b) for a, b in zip(A.tolist(), B.tolist(), strict=True)]
    assert heuristic.holds(A, B, Y).tolist() == wanted


def test_the_list_has_every_kind_and_none_that_tells_nothing():
    kinds = {(h.kind, h.of) for h in LIST}
    assert kinds == {(k, o) for k in ("range", "modulo", "digits")
                     for o in ("first", "second", "answer")} | {("same", "both")}  # fmt: skip
    assert len(set(LIST)) == len(LIST) == len(MASKS)
    counts = MASKS.sum(1)
    assert int(counts.min()) >= 10 and int(counts.max()) <= 0.55 * len(PROMPTS)
    both, _ = heuristics(A, B, Y, both=True)
    assert {h.of for h in both if h.kind != "same"} == {"first", "second", "answer", "both"}
    leading = [h for h in LIST if h.kind == "digits" and h.values[1:] in ((-1, -1), (-1,))]
    assert not leading


def test_what_most_or_hardly_any_prompts_have_is_no_pattern_as_noise_would_match_it():
    task = Arithmetic("-")
    prompts = task.prompts()
    first, second = prompts[:, 0], prompts[:, 2]
    named, masks = heuristics(first, second, task.answers(prompts))
    common = Heuristic("range", "second", (0, 50))
    assert float(common.holds(first, second, second).float().mean()) > 0.7 and common not in named
    rare = Heuristic("range", "second", (99, 104))
    assert int(rare.holds(first, second, second).sum()) == 1 and rare not in named
    noise = nulls(first, second, 20, "noise")
    assert float(matches(noise, masks).labelled().float().mean()) == 0


def test_quotients_have_sets_of_their_commonest_answers():
    task = Arithmetic("/")
    prompts = task.prompts()
    numbers = prompts[:, 0], prompts[:, 2], task.answers(prompts)
    plain, (named, masks) = heuristics(*numbers)[0], heuristics(*numbers, sets=True)
    sets = [h for h in named if h.kind == "set"]
    assert named[: len(plain)] == plain and len(named) == len(plain) + len(sets) == len(masks)
    assert {len(h.values) for h in sets} == {2, 3, 4} and Heuristic("set", "answer", (1, 2)) in sets
    assert not any(0 in h.values and 1 in h.values for h in sets), "most prompts have those"


def test_a_map_that_is_a_pattern_matches_it_in_full_and_others_by_chance():
    number = LIST.index(Heuristic("modulo", "first", (7, 3)))
    other = LIST.index(Heuristic("modulo", "second", (5, 2)))
    noise = 0.1 * torch.randn(len(A), generator=torch.Generator().manual_seed(0))
    found = matches((MASKS[number].float() + noise)[None], MASKS)
    assert found.share[0, number] == 1 and found.kappa[0, number] == 1
    assert abs(float(found.kappa[0, other])) < 0.05
    assert found.labelled().tolist() == [True]
    inverted = matches((-MASKS[number].float() + noise)[None], MASKS)
    assert inverted.share[0, number] == 0 and inverted.kappa[0, number] < 0


def test_ties_at_the_threshold_count_by_their_share():
    """Half of the prompts that have the pattern are on top, the rest among all others equal."""
    mask = torch.zeros(1, 10, dtype=torch.bool)
    mask[0, :4] = True
    values = torch.zeros(1, 10)
    values[0, :2] = 1.0
    found = matches(values, mask).share
    torch.testing.assert_close(found, torch.tensor([[(2 + 2 * 2 / 8) / 4]]))
    shuffled = torch.randperm(10, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(matches(values[:, shuffled], mask[:, shuffled]).share, found)


def literal_share(values: list[float], has: list[bool]) -> float:
    """The mean number of members among the k strongest, over all orders of equal values, by k."""
    k = sum(has)
    kth = sorted(values, reverse=True)[k - 1]
    above = [h for v, h in zip(values, has, strict=True) if v > kth]
    equal = [h for v, h in zip(values, has, strict=True) if v == kth]
    return (sum(above) + sum(equal) * (k - len(above)) / len(equal)) / k


@pytest.mark.parametrize("values", [2, 4, 30])
def test_shares_are_those_counted_one_by_one_however_many_values_are_equal(values):
    generator = torch.Generator().manual_seed(values)
    maps = torch.randint(values, (6, 80), generator=generator).float() - 1
    masks = torch.rand(9, 80, generator=generator) < torch.linspace(0.05, 0.95, 9)[:, None]
    found = matches(maps, masks)
    wanted = [[literal_share(m, h) for h in masks.tolist()] for m in maps.tolist()]
    torch.testing.assert_close(found.share, torch.tensor(wanted))
    chance = masks.float().mean(1)
    torch.testing.assert_close(found.kappa, (torch.tensor(wanted) - chance) / (1 - chance))


def test_a_pattern_that_no_prompt_has_or_all_have_has_no_kappa():
    masks = torch.stack([torch.zeros(50), torch.ones(50)]).bool()
    found = matches(torch.rand(2, 50), masks)
    assert bool(found.kappa.isnan().all()) and bool(found.share[:, 0].isnan().all())
    assert found.share[:, 1].tolist() == [1, 1]


def test_a_map_without_an_order_has_no_share():
    found = matches(torch.ones(1, len(A)), MASKS)
    assert bool(found.share.isnan().all()) and found.labelled().tolist() == [False]


def test_patterns_of_the_answer_are_looked_for_in_maps_of_their_own():
    of_answer = torch.tensor([h.of == "answer" for h in LIST])
    first, answer = (LIST.index(Heuristic("modulo", of, (7, 3))) for of in ("first", "answer"))
    found = matches(MASKS[first].float()[None], MASKS, MASKS[answer].float()[None], of_answer)
    assert found.share[0, first] == 1 and found.share[0, answer] == 1
    alone = matches(MASKS[first].float()[None], MASKS)
    assert alone.share[0, first] == 1 and alone.share[0, answer] < 0.3


KINDS = ("range", "modulo", "digits", "same")
GROUPS = torch.tensor([KINDS.index(h.kind) for h in LIST])
HALF = torch.rand(len(A), generator=torch.Generator().manual_seed(1)) < 0.5


def test_of_each_kind_the_pattern_is_chosen_on_one_half_and_scored_on_the_other():
    number = LIST.index(Heuristic("modulo", "first", (7, 3)))
    true = MASKS[number].float() + 0.1 * nulls(A, B, 1, "noise")
    found = held_out(true, MASKS, HALF, GROUPS)
    assert found.which.shape == found.kappa.shape == (1, 4)
    assert int(found.which[0, 1]) == number and float(found.kappa[0, 1]) == 1
    assert [LIST[int(h)].kind for h in found.which[0]] == list(KINDS)
    wanted = matches(true[:, ~HALF], MASKS[:, ~HALF]).kappa[0, found.which[0]]
    torch.testing.assert_close(found.kappa[0], wanted)


def test_a_map_that_has_a_pattern_on_the_first_half_alone_scores_low():
    number = LIST.index(Heuristic("modulo", "first", (7, 3)))
    noise = nulls(A, B, 1, "noise")
    here = torch.where(HALF, MASKS[number] + 0.1 * noise, noise)
    found, other = held_out(here, MASKS, HALF, GROUPS), held_out(here, MASKS, ~HALF, GROUPS)
    assert int(found.which[0, 1]) == number and abs(float(found.kappa[0, 1])) < 0.1
    assert int(other.which[0, 1]) != number
    assert float(matches(here, MASKS).kappa[0, number]) > 0.2  # as scored where it was chosen


def test_held_out_looks_for_the_answer_s_patterns_in_maps_of_their_own():
    of_answer = torch.tensor([h.of == "answer" for h in LIST])
    number = LIST.index(Heuristic("modulo", "answer", (7, 3)))
    noise = nulls(A, B, 1, "noise")
    found = held_out(noise, MASKS, HALF, GROUPS, MASKS[number].float()[None], of_answer)
    assert int(found.which[0, 1]) == number and float(found.kappa[0, 1]) == 1
    assert float(held_out(noise, MASKS, HALF, GROUPS).kappa[0, 1]) < 0.2


def test_a_map_without_an_order_on_either_half_has_no_kappa():
    maps = nulls(A, B, 3, "noise")
    maps[1], maps[2, ~HALF] = 1.0, 0.0
    found = held_out(maps, MASKS, HALF, GROUPS).kappa.isnan()
    assert found.all(1).tolist() == [False, True, True] and not bool(found[0].any())


def test_smooth_maps_pass_the_published_threshold_though_they_are_no_heuristic():
    """The reason for nulls: published trials give 1.00 for linear maps and 0 for white noise."""
    labelled = {
        kind: float(matches(nulls(A, B, 20, kind), MASKS).labelled().float().mean())
        for kind in ("noise", "operands", "linear", "rectified")
    }
    assert labelled["noise"] == labelled["operands"] == 0
    assert labelled["linear"] > 0.9 and labelled["rectified"] > 0.8


def test_a_smooth_null_is_as_smooth_as_is_said():
    rough, smooth = (nulls(A, B, 50, "smooth", length) for length in (3.0, 30.0))
    beside = [i for i in range(len(A) - 1) if int(A[i]) == int(A[i + 1])]
    here, there = torch.tensor(beside), torch.tensor(beside) + 1
    for field, length in ((rough, 3.0), (smooth, 30.0)):
        together = float((field[:, here] * field[:, there]).mean() / field.square().mean())
        assert together == pytest.approx(float(torch.tensor(-0.5 / length**2).exp()), abs=0.03)
    with pytest.raises(UnknownName, match="null"):
        nulls(A, B, 1, "spiky")
