"""From training to a program and its proof, by the commands."""

import json
import shutil
import sys
from functools import partial

import pytest
import torch
from safetensors.torch import save_file

from quick import QUICK
from symscope.cli import main
from symscope.extract.extract import ROUTES
from symscope.programs.printing import python_source
from symscope.tasks import algorithm
from symscope.train_cell import CellPlan, train_cell

ADDING = {"f.0.weight": torch.ones(1, 2), "f.0.bias": torch.zeros(1),
          "g.0.weight": torch.ones(1, 1), "g.0.bias": torch.zeros(1)}  # fmt: skip
SHORT = CellPlan(batch=32, steps=500, rate=2e-2, cool=250)


@pytest.fixture(scope="module")
def summed(tmp_path_factory):
    """A network that adds the last two inputs, trained in seconds."""
    run = tmp_path_factory.mktemp("programs") / "run"
    assert main(["train", "sum_last2", "--out", str(run)]) == 0
    return run


def test_a_trained_network_becomes_a_program_that_is_proven(summed, told):
    code, document, _ = told("extract", summed, "--seconds", 2)
    assert code == 0
    solved, generalises, proof, length = document["evidence"]
    assert [e["score"] for e in (solved, generalises, proof)] == [1, 1, 1]
    assert length["score"] < 20
    assert "proved for all lengths" in solved["config"]["said"]
    assert solved["config"]["grounding"]["grounded"]
    assert told("verify", summed / "program.py", "--task", "sum_last2")[0] == 0
    page = (summed / "report.html").read_text("utf8")
    assert document["report"] == str(summed / "report.html")
    assert "proved equal to the task&#39;s rule for all lengths" in page
    assert told("report", summed)[0] == 0


def test_a_wrong_program_is_answered_with_an_input(tmp_path, told):
    source = python_source(algorithm("div_3").program)
    wrong = tmp_path / "wrong.py"
    wrong.write_text(source.replace("dividend % 3", "dividend % 4"))
    code, document, _ = told("verify", wrong, "--task", "div_3")
    assert code == 1 and document["verdict"] == "counterexample"
    assert document["expected"] != document["found"] and document["shortest"]


def test_two_files_are_compared_and_one_alone_is_not_enough(tmp_path, told, refused):
    one = tmp_path / "one.py"
    one.write_text(python_source(algorithm("parity_all").program))
    assert told("verify", one, "--rule", one)[0] == 0
    assert "--task NAME or --rule FILE" in refused("verify", one)
    assert "dov_3" in refused("verify", one, "--task", "dov_3")


def test_a_program_with_anything_else_in_it_is_refused(tmp_path, refused):
    path = tmp_path / "program.py"
    path.write_text(python_source(algorithm("parity_all").program) + "\nimport os\n")
    said = refused("verify", path, "--task", "parity_all")
    assert "import os" in said and "line" in said


def test_weights_of_the_published_layout_are_read(tmp_path, told, refused):
    weights = {"f.0.weight": torch.tensor([[1.0, 1.0]]), "f.0.bias": torch.zeros(1),
               "g.0.weight": torch.ones(1, 1), "g.0.bias": torch.zeros(1)}  # fmt: skip
    path = tmp_path / "theirs.safetensors"
    save_file(weights, path)
    run = tmp_path / "run"
    code, document, _ = told("extract", path, "--task", "sum_all", "--out", run, "--seconds", 2)
    assert code == 0 and document["evidence"][0]["score"] == 1
    assert (run / "program.py").exists()
    assert json.loads((run / "config.json").read_text())["task"] == "sum_all"
    assert "which task" in refused("extract", path)
    save_file(weights | {"f.0.bias": torch.zeros(3)}, path)
    said = refused("extract", path, "--task", "sum_all", "--out", tmp_path / "other")
    assert "f.0.bias has shape (3,), expected (1,)" in said


