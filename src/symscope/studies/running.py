"""A study's units, run and told one by one."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from symscope.evidence import read_evidence
from symscope.jobs import Settings, Unit, Work, run_units


def run_told(  # what is run, where, and how
    work: Work, units: Sequence[Unit], settings: Settings, folder: Path, jobs: int, only: str = ""
) -> None:
    """Run the units whose name matches `only`; say on stderr which is done, and what it lacks."""
    wanted = [u for u in units if re.search(only, "-".join(u))]
    for done, name in enumerate(run_units(work, wanted, settings, folder, jobs), 1):
        records = read_evidence(folder / "units" / f"{name}.json")
        lacking = dict.fromkeys(r.note for r in records if r.score is None)
        print(f"{done}/{len(wanted)} {name}", *lacking, file=sys.stderr, flush=True)
