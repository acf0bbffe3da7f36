"""A grid of any study's unit of work, on this machine or on a cluster."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from symscope.causal_model import UnknownName
from symscope.commands.options import Address, Engines, Jobs, Json
from symscope.commands.run_directory import described
from symscope.commands.terminal import progress, say, show_json
from symscope.engines import engine_named
from symscope.evidence import SymscopeError, read_evidence, read_json, write_json
from symscope.failures import FAILED
from symscope.leftovers import is_leftover
from symscope.sweep import MOST, Cell, Stage, cells, failure, grid, place, run_sweep, write_table
from symscope.tracking import TRACKERS, tracker

_SHOWN = 20


def sweep_command(  # one parameter per option
    study: Annotated[str, typer.Argument(help="numbers, programs, binding, heuristics …")],
    over: Annotated[list[str] | None, typer.Option(help="NAME=VALUES: 8,16 or 0..19.")] = None,
    unit: Annotated[str | None, typer.Option(help="train, align, extract …")] = None,
    engine: Engines = "local", address: Address = "auto", jobs: Jobs = None,
    track: Annotated[str, typer.Option(help="none, tensorboard or wandb.")] = "none",
    dry_run: Annotated[bool, typer.Option(help="Say what would be computed.")] = False,
    out: Annotated[Path | None, typer.Option(help="The sweep's folder.")] = None,
    json: Json = False,
) -> int:  # fmt: skip
    """Compute a study's unit of work for every combination of settings, each once.

    \b
    symscope sweep numbers --over seeds=0..4 --over width=8,16,32 --over variable=count,phase
    symscope sweep programs --over task=div_3,bitwise_xor --over seeds=0..2 --unit extract
    symscope sweep dictionaries --over method=topk,relu --over seeds=0..9 --engine ray
    symscope sweep numbers --over seeds=0..4 --unit train --dry-run
    """
    stages = _stages(study, unit)
    chosen = grid(stages, dict(_axis(text) for text in over or ()))
    folder = out or Path("runs") / f"sweep-{study}"
    every = [cell for each in cells(stages, chosen) for cell in each]
    missing = [c for c in every if not place(folder, c).exists()]
    say(f"{len(chosen)} combinations, {len(every)} jobs, {len(missing)} of them to compute")
    if dry_run:
        _said(json, sweep=str(folder), jobs=len(every), missing=len(missing))
        return 0
    if track not in TRACKERS:
        raise UnknownName("tracker", track, TRACKERS)
    where = engine_named(engine, jobs, address)
    _opened(folder, study)
    with tracker(track, folder) as tell, progress() as bar:
        for done, cell in enumerate(run_sweep(stages, chosen, folder, where), 1):
            bar(done, len(missing), cell.key)
            if place(folder, cell).exists():
                evidence = read_evidence(place(folder, cell) / "evidence.json")
                tell(cell.key, cell.settings, evidence)
    return _told(folder, every, json)


def _stages(study: str, unit: str | None) -> tuple[Stage, ...]:
    from symscope.studies.sweeps import UNITS  # all studies, and what they need

    if study not in UNITS:
        raise UnknownName("study", study, UNITS)
    units = UNITS[study]
    if unit is not None and unit not in units:
        raise UnknownName(f"unit of {study}", unit, units)
    return units[unit or next(iter(units))]


def _axis(text: str) -> tuple[str, list[str]]:
    """The name and the values of an option such as seeds=0..19 or width=8,16."""
    name, equals, values = text.partition("=")
    if not equals or not name:
        raise SymscopeError(f"--over {text}: NAME=VALUES, such as width=8,16 or seeds=0..19")
    found: list[str] = []
    for part in values.split(","):
        ends = re.fullmatch(r"(-?\d{1,9})\.\.(-?\d{1,9})", part)
        first, last = (int(e) for e in ends.groups()) if ends else (0, 0)
        if last - first >= MOST:
            raise SymscopeError(f"--over {text}: more than {MOST:,} values")
        if last < first:
            raise SymscopeError(f"--over {text}: a range goes up, such as 0..19")
        found += [str(n) for n in range(first, last + 1)] if ends else [part]
    return {"seeds": "seed"}.get(name, name), found


def _opened(folder: Path, study: str) -> None:
    """Make the folder ready; one that holds something else, or another study, is refused."""
    said = folder / "sweep.json"
    if said.exists():
        before = read_json(said)
        other = before.get("study") if isinstance(before, dict) else None
        if other != study:
            raise SymscopeError(f"{folder} holds a sweep of {other}; choose another --out")
    elif folder.exists() and (not folder.is_dir() or not all(map(is_leftover, folder.iterdir()))):
        raise SymscopeError(f"{folder} is not empty and holds no sweep; choose another --out")
    write_json(said, described("sweep", 0, study=study))


def _told(folder: Path, every: list[Cell], json: bool) -> int:
    """What there is now, and what failed; 3 where something did."""
    there = [c for c in every if place(folder, c).exists()]
    failed = [c for c in every if failure(folder, c).exists() and c not in there]
    for cell in failed[:_SHOWN]:
        say(f"failed: {cell.key}: {read_json(failure(folder, cell))['error']}")
    try:
        table = str(write_table(folder))
    except SymscopeError as error:
        say(str(error))
        table = None
    _said(json, sweep=str(folder), jobs=len(every), done=len(there), failed=len(failed),
          table=table)  # fmt: skip
    if not json and there:
        _show(folder, there)
    return FAILED if len(there) < len(every) else 0


def _said(json: bool, **what: object) -> None:
    if json:
        show_json(**what)
    else:
        print("\n".join(f"{name}: {value}" for name, value in what.items()))


def _show(folder: Path, there: list[Cell]) -> None:
    """The first records of the last stage, with the settings that differ between them."""
    last = [c for c in there if c.stage is there[-1].stage]
    several = [n for n in last[0].settings if len({str(c.settings[n]) for c in last}) > 1]
    shown = Table(*several, "claim", "score", "best control")
    for cell in last[:_SHOWN]:
        record = read_evidence(place(folder, cell) / "evidence.json")[0]
        best = max(record.controls.values(), default=None)
        beside = record.note if record.score is None else "–" if best is None else f"{best:.3f}"
        score = "–" if record.score is None else f"{record.score:.3f}"
        shown.add_row(*(str(cell.settings[n]) for n in several), record.claim, score, beside)
    Console().print(shown)
