"""One small trained network for all tests of the commands: counts up to 4, seconds to train."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quick import SMALL
from symscope.cli import main


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("cli") / "trained"
    assert main(["train", "multi", *SMALL, "--out", str(run)]) == 0
    return run


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path) -> Path:
    """A copy of its own for each test."""
    return Path(shutil.copytree(trained_once, tmp_path / "trained"))


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Runs a command with --json: exit code, what stdout says, what stderr says."""

    def run(*arguments: object) -> tuple[int, dict[str, Any], str]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return run


@pytest.fixture
def refused(
    told: Callable[..., tuple[int, dict[str, Any], str]],
) -> Callable[..., str]:
    """Runs a command that must fail in one line on stderr; returns that line."""

    def run(*arguments: object, code: int = 2) -> str:
        found, document, err = told(*arguments)
        lines = [line for line in err.splitlines() if line.strip()]
        assert found == code == document["exit"], (found, err)
        assert lines[-1] == document["error"], err
        assert "Traceback" not in err
        return document["error"]

    return run
