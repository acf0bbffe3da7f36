"""What each command says when it is given what it cannot use: one line, and nothing is lost."""

import json
import pickle
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

import symscope.train
from quick import QUICK, SMALL
from symscope.cli import main
from symscope.evidence import read_evidence

UNKNOWN = {
    "task": (["train", "mult"], "'multi'"),
    "network": (["train", "multi", "--network", "gpt"], "'gru', 'lstm', 'transformer'"),
    "device": (["train", "multi", "--device", "tpu"], "'cpu'"),
    "preset": (["demo", "--preset", "huge"], "'default', 'tiny'"),
    "study": (["study", "letters"], "'numbers'"),
    "benchmark": (["bench", "nothing"], "there is"),
    "command": (["trian"], "train"),
    "option": (["demo", "--sede", "3"], "--seed"),
    "number": (["train", "multi", "--seed", "x"], "--seed"),
    "argument": (["train"], "task"),
    "run": (["report", "no/such/run"], "no/such/run"),
    "checkpoint": (["align", "no/such/run", "--task", "multi"], "no/such/run"),
    "width": (["train", "multi", "--width", "1"], "2 or more"),
    "counts": (["train", "multi", "--hold-out", "four"], "4,9,14,17"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_name_is_answered_with_what_there_is(case, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, expected = UNKNOWN[case]
    assert expected in refused(*arguments)
    assert not list(tmp_path.iterdir()), "a refused command leaves nothing behind"


ALIGN = {
    "program": (["--program", "up_left"], "'up_down', 'up_up', 'ctx_distr', 'progress'"),
    "variable": (["--variable", "cuont"], "'count', 'phase'"),
    "site": (["--site", "grru"], "'rnn'"),
    "part": (["--site", "embed", "--part", "state"], "part='output'"),
    "size": (["--size", "33"], "choose 1 to 32"),
    "no size": (["--size", "0"], "choose 1 to 32"),
    "out": (["--out", "elsewhere"], "bare checkpoint"),
}


@pytest.mark.parametrize("case", ALIGN)
def test_an_unknown_program_variable_site_or_size_is_refused(case, trained, refused):
    arguments, expected = ALIGN[case]
    before = (trained / "evidence.json").read_bytes()
    assert expected in refused("align", trained, *arguments, *QUICK)
    assert (trained / "evidence.json").read_bytes() == before


def test_a_site_that_never_ran_is_named(tmp_path, refused):
    run = tmp_path / "run"
    assert main(["train", "multi", "--network", "transformer", "--width", "6", "--epochs", "1",
                 "--highest", "3", "--out", str(run)]) == 0  # fmt: skip
    line = refused("align", run, "--site", "blocks", "--anyway", *QUICK)
    assert "blocks" in line and "did not run" in line


def test_holding_out_every_count_is_refused(refused, tmp_path):
    asked = ("--highest", "2", "--hold-out", "1,2", "--out", tmp_path / "run")
    assert "leaves no count" in refused("train", "multi", *asked)


def test_a_directory_that_exists_is_not_written_to(trained, tmp_path, refused):
    before = {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()}
    line = refused("train", "multi", *SMALL, "--out", trained)
    assert "--resume" in line and "--force" in line
    assert {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()} == before
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.tex").write_text("years of work")
    assert "holds no run" in refused("train", "multi", *SMALL, "--out", other, "--force")
    assert "is a file" in refused("train", "multi", *SMALL, "--out", other / "chapter.tex")


def test_a_run_with_other_settings_is_not_gone_on_with(trained, refused):
    asked = ("--width", "16", "--highest", "4", "--hold-out", "", "--out", trained, "--resume")
    assert "made with width 32, not 16" in refused("train", "multi", *asked)


def test_a_network_below_the_gate_is_recorded_and_not_analysed(tmp_path, refused, told):
    run = tmp_path / "untrained"
    main(["train", "multi", "--width", "6", "--epochs", "1", "--out", str(run)])
    line = refused("align", run, *QUICK, code=1)
    assert "0.0% of the gate's 300 sequences" in line and "--anyway" in line
    record = read_evidence(run / "evidence.json")[-1]
    assert record.score is None and record.note.startswith("below the gate")
    _, document, _ = told("align", run, "--anyway", *QUICK)
    (found,) = document["evidence"]
    assert found["score"] is not None and found["note"].startswith("below the gate")


class Harmful:
    """A pickle that would run code."""

    def __reduce__(self):
        return exec, ("raise SystemExit('the pickle ran')",)


CHECKPOINTS = {
    "truncated.safetensors": "truncated",
    "other.safetensors": "another architecture",
    "wide.safetensors": "this network needs",
    "harmful.pt": "not opened",
    "zipped.pt": "not opened",
    "truncated.pt": "truncated",
    "list.pt": "no state dict",
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_that_is_something_else_is_refused(name, trained, tmp_path, refused):
    path, good = tmp_path / name, trained / "network.safetensors"
    torch.save(load_file(good), tmp_path / "whole.pt")
    contents = {
        "truncated.safetensors": lambda: path.write_bytes(good.read_bytes()[:-100]),
        "other.safetensors": lambda: save_file({"cell.weight": torch.zeros(3)}, path),
        "wide.safetensors": lambda: save_file({k: torch.zeros(2) for k in load_file(good)}, path),
        "harmful.pt": lambda: path.write_bytes(pickle.dumps(Harmful())),
        "zipped.pt": lambda: torch.save(Harmful(), path),
        "truncated.pt": lambda: path.write_bytes((tmp_path / "whole.pt").read_bytes()[:500]),
        "list.pt": lambda: torch.save([1, 2], path),
    }
    contents[name]()
    out = tmp_path / "out"
    asked = ("--task", "multi", "--width", "32", "--out", out)
    assert CHECKPOINTS[name] in refused("align", path, *asked, *QUICK)
    assert not out.exists()


def test_a_run_whose_files_are_damaged_says_which(trained, refused):
    (trained / "network.safetensors").write_bytes(b"not weights")
    assert "network.safetensors is truncated" in refused("align", trained, *QUICK)
    (trained / "evidence.json").write_text('[{"claim": ')
    assert "evidence.json is not readable JSON" in refused("report", trained)
    (trained / "config.json").unlink()
    assert "no config.json" in refused("report", trained)


def test_a_loss_that_is_no_number_stops_and_keeps_what_was_good(tmp_path, refused, monkeypatch):
    options = ["multi", "--width", "6", "--highest", "3", "--out", tmp_path / "run"]
    assert main(["train", *map(str, options), "--epochs", "1"]) == 0
    kept = {n: (tmp_path / "run" / n).read_bytes()
            for n in ("training.safetensors", "network.safetensors", "evidence.json")}  # fmt: skip
    monkeypatch.setattr(symscope.train, "rate", lambda update: float("nan") if update else 1e-3)
    line = refused("train", *options, "--epochs", "9", "--resume", code=3)
    assert "nan at update 10" in line  # update 9 spoils the weights
    assert {n: (tmp_path / "run" / n).read_bytes() for n in kept} == kept


def test_memory_that_does_not_suffice_is_one_line(refused, trained, monkeypatch):
    def fails(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB\nSee …")

    monkeypatch.setattr("symscope.commands.loop.examine", fails)
    assert "out of memory" in refused("align", trained, *QUICK, code=3)


def test_pairs_that_never_stop_are_refused(refused, trained, monkeypatch):
    monkeypatch.setattr("symscope.tasks.numbers.Counting._swapped", _never_stopping())
    assert "never stop" in refused("align", trained, "--program", "up_up", "--variable", "demo",
                                   *QUICK)  # fmt: skip


def _never_stopping():
    from symscope.tasks.numbers import Counting

    real = Counting._swapped

    def swapped(*arguments):
        pairs, ended = real(*arguments)
        return pairs, ended & (torch.arange(len(ended)) % 3 == 0)

    return swapped


def test_the_installed_command_exits_with_the_code_and_one_line_on_stderr(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "symscope", "train", "mult", "--json"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == json.loads(found.stdout)["exit"] == 2
    assert found.stderr.count("\n") == 1 and "'multi'" in found.stderr
