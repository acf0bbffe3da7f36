"""What work takes is counted right where it can be known, and what cannot fit is refused."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from symscope import cost, room
from symscope.cost import FITTED, Cost, Decoder
from symscope.evidence import read_json
from symscope.models.load import build
from symscope.room import PROCESS, NoRoom, Speed, require_room
from symscope.studies import estimate, language_model
from symscope.studies.binding.costs import unit_cost as binding_cost
from symscope.studies.binding.settings import PRESETS as BINDING
from symscope.studies.estimate import announced
from symscope.studies.hypernetworks.costs import unit_cost as hypernetwork_cost
from symscope.studies.hypernetworks.settings import PRESETS as HYPERNETWORKS
from symscope.studies.numbers.__main__ import PRESETS as NUMBERS
from symscope.studies.numbers.__main__ import units
from symscope.studies.numbers.costs import unit_cost as numbers_cost
from symscope.studies.programs.__main__ import training_units
from symscope.studies.programs.costs import unit_cost as program_cost

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
RECORD = Path(__file__).parents[1] / "results" / "performance" / "cost.json"
FORM = Decoder(3, 32, 2, 50)
SPEED = Speed(1e9, 1e9, 1e5)
METHODS = {
    "recurrent_training": ((20, 8, 128, 43, 10), "updates"),
    "copies_training": ((2, 32, 2, 8, 128, 12, 10), "updates"),
    "transformer_training": ((FORM, 128, 43, 10), "updates"),
    "recurrent_alignment": ((20, 8, 1000, 43, 10), None),
    "transformer_alignment": ((FORM, 0, 1000, 43, 10), None),
    "patching": ((FORM, 96, 64, 32), None),
    "attribution": ((FORM, 64, 32), None),
    "circuit": ((FORM, 64, 32), None),
    "dictionary": ((64, 512, 4000, 10), "updates"),
    "activation_maps": ((FORM, 384, 1000, 4), None),
    "hypernetwork_training": ((8, 24, 4, 512, 10), "updates"),
    "inference": ((FORM, 1000, 16), None),
}


@pytest.fixture(autouse=True)
def speed(monkeypatch):
    """Nothing is measured."""
    for module in (estimate, language_model, room):
        monkeypatch.setattr(module, "speed_of", lambda *_: SPEED)


def test_work_one_after_the_other_takes_the_larger_memory_and_all_of_the_time():
    one, other = Cost(5.0, 1e9, 2e9, 1e5, 1.0), Cost(7.0, 1e9)
    assert (one + other).memory == 7 and one.times(3).memory == 5
    assert SPEED.seconds(one) == 1 + 2 + 1 + 1
    assert SPEED.seconds(one + other) == SPEED.seconds(one) + SPEED.seconds(other)
    assert SPEED.seconds(one.times(3)) == 3 * SPEED.seconds(one)
    assert Cost(0.0) + one == one


def test_every_method_has_its_factors_and_is_counted():
    assert set(METHODS) == set(FITTED)
    for name, (sizes, _) in METHODS.items():
        found = getattr(cost, name)(*sizes)
        assert found.memory > 0 and found.operations > 0 and found.moved > 0 and found.calls > 0


@pytest.mark.parametrize("name", [n for n, (_, updates) in METHODS.items() if updates])
def test_twice_the_updates_are_twice_the_work_in_the_same_memory(name):
    *sizes, updates = METHODS[name][0]
    method = getattr(cost, name)
    none, one, two = (method(*sizes, count * updates) for count in range(3))
    assert two.memory == one.memory
    assert two.operations - none.operations == pytest.approx(2 * (one.operations - none.operations))


def test_the_parameters_of_a_decoder_are_those_of_the_network():
    module = build("transformer", 50, 32, layers=3, heads=2)
    matrices = sum(p.numel() for p in module.parameters() if p.dim() == 2)
    assert FORM.parameters == matrices
    assert replace(FORM, tied=True).parameters == matrices - 50 * 32
    assert replace(FORM, weights=matrices - 50 * 32).parameters == matrices


def test_a_run_s_operations_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    module, tokens = build("transformer", 50, 32, layers=3, heads=2), torch.ones(4, 16).long()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(tokens)
    readout = 2 * 4 * 16 * 32 * 50
    assert FORM.forward(4 * 16, 0) + readout == counter.get_total_flops()  # without attention's own


def test_a_language_model_s_sizes_are_read_from_its_description(tmp_path):
    pytest.importorskip("transformers")
    from families import folder

    for family in ("gpt2", "llama", "gpt_neox"):
        (tmp_path / "config.json").write_text((folder(family) / "config.json").read_text())
        form = language_model.form_of(language_model.described(str(tmp_path)))
        from safetensors.torch import load_file

        count = sum(v.numel() for v in load_file(folder(family) / "model.safetensors").values())
        assert form.layers == 2 and form.vocabulary == 50
        assert form.parameters == pytest.approx(count, rel=0.01)


def asked(**more) -> argparse.Namespace:
    return argparse.Namespace(**{"jobs": 2, "engine": "local", "dry_run": False, **more})


def test_a_study_that_fits_says_what_it_takes_first(tmp_path, capsys):
    every = [("slow", "a", "0"), ("quick", "a", "0"), ("quick", "b", "0")]
    costs = {"slow": Cost(2e8, seconds=7200), "quick": Cost(1e8, seconds=60)}
    assert announced("study x", every, lambda u: costs[u[0]], tmp_path, asked())
    said = capsys.readouterr().err
    assert said.startswith("study x: 3 units, 2 at a time; at most 1.6 GB of ")
    assert "about 1.0 hours in all (slow 2.0 hours, quick 2.0 minutes of one process)" in said


def test_what_is_there_is_not_reckoned_and_a_dry_run_goes_no_further(tmp_path, capsys):
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "k-a-0.json").write_text("[]")
    every, free = [("k", "a", "0"), ("k", "b", "0")], Cost(1e6, seconds=30)
    assert not announced("study x", every, lambda _: free, tmp_path, asked(dry_run=True))
    said = capsys.readouterr().err
    assert "2 units (1 are there), 1 at a time" in said and "about 30 seconds in all" in said
    assert announced("study x", every[:1], lambda _: free, tmp_path, asked())
    assert capsys.readouterr().err == "study x: all 1 units are there\n"


def test_a_study_that_cannot_fit_is_refused_with_the_numbers(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(room, "_main_memory", lambda: 4e9)
    large = Cost(3e9, seconds=1)
    every = [("k", "a", "0"), ("k", "b", "0")]
    with pytest.raises(NoRoom, match=r"study x takes about 7\.2 GB, and 4\.0 GB are free on cpu"):
        announced("study x", every, lambda _: large, tmp_path, asked())
    assert NoRoom.exit_code == 2 and "at most 7.2 GB of 4.0 GB" in capsys.readouterr().err
    assert announced("study x", every, lambda _: large, tmp_path, asked(jobs=1))
    assert announced("study x", every, lambda _: large, tmp_path, asked(engine="ray"))


def test_work_on_a_device_is_held_against_the_device(tmp_path, monkeypatch):
    free = {"cpu": 3e9, "cuda": 1e9}
    for module in (estimate, room):
        monkeypatch.setattr(module, "room", free.__getitem__)
    every = [("train", "0"), ("ask", "0")]
    costs = {"train": Cost(2e9), "ask": Cost(5e8)}
    with pytest.raises(NoRoom, match=r"takes about 4\.0 GB, and 1\.0 GB are free on cuda"):
        announced("s", every, lambda u: costs[u[0]], tmp_path, asked(device="cuda"), ("train",))
    costs["train"] = Cost(4e8)
    assert announced("s", every, lambda u: costs[u[0]], tmp_path, asked(device="cuda"), ("train",))


def test_a_language_model_that_cannot_fit_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(room, "_main_memory", lambda: 10e9)
    form = Decoder(32, 4096, 32, 128_256, 14_336, 8.03e9 - 128_256 * 4096)
    settings = {"model": "an 8B", "dtype": "bfloat16", "device": "cpu"}
    needed = language_model.runs_cost(form, 1e5, 5, 512, "bfloat16")
    assert 16e9 < needed.memory < 20e9  # its weights take 16.06 GB
    with pytest.raises(NoRoom, match=r"an 8B in bfloat16 takes about .* 10\.0 GB are free on cpu"):
        language_model.announced("text", needed, 0.0, settings, False)
    with pytest.raises(NoRoom, match="--device auto"):
        language_model.announced("text", needed, 0.0, settings, True)
    small = language_model.runs_cost(FORM, 1e3, 5, 16, "float32")
    assert language_model.announced("text", small, 0.0, settings, False)
    assert not language_model.announced("text", small, 0.0, settings, True)


def test_room_is_what_the_system_has_and_no_more_than_a_container_allows(tmp_path, monkeypatch):
    free = room.room("cpu")
    assert PROCESS < free < 1e14 and room.room("auto") <= 1.1 * free + 1e12
    most, used = tmp_path / "most", tmp_path / "used"
    most.write_text("3000000\n")
    used.write_text("1000000\n")
    monkeypatch.setattr(room, "_GROUPS", ((str(most), str(used)),))
    assert room.room("cpu") == 2e6
    most.write_text("max\n")
    assert room.room("cpu") > PROCESS
    with pytest.raises(NoRoom, match=r"it takes about 1,000,000\.0 GB"):
        require_room(1e15, "cpu", "it", "less")


def test_the_speed_of_a_machine_is_measured_once_and_is_positive(monkeypatch):
    monkeypatch.undo()
    found = room.speed_of("cpu", "float32", 0.01)
    assert min(found.operations, found.moved, found.calls) > 1e3
    assert room.speed_of("cpu", "float32", 0.01) is found


def test_every_unit_of_the_published_presets_is_reckoned():
    preset = NUMBERS["published"]
    each = [numbers_cost(u, preset) for u in units(preset)]
    each += [program_cost(u) for u in training_units()]
    asked_of = ("network", "mechanism", "heads", "coordinates", "beyond", "view")
    each += [binding_cost((kind, "0"), BINDING["published"]) for kind in asked_of]
    large = HYPERNETWORKS["published"]
    each += [hypernetwork_cost((kind, "l1_norm", "0"), large, large.sizes, large.plan.steps)
             for kind in ("trained", "front")]  # fmt: skip
    assert all(c.memory > 1e6 and SPEED.seconds(c) > 0 for c in each)


def test_the_factors_are_those_that_were_measured():
    measured = read_json(RECORD)["fitted"]
    assert {name: tuple(pair) for name, pair in measured.items()} == FITTED


def test_the_benchmark_measures_a_point_and_counts_every_point(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import cost_points
    import cost_runs

    assert {p.method for p in cost_points.POINTS} == set(METHODS)
    assert all(cost_points.counted(p).memory > 0 for p in cost_points.POINTS)
    assert json.dumps([p.sizes for p in cost_points.POINTS])
    sizes = {"layers": 1, "width": 32, "tokens": 4, "pairs": 2}
    cost_runs.prepared(cost_points.Point("patching", False, sizes))()
    for name in ("cost_points", "cost_runs"):
        sys.modules.pop(name)
