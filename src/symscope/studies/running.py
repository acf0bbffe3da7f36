"""A study's units, run on the engine that was asked for, and told one by one."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from symscope.engines import Engine, engine_named
from symscope.evidence import read_evidence
from symscope.failures import outcome
from symscope.jobs import Settings, Unit, Work, run_units


def run(main: Callable[[], None]) -> None:
    """Do a study's `main`; what it fails with is a line on stderr, and the exit code."""
    try:
        main()
    except (Exception, KeyboardInterrupt) as error:  # here every failure becomes a line
        code, line = outcome(error)
        print(line, file=sys.stderr, flush=True)
        sys.exit(code)


def engine_options(parser: argparse.ArgumentParser) -> None:
    """Where the units are run: in processes of this machine, or on a cluster."""
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--engine", default="local")
    parser.add_argument("--address", default="auto")


def engine_of(asked: argparse.Namespace) -> Engine:
    """The engine that the options name; raises `SymscopeError`."""
    device = getattr(asked, "device", None) or "cpu"
    return engine_named(asked.engine, asked.jobs, asked.address, device)


def run_told(  # what is run, where, and how
    work: Work, units: Sequence[Unit], settings: Settings, folder: Path, engine: Engine,
    only: str = "",
) -> None:  # fmt: skip
    """Run the units whose name matches `only`; say on stderr which is done, and what it lacks."""
    wanted = [u for u in units if re.search(only, "-".join(u))]
    for done, name in enumerate(run_units(work, wanted, settings, folder, engine), 1):
        records = read_evidence(folder / "units" / f"{name}.json")
        lacking = dict.fromkeys(r.note for r in records if r.score is None)
        print(f"{done}/{len(wanted)} {name}", *lacking, file=sys.stderr, flush=True)
