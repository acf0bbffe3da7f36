"""A grid of settings, each computed once: what sweeps are made of, whatever they are about.

A *stage* is a function from a folder and keyword arguments to evidence, `train(folder, *, seed=0,
width=20)`; it may leave files there, and finds there what the stage before it left. A sweep runs
one stage after another over a grid of their arguments. What one stage computes for one choice of
its own and of all earlier arguments is a *cell*. A cell is known by a hash of exactly those, so a
network that is trained once serves all sites that are asked about, and what is there is not
computed again.
"""

import hashlib
import inspect
import itertools
import json
import math
import shutil
import tempfile
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import symscope
from symscope.causal_model import UnknownName
from symscope.engines import Engine, Job, Outcome, run_jobs
from symscope.evidence import (
    ComputationFailed,
    Evidence,
    SymscopeError,
    read_evidence,
    read_json,
    write_evidence,
    write_json,
    write_whole,
)
from symscope.extras import needed
from symscope.jobs import made
from symscope.leftovers import PART, clear_leftovers

MOST = 1_000_000
"""Combinations in one sweep."""
Stage = Callable[..., list[Evidence]]
Settings = dict[str, Any]
KEPT = (
    "network.safetensors", "hypernetwork.safetensors", "alignment.safetensors",
    "dictionary.safetensors", "extracted.py",
)  # fmt: skip
"""The files of a stage that stay, beside its evidence."""


@dataclass(frozen=True)
class Cell:
    """One stage with its settings and those of the stages before it."""

    stage: Stage
    settings: Settings
    before: "Cell | None" = None

    @property
    def key(self) -> str:
        """What the cell is known by: study, stage, settings and the version of symscope."""
        said = [self.stage.__module__, self.stage.__name__, self.settings, symscope.__version__]
        before = self.before.key if self.before else ""
        text = json.dumps([*said, before], sort_keys=True, default=str)
        return f"{self.stage.__name__}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def parameters(stages: Sequence[Stage]) -> dict[str, inspect.Parameter]:
    """What can be swept: the keyword arguments of the stages, by name."""
    return {name: p for stage in stages for name, p in _own(stage).items()}


def _own(stage: Stage) -> dict[str, inspect.Parameter]:
    named = inspect.signature(stage, eval_str=True).parameters
    return {name: p for name, p in named.items() if p.kind is p.KEYWORD_ONLY}


def grid(stages: Sequence[Stage], over: Mapping[str, Sequence[str]]) -> list[Settings]:
    """Every combination of the values, which come as text and leave as what the stage wants.

    Raises `UnknownName` for an argument that no stage has, `SymscopeError` for a value that is not
    of its kind.
    """
    known = parameters(stages)
    for name in over:
        if name not in known:
            raise UnknownName("setting", name, known)
    if math.prod(map(len, over.values())) > MOST:
        raise SymscopeError(f"more than {MOST:,} combinations; sweep them in parts")
    read = [[(name, _value(known[name], text)) for text in texts] for name, texts in over.items()]
    return [dict(chosen) for chosen in itertools.product(*read)]


def _value(parameter: inspect.Parameter, text: str) -> Any:
    kinds = typing.get_args(parameter.annotation) or (parameter.annotation,)
    if type(None) in kinds and text in ("", "none"):
        return None
    for kind in kinds:
        if kind is bool and text in ("yes", "no"):
            return text == "yes"
        if kind in (int, float, str):
            with suppress(ValueError):
                return _sound(parameter.name, kind(text))
    said = {int: "a whole number", float: "a number", bool: "yes or no", str: "a word"}
    wanted = " or ".join(said[k] for k in kinds if k in said)
    raise SymscopeError(f"{parameter.name}={text}: {wanted}")


def _sound(name: str, value: Any) -> Any:
    """The value; raises `SymscopeError` for a seed below 0 and for a number that is none."""
    if name == "seed" and value < 0:
        raise SymscopeError(f"seed={value}: 0 or more")
    if isinstance(value, float) and not math.isfinite(value):
        raise SymscopeError(f"{name}={value}: a number")
    return value


def cells(stages: Sequence[Stage], chosen: Sequence[Settings]) -> list[list[Cell]]:
    """By stage, every cell that the choices need, each once."""
    found: list[dict[str, Cell]] = [{} for _ in stages]
    for settings in chosen:
        before, there = None, Settings()
        for number, stage in enumerate(stages):
            own = {n: settings.get(n, p.default) for n, p in _own(stage).items()}
            there = there | own
            before = Cell(stage, dict(there), before)
            found[number].setdefault(before.key, before)
    return [list(each.values()) for each in found]


