"""Intervals with known answers, and files that are whole or not there."""

import errno
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binomtest

from symscope.evidence import (
    ClaimFailed,
    ComputationFailed,
    Counterexample,
    Evidence,
    Proof,
    SymscopeError,
    Unknown,
    bootstrap,
    read_evidence,
    read_json,
    wilson,
    write_evidence,
    write_json,
    write_whole,
)

ONE = Evidence("numbers.multi.gru.up_down.count.iia", 0.9, 0.85, 0.95, 100, seeds=[0, 1])
FULL = Evidence(
    "a.b", 0.5, 0.4, 0.6, 10, "accuracy", {"no-op": 0.1}, [3], 1.5, {"width": 20},
    {"figure": 2, "value": 0.955}, "a note",
)  # fmt: skip
NOT_ANALYSED = Evidence("a.c", None, None, None, 0, seeds=[], note="network below the gate")


def names_in(folder):
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(("won", "n"), [(0, 5), (1, 7), (50, 100), (299, 300), (12, 12)])
def test_wilson_is_scipys(won, n):
    expected = binomtest(won, n).proportion_ci(0.95, "wilson")
    assert wilson(won, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_nothing_seen_leaves_everything_possible():
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_bootstrap_of_equal_scores_is_a_point():
    assert bootstrap([[0.25] * 10, [0.25] * 20]) == (0.25, 0.25)
    assert bootstrap([[1.0] * 10] * 3) == (1.0, 1.0)


def test_a_bootstrap_of_one_group_is_the_interval_of_its_mean():
    won = [1.0] * 80 + [0.0] * 320
    half = 1.96 * (0.2 * 0.8 / 400) ** 0.5
    assert bootstrap([won]) == pytest.approx((0.2 - half, 0.2 + half), abs=0.006)


def test_a_bootstrap_draws_the_seeds_too():
    low, high = bootstrap([[0.0] * 1000, [1.0] * 1000])  # both seeds the same in half of the draws
    assert (low, high) == (0.0, 1.0)


def test_scores_that_are_not_bits_are_drawn_one_by_one():
    scores = np.linspace(0.1, 0.9, 200)
    half = 1.96 * scores.std() / 200**0.5
    assert bootstrap([scores]) == pytest.approx((0.5 - half, 0.5 + half), abs=0.006)


def test_a_bootstrap_is_the_same_again():
    groups = [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]]
    assert bootstrap(groups) == bootstrap(groups)


def test_evidence_shows_its_controls():
    assert str(FULL) == "a.b: accuracy 0.500 [0.400, 0.600] (n 10; controls: no-op 0.100)"
    assert "controls: none" in str(ONE)
    assert str(NOT_ANALYSED) == "a.c: not analysed (network below the gate)"


def test_only_a_proof_is_called_one():
    proof = Proof("a equals b", "x 0..1", "induction", 3, kind="for all lengths")
    refuted = Counterexample("a equals b", [0, 1], 1, 0, step=1)
    unknown = Unknown("a equals b", "x 0..1", ("sampling: no difference",), 50, length=4)
    assert str(proof) == "proved for all lengths: a equals b (x 0..1; induction)"
    assert str(refuted) == "refuted: a equals b: on [0, 1] at step 1 expected 1, got 0"
    assert str(unknown) == (
        "undecided: a equals b (x 0..1); the same on 50 inputs tested and on all sequences of up"
        " to 4 steps"
    )
    assert not isinstance(unknown, Proof)


def test_each_refusal_has_its_exit_code():
    assert [e.exit_code for e in (ClaimFailed, SymscopeError, ComputationFailed)] == [1, 2, 3]


def test_evidence_is_read_as_it_was_written(tmp_path):
    write_evidence(tmp_path / "runs" / "evidence.json", [ONE, FULL, NOT_ANALYSED])
    assert read_evidence(tmp_path / "runs" / "evidence.json") == [ONE, FULL, NOT_ANALYSED]
    assert names_in(tmp_path / "runs") == ["evidence.json"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not readable JSON"),
        ('[{"claim": "a", "score": 1', "is not readable JSON"),
        ("[" * 100_000, "is not readable JSON"),
        ("\udcff", "is not readable JSON"),
        ("{}", "holds no list of evidence"),
        ("[3]", "record 0"),
        (json.dumps([vars(ONE), {"claim": "a"}]), "record 1: .*missing"),
        (json.dumps([{**vars(ONE), "scroe": 1}]), "record 0: .*'scroe'"),
    ],
)
def test_what_is_no_evidence_is_refused_with_its_place(tmp_path, text, told):
    path = tmp_path / "evidence.json"
    path.write_bytes(text.encode("utf8", "surrogateescape"))
    with pytest.raises(SymscopeError, match=told):
        read_evidence(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(SymscopeError, match=r"no file .*evidence\.json"):
        read_evidence(tmp_path / "evidence.json")
    with pytest.raises(SymscopeError, match="not readable"):
        read_json(tmp_path)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_written(tmp_path, number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"score": number})
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "kept"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise error

    with pytest.raises(type(error)):
        write_whole(path, fail)
    assert path.read_text() == "old" and names_in(tmp_path) == ["kept"]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")
    child = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from symscope.evidence import write_whole\n"
        "def write(temporary):\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(Path(sys.argv[1]), write)\n"
    )
    ended = subprocess.run([sys.executable, "-c", child, str(path)])
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    write_whole(path, lambda temporary: temporary.write_text("new"))
    assert path.read_text() == "new"
