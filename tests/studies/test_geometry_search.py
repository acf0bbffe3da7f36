"""Circles that nobody asked for: found where they are used, not where there are none."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from symscope.evidence import Evidence, SymscopeError
from symscope.network import Network
from symscope.studies.geometry.networks import Adder, adder, network_unit, published_adder
from symscope.studies.geometry.search import (
    FEWEST,
    LEAST_ALIVE,
    USED,
    Found,
    _circle_share,
    _frequency,
    clusters_of,
    frequencies_used,
    search_claims,
    searched,
    transcoder,
)
from symscope.studies.geometry.settings import PRESETS, Adding, Preset, Search
from symscope.tasks.modular import ModularAddition
from symscope.train_answers import answers

WEIGHTS = Path(os.environ.get("SYMSCOPE_WEIGHTS", "/nowhere"))
FEW = Search(size=32, penalties=(0.003,), steps=300, thresholds=(), neighbours=(), counts=(4,),
             angles=12)  # fmt: skip
ADDING = Adding(modulus=17, width=32, steps=500)
P = 11
NUMBERS = torch.arange(P, dtype=torch.float64)
TURN = 2 * torch.pi / P
SUM, APART = NUMBERS[:, None] + NUMBERS, NUMBERS[:, None] - NUMBERS


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """One that was trained for seconds, and one that never was."""
    folder, settings = tmp_path_factory.mktemp("geometry"), {"preset": "minute"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "minute", Preset(adding=ADDING, search=FEW))
        (evidence,) = network_unit(("network", "trained", "1"), settings, folder)
        kinds = ("trained", "untrained")
        yield evidence, {kind: adder(kind, "1", settings, folder) for kind in kinds}


@pytest.fixture(scope="module")
def found(networks) -> dict[str, list[Found]]:
    return {kind: searched(asked, FEW, 1) for kind, asked in networks[1].items()}


def test_the_network_is_right_on_what_it_was_trained_on_and_the_evidence_is_of_the_rest(networks):
    evidence, asked = networks
    task, module = ModularAddition(17), asked["trained"].network.module
    right = answers(module, task.prompts) == task.correct(task.prompts)[:, 2]
    assert bool(right[task.trained_on].all())
    assert evidence.score == pytest.approx(float(right[~task.trained_on].float().mean()))
    assert evidence.n == 58 and evidence.controls["chance"] == 1 / 17
    assert evidence.controls["untrained"] < 0.2 < evidence.score
    assert torch.equal(asked["trained"].crossed.prompts, task.prompts)
    assert torch.equal(asked["trained"].crossed.answers, task.correct(task.prompts)[:, 2])


def test_every_frequency_that_is_used_is_found(networks, found):
    used = {k for k, share in frequencies_used(networks[1]["trained"]).items() if share >= USED}
    assert used and used <= {one.frequency for one in found["trained"] if one.is_wave}
    recall, precision, there, waves = search_claims(
        networks[1]["trained"], found["trained"], used, "x", 1
    )
    assert recall.claim == "x.search.recall" and recall.n == len(used)
    assert recall.score == 1.0 > recall.controls["random frequencies"]
    assert precision.score == len(used) / precision.n and there.score >= precision.score
    assert waves.score > waves.controls["prompts dealt anew"] == 0.0
    best = waves.config["best"][str(min(used))]
    assert best[0] == max(one.share for one in found["trained"] if one.is_wave)


def test_in_a_network_that_was_never_trained_nothing_is_found_and_nothing_used(networks, found):
    asked = networks[1]["untrained"]
    assert max(frequencies_used(asked).values()) < USED
    assert not [one for one in found["untrained"] if one.is_wave]
    recall, precision, there, waves = search_claims(asked, found["untrained"], set(), "x", 1)
    assert [r.score for r in (recall, precision, there)] == [None] * 3 and waves.score == 0.0
    assert recall.note == "no frequency is used" and precision.note == "no frequency is found"
    assert waves.config["found"] == waves.config["used"] == waves.config["there"] == "none"


def test_the_same_seed_finds_the_same_and_another_other_clusters(networks, found):
    asked = networks[1]["trained"]
    claims = [search_claims(asked, some, {7}, "x", 1)
              for some in (found["trained"], searched(asked, FEW, 1))]  # fmt: skip
    assert claims[0] == claims[1]
    other = searched(asked, FEW, 2)
    assert [o.score.score for o in other] != [o.score.score for o in found["trained"]]


def test_what_is_found_comes_in_order_and_lies_in_its_plane(found):
    scores = [one.score.score for one in found["trained"]]
    assert scores == sorted(scores, reverse=True) and len(scores) > 1
    for one in found["trained"]:
        assert torch.allclose(one.axes @ one.axes.T, torch.eye(2).double(), atol=1e-6)
        assert one.plane.shape == (len(one.rows), 2) and one.features >= FEWEST
        assert bool((one.rows.diff() > 0).all()) and 0 <= one.circle <= one.share + 1e-9 <= 1 + 1e-9


def test_clusters_have_three_features_or_more_and_all_of_them_are_alive(networks):
    asked = networks[1]["trained"]
    dictionary, inputs = transcoder(asked, 0, 0.003, FEW, 1)
    assert torch.allclose(inputs.mean(0), torch.zeros(32), atol=1e-5)
    with torch.no_grad():
        dictionary.encoder_bias[:2] = -1e9  # two that are never on
    wide = replace(FEW, thresholds=(0.5, 0.9), neighbours=(2, 40), counts=(4, 99))
    clusters = clusters_of(dictionary, inputs, wide, 1)  # more than there are: left out
    with torch.no_grad():
        share = (dictionary.encode(inputs) > 0).float().mean(0)
    assert {len(c) >= FEWEST and len(set(c)) == len(c) for c in clusters} == {True}
    assert min(float(share[i]) for c in clusters for i in c) > LEAST_ALIVE
    assert clusters > clusters_of(dictionary, inputs, FEW, 1)


def planted(frequency: int, score=(2.0, 1.0), share: float = 0.9, layer: int = 0) -> Found:
    """A plane with the circle of the sum; its score, and that of Gaussian points."""
    sums = SUM.flatten()
    plane = torch.stack([(frequency * TURN * sums).cos(), (frequency * TURN * sums).sin()], 1)
    evidence = Evidence("x", score[0], 0.0, 9.0, 121, controls={"gaussian": score[1]})
    return Found(layer, 4, evidence, plane, torch.arange(P * P), torch.eye(2, 8).double(),
                 frequency, share, 1.0)  # fmt: skip


def test_a_wave_beats_gaussian_points_and_is_mostly_of_one_frequency():
    assert planted(3, (1.01, 1.0), 0.5).is_wave
    assert not planted(3, (1.0, 1.0), 0.9).is_wave  # no better than Gaussian points
    assert not planted(3, (2.0, 1.0), 0.49).is_wave  # of several frequencies


class Waves(nn.Module):
    """Logit of c: the sum of weight · cos 2πk(a + b − c)/11; one class more, and three steps."""

    def __init__(self, weights: dict[int, float]):
        super().__init__()
        self.weights = weights

    def forward(self, tokens: Tensor) -> Tensor:
        apart = tokens[:, :1] + tokens[:, 1:2] - torch.arange(P)
        logits = sum(w * (k * TURN * apart).cos() for k, w in self.weights.items())
        steps = torch.stack([-logits, 0 * logits, logits], 1)
        return torch.cat([steps, 99 + 0 * steps[..., :1]], -1)


def waves(weights: dict[int, float]) -> Adder:
    return Adder(Network(Waves(weights)), P, 3)


def test_a_frequency_is_used_by_its_share_of_the_logits():
    shares = frequencies_used(waves({1: 3.0, 3: 1.0}))
    assert list(shares) == [1, 2, 3, 4, 5]
    assert list(shares.values()) == pytest.approx([0.9, 0.0, 0.1, 0.0, 0.0], abs=1e-6)


def test_claims_count_what_was_found_used_and_there():
    """Used are 1 and 3; found 3, 4 and 5; of those 4 is in the embedding alone."""
    some = [planted(3), planted(3, share=0.95), planted(4), planted(5), planted(1, share=0.1)]
    asked = waves({1: 3.0, 3: 1.0, 2: 0.1})
    recall, precision, there, clusters = search_claims(asked, some, {4}, "x", 0)
    assert (recall.score, recall.n) == (1 / 2, 2)
    assert (precision.score, precision.n) == (1 / 3, 3) and (there.score, there.n) == (2 / 3, 3)
    chance = [r.controls["random frequencies"] for r in (recall, precision, there)]
    assert chance == [3 / 5, 2 / 5, 3 / 5]
    assert recall.low < 0.5 < recall.high and clusters.score == 4 / 5 and clusters.n == 5
    assert clusters.config["found"] == "3 4 5" and clusters.config["there"] == "1 3 4"
    assert clusters.config["best"]["3"] == [0.95, 1.0]
    with pytest.raises(SymscopeError, match="no dictionary has a cluster"):
        search_claims(asked, [], set(), "x", 0)


@pytest.mark.parametrize("k", range(1, 6))
def test_a_frequency_is_named_of_what_is_made_of_its_waves(k):
    """Alone, and times a function of a − b, whose halves are waves of a and of b."""
    half = k * (P + 1) / 2  # k/2 modulo 11
    maps = {
        "sum": [(k * TURN * SUM).cos(), (k * TURN * SUM).sin()],
        "pizza": [(half * TURN * SUM).cos() * (half * TURN * APART).cos(),
                  (half * TURN * SUM).sin() * (half * TURN * APART).cos()],
        "a and b": [(k * TURN * NUMBERS).cos()[:, None] + 0 * SUM,
                    (k * TURN * NUMBERS).sin()[:, None] * (k * TURN * NUMBERS).cos()],
    }  # fmt: skip
    for name, both in maps.items():
        frequency, share = _frequency(3 + torch.stack(both))
        assert frequency == k and share == pytest.approx(1.0), name


def test_of_two_maps_each_counts_by_its_size_and_of_noise_little_is_explained():
    strong, weak = 3 * (2 * TURN * SUM).cos(), (5 * TURN * SUM).sin()
    for both in ([strong, weak], [weak, strong]):
        frequency, share = _frequency(torch.stack(both))
        assert frequency == 2 and share == pytest.approx(0.9)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=(2, P, P)))
    assert _frequency(noise)[1] < 0.3


def test_a_circle_explains_its_own_plane_and_no_other():
    plane, sums = planted(3).plane, SUM.flatten().long() % P
    turned = plane @ torch.tensor([[0.6, -0.8], [0.8, 0.6]]).double() * 5 + 2
    assert _circle_share(turned, sums, P, 3) == pytest.approx(1.0)
    assert _circle_share(turned, sums, P, 2) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="SYMSCOPE_WEIGHTS is not set")
def test_in_a_published_network_the_two_strongest_frequencies_are_found():
    asked = published_adder(WEIGHTS, "l8k1hzciux")
    assert asked.crossed.prompts.shape == (59 * 59, 2) and asked.layers == 1
    used = frequencies_used(asked)
    assert set(sorted(used, key=lambda k: used[k])[-2:]) == {13, 16}
    small = replace(FEW, size=48, penalties=(0.01,), steps=400, counts=(6,), angles=8)
    found = {one.frequency for one in searched(asked, small, 0) if one.is_wave}
    assert {13, 16} <= found and min(used[k] for k in found) > USED
