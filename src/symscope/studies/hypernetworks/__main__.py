"""Can networks be written whose algorithm is readable, with a dial between loss and complexity?

After Liao, Liu and Tegmark (2023). Hypernetworks write small networks for the L1 norm. Which
algorithm each runs is read from its weights, by bounds fitted on networks written by hand, and
tested by interventions; over training, over β, without the encoder, and at sizes never trained.
Then they are compared with Adam, Adam with an L1 penalty and pruning at the same loss. Five other
functions follow.

    symscope study hypernetworks --preset small        about an hour and a half on two cores
    symscope study hypernetworks --preset tiny         a minute, for a first look
    symscope study hypernetworks --preset search       what was tried to find the settings
    symscope study hypernetworks --preset published --device cuda      (16, 48, 1), 33 seeds

Every unit of work leaves a file in `results/hypernetworks/PRESET/units`; what is there is not
computed again, and a training goes on where it was. At the end the units are joined into
`results/hypernetworks/PRESET.json`; the page is `results/hypernetworks/PRESET/report.html`.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.cost import Cost
from symscope.evidence import SymscopeError, write_evidence, write_whole
from symscope.jobs import Unit, Work, join
from symscope.report.hypernetworks import hypernetworks
from symscope.studies.estimate import announced, dry_run_option
from symscope.studies.hypernetworks.boundaries import boundaries_unit
from symscope.studies.hypernetworks.compared import compared_unit
from symscope.studies.hypernetworks.costs import ON_DEVICE, unit_cost
from symscope.studies.hypernetworks.counted import counted
from symscope.studies.hypernetworks.development import development_unit
from symscope.studies.hypernetworks.equal import equal_unit
from symscope.studies.hypernetworks.front import blocks_unit, front_unit, sizes_unit
from symscope.studies.hypernetworks.hand import hand_unit
from symscope.studies.hypernetworks.networks import asked as asked_of
from symscope.studies.hypernetworks.networks import trained_unit
from symscope.studies.hypernetworks.published import PUBLISHED
from symscope.studies.hypernetworks.reading import reading_unit
from symscope.studies.hypernetworks.settings import FAMILIES, PRESETS, TARGET, TRIED
from symscope.studies.hypernetworks.tried import tried_unit
from symscope.studies.hypernetworks.variables import variables_unit
from symscope.studies.hypernetworks.view import view
from symscope.studies.running import engine_of, engine_options, run, run_told

WORK: Work = {
    "trained": trained_unit,
    "tried": tried_unit,
    "boundaries": boundaries_unit,
    "reading": reading_unit,
    "development": development_unit,
    "front": front_unit,
    "sizes": sizes_unit,
    "without": blocks_unit,
    "compared": compared_unit,
    "equal": equal_unit,
    "hand": hand_unit,
    "variables": variables_unit,
}
HELD_AGAINST = ("compared", "equal", "variables")
"""What is asked of generated networks and of others, in that order."""


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    asked = _asked()
    try:
        _search(asked) if asked.preset == "search" else _study(asked)
    except (SymscopeError, MemoryError) as error:
        print(error, file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 3))


def _study(asked: argparse.Namespace) -> None:
    folder, preset = asked.out / asked.preset, PRESETS[asked.preset]
    settings: dict[str, Any] = {"preset": asked.preset, "device": asked.device}
    seeds = [str(s) for s in range(asked.seeds or preset.seeds)]
    other = [str(s) for s in range(min(len(seeds), preset.other_seeds))]
    training = [("trained", TARGET, s) for s in seeds]
    further = [(name, str(s)) for name, (_, own) in preset.further.items() for s in own]
    training += [("trained", *one) for one in further]
    training += [("trained", name, s) for name in preset.others for s in other]
    units: list[Unit] = [("boundaries", TARGET, "0")]
    units += [("hand", name, "0") for name in (TARGET, *preset.others)]
    kinds = ("reading", "front", "development", "without", "sizes", *HELD_AGAINST)
    units += [(kind, TARGET, s) for kind in kinds for s in seeds]
    units += [(kind, *one) for kind in kinds for one in further]
    units += [(kind, name, s) for kind in ("front", *HELD_AGAINST)
              for name in preset.others for s in other]  # fmt: skip
    if not _announced(asked, [*training, *units], settings, folder):
        return
    run_told(WORK, training, settings, folder, engine_of(asked), asked.only)
    run_told(WORK, units, settings, folder, engine_of(asked), asked.only)
    found = [r for name in FAMILIES for r in counted(folder, name)]
    write_evidence(folder / "units" / "counted.json", found)
    command = f"symscope study hypernetworks --preset {asked.preset}"
    records = join(folder, PUBLISHED, command)
    page, text = folder / "report.html", hypernetworks(view(records, settings, folder, command))
    write_whole(page, partial(Path.write_text, data=text, encoding="utf8"))
    print(page, file=sys.stderr)


def _announced(
    asked: argparse.Namespace, units: Sequence[Unit], settings: dict[str, Any], folder: Path
) -> bool:
    """What the units take is said; whether they shall be run."""
    preset = PRESETS[settings["preset"]]

    def cost_of(unit: Unit) -> Cost:
        if unit[0] == "tried":
            changes = TRIED[unit[1].replace("_", " ")][1]
            sizes, steps = (changes.get("sizes", preset.sizes),
                            changes.get("steps", preset.plan.steps))  # fmt: skip
            return unit_cost(unit, preset, sizes, steps)
        plan, sizes = asked_of(unit[1], settings)
        return unit_cost(unit, preset, sizes, plan.steps)

    wanted = [u for u in units if re.search(asked.only, "-".join(u))]
    title = f"study hypernetworks --preset {asked.preset}"
    return announced(title, wanted, cost_of, folder, asked, ON_DEVICE)


def _search(asked: argparse.Namespace) -> None:
    """What was tried to find the settings of `small`: one evidence file."""
    folder = asked.out / "search"
    units = [("tried", name.replace(" ", "_"), str(seed)) for name, (seed, _) in TRIED.items()]
    settings = {"preset": "small", "device": asked.device}
    if not _announced(asked, units, settings, folder):
        return
    run_told(WORK, units, settings, folder, engine_of(asked), asked.only)
    join(folder, PUBLISHED, "symscope study hypernetworks --preset search")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=[*PRESETS, "search"], default="small")
    parser.add_argument("--out", type=Path, default=Path("results/hypernetworks"))
    engine_options(parser)
    parser.add_argument("--seeds", type=int, help="fewer or more hypernetworks of each kind")
    dry_run_option(parser)
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    parser.add_argument("--device", default="cpu", help="cpu, cuda …, of training")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
