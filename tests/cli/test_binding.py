"""`train binding` and `localize`: what they write, show and refuse."""

import json

import pytest

from symscope.cli import main

PROGRAM = "a=5; b=a; c=7; d=1; e=b; #b:"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a few steps."""
    folder = tmp_path_factory.mktemp("run") / "binding"
    asked = ["train", "binding", "--preset", "tiny", "--steps", "20", "--out", str(folder)]
    assert main(asked) == 0
    return folder


def test_training_leaves_a_run_with_evidence(run):
    (record,) = json.loads((run / "evidence.json").read_text())
    assert record["claim"] == "binding.tiny.accuracy" and record["controls"]
    assert (run / "network.safetensors").exists()


def test_one_program_is_mapped_by_role_and_block(run, capsys):
    assert main(["localize", str(run), "--text", PROGRAM, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["answer"] == "5" and shown["program"] == "a=5\nb=a\nc=7\nd=1\ne=b\n#b:"
    assert {r["place"] for r in shown["map"]} == {
        "right 1", "left 1", "right 2", "left 2", "query", "colon",
    }  # fmt: skip
    assert {r["block"] for r in shown["map"]} == {1, 2, 3}


def test_the_table_for_one_program_is_shown_to_people(run, capsys):
    assert main(["localize", str(run), "--text", PROGRAM, "--sites", "head", "--head", "2.1"]) == 0
    shown = capsys.readouterr()
    assert "shift of the logit" in shown.err and "head 1" in shown.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--text", "a=5; b=c; #b:"], "line 2: 'c' has no value yet"),
        (["--text", "a=b; b=a; #a:"], "cycle"),
        (["--text", PROGRAM, "--role", "right 3"], "unknown role in this program 'right 3'"),
        (
            ["--text", PROGRAM, "--sites", "head", "--head", "9.1"],
            "from 1) '9.1'; there is '1.1', '1.2'",
        ),
        (["--text", PROGRAM, "--sites", "head", "--head", "two"], "unknown head (block.head"),
        (["--text", "a=5; #a:", "--kind", "rebind"], "this program has no change 'rebind'"),
        (["--text", PROGRAM, "--kind", "roots"], "unknown kind of counterfactual 'roots'"),
        (["--text", PROGRAM, "--sites", "heads"], "unknown"),
        (["--hops", "3"], "3 hops were asked for; this task has chains of 1 to 2"),
    ],
)
def test_bad_input_says_what_there_is(run, arguments, said, capsys):
    assert main(["localize", str(run), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_run_of_another_task_is_refused(tmp_path, capsys):
    (tmp_path / "config.json").write_text('{"task": "multi"}')
    assert main(["localize", str(tmp_path)]) == 2
    assert "was trained on 'multi', not on binding" in capsys.readouterr().err
