"""Grading an extracted program: what is right, what is wrong, and which networks are not asked."""

import pytest
import torch

from by_hand import last, parity
from symscope.extract import Extraction
from symscope.extract.extract import length
from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate
from symscope.models.load import save_network
from symscope.program import Program, Variable
from symscope.studies.programs import extraction
from symscope.studies.programs.extraction import extraction_unit, graded, share_right
from symscope.studies.programs.tables import TABLES, counted
from symscope.tasks import algorithm

BIT = (Variable("x", 0, 1),)
FORM = {"architecture": "real_mlp", "inputs": 1, "width": 1, "outputs": 1}


def program(rule: str, start: int = 0) -> Program:
    return Program("extracted", BIT, (Variable("y", 0, 1),), {"y": rule}, "y", start={"y": start})


def watched_only(name: str) -> Machine:
    task = algorithm(name)
    return Machine(task.program.inputs, task.length, lambda x: task.answers(x[..., 0])[..., None])


def grade(name: str, found: Program | None, seed: int = 0):
    chosen = None if found is None else Candidate(found, "feedback", "as it was said")
    extracted = Extraction(chosen, {"feedback": "said"}, 1.5)
    records = graded(name, algorithm(name), watched_only(name), extracted, seed)
    return {r.claim.split(".")[2]: r for r in records}


def test_a_wrong_program_is_not_solved_and_its_counterexample_is_kept():
    found = grade("parity_all", program("x ^ y if x == 1 else 0"))
    assert found["solved"].score == found["proof"].score == 0
    config = found["solved"].config
    assert config["verdict"] == "counterexample" and config["inputs"] == [1, 0]
    assert "on [1, 0] at step 1 expected 1, got 0" in config["said"]
    assert 0 < config["right"] < 1 and found["generalises"].score < config["right"]


def test_a_right_program_is_solved_and_proven():
    right = program("x ^ y")
    found = grade("parity_all", right)
    assert [found[k].score for k in ("solved", "generalises", "proof")] == [1, 1, 1]
    assert found["solved"].n == 1024 and found["solved"].config["right"] == 1
    assert found["length"].score == length(right) and found["solved"].seconds == 1.5


def test_a_program_that_is_wrong_only_beyond_the_trained_length_is_solved_but_not_proven():
    """Right at 10 steps; the eleventh zero in a row is answered wrong."""
    zeros = Variable("zeros", 0, 99)
    late = Program("extracted", BIT, (zeros, Variable("y", 0, 1)),
                   {"zeros": "0 if x == 1 else zeros + 1", "y": "(1 - x) if zeros < 10 else 0"},
                   "y", start={"zeros": 0, "y": 0})  # fmt: skip
    found = grade("bitwise_not", late)
    assert found["solved"].score == 1 and found["proof"].score == 0
    assert found["generalises"].score < 1 and found["solved"].config["verdict"] == "counterexample"


def test_nothing_extracted_is_nothing_solved():
    found = grade("parity_all", None)
    assert list(found) == ["solved"] and found["solved"].score == found["solved"].n == 0
    assert found["solved"].note == "no program fits"


@pytest.mark.parametrize(("rule", "share"), [("0", 1 / 1024), ("1 - x", 1.0), ("x", 0.0)])
def test_the_share_right_is_of_whole_sequences(rule, share):
    assert share_right(program(rule), algorithm("bitwise_not"), 10, 0) == (share, 1024)


def test_registers_that_outgrow_64_bits_are_graded_exactly():
    task = algorithm("bit_palindrome")
    assert share_right(task.program, task, 100, 0)[0] == 1


def test_a_network_that_is_not_perfect_is_not_eligible(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "extract", None)  # it is not looked into
    wrong = last(1).float()
    save_network(tmp_path / "networks" / "parity_all-2.safetensors", wrong, FORM | {"f": (1, 1)})
    (found,) = extraction_unit(("extract", "parity_all", "2"), {}, tmp_path)
    assert (found.claim, found.score, list(found.seeds)) == ("programs.parity_all.solved", 0, [2])
    assert found.note.startswith("not eligible")


def test_a_perfect_network_gives_a_program_that_is_graded(tmp_path):
    save_network(tmp_path / "networks" / "parity_all-0.safetensors", parity().float(),
                 FORM | {"f": (2, 2)})  # fmt: skip
    found = extraction_unit(("extract", "parity_all", "0"), {"seconds": 1.0}, tmp_path)
    assert [r.score for r in found[:3]] == [1, 1, 1]
    assert found[0].config["grounding"]["grounded"] and found[0].config["memory_mb"] > 10


def test_seeds_with_and_without_a_program_are_counted_together():
    """One solved, one wrong, one that is not eligible."""
    missing = extraction._missing("parity_all", 2, "not eligible: the network is not perfect")
    records = [*grade("parity_all", program("x"), 1).values(), missing,
               *grade("parity_all", program("x ^ y"), 0).values()]  # fmt: skip
    found = {r.claim: r for r in counted(records)}
    solved = found["programs.parity_all.solved"]
    assert solved.score == pytest.approx(1 / 3) and list(solved.seeds) == [0, 1, 2]
    assert solved.config["by_seed"] == [1, 0, 0] and solved.config["n"] == [1024, 1024, 0]
    assert solved.config["route"] == ["feedback", "feedback", None]
    assert solved.config["right"][0] == 1 and solved.config["right"][2] is None
    assert solved.note == "seed 2: not eligible: the network is not perfect"
    assert found["programs.parity_all.proof"].n == 2
    (row,) = (line for line in TABLES["tasks"](found).splitlines() if "`parity_all`" in line)
    assert "yes | no | 1 of 3 | feedback, feedback, –" in row
    assert "1 of all 1,024, 0.001953 of all 1,024, –" in row
    assert "| … and proven in most seeds | 0 |" in TABLES["totals"](found)
    assert torch.tensor(solved.low) < 1 / 3 < torch.tensor(solved.high)
