"""How does a transformer learn to follow a chain of assignments, and how does it do it?

After Wu, Geiger & Millière (2025). A transformer reads lines such as `a=5`, `b=a` and a query `#b:`
and answers with the digit. The study trains it, finds the phases of the training, follows the value
through the network, names the heads and the subspaces that carry it, tests each hop of the chain
program with DAS, and dates when each of these came to be.

    symscope study binding --preset small       three networks, about ten minutes each to train
    symscope study binding --preset tiny        one network with a curriculum, for a first look
    symscope study binding --preset published --device cuda      the published size, on one GPU
    symscope study binding --preset published --steps 200        the same, to see that it runs
    python -m symscope.studies.binding --search 1                the settings tried for `small`

Every unit of work leaves a file in `results/binding/PRESET/units`; what is there is not computed
again. At the end the units are joined into `results/binding/PRESET.json`, and each network gets an
explorer, `results/binding/PRESET/explorer-SEED.html`.
"""

import argparse
import os
import re
import sys
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.cost import Cost
from symscope.evidence import Evidence, read_json, write_whole
from symscope.jobs import Unit, Work, join
from symscope.placement import Placement, placement
from symscope.report.explorer import explorer
from symscope.studies.binding.costs import ON_DEVICE, unit_cost
from symscope.studies.binding.published import PUBLISHED
from symscope.studies.binding.settings import PRESETS, SEARCH, in_precision, shorter
from symscope.studies.binding.tables import floors
from symscope.studies.binding.units import (
    beyond_unit,
    coordinates_unit,
    heads_unit,
    mechanism_unit,
    network_unit,
    search_unit,
    view_unit,
)
from symscope.studies.estimate import announced, dry_run_option
from symscope.studies.running import engine_of, engine_options, run, run_told

WORK: Work = {
    "network": network_unit,
    "mechanism": mechanism_unit,
    "heads": heads_unit,
    "coordinates": coordinates_unit,
    "beyond": beyond_unit,
    "view": view_unit,
    "search": search_unit,
}
ASKED = ("mechanism", "heads", "coordinates", "beyond", "view")
ROLES = ("right_1", "right_2", "right_3", "query", "colon")
HEADLINES = (
    "accuracy", "phase.random", "phase.shallow", "phase.general",
    *(f"residual.root.hops{d}.{role}" for d in (3, 2) for role in ROLES),
    "subspace.constants.classifier", "subspace.constants.das", "subspace.names.classifier",
    "subspace.names.das", "head.root.best", "head.rebind.best", "generalisation.held_out_pairs",
    "generalisation.lengths", "persistence.pull_of_line_1",
)  # fmt: skip
"""The claims at the end of an explorer."""
SHOWN_CONTROLS = 3


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    asked = _asked()
    folder, name = asked.out / asked.preset, asked.preset
    settings: dict[str, Any] = {"preset": name, "device": asked.device}
    if asked.dtype:
        settings["dtype"] = placement(asked.device, asked.dtype).dtype
    if asked.steps:
        settings["steps"] = asked.steps
        folder = asked.out / f"{name}-{asked.steps}"
    if asked.search:
        folder, command = asked.out / "search", f"symscope.studies.binding --search {asked.search}"
        units: list[Unit] = [
            ("search", label, str(s)) for s in range(asked.search) for label in SEARCH
        ]
        if not _announced(asked, units, folder):
            return
        run_told(WORK, units, settings, folder, engine_of(asked), asked.only)
        join(folder, {}, f"python -m {command}")
        return
    seeds = [str(s) for s in range(asked.seeds or PRESETS[name].seeds)]
    networks: list[Unit] = [("network", s) for s in seeds]
    questions: list[Unit] = [(question, s) for s in seeds for question in ASKED]
    if not _announced(asked, networks + questions, folder):
        return
    run_told(WORK, networks, settings, folder, engine_of(asked), asked.only)
    run_told(WORK, questions, settings, folder, engine_of(asked), asked.only)
    command = f"symscope study binding --preset {name}"
    command += f" --steps {asked.steps}" if asked.steps else ""
    records = {r.claim: r for r in join(folder, PUBLISHED, command)}
    for path in sorted((folder / "views").glob("*.json")):
        _explorer(folder, path, records, name)


def _announced(asked: argparse.Namespace, units: list[Unit], folder: Path) -> bool:
    """What the units take is said; whether they shall be run."""
    wanted = [u for u in units if re.search(asked.only, "-".join(u))]

    def cost_of(unit: Unit) -> Cost:
        if unit[0] == "search":
            return unit_cost(unit, SEARCH[unit[1]])
        preset = PRESETS[asked.preset]
        preset = shorter(preset, asked.steps) if asked.steps else preset
        preset, _ = in_precision(preset, Placement(asked.device, asked.dtype))
        return unit_cost(unit, preset)

    title = f"study binding --preset {asked.preset}"
    return announced(title, wanted, cost_of, folder, asked, ON_DEVICE)


def _explorer(folder: Path, path: Path, records: dict[str, Evidence], name: str) -> None:
    """The page of one network; the claims on it are those of all networks."""
    claims = [records[f"binding.{name}.{c}"] for c in HEADLINES if f"binding.{name}.{c}" in records]
    view = read_json(path) | {"claims": [_plain(c) for c in claims]}
    page = folder / f"explorer-{path.stem}.html"
    write_whole(page, lambda p: p.write_text(explorer(view), encoding="utf8"))
    print(page, file=sys.stderr)


def _plain(claim: Evidence) -> dict[str, Any]:
    """What the explorer's table shows: of the controls the highest few, the rest is in the file."""
    keys = ("claim", "score", "low", "high", "n", "source", "note")
    highest = dict(islice(floors(claim).items(), SHOWN_CONTROLS))
    return {key: getattr(claim, key) for key in keys} | {"controls": highest}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--out", type=Path, default=Path("results/binding"))
    engine_options(parser)
    parser.add_argument("--seeds", type=int, help="fewer or more networks than the preset")
    parser.add_argument("--steps", type=int, help="end the training there, to see that it runs")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 …")
    parser.add_argument("--dtype", help="of the training: float32, bfloat16 (autocast), float64")
    dry_run_option(parser)
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    parser.add_argument("--search", type=int, default=0, metavar="SEEDS",
                        help="the settings tried for small, each with so many seeds")  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
