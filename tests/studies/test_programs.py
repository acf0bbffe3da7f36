"""The study of the 62 tasks: its settings, its training units, the search for a small shape."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from symscope.engines import local
from symscope.evidence import Evidence, read_evidence, write_evidence
from symscope.jobs import run_unit
from symscope.models.copies import Shape
from symscope.models.load import load_network, save_network
from symscope.models.real_rnn import build_real
from symscope.programs.printing import python_source
from symscope.studies.programs import units as module
from symscope.studies.programs.__main__ import SETTINGS_OF, extraction_units, training_units
from symscope.studies.programs.extraction import extraction_unit
from symscope.studies.programs.gallery import write_gallery
from symscope.studies.programs.search import rank_of, shape_of, smallest_rank, smallest_shape
from symscope.studies.programs.settings import SETTINGS, Setting
from symscope.studies.programs.units import cell_unit, network_unit
from symscope.tasks import ALGORITHMS, algorithm
from symscope.tasks.algorithms import EXTRAS
from symscope.train_copies import Plan, train_copies

QUICK = Plan(copies=3, batch=32, steps=500, rate=1e-2, cool=250)


def test_every_task_has_settings_and_three_networks():
    assert list(SETTINGS) == list(ALGORITHMS)
    listed = training_units()
    assert len(set(listed)) == len(listed) == 186 + len(EXTRAS)
    assert {u[2] for u in listed[:62]} == {"0"}


def test_a_network_and_its_evidence_are_written_once(tmp_path, monkeypatch):
    monkeypatch.setitem(SETTINGS, "bitwise_not", Setting(1, plan=QUICK))
    unit = ("network", "bitwise_not", "1")
    run_unit(network_unit, unit, SETTINGS_OF["train"], tmp_path)
    path = tmp_path / "units" / "network-bitwise_not-1.json"
    (evidence,) = read_evidence(path)
    assert evidence.claim == "programs.bitwise_not.network.accuracy" and evidence.score == 1
    assert len(evidence.config["attempts"]) == 1
    assert evidence.seeds == [1] and {"commit", "torch"} <= set(evidence.config["made"])
    network, config = load_network(tmp_path / "networks" / "bitwise_not-1.safetensors")
    assert config["architecture"] == "real_mlp"
    bits = torch.tensor([[1, 0, 0, 1]])
    assert network(bits).round().tolist() == [[0, 1, 1, 0]]
    monkeypatch.setattr(module, "train_copies", None)  # what is there is not computed again
    run_unit(network_unit, unit, SETTINGS_OF["train"], tmp_path)


def test_a_network_that_is_not_perfect_is_trained_again_twice_as_long(tmp_path, monkeypatch):
    short = Plan(copies=2, batch=8, steps=20, cool=5)
    monkeypatch.setitem(SETTINGS, "parity_all", Setting(1, (2, 2), plan=short))
    (evidence,) = network_unit(("network", "parity_all", "0"), {"attempts": 3}, tmp_path)
    attempts = evidence.config["attempts"]
    assert [steps for _, _, steps in attempts] == [20, 40, 80]
    assert evidence.score == max(right for right, _, _ in attempts) < 1


def test_a_network_that_is_only_just_perfect_is_trained_again_and_the_clearest_kept(
    tmp_path, monkeypatch
):
    margins = iter([0.01, 0.04, 0.02])

    def nearly(task, width, f, g, plan, seed):
        network, evidence = train_copies(task, width, f, g, QUICK, seed)
        return network, replace(evidence, config={**evidence.config, "margin": next(margins)})

    monkeypatch.setattr(module, "train_copies", nearly)
    (evidence,) = network_unit(("network", "bitwise_not", "0"), {"attempts": 3}, tmp_path)
    assert evidence.config["margin"] == 0.04 and len(evidence.config["attempts"]) == 3


def test_the_stage_can_be_asked_for_network_by_network(tmp_path):
    asked = [sys.executable, "-m", "symscope.studies.programs", "--stage", "train", "--jobs", "1",
             "--only", "network-none", "--out", str(tmp_path)]  # fmt: skip
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout == "" and not (tmp_path / "units").exists()


def test_shapes_are_numbered_as_published():
    assert shape_of(65_536, 1, 1) == Shape(1, 2, 1)
    for shape in (Shape(1, 4, 1, (73, 3)), Shape(2, 2, 1, (4, 2)), Shape(1, 2, 1, (1, 1), (2, 2))):
        assert shape_of(rank_of(shape), shape.inputs, shape.outputs) == shape
    assert rank_of(Shape(1, 128, 1, (256, 1))) < rank_of(Shape(1, 1, 1, (1, 2)))


@pytest.mark.parametrize("least", [1, 65_536, 65_537, 1_000_003, 75_497_471])
def test_the_search_ends_at_the_first_rank_that_works(least):
    tried = []

    def works(rank):
        tried.append(rank)
        return rank >= least

    assert smallest_rank(works, 60) == (max(least, 65_536), True)
    assert len(tried) < 80


def test_a_search_without_time_says_that_it_did_not_end():
    assert smallest_rank(lambda rank: rank > 10**6, 0) == (None, False)
    assert smallest_rank(lambda rank: True, 0) == (65_536, True)
    assert smallest_rank(lambda rank: False, 60) == (None, True)


def test_two_affine_states_are_found_for_an_easy_task():
    shape, ended = smallest_shape(algorithm("bitwise_not"), 60, QUICK)
    assert (shape, ended) == (Shape(1, 2, 1), True)
    json.dumps(shape.width)


def test_the_gallery_draws_the_networks_that_are_there_and_names_the_rest(tmp_path):
    shape = {"architecture": "real_mlp", "width": 1, "inputs": 1, "outputs": 1, "f": (1, 1)}
    network = build_real(**shape)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            value.fill_(float("weight" in name))
    networks = tmp_path / "networks"
    save_network(networks / "sum_all-0.safetensors", network, shape)
    source = python_source(algorithm("sum_all").program)
    config = {"source": source, "said": "undecided: it", "made": {"commit": "abc123"}}
    solved = Evidence("programs.sum_all.solved", 1.0, None, None, 100, "solved", seeds=[0],
                      config=config)  # fmt: skip
    write_evidence(tmp_path / "units" / "extract-sum_all-0.json", [solved])
    assert sorted(write_gallery(tmp_path, networks, local(1), ["sum_all"])) == sorted(ALGORITHMS)
    page = (tmp_path / "gallery.html").read_text("utf8")
    assert page.count('class="drawing"') == 2 and page.count("NOT PROVEN.") == 1
    assert "a state of 1, f 2 → 1, g 1 → 1" in page and "abc123" in page
    assert page.count('<section id="task-') == 62
    assert page.count("<p>Nothing to show: not trained yet.</p>") == 61


def test_cells_are_units_of_their_own(tmp_path, monkeypatch):
    assert training_units("gru")[0] == ("cell", "parity_all.gru", "0")

    def made(task, architecture, width, plan, seed):
        _, evidence = train_copies(task, 1, (1, 1), plan=QUICK, seed=seed)
        return build_real(architecture, 1, width, 1), replace(
            evidence, config={**evidence.config, "shape": shape, "steps": plan.steps}
        )

    shape = {"inputs": 1, "width": 24, "outputs": 1}
    monkeypatch.setattr(module, "train_cell", made)
    (evidence,) = cell_unit(("cell", "bitwise_not.gru", "0"), {"attempts": 1}, tmp_path)
    assert evidence.claim == "programs.bitwise_not.gru.network.accuracy"
    _, config = load_network(tmp_path / "networks" / "bitwise_not.gru-0.safetensors")
    assert config["architecture"] == "real_gru"
    assert extraction_units(tmp_path / "networks", "gru") == [("extract", "bitwise_not.gru", "0")]
    assert extraction_units(tmp_path / "networks") == []
    (found,) = extraction_unit(("extract", "bitwise_not.gru", "0"), {}, tmp_path)
    assert found.claim == "programs.bitwise_not.gru.solved" and "not perfect" in found.note