def test_a_network_that_makes_mistakes_is_refused_unless_asked(tmp_path, refused, told):
    path = tmp_path / "wrong.safetensors"
    weights = {"f.0.weight": torch.tensor([[1.0, 1.0]]), "f.0.bias": torch.ones(1),
               "g.0.weight": torch.ones(1, 1), "g.0.bias": torch.zeros(1)}  # fmt: skip
    save_file(weights, path)
    asked = ["extract", path, "--task", "sum_all", "--out", tmp_path / "run"]
    assert "0.000% of" in refused(*asked, code=1)
    code, document, _ = told(*asked, "--anyway", "--resume", "--seconds", 2)
    assert code == 1 and document["evidence"][0]["score"] == 0
    assert "refuted" in document["evidence"][0]["config"]["said"]
    page = (tmp_path / "run" / "report.html").read_text("utf8")
    assert "<h1>REFUTED." in page and '"chip found"' not in page


def test_a_network_that_counts_becomes_a_program_that_is_proven_and_aligned_back(trained, told):
    code, document, _ = told("extract", trained)
    assert code == 0
    fidelity, proof = document["evidence"]
    assert fidelity["score"] == proof["score"] == 1
    assert fidelity["controls"]["untrained_network"] < 0.5
    assert fidelity["config"]["agrees_to"] >= 4 and fidelity["config"]["variables"] == ["count"]
    assert "on legal sequences only" in proof["note"]
    code, document, _ = told("verify", trained / "extracted.py", "--task", "multi")
    assert code == 0 and document["verdict"] == "proof"
    claims = ["--variable", "count", *QUICK]
    back, count = (
        told("align", trained, "--program", program, *claims)[1]["evidence"][0]
        for program in ("extracted", "up_down")
    )
    assert back["claim"] == "numbers.multi.gru.extracted.count.iia"
    assert (back["score"], back["controls"]) == (count["score"], count["controls"])


def test_a_program_that_counts_wrong_is_refuted_by_a_sequence_of_the_task(trained, told):
    told("extract", trained)
    wrong = trained / "wrong.py"
    text = (trained / "extracted.py").read_text()
    wrong.write_text(text.replace("2 if count == 0", "2 if count == 1"))
    code, document, _ = told("verify", wrong, "--task", "multi")
    assert code == 1 and document["verdict"] == "counterexample"
    assert document["inputs"][0] == 1 and document["inputs"][-1] in (6, 7)


def test_the_extracted_program_is_printed_with_its_proof(trained, capsys):
    assert main(["extract", str(trained)]) == 0
    said = capsys.readouterr().out
    assert "def step(token, state):" in said and "proved for all lengths" in said
    assert "the network itself answers like it up to N = " in said


