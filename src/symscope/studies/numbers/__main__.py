"""Do networks that learn to count keep the count in a variable, and which program do they run?

Replicates Grant, Goodman & McClelland (2025): GRUs, LSTMs and transformers on three counting tasks,
the variables of four programs searched for by DAS, with the controls that the paper does not print.

    symscope study numbers --preset small       three seeds, short training
    symscope study numbers --preset published   six seeds, the published settings

Every unit of work (one network and all that is asked of it) leaves a file in
`results/numbers/PRESET/units`; what is there is not computed again. At the end the units are joined
into `results/numbers/PRESET.json`.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.jobs import Unit, Work, join, run_units
from symscope.studies.estimate import announced, dry_run_option
from symscope.studies.numbers.beyond import (
    head_unit,
    longer_unit,
    phase_unit,
    search_unit,
    together_unit,
)
from symscope.studies.numbers.costs import unit_cost
from symscope.studies.numbers.extraction import extract_unit
from symscope.studies.numbers.published import PUBLISHED
from symscope.studies.numbers.units import (
    ARCHITECTURES,
    KINDS,
    WIDTHS,
    Preset,
    edit_unit,
    main_unit,
    size_unit,
    variable_unit,
)
from symscope.studies.running import engine_of, engine_options, run

PRESETS = {
    "small": {
        "epochs": 400,
        "seeds": 3,
        "more_seeds": 3,
        "most": 1000,
        "controls": 1,
        "longer": 0,
        "extracted": 1,
    },
    "published": {
        "epochs": 600,
        "seeds": 6,
        "more_seeds": 3,
        "most": 1000,
        "controls": 1,
        "longer": 1500,
        "extracted": 1,
    },
    "tiny": {
        "epochs": 1,
        "seeds": 1,
        "more_seeds": 0,
        "most": 20,
        "controls": 0,
        "longer": 0,
        "extracted": 0,
    },
}
WORK: Work = {
    "main": main_unit,
    "size": size_unit,
    "variable": variable_unit,
    "edit": edit_unit,
    "together": together_unit,
    "phase": phase_unit,
    "search": search_unit,
    "head": head_unit,
    "longer": longer_unit,
    "extract": extract_unit,
}


def units(preset: Preset) -> list[Unit]:
    """All units, one seed after the other: a killed study leaves whole tables of fewer seeds."""
    found: list[Unit] = []
    for seed in map(str, range(preset["seeds"])):
        found += [("main", kind, arch, seed) for arch in ARCHITECTURES for kind in KINDS]
        if int(seed) < preset["extracted"]:
            found += [("extract", kind, arch, seed) for arch in ARCHITECTURES for kind in KINDS]
        if preset["longer"]:
            below = (("multi", "gru"), ("single", "gru"), ("single", "lstm"))  # the published mean
            found += [("longer", *which, seed) for which in below]
        if int(seed) >= preset["more_seeds"]:
            continue
        recurrent = [(kind, arch, seed) for arch in ("gru", "lstm") for kind in ("same", "multi")]
        found += [(work, *about) for work in ("phase", "together") for about in recurrent]
        found += [("head", "multi", arch, seed) for arch in ("gru", "lstm")]
        found += [("search", "multi", "gru", seed)]
        found += [("edit", kind, seed) for kind in ("multi", "single")]
        found += [("variable", kind, seed) for kind in KINDS]
        found += [("size", str(width), seed) for width in WIDTHS]
    return found


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--out", type=Path, default=Path("results/numbers"))
    engine_options(parser)
    parser.add_argument("--seeds", type=int, help="fewer or more seeds than the preset")
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    dry_run_option(parser)
    asked = parser.parse_args()
    preset = dict(PRESETS[asked.preset])
    preset["seeds"] = asked.seeds or preset["seeds"]
    folder = asked.out / asked.preset
    wanted = [u for u in units(preset) if re.search(asked.only, "-".join(u))]
    title = f"study numbers --preset {asked.preset}"
    if not announced(title, wanted, lambda u: unit_cost(u, preset), folder, asked):
        return
    for done, name in enumerate(run_units(WORK, wanted, preset, folder, engine_of(asked)), 1):
        print(f"{done}/{len(wanted)} {name}", file=sys.stderr, flush=True)
    join(folder, PUBLISHED, f"symscope study numbers --preset {asked.preset}")


if __name__ == "__main__":
    run(main)
