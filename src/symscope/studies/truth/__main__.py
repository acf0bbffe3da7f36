"""How often is a true claim accepted, and how often is a method fooled?

    symscope bench truth --preset small       three families, one basis each: a smoke test
    symscope bench truth                      all families, five bases each, 200 untrained networks
    symscope bench truth --method das         one method alone; its results stand apart

Every unit (one hidden network and all that is claimed of it) leaves a file in
`results/truth/PRESET/units`; what is there is not computed again. At the end the judgements are
counted into `results/truth/PRESET.json`.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.align.methods import METHODS
from symscope.jobs import Settings, Unit, Work, count, run_units
from symscope.models.compiled import FAMILIES
from symscope.studies.running import engine_of, engine_options, run
from symscope.studies.truth.others import TOLD, redundant_unit, superposition_unit, trained_unit
from symscope.studies.truth.rates import counted
from symscope.studies.truth.units import family_unit, quiet_unit, untrained_unit

LEFT_OUT = ("circuit_2", "clock_13", "dereference_1", "vote")
"""Families of which a larger or smaller sister is there; `vote` has redundant copies for decoys."""
BENCHED = tuple(name for name in FAMILIES if name not in LEFT_OUT)
SMALL = ("parity", "clock_7", "dereference_2")
PRESETS: dict[str, Settings] = {
    "full": {"fit": 2000, "validation": 300, "test": 500, "steps": 300, "seeds": 5, "blank": 6},
    "small": {"fit": 600, "validation": 200, "test": 200, "steps": 60, "seeds": 1, "blank": 1},
}
WORK: Work = {
    "family": family_unit, "untrained": untrained_unit, "quiet": quiet_unit,
    "redundant": redundant_unit, "trained": trained_unit, "superposition": superposition_unit,
}  # fmt: skip


def units(preset: str, method: str | None = None) -> list[Unit]:
    """All units, one basis after the other; with a `method`, those that it is judged by."""
    families, settings = SMALL if preset == "small" else BENCHED, PRESETS[preset]
    known = [("family", f, str(s)) for s in range(settings["seeds"]) for f in families]
    blank = [("untrained", f, str(s)) for s in range(settings["blank"]) for f in families]
    beside = [("redundant", "vote", str(s)) for s in range(settings["seeds"])]
    if preset == "full":
        beside += [("quiet", f, str(s)) for s in range(3) for f in families]
        beside += [("trained", name, str(s)) for name in TOLD for s in range(3)]
        beside += [("superposition", "five_in_two", str(s)) for s in range(3)]
    return [*known, *blank, *([] if method else beside)]


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="full")
    parser.add_argument("--out", type=Path, default=Path("results/truth"))
    engine_options(parser)
    parser.add_argument("--method", choices=list(METHODS), help="one method alone")
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    asked = parser.parse_args()
    folder = asked.out / "-".join(filter(None, (asked.preset, asked.method)))
    settings = PRESETS[asked.preset] | {
        "methods": [asked.method] if asked.method else [*METHODS],
        "untrained": [asked.method or "das"],
    }
    wanted = [u for u in units(asked.preset, asked.method) if re.search(asked.only, "-".join(u))]
    done = run_units(WORK, wanted, settings, folder, engine_of(asked))
    for number, name in enumerate(done, 1):
        print(f"{number}/{len(wanted)} {name}", file=sys.stderr, flush=True)
    method = f" --method {asked.method}" if asked.method else ""
    count(folder, counted, f"symscope bench truth --preset {asked.preset}{method}")


if __name__ == "__main__":
    run(main)
