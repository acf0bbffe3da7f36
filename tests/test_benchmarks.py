"""The side-by-side timings run; how fast is not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
CONTENDERS = {
    "das": ("symscope", "bare", "split", "loop"), "patching": ("symscope", "hooks"),
    "dictionary": ("symscope", "literal", "clipped"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTENDERS)
def test_the_quick_comparison_finds_equal_outputs_and_prints_each_contender(name: str) -> None:
    script = BENCHMARKS / f"{name}.py"
    run = subprocess.run(
        [sys.executable, script, "--quick"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for contender in CONTENDERS[name]:
        assert f": {contender} " in run.stdout
    assert "does not run" not in run.stdout
