"""The bench of known truths: what is judged, and how judgements are counted."""

import json
from xml.etree import ElementTree

import pytest
import torch

from symscope.align.methods import METHODS
from symscope.align.swap import Swap
from symscope.alignment import Handle
from symscope.evidence import Evidence, read_evidence
from symscope.featurizer import Identity, Linear, Mask, Reversible, Rotation
from symscope.jobs import count
from symscope.models.compiled import FAMILIES, plant
from symscope.site import Site
from symscope.studies.truth.__main__ import BENCHED, PRESETS, units
from symscope.studies.truth.pictures import error_rates, roc_picture
from symscope.studies.truth.rates import beside, rates
from symscope.studies.truth.rates import counted as truth_counted
from symscope.studies.truth.tables import methods_table
from symscope.studies.truth.units import (
    angle,
    claims,
    family_unit,
    off,
    untrained,
    untrained_unit,
)

QUICK = {"fit": 200, "validation": 60, "test": 60, "steps": 6, "methods": ["full_site", "das"],
         "untrained": ["das"]}  # fmt: skip


def judged(claim: str, score: float, word: str, **config) -> Evidence:
    kept = {"word": word, "word_without": word, "size": 1, "claimed_size": 1, "off": 0.01} | config
    return Evidence(claim, score, score, score, 100, seeds=[0], seconds=2.0, config=kept)


def test_rates_count_true_claims_accepted_and_false_ones():
    records = [
        judged("truth.parity.das.true.odd.iia", 1.0, "found", angle=2.0),
        judged("truth.parity.das.true.odd.iia", 0.8, "partial", angle=8.0),
        judged("truth.parity.das.decoy.0_x.iia", 0.9, "found", word_without="found"),
        judged("truth.parity.das.decoy.1_x.iia", 0.3, "partial", word_without="found"),
        judged("truth.parity.das.decoy.2_x.iia", 0.2, "at its floor"),
    ]
    found = {e.claim: e for e in rates(records)}
    assert found["truth.parity.das.tpr"].score == 0.5
    assert found["truth.parity.das.fpr"].score == pytest.approx(1 / 3)
    assert found["truth.parity.das.fpr"].controls["without_searched_controls"] == pytest.approx(
        2 / 3
    )
    assert found["truth.parity.das.auroc"].score == pytest.approx(5 / 6)
    assert found["truth.parity.das.angle"].score == 5.0
    assert found["truth.all.das.fpr"].n == 3
    assert found["truth.parity.das.tpr"].controls["seconds_per_claim"] == 2.0


def test_what_is_neither_true_nor_false_by_construction_is_no_rate():
    records = [
        judged("truth.plain.das.adder_carry.iia", 0.9, "partial", accuracy=1.0),
        judged("truth.plain.das.adder_carry.iia", 0.5, "at its floor", accuracy=0.9),
    ]
    assert rates(records) == []
    (pooled,) = beside([*records, judged("truth.parity.das.true.odd.iia", 1.0, "found")])
    assert pooled.score == pytest.approx(0.7) and pooled.config["accuracy"] == [1.0, 0.9]
    assert pooled.config["word"] == ["partial", "at its floor"]


def test_error_rates_and_their_picture_say_what_was_counted():
    judgements = [
        judged("truth.parity.das.true.odd.iia", 1.0, "found", angle=2.0),
        judged("truth.parity.das.true.odd.iia", 0.8, "partial", angle=8.0),
        judged("truth.parity.das.decoy.0_x.iia", 0.9, "found"),
        judged("truth.untrained.das.decoy.parity_odd.iia", 0.2, "at its floor"),
    ]
    counted = {e.claim: e for e in rates(judgements)}
    assert counted["truth.all.das.auroc"].config["roc"] == [[0, 0], [0, 0.5], [1, 0.5], [1, 1]]
    measured = json.loads(error_rates(counted))
    assert measured == {
        "families": 1, "bases": 1,
        "methods": {"das": {"true": [1, 2], "false": [1, 1], "untrained": [0, 1]}},
    }  # fmt: skip
    picture = roc_picture(counted)
    ElementTree.fromstring(picture)
    assert "das<tspan" in picture and "AUROC 0.500" in picture and "linear" not in picture
    assert "| `das` | 0.500 (1 of 2) | 1.000 (1 of 1) |" in methods_table(counted)


