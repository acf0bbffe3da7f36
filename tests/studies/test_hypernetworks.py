"""The study of hypernetworks: its units on networks of seconds, its counts, its page."""

import json
import math
from dataclasses import replace

import pytest
import torch

from symscope.evidence import Evidence, SymscopeError, read_evidence, write_json
from symscope.jobs import run_unit
from symscope.report.hypernetworks import hypernetworks
from symscope.report.pool import pool
from symscope.studies.hypernetworks import compared, variables
from symscope.studies.hypernetworks.__main__ import WORK
from symscope.studies.hypernetworks.counted import _goes_back, counted
from symscope.studies.hypernetworks.front import sizes_of_claim
from symscope.studies.hypernetworks.networks import developing, hypernetwork
from symscope.studies.hypernetworks.settings import PRESETS, TRIED
from symscope.studies.hypernetworks.tables import TABLES
from symscope.studies.hypernetworks.view import view

SECONDS = replace(
    PRESETS["tiny"], plan=replace(PRESETS["tiny"].plan, steps=60), seeds=1, betas=3, samples=500,
    quick=200, decoder_draws=2, baseline_steps=40,
)  # fmt: skip
SETTINGS = {"preset": "seconds"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one hypernetwork for each function, trained for seconds."""
    place = tmp_path_factory.mktemp("hypernetworks") / "seconds"
    PRESETS["seconds"] = SECONDS
    for name in ("l1_norm", "maximum"):
        run_unit(WORK["trained"], ("trained", name, "0"), SETTINGS, place)
    yield place
    del PRESETS["seconds"]


def done(folder, kind, name="l1_norm") -> dict[str, Evidence]:
    """The records of a unit by the end of their claims; each has its seed and its interval."""
    run_unit(WORK[kind], (kind, name, "0"), SETTINGS, folder)
    records = read_evidence(folder / "units" / f"{kind}-{name}-0.json")
    for r in records:
        assert r.claim.startswith("hypernetworks.") and r.seeds, r.claim
        assert r.score is None or r.low is None or r.low <= r.score <= r.high, r.claim
    return {r.claim.removeprefix(f"hypernetworks.{name}."): r for r in records}


def test_training_says_the_loss_beside_what_needs_no_insight(folder):
    found = done(folder, "trained")["loss"]
    assert set(found.controls) == {"untrained", "decoder only", "constant", "linear", "quadratic",
                                   "radial"}  # fmt: skip
    assert found.config["steps_per_second"] > 1 and found.config["plan"]["steps"] == 60
    module, task = hypernetwork("l1_norm", 0, SETTINGS, folder)
    assert module.sizes == (3, 9, 1) and task.name == "l1_norm_3"
    assert [step for step, _ in developing("l1_norm", 0, SETTINGS, folder)][-1] == 60


def test_every_network_is_read_and_the_shares_add_up_to_all(folder):
    found = done(folder, "reading")
    shares = [r for claim, r in found.items() if claim.startswith("algorithm.")]
    assert math.isclose(sum(r.score for r in shares), 1)
    assert all({"shuffled", "untrained"} == set(r.controls) for r in shares)
    assert found["test.rotation"].controls and found["order.strongest"].score > 0
    assert json.loads((folder / "readings" / "l1_norm-0.json").read_text())[0]["tests"]


def test_the_front_has_losses_with_and_without_the_encoder_at_every_beta(folder):
    found = done(folder, "front")
    table = found["front.spearman"].config["table"]
    assert list(table) == ["1e-12", "1e-06", "1e+00"]
    assert all(set(row) == {"loss", "alone", "nats"} for row in table.values())
    assert "with encoder" in found["front.decoder_only"].controls


def test_other_sizes_stand_beside_the_radial_floor_there(folder):
    found = done(folder, "sizes")
    assert {sizes_of_claim(c) for c in found} == {(3, 9), (3, 12), (4, 9), (4, 12)}
    assert all(r.controls["radial"] < r.controls["linear"] for r in found.values())


def test_each_block_is_put_to_zero_once(folder):
    assert set(done(folder, "without")) == {"without.noise", "without.learned", "without.channel"}


def test_a_map_over_steps_and_betas_has_a_pattern(folder):
    found = done(folder, "development")["development.convexity_first"]
    assert 0 <= found.score <= 1
    there = json.loads((folder / "maps" / "l1_norm-0.json").read_text())
    assert len(there["steps"]) == len(there["classes"]) == 51 and len(there["classes"][0]) == 3
    assert there["pattern"] in "abcde"


@pytest.mark.parametrize("name", ["l1_norm", "maximum"])
def test_methods_are_compared_by_the_same_measures(folder, monkeypatch, name):
    def refused(*_):
        raise SymscopeError("the loss is above the asked one")

    monkeypatch.setattr(compared, "with_l1_at", refused)
    found = done(folder, "compared", name)
    assert {"generated.bits", "adam.bits", "generated.formula.error"} <= set(found)
    assert any("above the asked one" in r.note for r in found.values() if r.score is None)


def test_variables_are_searched_with_every_control(folder, monkeypatch):
    monkeypatch.setattr(variables, "asked_of", lambda *_: [("absolute", "a_0", "a_1")])
    done(folder, "compared")
    found = done(folder, "variables")
    record = found["generated.absolute.a_0.r2"]
    assert {"random_subspace", "permuted_sources", "untrained_network", "wrong_variable",
            "full_swap", "no_op"} <= set(record.controls)  # fmt: skip


def test_counts_are_over_hypernetworks(tmp_path):
    for seed, (classes, pattern) in enumerate([
        ([["convexity"], ["pudding_positive"]], "a"), ([["convexity"], ["convexity"]], "e"),
    ]):  # fmt: skip
        write_json(tmp_path / "maps" / f"l1_norm-{seed}.json",
                   {"classes": classes, "pattern": pattern})  # fmt: skip
    found = {
        r.claim.removeprefix("hypernetworks.l1_norm."): r for r in counted(tmp_path, "l1_norm")
    }
    assert found["appeared.convexity"].score == 1 and found["at_the_end.convexity"].score == 0.5
    assert found["pattern.a"].score == 0.5 and found["pattern.a"].n == 2
    assert found["appeared.double_sided"].score == 0 and found["appeared.double_sided"].high > 0.5


def test_going_back_to_convexity_is_seen():
    there = [["convexity"], ["pudding_positive"], ["none"], ["convexity"], ["convexity"]]
    assert _goes_back(there)
    assert not _goes_back(there[:4])
    assert not _goes_back([["convexity"], ["convexity"], ["pudding_positive"]])


def test_what_was_tried_changes_one_setting_or_two_and_has_its_seed():
    plan = PRESETS["small"].plan
    for name, (seed, changes) in TRIED.items():
        assert seed in range(5) and len(changes) <= 2, name
        replace(plan, **{k: v for k, v in changes.items() if k != "sizes"})


def test_the_page_is_made_of_what_there_is(folder):
    for kind in ("reading", "front", "development", "sizes", "compared"):
        done(folder, kind)
    each = [r for path in (folder / "units").glob("*.json") for r in read_evidence(path)]
    records = pool(each)
    shown = view(records, SETTINGS, folder, "symscope study hypernetworks --preset tiny")
    assert shown["hypernetworks"] and shown["fronts"] and shown["phases"] and shown["pictures"]
    assert "Networks written to be read" in hypernetworks(shown)


def test_tables_say_nothing_of_what_is_not_there():
    for name, maker in TABLES.items():
        assert maker({}).count("\n") <= 1 or "| " in maker({}), name


def test_the_same_seed_writes_the_same_evidence(folder, tmp_path):
    module, _ = hypernetwork("l1_norm", 0, SETTINGS, folder)
    run_unit(WORK["trained"], ("trained", "l1_norm", "0"), SETTINGS, tmp_path / "again")
    other, _ = hypernetwork("l1_norm", 0, SETTINGS, tmp_path / "again")
    assert torch.equal(module.last.weight, other.last.weight)


def test_networks_written_by_hand_stand_beside_the_generated_ones(folder):
    found = done(folder, "hand", "maximum")
    assert {"by_hand.difference.loss", "by_hand.difference.bits", "by_hand.both_sides.loss"} <= set(
        found
    )
    assert found["by_hand.difference.loss"].score < 0.1
