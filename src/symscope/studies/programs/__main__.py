"""Which programs did networks learn on 62 published tasks, and are they right?

    symscope bench programs                          train, extract, controls, count; resumable
    symscope bench programs --tasks "div_|parity"    tasks whose name matches
    symscope bench programs --networks DIR           trained elsewhere, as TASK-SEED.safetensors
    python -m symscope.studies.programs --architecture gru        nine of the tasks, or elman

Every network leaves `results/programs/units/network-TASK-SEED.json` and
`results/programs/networks/TASK-SEED.safetensors`, every extraction
`results/programs/units/extract-TASK-SEED.json`; what is there is not computed again. The controls
leave theirs in `results/programs-controls/units/`. At the end all is counted into
`results/programs.json` and `results/programs-controls.json`, and drawn in
`results/programs/gallery.html`.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.jobs import Settings, Unit, Work, count, run_units
from symscope.studies.estimate import announced, dry_run_option
from symscope.studies.programs.controls.changed import changed_unit
from symscope.studies.programs.controls.counting import counted_controls
from symscope.studies.programs.controls.misfiled import alike, misfiled_unit
from symscope.studies.programs.controls.untrained import untrained_unit
from symscope.studies.programs.controls.wrong_states import wrong_states_unit
from symscope.studies.programs.costs import unit_cost
from symscope.studies.programs.extraction import extraction_unit
from symscope.studies.programs.gallery import write_gallery
from symscope.studies.programs.search import SEARCHED, search_unit
from symscope.studies.programs.settings import CELL_TASKS, CELLS, MORE, SETTINGS, cost
from symscope.studies.programs.tables import counted
from symscope.studies.programs.units import cell_unit, network_unit
from symscope.studies.running import engine_of, engine_options, run

SEEDS = 3
STAGES = ("train", "extract", "controls", "count", "gallery")
SETTINGS_OF: dict[str, Settings] = {
    "train": {"attempts": 3}, "extract": {"seconds": 20.0}, "controls": {},
}  # fmt: skip
WORK: Work = {
    "network": network_unit, "cell": cell_unit, "extract": extraction_unit,
    "changed": changed_unit, "states": wrong_states_unit, "smallest": search_unit,
    "misfiled": misfiled_unit, "untrained": untrained_unit,
}  # fmt: skip


def training_units(architecture: str = "mlp") -> list[Unit]:
    """All networks, seed by seed, the short ones first; of cells and other tasks the first seed."""
    if architecture != "mlp":
        return [("cell", f"{name}.{architecture}", "0") for name in CELL_TASKS]
    names = sorted(SETTINGS, key=cost)
    units = [("network", name, str(seed)) for seed in range(SEEDS) for name in names]
    return [*units, *(("network", name, "0") for name in MORE)]


def extraction_units(networks: Path, architecture: str = "mlp") -> list[Unit]:
    """The networks that are there, one seed after the other."""
    there = [path.stem.rpartition("-") for path in networks.glob("*.safetensors")]
    end = "" if architecture == "mlp" else f".{architecture}"
    order = {f"{name}{end}": i for i, name in enumerate((*SETTINGS, *MORE))}
    named = [(name, seed) for name, _, seed in there if name in order and seed.isdigit()]
    return [("extract", name, seed)
            for name, seed in sorted(named, key=lambda n: (int(n[1]), order[n[0]]))]  # fmt: skip


def control_units(networks: Path) -> list[Unit]:
    """Those on networks are on seed 0; untrained networks come last, they take longest."""
    there = {name for _, name, seed in extraction_units(networks) if seed == "0"}
    named = [name for name in SETTINGS if name in there]
    filed = [name for name in SETTINGS if there & set(alike(name)[:1])]
    return [
        *((kind, name, "0") for kind in ("changed", "states") for name in named),
        *(("smallest", name, "0") for name in SEARCHED),
        *(("misfiled", name, "0") for name in filed),
        *(("untrained", name, str(seed))
          for seed in range(SEEDS) for name in sorted(SETTINGS, key=cost)),
    ]  # fmt: skip


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", choices=STAGES, help="one stage alone")
    parser.add_argument("--out", type=Path, default=Path("results/programs"))
    parser.add_argument("--architecture", choices=("mlp", *CELLS), default="mlp")
    parser.add_argument("--networks", type=Path, help="a folder of networks trained elsewhere")
    engine_options(parser)
    parser.add_argument("--tasks", default="", help="only tasks whose name matches this expression")
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    dry_run_option(parser)
    asked = parser.parse_args()
    stages = [asked.stage] if asked.stage else list(STAGES)
    if asked.networks:
        stages = [stage for stage in stages if stage != "train"]
    networks = asked.networks or asked.out / "networks"
    controls = asked.out.with_name(f"{asked.out.name}-controls")
    for stage in stages:
        if asked.dry_run and stage in ("count", "gallery"):
            continue
        if stage == "count":
            count(asked.out, counted, "symscope bench programs")
            if controls.exists():
                made_by = "python -m symscope.studies.programs --stage controls"
                count(controls, counted_controls, made_by)
            continue
        if stage == "gallery":
            names = [name for name in SETTINGS if re.search(asked.tasks, name)]
            drawn = write_gallery(asked.out, networks, engine_of(asked), names)
            for number, name in enumerate(drawn, 1):
                print(f"{number}/{len(SETTINGS)} drawn {name}", file=sys.stderr, flush=True)
            continue
        units = {
            "train": training_units(asked.architecture),
            "extract": extraction_units(networks, asked.architecture),
            "controls": control_units(networks),
        }[stage]
        units = [u for u in units if re.search(asked.tasks, u[1])]
        wanted = [u for u in units if re.search(asked.only, "-".join(u))]
        settings = SETTINGS_OF[stage] | {"networks": str(networks), "extracted": str(asked.out)}
        folder = controls if stage == "controls" else asked.out
        if not announced(f"bench programs, {stage}", wanted, unit_cost, folder, asked):
            continue
        done = run_units(WORK, wanted, settings, folder, engine_of(asked))
        for number, name in enumerate(done, 1):
            print(f"{number}/{len(wanted)} {name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)
