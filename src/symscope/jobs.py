"""Independent pieces of work, each of which leaves one evidence file: run once, in any order."""

import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from symscope.engines import Engine, Job, run_jobs
from symscope.evidence import Evidence, SymscopeError, read_evidence, write_evidence
from symscope.leftovers import clear_leftovers
from symscope.report.pool import pool

Unit = tuple[str, ...]
"""The kind of work, what it is about, and the seed last."""
Settings = dict[str, Any]
Work = Mapping[str, Callable[[Unit, Settings, Path], list[Evidence]]]


def run_units(
    work: Work, units: Sequence[Unit], settings: Settings, folder: Path, engine: Engine
) -> Iterator[str]:
    """Do the units without a file in `folder/units`; yields their names.

    What a unit failed with, twice, is raised when all others are done. On a cluster every node has
    to see `folder`.
    """
    clear_leftovers(folder)
    jobs = (Job("-".join(u), run_unit, (work[u[0]], u, settings, folder)) for u in units)
    failed = []
    for outcome in run_jobs(jobs, engine):
        if outcome.error is None:
            yield outcome.value
        else:
            failed.append(outcome)
    for outcome in failed:
        outcome.get()


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


@cache
def made() -> dict[str, str]:
    """The commit and the versions behind a record."""
    return {
        "commit": commit() or "unknown",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def commit() -> str | None:
    """The git commit of the checkout this code runs from; None where it runs from elsewhere."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        asked = ["git", "-C", str(root), "rev-parse", "HEAD"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
