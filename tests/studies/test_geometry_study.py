"""The study's clouds of known shape, its networks, its texts, and questions without an answer."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from symscope.evidence import Evidence, SymscopeError, read_evidence
from symscope.features.dictionaries import Dictionary
from symscope.features.dictionaries.relu import RELU
from symscope.features.geometry import SHAPES
from symscope.jobs import run_unit
from symscope.studies.geometry import stories, toys
from symscope.studies.geometry.networks import EMBEDDING, adder, fresh, published_adder
from symscope.studies.geometry.settings import PRESETS, Adding, Preset, Reading
from symscope.studies.geometry.stories import read_layer, sampled, stories_unit
from symscope.studies.geometry.toys import circles_unit, planes_of, toy_unit
from symscope.studies.geometry.view import _shown
from symscope.studies.questions import answered

WEIGHTS = Path(os.environ.get("SYMSCOPE_WEIGHTS", "/nowhere"))
needs_weights = pytest.mark.skipif(not WEIGHTS.exists(), reason="SYMSCOPE_WEIGHTS is not set")
READING = Reading(texts=8, length=24, size=64, sparsity=8, steps=60, clusters=4, shown=2)
MINUTE = Preset(points=600, toy_steps=40, adding=Adding(11, 16), reading=READING)
SETTINGS = {"preset": "minute", "weights": str(WEIGHTS)}
EACH = 32


@pytest.fixture(autouse=True)
def minute(monkeypatch):
    monkeypatch.setitem(PRESETS, "minute", MINUTE)
    monkeypatch.setattr(toys, "published_mixture", partial(toys.published_mixture, steps=300))


def told(unit, records: list[Evidence]) -> dict[str, Evidence]:
    """By the claim's end; each record has an interval, its seed, and a place in the study."""
    for record in records:
        assert record.claim.startswith("geometry.") and record.seeds == [int(unit[-1])]
        assert record.score is None or record.low <= record.score <= record.high, record.claim
    return {r.claim.removeprefix(f"geometry.{unit[0]}.{unit[1]}."): r for r in records}


def test_a_circle_has_both_indices_beside_chance_and_the_published_recipe(tmp_path):
    unit = ("toy", "circle", "0")
    found = told(unit, toy_unit(unit, SETTINGS, tmp_path))
    assert set(found) == {"mixture", "separability", "mixture.published_recipe",
                          "separability.published_recipe", "separability.neighbours"}  # fmt: skip
    s, m = found["separability"], found["mixture"]
    assert s.score > 1.8 and s.controls["shuffled"] < 0.6 and s.n == m.n == 600
    assert 0.2 < m.score < 0.3 and m.controls["gaussian"] < 0.15 and "support" not in m.controls
    assert found["separability.published_recipe"].score == pytest.approx(s.score, abs=0.1)
    assert 0.1 < found["mixture.published_recipe"].score < m.score
    beside = found["separability.neighbours"]
    assert beside.score == s.config["neighbours"] > 1.8 and abs(beside.controls["shuffled"]) < 0.2


def test_of_a_ring_the_discrete_support_alone_has_an_index(tmp_path):
    unit = ("toy", "ring_of_7", "1")
    found = told(unit, toy_unit(unit, SETTINGS, tmp_path))["mixture"]
    points = SHAPES["ring of 7"](600, 1)
    which = toys._values("ring of 7", points)
    assert which.unique().tolist() == list(range(7))
    for value in range(7):
        assert float(points[which == value].std(0).max()) < 0.04
    most = sorted(which.bincount().tolist())[-2:]
    assert found.controls["support"] == pytest.approx(sum(most) / 600, abs=0.01)
    assert toys._values("circle", points) is None


def test_points_that_repeat_have_no_density_and_shapes_of_more_dimensions_are_split(tmp_path):
    unit = ("toy", "lattice", "0")
    found = told(unit, toy_unit(unit, SETTINGS, tmp_path))["separability.neighbours"]
    assert found.score is None and found.n == 0 and "no density" in found.note
    unit = ("toy", "torus", "0")
    found = told(unit, toy_unit(unit, SETTINGS, tmp_path))
    assert set(found) == {"mixture", "split_1", "split_2"}
    assert found["split_1"].score > 0.5 > 0.1 > found["split_2"].score


