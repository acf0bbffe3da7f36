"""What a study is asked with: its own presets and options, and no other's."""

import pytest

from symscope.cli import main
from symscope.commands import scripts


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["numbers", "--steps", "3"], "--steps is for binding, not for numbers"),
        (["numbers", "--device", "cuda"], "--device is for binding and heuristics"),
        (["binding", "--model", "folder"], "--model is for heuristics"),
        (["numbers", "--dry-run"], "--dry-run is for heuristics"),
        (["numbers", "--preset", "tiny"], "'small', 'published'"),
        (["heuristics", "--preset", "published"], "'pythia-6.9b', 'gpt-j', 'llama-3-8b'"),
        (["heuristics", "--preset", "llama-3-8b", "--model", "no/such/folder"], "no/such/folder"),
    ],
)
def test_what_a_study_does_not_know_is_refused(arguments, said, capfd, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["study", *arguments]) == 2
    assert said in capfd.readouterr().err


def test_options_reach_the_study(monkeypatch):
    asked = []
    monkeypatch.setattr(scripts, "script", lambda command, json: asked.append(command) or 0)
    main(["study", "heuristics", "--preset", "gpt-j", "--model", "here", "--device", "cuda",
          "--dtype", "float16", "--budget", "8", "--dry-run"])  # fmt: skip
    assert asked == [["-m", "symscope.studies.heuristics", "--preset", "gpt-j", "--device", "cuda",
                      "--model", "here", "--dtype", "float16", "--budget", "8.0",
                      "--dry-run"]]  # fmt: skip