def test_untrained_networks_are_counted_apart():
    records = [judged("truth.untrained.das.decoy.parity_odd.iia", 0.2, "at its floor")]
    assert [e.claim for e in rates(records)] == ["truth.untrained.das.fpr"]


def test_an_angle_is_the_largest_between_two_subspaces():
    site, eye = Site("x"), torch.eye(4)
    true = Handle(site, Rotation(4, 4, start=eye), (0,))
    tilted = torch.tensor([[3.0**0.5 / 2, 0.5, 0.0, 0.0]]).T
    for featurizer, at, expected in (
        (Rotation(4, 1, start=tilted), (0,), 30.0),
        (Identity(4), (0, 1, 2, 3), 0.0),
        (Mask(4, 2, [1, 2]), (0, 1), 90.0),
        (Reversible(4, 4), (0,), None),
    ):
        found = angle(Handle(site, featurizer, at), true)
        assert found == (None if expected is None else pytest.approx(expected, abs=0.1))
    bent = Linear(4, 4, seed=1)
    assert 0 < angle(Handle(site, bent, (0, 1)), true) < 90


def test_a_swap_by_the_truth_sets_the_variable_and_one_across_it_does_not():
    planted = plant(FAMILIES["clock_7"](), seed=1)
    pairs = planted.task.pairs(planted.task.program, ("sum",), 60, 0, "test")
    true = planted.alignment["sum"]
    swap = Swap(planted.network, true.site, pairs)
    others = tuple(c for c in range(true.featurizer.size) if c not in true.coordinates)
    assert off(true, true, swap) < 1e-5
    assert off(Handle(true.site, true.featurizer, others), true, swap) == pytest.approx(1.0)


def test_a_unit_judges_every_claim_by_every_method(tmp_path):
    found = family_unit(("family", "dereference_1", "0"), QUICK, tmp_path)
    planted = plant(FAMILIES["dereference_1"](), seed=0)
    expected = len(claims(planted, 0))
    by_method = {m: [e for e in found if e.claim.split(".")[2] == m] for m in QUICK["methods"]}
    assert len(by_method["das"]) == expected
    too_small = sum(why.startswith("too small") for why in planted.decoys)
    assert len(by_method["full_site"]) == expected - too_small
    for e in found:
        assert e.config["word"] in ("found", "partial", "at its floor", "no control")
        assert {"no_op", "full_swap", "machine_no_op", "random_subspace"} <= set(e.controls)
        assert ("angle" in e.config) == ("off" in e.config) == (".true." in e.claim)
        json.dumps(dict(e.config))


def test_claims_about_a_network_with_random_weights_are_all_false(tmp_path):
    found = untrained_unit(("untrained", "parity", "1"), QUICK, tmp_path)
    assert [e.claim for e in found] == ["truth.untrained.das.decoy.parity_odd.iia"]
    assert found[0].config["word"] != "found"


def test_an_untrained_network_has_the_same_form_and_other_weights():
    network = plant(FAMILIES["induction"]()).network
    one, two = untrained(network, 1), untrained(network, 2)
    weights = [n.module.readout.weight for n in (network, one, two)]
    assert weights[0].shape == weights[1].shape
    assert not torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[2])


def test_the_full_bench_has_the_wanted_size():
    listed = units("full")
    known = [u for u in listed if u[0] == "family"]
    assert len(BENCHED) >= 12 and len(known) == len(BENCHED) * PRESETS["full"]["seeds"] >= 60
    assert len(set(listed)) == len(listed)
    blank = sum(
        len(list(plant(FAMILIES[u[1]]()).alignment.handles)[:3])
        for u in listed
        if u[0] == "untrained"
    )
    assert blank >= 200


def test_units_are_counted_into_one_file(tmp_path):
    folder = tmp_path / "small"
    (folder / "units").mkdir(parents=True)
    record = judged("truth.parity.das.true.odd.iia", 1.0, "found", angle=1.0)
    from symscope.evidence import write_evidence

    write_evidence(folder / "units" / "family-parity-0.json", [record])
    count(folder, truth_counted, "symscope bench truth")
    counted = read_evidence(tmp_path / "small.json")
    assert {e.claim for e in counted} >= {"truth.parity.das.tpr", "truth.all.das.angle"}
    assert counted[0].config["command"] == "symscope bench truth"


def test_every_method_can_be_asked_for_alone():
    assert set(METHODS) >= {"full_site", "neurons", "pca", "probe", "das", "boundless", "multitask",
                            "linear", "reversible", "masking"}  # fmt: skip
