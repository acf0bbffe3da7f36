"""What each command writes, prints and returns when it is given what it wants."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from quick import QUICK
from symscope.align import Search
from symscope.alignment import Alignment
from symscope.cli import app, main
from symscope.commands.demo import Preset, demo
from symscope.commands.loop import Effort
from symscope.commands.run_directory import WRITTEN, commit, described, opened
from symscope.commands.scripts import studies
from symscope.evidence import read_evidence
from symscope.placement import Placement
from symscope.train import Schedule


def test_training_leaves_a_run_that_says_how_it_was_made(trained):
    config = json.loads((trained / "config.json").read_text())
    asked = {"command": "train", "task": "multi", "architecture": "gru", "width": 32, "seed": 0}
    assert config.items() >= asked.items()
    assert {"version", "python", "torch", "commit", "seconds", "preset"} <= set(config)
    (evidence,) = read_evidence(trained / "evidence.json")
    assert evidence.claim == "train.multi.accuracy" and evidence.score == 1
    assert evidence.controls["untrained"] < 0.5
    assert set(load_file(trained / "network.safetensors"))


def test_aligning_adds_the_claim_the_alignment_the_program_and_the_picture(trained, told):
    code, document, _ = told("align", trained, *QUICK)
    assert code in (0, 1)  # five steps may or may not be enough
    claims = [e.claim for e in read_evidence(trained / "evidence.json")]
    assert claims == ["train.multi.accuracy", "numbers.multi.gru.up_down.count.iia"]
    assert document["evidence"][0]["claim"] == claims[1]
    assert document["verdicts"][claims[1]]["floor"] > 0
    assert Alignment.load(trained / "alignment.safetensors")["count"].coordinates == tuple(
        range(16)
    )
    scope: dict = {}
    exec((trained / "program.py").read_text(), scope)
    assert scope["run"]([1, 3, 7, 6])[-1] == 2
    picture = json.loads((trained / "coordinates.json").read_text())
    lengths = {len(picture[name]) for name in ("count", "phase", "coordinate", "second")}
    assert lengths == {len(picture["count"])}
    assert set(picture["count"]) == {0, 1, 2, 3, 4} and set(picture["phase"]) == {0, 1}


def test_variables_of_one_program_share_a_file_and_other_programs_stay_out_of_it(trained):
    for program, variable in (("up_down", "count"), ("up_down", "phase"), ("up_up", "demo")):
        options = ["--program", program, "--variable", variable, *QUICK]
        assert main(["align", str(trained), *options]) in (0, 1)
    alignment = Alignment.load(trained / "alignment.safetensors")
    assert alignment.program == "up_down" and set(alignment.handles) == {"count", "phase"}
    assert (trained / "alignments" / "up_up-demo.safetensors").exists()


def test_a_site_and_a_size_can_be_chosen(trained, told):
    chosen = ("--site", "rnn", "--part", "h", "--size", "5")
    _, document, _ = told("align", trained, *chosen, *QUICK)
    (found,) = document["evidence"]
    assert found["claim"] == "numbers.multi.gru.up_down.count_at_rnn_h.iia"
    assert (found["config"]["site"], found["config"]["size"]) == ("rnn.h", 5)


def test_half_of_an_odd_width_is_rounded_down_and_said(tmp_path, told):
    run = tmp_path / "odd"
    assert main(["train", "multi", "--width", "9", "--epochs", "1", "--out", str(run)]) == 0
    _, document, _ = told("align", run, "--anyway", *QUICK)
    assert document["evidence"][0]["config"]["size"] == 4
    assert "width 9 is odd: half of it is taken as 4" in document["evidence"][0]["note"]


def test_a_claim_that_is_there_is_shown_replaced_or_refused(trained, told, refused):
    first = told("align", trained, *QUICK)[1]["evidence"]
    assert "--force" in refused("align", trained, *QUICK)
    assert told("align", trained, *QUICK, "--resume")[1]["evidence"] == first
    longer = (*QUICK, "--steps", "9", "--most", "9", "--force")
    assert told("align", trained, *longer)[1]["evidence"] != first


def test_a_checkpoint_without_a_run_gets_one(trained, told, tmp_path):
    out = tmp_path / "theirs"
    asked = ("--task", "multi", "--width", "32", "--anyway", "--out", out)
    _, document, _ = told("align", trained / "network.safetensors", *asked, *QUICK)
    assert document["run"] == str(out)
    assert (out / "config.json").exists() and (out / "network.safetensors").exists()


def test_training_goes_on_where_it_stood(tmp_path, told):
    options = ["train", "multi", "--width", "6", "--highest", "3", "--out", tmp_path / "run"]
    told(*options, "--epochs", "2")
    _, document, _ = told(*options, "--epochs", "3", "--resume")
    history = document["evidence"][0]["config"]["history"]
    assert [h["epoch"] for h in history] == [1, 2, 3]


def test_force_removes_what_symscope_wrote_and_nothing_else(trained):
    (trained / "mine.txt").write_text("keep me")
    options = ["--width", "6", "--epochs", "1", "--highest", "3", "--out", str(trained), "--force"]
    assert main(["train", "multi", *options]) == 0
    assert (trained / "mine.txt").read_text() == "keep me"
    left = {p.name for p in trained.iterdir()} - {"mine.txt"}
    assert left <= set(WRITTEN) and "alignment.safetensors" not in left


def test_the_demo_leaves_every_file_and_is_not_done_twice(tmp_path):
    run = tmp_path / "demo"
    counts = {"fit": 64, "validation": 64, "test": 64}
    preset = Preset(32, Schedule(30), 80, Effort(Search(5, most=5), counts), True)
    settings = {"task": "multi", "architecture": "gru", "width": 32, "highest": 4, "held_out": []}
    opened(run, described("demo", 0, **settings))
    first = demo(run, preset, Placement(), 2, lambda *_: None)
    claims = [e.claim.removeprefix("numbers.multi.gru.") for e in first]
    assert claims == ["train.multi.accuracy", "up_down.count.iia", "up_down.phase.iia",
                      "up_up.demo.iia", "up_up.resp.iia", "ctx_distr.unchanged.iia",
                      "extracted.fidelity", "extracted.proof", "extracted.count.iia"]  # fmt: skip
    assert first == read_evidence(run / "evidence.json")
    assert {"untrained_network", "permuted_sources"} <= set(first[1].controls)
    assert set(WRITTEN) - {"checkpoints", "figures", "report.html", "hypernetwork.safetensors"} <= {
        p.name for p in run.iterdir()
    }
    fidelity, proof, aligned = first[-3:]
    assert fidelity.score == proof.score == 1
    assert aligned.score == first[1].score and set(aligned.controls) == set(first[1].controls)
    again = demo(run, preset, Placement(), 2, lambda *_: None)
    assert [e.seconds for e in again[:5]] == [e.seconds for e in first[:5]]


def test_the_report_of_a_run_is_one_page(trained, told):
    pytest.importorskip("plotly")
    code, document, _ = told("report", trained)
    assert code == 0 and Path(document["report"]).read_text().startswith("<!doctype html>")


def test_help_of_every_command_shows_an_example(capsys):
    for command in [c.name for c in app.registered_commands]:
        assert main([str(command), "--help"]) == 0
        assert f"  symscope {command}" in capsys.readouterr().out


def test_what_a_person_sees_is_a_table_on_stdout(trained, capsys):
    main(["align", str(trained), *QUICK])
    out, _ = capsys.readouterr()
    assert "up_down.count" in out and "best floor" in out and str(trained) in out


def test_the_studies_offered_are_those_that_say_how_they_are_run():
    assert "numbers" in studies()


def test_the_commit_is_of_this_checkout_or_none():
    assert commit() is None or len(commit()) == 40


def test_importing_the_command_line_loads_nothing_heavy():
    heavy = "plotly", "jinja2", "z3", "sklearn", "transformers"
    asked = f"import sys, symscope.cli; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found
