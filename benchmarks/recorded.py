"""What a side-by-side timing prints and keeps: a line per contender, a file with its origin."""

import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from interleaved import Row
from symscope.evidence import write_whole

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results" / "performance"
PAGE = ROOT / "docs" / "performance.md"
PEERS = {"pyvene": "pyvene", "transformer_lens": "transformer-lens"}


def show(rows: list[Row]) -> None:
    """One line per contender."""
    for row in rows:
        if row.error is not None:
            print(f"{row.part}: {row.case}: {row.contender} does not run: {row.error}", flush=True)
            continue
        if row.loss is not None:
            print(f"{row.part}: {row.case}: {row.contender} {row.loss:.4f}, {row.difference:+.2%}")
            continue
        low, middle, high = row.ratio
        peak = "" if row.peak_mib is None else f", peak {row.peak_mib:.0f} MiB"
        print(
            f"{row.part}: {row.case}: {row.contender} {row.milliseconds:.3g} ms, {middle:.2f} times"
            f" symscope ({low:.2f} to {high:.2f}){peak}",
            flush=True,
        )


def command(environment: str, script: str, options: Sequence[str]) -> str:
    """What to type in the repository's root to run the same again."""
    python = "python" if environment == "plain" else f".peers/{environment}/bin/python"
    return "OMP_NUM_THREADS=1 " + shlex.join([python, f"benchmarks/{script}.py", *options])


def save(path: Path, rows: list[Row], line: str, began: float) -> None:
    """What was measured, with all that it depends on."""
    write_record(path, {**described(line, began), "rows": [asdict(row) for row in rows]})


def described(line: str, began: float) -> dict[str, Any]:
    """All that a measurement depends on."""
    names = ["symscope", "torch", "transformers", *PEERS.values(), "sae-lens",
             "dictionary-learning"]  # fmt: skip
    return {
        "command": line,
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": _git("status", "--porcelain", "--", "src/symscope", "benchmarks") != "",
        "versions": {"python": platform.python_version(), **{n: v for n in names if (v := _of(n))}},
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "threads": 1},
        "seconds": round(time.monotonic() - began, 1),
    }


def write_record(path: Path, record: dict[str, Any]) -> None:
    """The record as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda p: Path(p).write_text(json.dumps(record, indent=1) + "\n"))


def _git(*words: str) -> str:
    run = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip()


def _of(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
