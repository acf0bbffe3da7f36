"""Binding vectors: in a network in which they are there, and in one that binds by the name."""

import pytest
import torch

from attention_by_hand import binding, binding_by_name
from symscope.evidence import SymscopeError
from symscope.localize.binding_checks import factorisation, mean_shift, position_independence
from symscope.localize.binding_ids import Contexts, activity, binding_ids, correct, replaced
from symscope.localize.binding_ids import shifted as shifted_logits

NETWORK = binding()
STEPS = torch.tensor([0, 2])


def draw(count: int, seed: int, asked: int | None = None) -> Contexts:
    generator = torch.Generator().manual_seed(seed)
    entity, attribute = (
        torch.rand(count, 5, generator=generator).argsort(1)[:, :2] + first for first in (1, 6)
    )
    which = torch.randint(2, (count,), generator=generator)
    which = which if asked is None else torch.full_like(which, asked)
    tokens = torch.stack([entity, attribute], 2).flatten(1)
    tokens = torch.cat([tokens, entity.gather(1, which[:, None])], 1)
    steps = STEPS.expand(count, -1)
    return Contexts(tokens, steps, steps + 1, which, query=4)


FIT, TEST = draw(200, 0), draw(120, 1)


def scores(records) -> dict[str, float]:
    return {e.claim.split(".", 1)[1]: e.score for e in records}


def test_exchanging_vectors_of_one_part_exchanges_answers_and_of_both_does_not():
    records = mean_shift(NETWORK, FIT, TEST, "shift")
    found = scores(records)
    assert (found["none.raw"], found["both.raw"]) == (1, 1)
    assert found["attribute.raw"] < 0.05 and found["entity.raw"] < 0.05
    assert found["attribute.calibrated"] < 0.2 and found["both.calibrated"] == 1
    for e in records:
        if e.claim.endswith(("attribute.raw", "entity.raw")):
            assert e.controls["other_pair"] > 0.95 and e.controls["random_vectors"] > 0.6
        assert e.controls["chance"] == 0.5 and e.low <= e.score <= e.high + 1e-9


def test_vectors_bind_wherever_they_stand():
    found = scores(position_independence(NETWORK, TEST, "moved"))
    assert set(found.values()) == {1.0}


def test_another_contexts_entities_and_attributes_take_the_place_of_ones_own():
    records = factorisation(NETWORK, TEST, draw(120, 2), "factors")
    found = scores(records)
    assert set(found.values()) == {1.0}
    controls = {e.claim: e.controls["left_as_it_was"] for e in records}
    assert controls["factors.none.raw"] == 1
    assert max(controls[f"factors.{part}.raw"] for part in ("attribute", "entity", "both")) < 0.75


def test_where_the_name_is_copied_to_the_attribute_no_vector_binds():
    """The attribute's token holds its entity's name: it takes that along, and nothing else."""
    named = binding_by_name()
    found = scores(mean_shift(named, FIT, TEST, "shift"))
    assert [found[f"{part}.raw"] for part in ("none", "attribute", "both")] == [1, 1, 1]
    found = scores(position_independence(named, TEST, "moved"))
    assert [found[f"{part}.raw"] for part in ("none", "attribute", "both")] == [1, 1, 1]
    found = scores(factorisation(named, TEST, draw(120, 2), "factors"))
    assert [found[f"{part}.raw"] for part in ("none", "entity", "both")] == [1, 1, 1]
    assert found["attribute.raw"] < 0.75


def test_the_differences_of_means_are_the_numbers_of_the_pairs():
    entity, attribute = binding_ids(NETWORK, draw(4000, 3))
    assert entity.shape == attribute.shape == (2, 2, NETWORK.module.embed.embedding_dim)
    assert (entity[:, 0] == 0).all() and (attribute[:, 0] == 0).all()
    place = NETWORK.module.place.weight
    torch.testing.assert_close(entity[0, 1], (place[2] - place[0]).detach(), atol=0.1, rtol=0)
    torch.testing.assert_close(attribute[0, 1], (place[3] - place[1]).detach(), atol=0.1, rtol=0)


def test_vectors_of_no_length_and_ones_own_activity_change_nothing():
    plain = NETWORK.run(TEST.tokens).output[:, -1]
    ids = binding_ids(NETWORK, FIT)
    still = tuple(torch.zeros_like(v) for v in ids)
    for parts in ((0,), (1,), (0, 1), ()):
        torch.testing.assert_close(shifted_logits(NETWORK, TEST, still, parts), plain)
    own = activity(NETWORK, TEST.tokens, TEST.entity)
    torch.testing.assert_close(replaced(NETWORK, TEST.tokens, TEST.entity, own), plain)
    assert not torch.allclose(shifted_logits(NETWORK, TEST, ids, (0,)), plain, atol=0.1)


def test_calibration_takes_out_a_preference_for_one_pair():
    generator = torch.Generator().manual_seed(0)
    asked = torch.randint(2, (200,), generator=generator)
    logits = torch.zeros(200, 3)
    logits[torch.arange(200), asked] = 1.0
    logits[:, 0] += 5.0
    logits += 0.01 * torch.randn(200, 3, generator=generator)
    candidates = torch.tensor([0, 1]).expand(200, -1)
    raw = correct(logits, candidates, asked, calibrated=False).float().mean()
    fair = correct(logits, candidates, asked, calibrated=True).float().mean()
    assert raw < 0.65 and fair > 0.95


def test_what_does_not_fit_is_said():
    with pytest.raises(SymscopeError, match="two pairs or more"):
        Contexts(TEST.tokens, TEST.entity[:, :1], TEST.attribute[:, :1], TEST.asked, 4)
    with pytest.raises(SymscopeError, match="one other context for each"):
        factorisation(NETWORK, TEST, FIT, "factors")
    late = Contexts(TEST.tokens, TEST.entity, TEST.attribute, torch.full((120,), 2), 4)
    with pytest.raises(SymscopeError, match="first two pairs"):
        position_independence(NETWORK, late, "moved")
