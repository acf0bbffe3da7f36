"""Which programs did networks learn on 62 published tasks, and are they right?

    symscope bench programs                          train, extract, prove, count; resumable
    symscope bench programs --tasks "div_|parity"    tasks whose name matches
    symscope bench programs --networks DIR           trained elsewhere, as TASK-SEED.safetensors
    python -m symscope.studies.programs --architecture gru        nine of the tasks, or elman

Every network leaves `results/programs/units/network-TASK-SEED.json` and
`results/programs/networks/TASK-SEED.safetensors`, every extraction
`results/programs/units/extract-TASK-SEED.json`; what is there is not computed again. At the end all
is counted into `results/programs.json`.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.jobs import Settings, Unit, Work, count, run_units
from symscope.studies.programs.extraction import extraction_unit
from symscope.studies.programs.settings import CELL_TASKS, CELLS, SETTINGS, cost
from symscope.studies.programs.tables import counted
from symscope.studies.programs.units import cell_unit, network_unit

SEEDS = 3
STAGES = ("train", "extract", "count")
SETTINGS_OF: dict[str, Settings] = {"train": {"attempts": 3}, "extract": {"seconds": 20.0}}
WORK: Work = {"network": network_unit, "cell": cell_unit, "extract": extraction_unit}


def training_units(architecture: str = "mlp") -> list[Unit]:
    """All networks, one seed after the other, the short ones first; of cells the first seed."""
    if architecture != "mlp":
        return [("cell", f"{name}.{architecture}", "0") for name in CELL_TASKS]
    names = sorted(SETTINGS, key=cost)
    return [("network", name, str(seed)) for seed in range(SEEDS) for name in names]


def extraction_units(networks: Path, architecture: str = "mlp") -> list[Unit]:
    """The networks that are there, one seed after the other."""
    there = [path.stem.rpartition("-") for path in networks.glob("*.safetensors")]
    end = "" if architecture == "mlp" else f".{architecture}"
    order = {f"{name}{end}": i for i, name in enumerate(SETTINGS)}
    named = [(name, seed) for name, _, seed in there if name in order and seed.isdigit()]
    return [("extract", name, seed)
            for name, seed in sorted(named, key=lambda n: (int(n[1]), order[n[0]]))]  # fmt: skip


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", choices=STAGES, help="one stage alone")
    parser.add_argument("--out", type=Path, default=Path("results/programs"))
    parser.add_argument("--architecture", choices=("mlp", *CELLS), default="mlp")
    parser.add_argument("--networks", type=Path, help="a folder of networks trained elsewhere")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tasks", default="", help="only tasks whose name matches this expression")
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    asked = parser.parse_args()
    stages = [asked.stage] if asked.stage else list(STAGES)
    if asked.networks:
        stages = [stage for stage in stages if stage != "train"]
    networks = asked.networks or asked.out / "networks"
    for stage in stages:
        if stage == "count":
            count(asked.out, counted, "symscope bench programs")
            continue
        kind = asked.architecture
        units = training_units(kind) if stage == "train" else extraction_units(networks, kind)
        units = [u for u in units if re.search(asked.tasks, u[1])]
        wanted = [u for u in units if re.search(asked.only, "-".join(u))]
        settings = SETTINGS_OF[stage] | {"networks": str(networks)}
        done = run_units(WORK, wanted, settings, asked.out, asked.jobs)
        for number, name in enumerate(done, 1):
            print(f"{number}/{len(wanted)} {name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