def both_planes(seed: int) -> torch.Tensor:
    """Orthonormal rows, two for each circle of the shape of that seed."""
    rows = np.linalg.qr(np.random.default_rng(seed).normal(size=(toys.WIDTH, 4))).Q.T
    return torch.from_numpy(rows.reshape(2, 2, toys.WIDTH))


@pytest.mark.parametrize("seed", range(3))
def test_the_planes_of_two_circles_are_found_from_their_points(seed):
    found = planes_of(SHAPES["two circles"](300, seed))
    projections = [p @ p.T for p in found]
    known = [rows.T @ rows for rows in both_planes(seed)]
    same = [[torch.allclose(p, k, atol=1e-8) for k in known] for p in projections]
    assert same in ([[True, False], [False, True]], [[False, True], [True, False]])


def ideal(seed: int) -> Dictionary:
    """Features all around either circle, each on where a point is within 26° of it."""
    angles = 2 * np.pi * torch.arange(EACH).double() / EACH
    ring = torch.stack([angles.cos(), angles.sin()], 1)
    directions = torch.cat([ring @ rows for rows in both_planes(seed)]).float()
    made = Dictionary(toys.WIDTH, 2 * EACH, RELU)
    with torch.no_grad():
        made.decoder.copy_(directions)
        made.encoder.copy_(directions.T)
        made.encoder_bias.fill_(-0.9)
    return made


@pytest.mark.parametrize("seed", range(2))
def test_ideal_features_of_two_circles_come_apart_by_cosine_and_by_neighbours(seed):
    points = SHAPES["two circles"](600, seed)
    unit = ("circles", "both", str(seed))
    found = {r.claim.removeprefix("geometry.two_circles."): r
             for r in told(unit, toys._apart(ideal(seed), points, seed)).values()}  # fmt: skip
    positive, angular = found["positive"], found["angular"]
    assert positive.score == positive.low == found["neighbours"].score == 1.0
    assert positive.controls["features dealt anew"] < 0.5 and positive.n == 2 * EACH
    assert angular.score < 0.75 and found["neighbours_best"].score == 1.0
    assert found["purity"].score == pytest.approx(1.0, abs=1e-6)
    for circle in ("circle_1", "circle_2"):
        assert found[f"{circle}.separability"].score > 1.5
        assert 0.2 < found[f"{circle}.mixture"].score < 0.35
        assert 200 < found[f"{circle}.mixture"].n < 400  # points of that circle alone


def test_a_dictionary_is_fitted_to_one_circle_and_to_two(tmp_path):
    unit = ("circles", "both", "0")
    found = told(unit, circles_unit(unit, SETTINGS, tmp_path))
    kinds = {claim.removeprefix("geometry.").split(".")[0] for claim in found}
    assert kinds == {"one_circle", "two_circles"}
    for name in ("one_circle.2_features", "one_circle.10_features", "two_circles"):
        assert set(found[f"geometry.{name}.explained"].controls) >= {"random", "pca"}
    assert found["geometry.one_circle.2_features.dead"].n == 2
    assert found["geometry.two_circles.dead"].n == toys.FEATURES


def test_a_question_that_cannot_be_answered_is_evidence_and_the_rest_is_still_there():
    def refuse() -> list[Evidence]:
        raise SymscopeError("no answer")

    def asked():
        for claim in ("a", "b"):
            yield partial(list, [Evidence(claim, 1.0, 1.0, 1.0, 1)])
            yield refuse

    found = answered(asked(), "x", 2)
    assert [(r.claim, r.score, r.note) for r in found] == [
        ("a", 1.0, ""), ("x.question_1", None, "no answer"),
        ("b", 1.0, ""), ("x.question_3", None, "no answer"),
    ]  # fmt: skip
    assert found[1].seeds == [2] and answered(iter([]), "x", 0) == []


