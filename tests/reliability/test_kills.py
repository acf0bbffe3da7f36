"""What is killed goes on to the same end, and nobody sees a part of a file."""

import os
import time

import pytest

from reliability.kills import at_every_write, kills
from reliability.reader import torn
from reliability.runs import leftovers
from symscope.cli import main
from symscope.commands import demo
from symscope.commands.demo import PRESETS, train_to_the_gate
from symscope.commands.run_directory import opened
from symscope.evidence import Evidence, SymscopeError, write_json
from symscope.leftovers import OLD, clear_leftovers, is_leftover
from symscope.studies.numbers import beyond


def test_a_training_killed_at_random_moments_ends_with_the_same_weights(tmp_path):
    (found,) = kills(2, tmp_path, names=("train",))
    assert found.score == 1 and found.n >= 2 and found.config["reads"] > 0, found.note
    assert found.controls["writer in place"] < 0.9, "the reader must see half of a file"
    assert found.controls["optimiser lost"] == 0, "another end must be seen to be another"


@pytest.mark.parametrize(
    ("name", "writes"), [("align", (3, 6)), ("generate", (7,)), ("cell", (1,))]
)
def test_a_kill_in_the_middle_of_a_write_changes_nothing_in_the_end(
    name, writes, tmp_path, networks
):
    (found,) = at_every_write(tmp_path, (name,), writes, networks)
    assert found.n == len(writes) and found.score == 1, found.note


def test_what_a_killed_writer_left_is_no_run_and_goes_when_it_is_old(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    left = [run / ".config.json.abcdefgh.part", run / ".tmpA1b2C3"]
    for path in left:
        path.write_text('{"half')
    opened(run, {"command": "train"}, resume=True)
    assert leftovers(run) == left, "somebody may be writing them"
    for path in left:
        os.utime(path, (time.time() - 2 * OLD,) * 2)
    opened(run, {"command": "train"}, resume=True)
    assert leftovers(run) == [] and (run / "config.json").exists()


def test_what_else_is_in_a_folder_is_neither_taken_for_a_leftover_nor_removed(tmp_path):
    for name in (".config.json", ".tmp", ".tmpdir", "a.part", ".gitignore", ".tmpA1b2C3.json"):
        (tmp_path / name).write_text("mine")
        assert not is_leftover(tmp_path / name)
        with pytest.raises(SymscopeError, match="holds no run"):
            opened(tmp_path, {}, resume=True)
        clear_leftovers(tmp_path, older=0)
        (tmp_path / name).unlink()


def test_a_folder_in_the_writing_goes_with_all_that_is_in_it(tmp_path):
    (tmp_path / ".abc.part" / "cell").mkdir(parents=True)
    (tmp_path / ".abc.part" / "cell" / "evidence.json").write_text("[]")
    clear_leftovers(tmp_path, older=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.json", "a.safetensors", "a.py", "a.html", "a.parquet"])
def test_a_reader_sees_a_file_that_is_empty_or_cut(name, tmp_path):
    path = tmp_path / name
    for cut in (b"", b"def f(", b'{"a": 1', b"<html>"):
        path.write_bytes(cut)
        assert torn(path), cut


def test_a_demo_that_had_gone_on_to_more_epochs_goes_on_to_them_after_a_kill(tmp_path, monkeypatch):
    """It missed the gate at its first end and was killed before the second, past the gate."""
    first, asked = PRESETS["tiny"].schedule.epochs, list[int]()

    def trained(run, schedule, *_):
        asked.append(schedule.epochs)
        epochs = max(schedule.epochs, first + 20)
        return Evidence("train", 1.0, 1.0, 1.0, 1, config={"epochs": epochs})

    monkeypatch.setattr(demo, "train_into", trained)
    train_to_the_gate(tmp_path, PRESETS["tiny"], None, lambda *_: None)
    assert asked == [first, first + 25]


def test_a_network_without_its_record_is_trained_again(tmp_path, capsys):
    words = ["train", "bitwise_not", "--out", str(tmp_path / "run")]
    assert main(words) == 0
    whole = (tmp_path / "run" / "network.safetensors").read_bytes()
    write_json(tmp_path / "run" / "evidence.json", [])
    assert main([*words, "--resume"]) == 0
    assert "100.0% of 1024" in capsys.readouterr().out.split("run:")[1]
    assert (tmp_path / "run" / "network.safetensors").read_bytes() == whole


def test_a_training_that_goes_on_from_another_is_copied_whole_or_not_at_all(tmp_path, monkeypatch):
    """A kill in the middle of copying left the folder, and a part of the file, which was kept."""
    main_unit, longer = (
        tmp_path / "training" / f"{kind}-multi-gru-0" for kind in ("main", "longer")
    )
    write_json(main_unit / "training.safetensors", "whole")
    longer.mkdir()
    (longer / ".training.safetensors.abcdefgh.part").write_text('"who')

    def trained(*_):
        assert (longer / "training.safetensors").read_text() == '"whole"\n'
        return None, Evidence("a", 0.5, 0.4, 0.6, 1)

    evidence = Evidence("b", 1.0, 1.0, 1.0, 1)
    monkeypatch.setattr(beyond, "trained", trained)
    monkeypatch.setattr(beyond, "stored", lambda *_: None)
    monkeypatch.setattr(beyond, "by_phase", lambda *_: evidence)
    unit = ("longer", "multi", "gru", "0")
    assert len(beyond.longer_unit(unit, {"longer": 9, "most": 1}, tmp_path)) == 2
