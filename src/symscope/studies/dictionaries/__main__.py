"""Which sparse dictionary is worth what, and do its features mean anything to the network?

Every method of `fit_dictionary` under one bench: how well it gives a network's vectors back, how
sparsely, and what the network loses by it; whether it finds features that are known; and whether
the features that tell a variable best are where the network keeps it: interchange interventions on
networks whose program is known, and on networks that learned to count, beside distributed alignment
search, which is told the program, and controls.

Matching pursuit and top-k give most back and find known features best. For variables of programs
sparse features are better than random ones and far from what the search finds; independent
components are nearest. On networks that count no dictionary passes its floor.

    symscope bench dictionaries --preset small      five seeds, about half an hour on one core
    symscope bench dictionaries --preset tiny       one seed, under a minute, to see that it runs

The language model is read from the folder that SYMSCOPE_WEIGHTS names, and left out without;
networks that count are those of `results/numbers/published`. Every unit leaves a file in
`results/dictionaries/PRESET/units`; what is there is not computed again. At the end the units are
pooled into `results/dictionaries/PRESET.json`.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.jobs import Settings, Unit, Work, count
from symscope.studies.dictionaries.causal import compiled_unit, counting_unit
from symscope.studies.dictionaries.known import known_unit
from symscope.studies.dictionaries.settings import PRESETS
from symscope.studies.dictionaries.sums import counted
from symscope.studies.dictionaries.worth import worth_unit
from symscope.studies.running import engine_of, engine_options, run, run_told

WORK: Work = {"worth": worth_unit, "known": known_unit, "compiled": compiled_unit,
              "counting": counting_unit}  # fmt: skip
WEIGHTS = "SYMSCOPE_WEIGHTS"
"""The folder that has `stories260k`."""


def units(settings: Settings) -> list[Unit]:
    """All units, one seed after the other: a killed bench leaves whole tables of fewer seeds."""
    found: list[Unit] = []
    for seed in map(str, range(settings["seeds"])):
        found += [("compiled", family, seed) for family in settings["families"]]
        found += [("counting", arch, seed) for arch in settings["counting"]]
        found += [("worth", "stories260k", seed)] if settings["weights"] else []
        found += [("worth", name, seed) for name in ("counting_gru", "counting_transformer")]
        found += [("known", name, seed) for name in ("superposition", "ideal")]
    return found


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--out", type=Path, default=Path("results/dictionaries"))
    engine_options(parser)
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    parser.add_argument("--numbers", default="results/numbers/published",
                        help="where the networks that count are")  # fmt: skip
    asked = parser.parse_args()
    weights = os.environ.get(WEIGHTS)
    settings = {**PRESETS[asked.preset], "numbers": asked.numbers, "weights": weights}
    if not weights:
        print(f"{WEIGHTS} is not set: no language model", file=sys.stderr)
    folder = asked.out / asked.preset
    run_told(WORK, units(settings), settings, folder, engine_of(asked), asked.only)
    count(folder, counted, f"symscope bench dictionaries --preset {asked.preset}")


if __name__ == "__main__":
    run(main)
