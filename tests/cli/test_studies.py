"""What a study is asked with: its own presets and options, and no other's."""

import pytest

from symscope.cli import main
from symscope.commands import scripts


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["numbers", "--steps", "3"], "--steps is for binding, not for numbers"),
        (
            ["numbers", "--device", "cuda"],
            "--device is for binding, hypernetworks, geometry and heuristics",
        ),
        (["binding", "--model", "folder"], "--model is for geometry and heuristics"),
        (["numbers", "--dtype", "float64"], "--dtype is for binding, geometry and heuristics"),
        (["binding", "--device", "cuda:9"], "device 'cuda:9'"),
        (["numbers", "--preset", "tiny"], "'small', 'published'"),
        (["heuristics", "--preset", "published"], "'pythia-6.9b', 'gpt-j', 'llama-3-8b'"),
        (["heuristics", "--preset", "llama-3-8b", "--model", "no/such/folder"], "no/such/folder"),
        (["heuristics", "--pairs", "3"], "--pairs is for geometry, not for heuristics"),
        (["geometry", "--budget", "3"], "--budget is for heuristics, not for geometry"),
        (["geometry", "--preset", "more"], "'language', 'gpt2', 'mistral-7b'"),
        (["hypernetworks", "--preset", "gpt2"], "'small', 'tiny', 'search', 'published'"),
        (["hypernetworks", "--model", "folder"], "--model is for geometry and heuristics"),
        (["geometry", "--preset", "language", "--model", "no/such/folder"], "no/such/folder"),
    ],
)
def test_what_a_study_does_not_know_is_refused(arguments, said, capfd, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["study", *arguments]) == 2
    assert said in capfd.readouterr().err


def test_options_reach_the_study(monkeypatch):
    asked = []
    monkeypatch.setattr(scripts, "script", lambda command, json: asked.append(command) or 0)
    main(["study", "heuristics", "--preset", "gpt-j", "--model", "here", "--device", "cpu",
          "--dtype", "float16", "--budget", "8", "--dry-run"])  # fmt: skip
    assert asked == [["-m", "symscope.studies.heuristics", "--preset", "gpt-j",
                      "--device", "cpu", "--dtype", "float16", "--model", "here", "--budget", "8.0",
                      "--dry-run"]]  # fmt: skip
    asked.clear()
    main(["study", "geometry", "--preset", "gpt2", "--model", "here", "--pairs", "9", "--layers",
          "0,4", "--layer", "4", "--untrained", "--dictionary", "there", "--dictionary-layer", "7",
          "--text", "file", "--jobs", "1"])  # fmt: skip
    assert asked == [["-m", "symscope.studies.geometry", "--preset", "gpt2", "--jobs", "1",
                      "--model", "here", "--pairs", "9", "--layers", "0,4", "--layer", "4",
                      "--dictionary", "there", "--dictionary-layer", "7", "--text", "file",
                      "--untrained"]]  # fmt: skip
