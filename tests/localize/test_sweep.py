"""A sweep finds the planted place, on pairs that it was not chosen on, and says what is chance."""

import json
from dataclasses import asdict, replace
from importlib import import_module

import numpy as np
import pytest
import torch

from symscope.evidence import SymscopeError, wilson
from symscope.localize import patch_fast
from symscope.localize.patching import literal_patched
from symscope.localize.places import places
from symscope.localize.smallest_set import _interval, smallest_set
from symscope.localize.sweep import Scores, _best, halves, sweep
from symscope.models.compiled import plant
from symscope.models.compiled.attention import dereference, vote
from symscope.network import NothingChanged
from symscope.site import Site
from symscope.task import IGNORE

PLANTED = plant(dereference(2, 5), noise=3, seed=1)
NETWORK, COUNT = PLANTED.network, 60
END = PLANTED.alignment["first"].site.position


def some_pairs(variable="first", count=COUNT, planted=PLANTED):
    program = planted.task.hypothesis(planted.alignment.program)
    return planted.task.pairs(program, (variable,), count, 0, "test")


def streams(length=END + 1):
    return places(NETWORK, "residual", range(length))


def test_the_planted_place_is_found_and_its_program_s_answers_come_out():
    (found,) = sweep(NETWORK, some_pairs(), streams(), "dereference.first")
    assert found.claim == "dereference.first" and found.unit == "IIA"
    assert found.config["best"] == [1, END]
    assert (found.score, found.n) == (1.0, COUNT // 2)
    assert (found.low, found.high) == wilson(COUNT // 2, COUNT // 2)
    assert set(found.controls) == {"no_op", "other_source", "any_place"}
    assert max(found.controls.values()) < 0.7


def test_the_map_holds_what_was_measured_at_every_place_in_its_order():
    pairs, chosen = some_pairs(), streams()
    (found,) = sweep(NETWORK, pairs, chosen)
    logits = literal_patched(NETWORK, pairs.base, pairs.source, list(chosen.values()))
    natural, target = (
        NETWORK.run(pairs.base).output.detach(),
        pairs.target.reshape(COUNT, -1)[:, -1],
    )
    rows = torch.arange(COUNT)
    shift = (logits[:, rows, target] - natural[rows, target]).mean(1)
    won = (logits.argmax(-1) == target).float().mean(1)
    assert found.config["places"] == [list(key) for key in chosen]
    torch.testing.assert_close(torch.tensor(found.config["shift"]), shift, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(torch.tensor(found.config["success"]), won)
    scaled = torch.tensor(found.config["normalised"])
    torch.testing.assert_close(scaled, shift / shift.max(), atol=1e-3, rtol=1e-3)
    assert found.config["is_normalised"] and len(json.dumps(asdict(found)))


def test_the_place_is_chosen_on_one_half_and_scored_on_the_other():
    first, second = halves(9, seed=3)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(9))
    assert not torch.equal(first, halves(9, seed=4)[0])
    pairs = some_pairs()
    chosen, held = halves(COUNT, seed=5)
    target = pairs.target.clone()
    target[held] = (target[held] + 1) % 5  # what is expected of the scored half is false
    (found,) = sweep(NETWORK, replace(pairs, target=target), streams(), seed=5)
    assert found.config["best"] == [1, END] and found.score < 0.5
    assert found.config["chosen_on"] == len(chosen) and found.seeds == [5]


def test_the_controls_are_those_of_the_scored_half():
    pairs = some_pairs()
    (found,) = sweep(NETWORK, pairs, streams(), seed=2)
    _, held = halves(COUNT, 2)
    few, other = pairs[held], pairs[held.roll(1)]
    target = few.target.reshape(len(held), -1)[:, -1]
    natural = NETWORK.run(few.base).output.argmax(-1)
    site = Site("blocks.1", "input", END)
    moved = literal_patched(NETWORK, few.base, other.source, [site])[0].argmax(-1)
    everywhere = literal_patched(NETWORK, few.base, few.source, list(streams().values()))
    assert found.controls["no_op"] == pytest.approx((natural == target).float().mean().item())
    assert found.controls["other_source"] == pytest.approx((moved == target).float().mean().item())
    won = (everywhere.argmax(-1) == target).float().mean().item()
    assert found.controls["any_place"] == pytest.approx(won)


def test_positions_may_be_roles_that_differ_between_pairs():
    pairs = some_pairs()
    role = tuple(END if i % 2 else 1 for i in range(COUNT))
    chosen = places(NETWORK, "residual", {"end": END, "mixed": role})
    (found,) = sweep(NETWORK, pairs, chosen)
    logits = literal_patched(NETWORK, pairs.base, pairs.source, list(chosen.values()))
    target = pairs.target.reshape(COUNT, -1)[:, -1]
    won = (logits.argmax(-1) == target).float().mean(1)
    torch.testing.assert_close(torch.tensor(found.config["success"]), won)
    assert found.config["best"] == [1, "end"]


def test_another_pair_s_source_is_read_at_its_own_role():
    pairs = some_pairs()
    role = tuple(END if i % 2 else 1 for i in range(COUNT))
    (found,) = sweep(NETWORK, pairs, {"role": Site("blocks.1", "input", role)}, seed=1)
    _, held = halves(COUNT, 1)
    other = held.roll(1)
    site = Site("blocks.1", "input")
    moved = literal_patched(
        NETWORK, pairs.base[held], pairs.source[other], [site.at(torch.tensor(role)[held])],
        [site.at(torch.tensor(role)[other])],
    )[0].argmax(-1)  # fmt: skip
    target = pairs.target.reshape(COUNT, -1)[held, -1]
    assert found.controls["other_source"] == pytest.approx((moved == target).float().mean().item())


def test_several_kinds_share_the_bases_runs_and_keep_their_own_scores(monkeypatch):
    first = some_pairs()
    second = replace(first, source=first.source.roll(1, 0))
    alone = [sweep(NETWORK, one, streams(), "map." + name)[0]
             for name, one in (("value", first), ("other", second))]  # fmt: skip
    seen = []
    plain = patch_fast.NaturalRuns
    monkeypatch.setattr(
        patch_fast, "NaturalRuns", lambda net, tokens, *rest: (
            seen.append(len(tokens)), plain(net, tokens, *rest))[1],
    )  # fmt: skip
    together = sweep(NETWORK, {"value": first, "other": second}, streams(), "map")
    assert seen[0] == len(first.base.unique(dim=0))
    for one, other in zip(alone, together, strict=True):
        assert (one.claim, one.score, one.controls) == (other.claim, other.score, other.controls)
        assert one.config["success"] == other.config["success"]


def test_several_kinds_are_patched_at_each_pair_s_own_role():
    first = some_pairs()
    second = replace(first, source=first.source.roll(1, 0))
    role = tuple(END if i % 2 else 1 for i in range(COUNT))
    chosen = {"role": Site("blocks.1", "input", role)}
    together = sweep(NETWORK, {"value": first, "other": second}, chosen)
    for one, found in zip((first, second), together, strict=True):
        (alone,) = sweep(NETWORK, one, chosen)
        torch.testing.assert_close(*(torch.tensor(x.config["shift"]) for x in (alone, found)))


def test_the_best_place_wins_most_often_and_then_shifts_most():
    won = torch.tensor([[True, False], [True, True], [True, True], [False, False]])
    shift = torch.tensor([[9.0, 9.0], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]])
    scores = Scores(shift, won, won[0])
    assert _best(scores, torch.tensor([0, 1])) == 2
    assert _best(scores, torch.tensor([0])) == 0  # on these rows three win alike


def test_kinds_of_different_numbers_of_pairs_are_swept_too():
    found = sweep(NETWORK, {"many": some_pairs(), "few": some_pairs(count=20)}, streams())
    assert [one.n for one in found] == [COUNT // 2, 10]
    assert [one.score for one in found] == [1.0, 1.0]


def test_many_pairs_are_patched_in_portions(monkeypatch):
    (whole,) = sweep(NETWORK, some_pairs(), streams())
    monkeypatch.setattr(import_module("symscope.localize.sweep"), "TOGETHER", 7)
    (cut,) = sweep(NETWORK, some_pairs(), streams())
    assert (cut.score, cut.controls) == (whole.score, whole.controls)
    assert cut.config["success"] == whole.config["success"]


def test_a_map_without_effect_says_that_it_is_not_normalised():
    pairs = some_pairs()
    with pytest.warns(NothingChanged):
        (found,) = sweep(NETWORK, replace(pairs, source=pairs.base), {"end": Site("blocks.1")})
    assert not found.config["is_normalised"] and found.config["normalised"] == [0.0]


def test_what_cannot_be_scored_is_refused():
    pairs = some_pairs()
    target = pairs.target.clone()
    target.reshape(COUNT, -1)[3, -1] = IGNORE
    with pytest.raises(SymscopeError, match="last step is not scored"):
        sweep(NETWORK, replace(pairs, target=target), streams())
    with pytest.raises(SymscopeError, match="3 pairs are too few"):
        sweep(NETWORK, pairs[torch.arange(3)], streams())


def test_draws_without_any_effect_are_left_out_of_the_interval():
    part, whole = np.array([0.0, 0.0, 0.5]), np.array([0.0, 0.0, 1.0])
    assert _interval(part, whole) == (0.5, 0.5)


VOTE = plant(vote(3), noise=2, seed=4)


def test_the_smallest_set_grows_until_it_brings_most_of_the_effect():
    pairs = some_pairs("bit", 40, VOTE)
    copies = {i: Site("blocks.0", position=i) for i in range(5)}
    found = smallest_set(VOTE.network, pairs, copies, share=0.99)
    assert set(found.config["set"]) == {1, 2, 3}  # the copies that are averaged, and no other
    assert found.score == pytest.approx(1, abs=0.01) and found.low <= found.score <= found.high
    assert found.config["shares"] == sorted(found.config["shares"])
    assert found.config["shares"][-1] >= 0.99 > found.config["shares"][-2]
    assert found.controls["random_sets"] < 0.9 and found.controls["best_random_set"] <= 1.01
    assert found.n == 20 and found.unit == "share of the full effect"
    read = {i: copies[i] for i in (1, 2, 3)}  # sets of three are all there is
    whole = smallest_set(VOTE.network, pairs, read, share=0.99)
    assert whole.controls["random_sets"] == pytest.approx(whole.score)
    fewer = smallest_set(VOTE.network, pairs, copies, share=0.3)
    assert len(fewer.config["set"]) == 1


def test_the_set_is_scored_on_pairs_that_it_was_not_chosen_on():
    pairs = some_pairs("bit", 40, VOTE)
    _, held = halves(40, 0)
    source = pairs.source.clone()
    source[held] = pairs.base[held]
    source[held[0]] = 1 - pairs.base[held[0]].clamp(max=1)
    copies = {i: Site("blocks.0", position=i) for i in range(5)}
    whole = smallest_set(VOTE.network, pairs, copies)
    assert whole.score != smallest_set(VOTE.network, replace(pairs, source=source), copies).score


def test_no_set_is_named_where_all_places_together_have_no_effect():
    pairs = some_pairs("bit", 20, VOTE)
    with pytest.warns(NothingChanged):
        found = smallest_set(
            VOTE.network, replace(pairs, source=pairs.base), {0: Site("blocks.0", position=1)}
        )
    assert found.score is None and found.config["set"] == [] and "no positive" in found.note