def test_networks_before_training_differ_by_seed_and_the_untrained_ones_are_none_that_is_trained():
    made = [fresh(MINUTE.adding, seed) for seed in (0, 0, 1, 1000)]
    same, *others = [torch.equal(made[0].embed.weight, m.embed.weight) for m in made[1:]]
    assert same and not any(others)
    assert float(made[0].embed.weight.detach().std()) == pytest.approx(EMBEDDING, rel=0.2)
    never = adder("untrained", "0", SETTINGS, Path())
    assert torch.equal(never.network.module.embed.weight, made[3].embed.weight)
    assert never.crossed.prompts.shape == (121, 3) and never.layers == 1


def test_a_network_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SymscopeError, match=r"no checkpoint .*trained-0"):
        adder("trained", "0", SETTINGS, tmp_path)


@needs_weights
def test_a_published_network_without_attention_is_refused():
    with pytest.raises(SymscopeError, match="is no transformer"):
        published_adder(WEIGHTS, "7r4zst7evs")


def test_without_weights_the_unit_says_what_is_missing(tmp_path):
    name = run_unit(stories_unit, ("stories", "3", "0"), {"preset": "minute"}, tmp_path)
    (said,) = read_evidence(tmp_path / "units" / f"{name}.json")
    assert said.score is None and "SYMSCOPE_WEIGHTS" in said.note and "stories260k" in said.note


@needs_weights
def test_texts_begin_with_token_1_and_are_the_seed_s():
    module = stories.stories(SETTINGS).module
    before = torch.random.get_rng_state()
    one, same, other = (sampled(module, 3, 9, seed) for seed in (0, 0, 1))
    assert one.shape == (3, 9) and bool((one[:, 0] == stories.FIRST).all())
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())
    assert len({tuple(t) for t in one.tolist()}) == 3


@needs_weights
def test_a_layer_is_read_at_every_token_but_the_first(monkeypatch):
    monkeypatch.setitem(PRESETS, "minute", replace(MINUTE, reading=replace(READING, texts=2)))
    module = stories.stories(SETTINGS).module
    texts = sampled(module, 2, READING.length, 5)
    with torch.no_grad():
        states = module.model(texts, output_hidden_states=True).hidden_states
    for layer in (0, 3, 5):
        vectors, tokens = read_layer(SETTINGS, layer, 5)
        assert torch.equal(tokens, texts[:, 1:].flatten())
        if layer == 5:  # the states that transformers gives last are after the norm
            vectors = module.model.norm(vectors)
        assert torch.allclose(vectors, states[layer][:, 1:].flatten(0, 1), atol=1e-5), layer


@needs_weights
def test_a_layer_s_clusters_are_ranked_beside_those_of_random_features(tmp_path):
    found = {r.claim.removeprefix("geometry.stories.layer_3."): r
             for r in stories_unit(("stories", "3", "0"), SETTINGS, tmp_path)}  # fmt: skip
    scores, null = (found["clusters"].config[k] for k in ("scores", "null"))
    assert scores == sorted(scores, reverse=True) != null and found["clusters"].n == len(scores)
    assert found["best"].score == pytest.approx(scores[0], abs=1e-4)
    assert found["best"].controls["best of random features"] == pytest.approx(max(null), abs=1e-4)
    assert found["above"].score == sum(s > max(null) for s in scores) / len(scores)
    assert found["clusters"].controls["random features"] == pytest.approx(np.mean(null), abs=1e-4)
    kept = stories.dictionary_path(tmp_path, "3", 0)
    assert kept.exists() and (tmp_path / "views" / "stories-3.json").exists()


def test_a_unit_that_was_refused_does_not_keep_the_page_from_being_made():
    assert not _shown("search.trained") and not _shown("stories.3")
    assert _shown("geometry.stories.layer_3.best") and _shown("geometry.trained.search.recall")
