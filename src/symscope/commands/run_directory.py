"""A run directory: which files one run leaves, when it may be written again, and what made it."""

import platform
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import symscope
from symscope.alignment import Alignment, Handle
from symscope.evidence import (
    Evidence,
    SymscopeError,
    read_evidence,
    write_evidence,
    write_json,
)
from symscope.jobs import commit
from symscope.leftovers import clear_leftovers, is_leftover
from symscope.settings import Settings, read_settings

WRITTEN = (
    "evidence.json", "network.safetensors", "hypernetwork.safetensors", "training.safetensors",
    "alignment.safetensors", "program.py", "extracted.py", "coordinates.json", "report.html",
    "checkpoints", "alignments", "figures", "config.json",
)  # fmt: skip
"""What a run writes, and all that `--force` removes; config.json goes last, so that a run whose
removal was interrupted is still seen as one."""


def opened(run: Path, config: Mapping[str, Any], resume: bool = False, force: bool = False) -> None:
    """Make `run` ready for the run that `config` describes, and write its `config.json`.

    A directory with something in it is refused, unless it is to be gone on with (`resume`, when
    its settings are the same) or replaced (`force`, when it is a run directory). Raises
    `SymscopeError`.
    """
    if run.exists() and not run.is_dir():
        raise SymscopeError(f"{run} is a file; choose another --out")
    if run.exists() and not all(map(is_leftover, run.iterdir())):
        if not (run / "config.json").exists():
            raise SymscopeError(f"{run} is not empty and holds no run; choose another --out")
        clear_leftovers(run)
        if force:
            _clear(run)
        elif resume:
            _same_settings(run, config)
            return
        else:
            raise SymscopeError(
                f"{run} exists; go on with it (--resume), replace it (--force), or choose another"
                " --out"
            )
    write_json(run / "config.json", config)


def described(command: str, seed: int, **settings: Any) -> dict[str, Any]:
    """What `config.json` says of a run: the settings, and what it was made with."""
    made_with = {
        "version": symscope.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": commit(),
    }
    line = shlex.join(["symscope", *sys.argv[1:]]).encode("utf8", "backslashreplace").decode()
    empty = {"preset": None, "seconds": None, "program": None, "site": None}
    return {"command": command, "line": line, **made_with, "seed": seed, **empty, **settings}


def update(run: Path, **settings: Any) -> None:
    """Add settings to `config.json`."""
    write_json(run / "config.json", configured(run) | settings)


def spent(run: Path, began: float) -> None:
    """Add the seconds since `began`, a `time.monotonic()`, to what the run has cost."""
    seconds = (configured(run).get("seconds") or 0) + time.monotonic() - began
    update(run, seconds=round(seconds, 1))


def configured(run: Path) -> Settings:
    """The `config.json` of a run; raises `SymscopeError` where there is none."""
    if not run.exists():
        raise SymscopeError(f"no run directory {run}; symscope train makes one")
    if not (run / "config.json").exists():
        raise SymscopeError(f"{run} is no run directory: it has no config.json")
    return read_settings(run)


def recorded(run: Path) -> list[Evidence]:
    """The evidence there is so far."""
    path = run / "evidence.json"
    return read_evidence(path) if path.exists() else []


def record(run: Path, found: Iterable[Evidence]) -> None:
    """Add evidence to the run; a record of the same claim is replaced where it stands."""
    records = {e.claim: e for e in recorded(run)} | {e.claim: e for e in found}
    write_evidence(run / "evidence.json", list(records.values()))


def alignment_part(run: Path, program: str, variable: str) -> Path:
    """Where the alignment of one variable is kept."""
    name = re.sub(r"[^\w. -]", "_", f"{program}-{variable}")  # a program may be someone else's
    return run / "alignments" / f"{name}.safetensors"


def join_alignments(run: Path, program: str, variables: Sequence[str]) -> Path:
    """Write the variables of `program` that are aligned to the run's `alignment.safetensors`."""
    handles: dict[str, Handle] = {}
    for part in (alignment_part(run, program, variable) for variable in variables):
        if part.exists():
            handles.update(Alignment.load(part).handles)
    path = run / "alignment.safetensors"
    Alignment(program, handles).save(path)
    return path


def _same_settings(run: Path, config: Mapping[str, Any]) -> None:
    before = configured(run)
    for key in (
        "command", "preset", "task", "architecture", "width", "seed", "highest", "sizes", "steps",
        "dtype",
    ):  # fmt: skip
        if before.get(key) != config.get(key):
            raise SymscopeError(
                f"{run} was made with {key} {before.get(key)}, not {config.get(key)}; choose"
                " another --out, or replace it (--force)"
            )


def _clear(run: Path) -> None:
    for name in WRITTEN:
        path = run / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
