"""Independent pieces of work, each of which leaves one evidence file: run once, in any order."""

import os
import platform
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import torch

from symscope.evidence import Evidence, SymscopeError, read_evidence, write_evidence
from symscope.report.pool import pool

Unit = tuple[str, ...]
"""The kind of work, what it is about, and the seed last."""
Settings = dict[str, Any]
Work = Mapping[str, Callable[[Unit, Settings, Path], list[Evidence]]]


def run_units(
    work: Work, units: Sequence[Unit], settings: Settings, folder: Path, jobs: int
) -> Iterator[str]:
    """Do the units without a file in `folder/units`, `jobs` at a time; yields their names."""
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as processes:
        running = [processes.submit(run_unit, work[u[0]], u, settings, folder) for u in units]
        for future in as_completed(running):
            yield future.result()


def _end_with_parent() -> None:
    """Let this process end when the one that started it does, however that happens."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_unit(
    do: Callable[[Unit, Settings, Path], list[Evidence]],
    unit: Unit,
    settings: Settings,
    folder: Path,
) -> str:
    """Do one unit, on one thread, and write its evidence; a refusal is evidence too."""
    torch.set_num_threads(1)
    name = "-".join(unit)
    path = folder / "units" / f"{name}.json"
    if not path.exists():
        try:
            found = do(unit, settings, folder)
        except SymscopeError as error:
            seeds = [int(unit[-1])]
            found = [
                Evidence(".".join(unit[:-1]), None, None, None, 0, seeds=seeds, note=str(error))
            ]
        write_evidence(path, [replace(e, config={**e.config, "made": made()}) for e in found])
    return name


def join(
    folder: Path, sources: Mapping[str, Mapping[str, Any]], command: str = ""
) -> list[Evidence]:
    """Pool all units of `folder` over seeds into `folder.json`; each record names the command."""
    paths = sorted((folder / "units").glob("*.json"))
    pooled = pool((record for path in paths for record in read_evidence(path)), sources)
    pooled = [replace(e, config={"command": command, **e.config}) for e in pooled]
    write_evidence(folder.with_suffix(".json"), pooled)
    return pooled


def count(folder: Path, counted: Callable[[list[Evidence]], list[Evidence]], command: str) -> None:
    """Count what all units of `folder` found into `folder.json`, with what made them."""
    records = [r for path in sorted((folder / "units").glob("*.json")) for r in read_evidence(path)]
    each = [r.config["made"] for r in records if "made" in r.config]
    versions = {k: sorted({m[k] for m in each}) for k in (each[0] if each else ())}
    behind = {"command": command, "made": versions}
    found = [replace(e, config={**e.config, **behind}) for e in counted(records)]
    write_evidence(folder.with_suffix(".json"), found)


def made() -> dict[str, str]:
    """The commit and the versions behind a record."""
    asked = ["git", "rev-parse", "HEAD"]
    try:
        commit = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        commit = ""
    return {
        "commit": commit or "unknown",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
