"""The side-by-side timings run; how fast is not tested."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "das.py"


def test_the_quick_comparison_finds_equal_outputs_and_prints_each_contender() -> None:
    run = subprocess.run(
        [sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for contender in ("symscope", "bare", "split", "loop"):
        assert f": {contender} " in run.stdout
    assert "does not run" not in run.stdout
