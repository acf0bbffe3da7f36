"""Which programs did networks learn on 62 published tasks, and are they right?

    python -m symscope.studies.programs --stage train                  62 tasks, seeds 0, 1, 2
    python -m symscope.studies.programs --stage train --only=div_7-0   one network

Every network leaves `results/programs/units/network-TASK-SEED.json` and
`results/programs/networks/TASK-SEED.safetensors`; what is there is not computed again.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.jobs import Settings, Unit, Work, run_units
from symscope.studies.programs.extraction import extraction_unit
from symscope.studies.programs.settings import SETTINGS, cost
from symscope.studies.programs.units import network_unit

SEEDS = 3
TRAINING: Settings = {"attempts": 3}
EXTRACTION: Settings = {"seconds": 20.0}
WORK: Work = {"network": network_unit, "extract": extraction_unit}


def training_units() -> list[Unit]:
    """All networks, one seed after the other, the short ones first."""
    names = sorted(SETTINGS, key=cost)
    return [("network", name, str(seed)) for seed in range(SEEDS) for name in names]


def extraction_units() -> list[Unit]:
    """All networks that are there, one seed after the other."""
    return [("extract", *unit[1:]) for unit in training_units()]


STAGES = {"train": (training_units, TRAINING), "extract": (extraction_units, EXTRACTION)}


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", choices=list(STAGES), default="train")
    parser.add_argument("--out", type=Path, default=Path("results/programs"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    asked = parser.parse_args()
    units, settings = STAGES[asked.stage]
    wanted = [u for u in units() if re.search(asked.only, "-".join(u))]
    done = run_units(WORK, wanted, settings, asked.out, asked.jobs)
    for number, name in enumerate(done, 1):
        print(f"{number}/{len(wanted)} {name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
