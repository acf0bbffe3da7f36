"""`symscope sweep`: a grid at the command line, its table, and what it refuses."""

import json
import os

import pandas
import pytest

from symscope.cli import main
from symscope.engines.engine import done
from symscope.studies.sweeps import UNITS
from symscope.sweep import cells, grid, run_sweep

QUICK = ("--over", "steps=4", "--over", "vectors=300")


def here(jobs):
    """An engine of no processes."""
    return map(done, jobs)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Jobs are done in this process; what processes do is tested elsewhere."""
    monkeypatch.setattr("symscope.commands.sweep.engine_named", lambda *_: here)


def test_a_sweep_leaves_a_table_and_computes_nothing_twice(tmp_path, told):
    command = ("sweep", "dictionaries", "--over", "seeds=0..1,3", *QUICK, "--out", tmp_path / "s")
    code, said, err = told(*command)
    assert code == 0 and (said["jobs"], said["done"], said["failed"]) == (3, 3, 0)
    assert "3 of them to compute" in err
    found = pandas.read_parquet(said["table"])
    assert sorted(found.seed.unique()) == [0, 1, 3] and "dictionary.topk.recovery" in {*found.claim}
    assert "0 of them to compute" in told(*command)[2]


def test_a_dry_run_computes_nothing(tmp_path, told):
    code, said, _ = told("sweep", "numbers", "--over", "seeds=0..4", "--over", "width=8,16",
                         "--out", tmp_path / "s", "--dry-run")  # fmt: skip
    assert code == 0 and (said["jobs"], said["missing"]) == (20, 20)
    assert not (tmp_path / "s").exists()


def test_a_table_is_shown_with_the_settings_that_differ(tmp_path, capsys):
    assert main(["sweep", "dictionaries", "--over", "method=topk,slow", *QUICK, "--out",
                 str(tmp_path / "s")]) == 0  # fmt: skip
    shown = capsys.readouterr().out
    table = shown[shown.index("┏") :]
    assert "method" in table and "topk" in table and "slow" in table and "unknown" in table
    assert "vectors" not in table


def test_a_failed_job_is_named_and_exits_with_three(tmp_path, told, monkeypatch):
    def broken(folder, *, seed: int = 0):
        raise FloatingPointError("nothing but NaN")

    monkeypatch.setitem(UNITS["dictionaries"], "fit", (broken,))
    code, said, err = told("sweep", "dictionaries", "--out", tmp_path / "s")
    assert code == 3 and (said["done"], said["failed"]) == (0, 1)
    assert "FloatingPointError: nothing but NaN" in err and "Traceback" not in err


@pytest.mark.parametrize(("arguments", "line"), [
    (["sums"], "unknown study 'sums'"),
    (["numbers", "--unit", "fly"], "unknown unit of numbers 'fly'; there is 'align'"),
    (["numbers", "--over", "seeds"], "--over seeds: NAME=VALUES, such as width=8,16"),
    (["numbers", "--over", "widht=8"], "unknown setting 'widht'; there is 'task', 'network',"),
    (["numbers", "--over", "width=8,x"], "width=x: a whole number"),
    (["numbers", "--over", "seeds=0..99999999"], "more than 1,000,000 values"),
    (["numbers", "--over", "seeds=9..0"], "a range goes up"),
    (["numbers", "--over", "seeds=-1"], "seed=-1"),
    (["numbers", "--over", "seeds=0..999", "--over", "width=1..999", "--over", "size=1..9"],
     "more than 1,000,000 combinations"),
    (["numbers", "--track", "excel"], "unknown tracker 'excel'"),
])  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, refused, arguments, line):
    assert line in refused("sweep", *arguments, "--out", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_folder_that_holds_something_else_is_refused(tmp_path, refused):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    assert "holds no sweep" in refused("sweep", "dictionaries", "--out", tmp_path / "full")
    (tmp_path / "full" / "sweep.json").write_text(json.dumps({"study": "numbers"}))
    assert "a sweep of numbers" in refused("sweep", "dictionaries", "--out", tmp_path / "full")


def test_each_unit_of_each_study_leaves_evidence(tmp_path):
    """At the smallest sizes at which each can be computed; a refusal would have no score."""
    small = {
        ("numbers", "extract"): {"width": "8", "highest": "3", "epochs": "1", "seconds": "1"},
        ("numbers", "dictionary"): {"width": "8", "highest": "3", "epochs": "1", "steps": "2",
                                    "vectors": "300"},
        ("programs", "extract"): {"task": "bitwise_not", "seconds": "2"},
        ("binding", "train"): {"steps": "2", "one_hop": "1", "width": "16", "layers": "1"},
        ("heuristics", "patch"): {"operands": "6", "steps": "2", "width": "16", "pairs": "8"},
        ("heuristics", "match"): {"operands": "6", "steps": "2", "width": "16", "pairs": "8",
                                  "top": "4"},
        ("geometry", "circles"): {"modulus": "11", "width": "16", "steps": "2"},
        ("geometry", "dictionary"): {"modulus": "11", "width": "16", "steps": "20",
                                     "features": "16"},
        ("hypernetworks", "read"): {"inputs": "2", "hidden": "4", "steps": "2", "draws": "1"},
        ("truth", "judge"): {"fit": "60", "validation": "20", "test": "20", "steps": "2"},
    }  # fmt: skip
    for (study, unit), settings in small.items():
        stages, folder = UNITS[study][unit], tmp_path / f"{study}-{unit}"
        chosen = grid(stages, {name: [value] for name, value in settings.items()})
        assert len(list(run_sweep(stages, chosen, folder, here))) == len(stages), (study, unit)
        failed = [json.loads(p.read_text()) for p in folder.glob("failed/*")]
        assert not failed, failed
        (last,) = cells(stages, chosen)[-1]
        records = json.loads((folder / "jobs" / last.key / "evidence.json").read_text())
        assert records and all(r["claim"] for r in records), (study, unit)
        none = all(r["score"] is None for r in records)
        assert none == (unit == "extract" and study == "numbers"), "untrained: no program fits"


def test_scores_are_told_to_tensorboard(tmp_path, told):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    told("sweep", "dictionaries", *QUICK, "--track", "tensorboard", "--out", tmp_path / "s")
    (run,) = (tmp_path / "s" / "tensorboard").iterdir()
    events = EventAccumulator(str(run)).Reload()
    assert "dictionary.topk.recovery" in events.Tags()["scalars"]


def test_scores_are_told_to_weights_and_biases_offline(tmp_path, told, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    code, _, _ = told("sweep", "dictionaries", *QUICK, "--track", "wandb", "--out", tmp_path / "s")
    assert code == 0
    (kept,) = (tmp_path / "s" / "wandb").glob("offline-run-*/*.wandb")
    assert b"dictionary.topk.recovery" in kept.read_bytes()
    assert os.environ["WANDB_MODE"] == "offline"