BROKEN = {
    "shape": ({"f.0.weight": torch.ones(2, 2)}, "f.0.weight has shape (2, 2), expected (2, 3)"),
    "outputs": ({"g.0.weight": torch.ones(2, 1), "g.0.bias": torch.zeros(2)}, "gives 2 at a step"),
    "infinite": ({"g.0.bias": torch.tensor([torch.inf])}, "g.0.bias has values that are not"),
    "layer": ({"f.1.weight": torch.ones(1, 1)}, "'f.1.weight' that is of no layer"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_weights_that_are_no_such_network_are_refused_by_their_name(case, tmp_path, refused):
    change, expected = BROKEN[case]
    path = tmp_path / "theirs.safetensors"
    save_file(ADDING | change, path)
    asked = ("extract", path, "--task", "sum_all", "--out", tmp_path / "run")
    assert expected in refused(*asked)


def test_a_file_that_is_no_network_is_refused(tmp_path, refused, trained):
    path = tmp_path / "theirs.safetensors"
    path.write_bytes(b"xx")
    asked = ("--task", "sum_all", "--out", tmp_path / "run")
    assert "is truncated" in refused("extract", path, *asked)
    assert "no checkpoint" in refused("extract", tmp_path / "none.safetensors", *asked)
    assert "reads no numbers" in refused("extract", trained / "network.safetensors", *asked)
    assert not (tmp_path / "run").exists()


def test_answers_near_the_middle_of_two_integers_are_said(tmp_path, told):
    path = tmp_path / "theirs.safetensors"
    save_file(ADDING | {"g.0.bias": torch.tensor([0.49])}, path)
    asked = ("extract", path, "--task", "sum_all", "--out", tmp_path / "run", "--seconds", 1)
    _, document, said = told(*asked)
    assert "of a half-integer" in said
    assert document["evidence"][0]["config"]["undecided"]["count"] == 200_000


def test_when_the_time_is_over_there_is_no_program_and_each_route_says_so(tmp_path, refused):
    path = tmp_path / "theirs.safetensors"
    save_file(ADDING, path)
    asked = ("extract", path, "--task", "sum_all", "--out", tmp_path / "run", "--within", 0)
    assert refused(*asked, code=3).count("not tried, the time was over") == len(ROUTES)


RULE = "    odd = odd ^ x\n"


@pytest.mark.skipif(bool(shutil.which("dafny")), reason="a dafny is on the path")
def test_both_programs_are_written_as_dafny_and_nothing_is_said_to_be_checked(tmp_path, told):
    path = tmp_path / "program.py"
    path.write_text(python_source(algorithm("parity_all").program))
    written = tmp_path / "parity.dfy"
    _, document, _ = told("verify", path, "--task", "parity_all", "--dafny", written)
    assert "not checked" in document["dafny"]
    assert "ensures forall i :: 0 <= i < |xs| ==> ys[i] == Rule(xs[..i + 1])" in written.read_text()


FORBIDDEN = {
    "call": (RULE, "    odd = __import__('os').getpid()\n", "getpid"),
    "loop": (RULE, "    while True: pass\n", "line 9: 'while True: pass'"),
    "power": (RULE, "    odd = 2 ** 99999999\n", "Pow is not allowed"),
    "depth": (RULE, f"    odd = {'-' * 5000}x\n", "no Python source"),
    "list": ("{'x': (0, 1)}", "[1]", "INPUTS gives each name its least"),
    "three": ("'x': (0, 1)", "'x': (0, 1, 2)", "INPUTS gives each name its least"),
    "text": ("'x': (0, 1)", "'x': ('a', 'b')", "INPUTS gives each name its least"),
    "none": ("'x': (0, 1)", "'x': (1, 0)", "input x has no numbers from 1 to 0"),
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_a_program_file_of_another_form_is_refused_with_its_line(case, tmp_path, refused):
    old, new, expected = FORBIDDEN[case]
    source = python_source(algorithm("parity_all").program)
    assert old in source
    path = tmp_path / "program.py"
    path.write_text(source.replace(old, new, 1))
    assert expected in refused("verify", path, "--task", "parity_all")


def test_without_a_solver_verify_says_what_to_install(tmp_path, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    path = tmp_path / "program.py"
    path.write_text(python_source(algorithm("newton_gravity").program).replace("x - 1", "x * x"))
    said = refused("verify", path, "--rule", path)
    assert "pip install" in said and "prove" in said


def test_a_cell_is_trained_on_a_sequence_task_and_becomes_a_program(tmp_path, told, refused,
                                                                     monkeypatch):  # fmt: skip
    monkeypatch.setattr("symscope.train_copies._POOL", 2048)
    monkeypatch.setattr("symscope.commands.programs.train_cell", partial(train_cell, plan=SHORT))
    run = tmp_path / "run"
    asked = ("train", "bitwise_not", "--network", "elman", "--width", 6, "--out", run)
    _, document, _ = told(*asked)
    assert document["evidence"][0]["score"] == 1
    assert json.loads((run / "config.json").read_text())["architecture"] == "real_elman"
    code, document, _ = told("extract", run, "--seconds", 1)
    assert code == 0 and document["evidence"][0]["score"] == 1
    assert "recurrent MLPs" in document["evidence"][0]["config"]["tried"]["published"]
    own = ("extract", run / "network.safetensors", "--task", "bitwise_not", "--seconds", 1)
    assert told(*own, "--out", tmp_path / "own")[0] == 0
    assert "'mlp', 'gru', 'elman'" in refused("train", "div_3", "--network", "lstm")
    assert "comes with its task" in refused("train", "div_3", "--width", 3)
    assert "width 0: 1 or more" in refused("train", "div_3", "--network", "gru", "--width", 0)