def run_sweep(
    stages: Sequence[Stage], chosen: Sequence[Settings], folder: Path, engine: Engine
) -> Iterator[Cell]:
    """Compute the cells that `folder` does not hold yet; yields each as it comes in.

    A cell's folder is `jobs/KEY`, with its settings, evidence and files, and appears whole or not
    at all. A refusal is evidence without a score. What failed twice leaves its error in
    `failed/KEY.json`, what needs it is left out, and both are tried again the next time.
    """
    clear_leftovers(folder)
    for each in cells(stages, chosen):
        missing = {c.key: c for c in each if not place(folder, c).exists() and _ready(folder, c)}
        for outcome in run_jobs((_job(folder, c) for c in missing.values()), engine):
            cell = missing[outcome.job.name]
            (_keep if outcome.error is None else _failed)(folder, cell, outcome)
            yield cell


def place(folder: Path, cell: Cell) -> Path:
    """Where a cell's settings, evidence and files are."""
    return folder / "jobs" / cell.key


def failure(folder: Path, cell: Cell) -> Path:
    """Where it is said why a cell is not there."""
    return folder / "failed" / f"{cell.key}.json"


def _ready(folder: Path, cell: Cell) -> bool:
    return cell.before is None or place(folder, cell.before).exists()


def _job(folder: Path, cell: Cell) -> Job:
    """What is handed to the engine: the files of the stage before travel along."""
    files = {}
    if cell.before is not None:
        there = place(folder, cell.before)
        files = {name: (there / name).read_bytes() for name in KEPT if (there / name).exists()}
    scratch = folder.absolute() / "unfinished" / cell.key
    return Job(cell.key, compute, (cell.stage, cell.settings, files, scratch))


def compute(
    stage: Stage, settings: Settings, files: Mapping[str, bytes], scratch: Path
) -> tuple[list[Evidence], dict[str, bytes]]:
    """A cell's evidence and the files that it leaves, computed wherever this is called.

    What a stage writes on its way is in `scratch`, from where it goes on if it is ended; on a
    machine that does not have the sweep's folder, in a folder of its own.
    """
    if not scratch.parents[1].is_dir():
        scratch = Path(tempfile.mkdtemp()) / scratch.name
    scratch.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (scratch / name).write_bytes(content)
    wanted = {name: settings[name] for name in _own(stage)}
    try:
        found = stage(scratch, **wanted)
    except ComputationFailed:
        raise
    except SymscopeError as error:
        claim = f"sweep.{stage.__name__}"
        found = [Evidence(claim, None, None, None, 0, seeds=[settings["seed"]], note=str(error))]
    found = [replace(e, config={**e.config, "made": made()}) for e in found]
    left = {n: (scratch / n).read_bytes() for n in KEPT if (scratch / n).exists()}
    shutil.rmtree(scratch)
    return found, left


def _keep(folder: Path, cell: Cell, outcome: Outcome) -> None:
    """Write the cell's folder beside its place, then move it there."""
    found, files = outcome.get()
    target = place(folder, cell)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(PART, ".", target.parent) as made_here:
        whole = Path(made_here) / cell.key
        whole.mkdir()
        for name, content in files.items():
            (whole / name).write_bytes(content)
        write_json(whole / "config.json", {"stage": cell.stage.__name__, **cell.settings})
        write_evidence(whole / "evidence.json", found)
        with suppress(OSError):  # another sweep has put the same one there meanwhile
            whole.replace(target)
    if not target.exists():
        raise ComputationFailed(f"{target} could not be written")
    failure(folder, cell).unlink(missing_ok=True)


def _failed(folder: Path, cell: Cell, outcome: Outcome) -> None:
    error = outcome.error
    said = {"stage": cell.stage.__name__, "settings": cell.settings, "tries": outcome.tries,
            "error": f"{type(error).__name__}: {error}",
            "where": "\n".join(getattr(error, "__notes__", []))}  # fmt: skip
    write_json(failure(folder, cell), said)


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Every record of a sweep, flat: settings, score, interval, controls, which cell it is from."""
    for one in sorted((folder / "jobs").glob("[!.]*")):
        settings = read_json(one / "config.json")
        for record in read_evidence(one / "evidence.json"):
            said = {k: v for k, v in asdict(record).items() if k not in ("config", "source")}
            controls = {f"control: {name}": value for name, value in said.pop("controls").items()}
            made_with = record.config.get("made", {})
            yield {"job": one.name, **settings, **said, **controls, **made_with}


def table(folder: Path) -> Any:
    """A sweep's records as a DataFrame, one row each; raises `SymscopeError` without pandas."""
    return needed("pandas", "the table of a sweep").DataFrame(list(rows(folder)))


def write_table(folder: Path) -> Path:
    """Write `table` to the sweep's `sweep.parquet`, for DuckDB, pandas and others."""
    needed("pyarrow", "the table of a sweep")
    path, found = folder / "sweep.parquet", table(folder)
    write_whole(path, lambda p: found.to_parquet(p, index=False))
    return path
