"""In what coordinates are cyclic variables kept, and are they used?

After Engels, Liao et al. (ICLR 2025). Clouds of known shape tell what the indices are worth; two
circles in one dictionary are taken apart; networks that add modulo a number, trained here and by
Zhong et al. (2023), are searched for circles without labels, and what is found is confirmed by
Fourier, written into and swapped, beside everything that could do as well by chance; dictionaries
of a small language model are ranked as they are. Weekdays and months are asked of language models.

    symscope study geometry --preset small        (a) to (d), about an hour on two cores
    symscope study geometry --preset tiny         minutes, for a first look
    symscope study geometry --preset gpt2 --model FOLDER
    symscope study geometry --preset mistral-7b --model FOLDER --device cuda --dry-run
    symscope study geometry --preset llama-3-8b --model FOLDER --device cuda

The published networks and the small language model are read from the folder that SYMSCOPE_WEIGHTS
names; what needs them is left out without it. Every unit of work leaves a file in
`results/geometry/PRESET/units`; what is there is not computed again. At the end the units are
joined into `results/geometry/PRESET.json`, and the page is `results/geometry/PRESET/report.html`.
"""

import argparse
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.evidence import SymscopeError, read_evidence, write_whole
from symscope.features.geometry import SHAPES
from symscope.jobs import Unit, Work, join, run_units
from symscope.models.modular_addition import published_names
from symscope.report.geometry import geometry
from symscope.studies.geometry.adders import circle_unit, search_unit
from symscope.studies.geometry.networks import WEIGHTS, network_unit
from symscope.studies.geometry.published import PUBLISHED
from symscope.studies.geometry.settings import PRESETS
from symscope.studies.geometry.stories import stories_unit
from symscope.studies.geometry.toys import circles_unit, toy_unit
from symscope.studies.geometry.view import view

WORK: Work = {
    "network": network_unit,
    "toy": toy_unit,
    "circles": circles_unit,
    "circle": circle_unit,
    "search": search_unit,
    "stories": stories_unit,
}


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    asked = _asked()
    try:
        _small(asked)
    except (SymscopeError, MemoryError) as error:
        print(error, file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 3))


def _small(asked: argparse.Namespace) -> None:
    """Toy shapes, networks that add, and a small language model."""
    folder, preset = asked.out / asked.preset, PRESETS[asked.preset]
    settings: dict[str, Any] = {"preset": asked.preset}
    if WEIGHTS in os.environ:
        settings["weights"] = os.environ[WEIGHTS]
    seeds = [str(s) for s in range(asked.seeds or preset.seeds)]
    _run([("network", "trained", s) for s in seeds], settings, folder, asked)
    units: list[Unit] = [("toy", name.replace(" ", "_"), s) for name in SHAPES for s in seeds]
    units += [("circles", "both", s) for s in seeds]
    who = [(kind, s) for kind in ("trained", "untrained") for s in seeds]
    if WEIGHTS in os.environ:
        names = published_names(Path(os.environ[WEIGHTS]))
        who += [("published", str(i)) for i in range(min(preset.published, len(names)))]
        units += [("stories", str(layer), "0") for layer in preset.layers]
    units += [(question, *one) for question in ("circle", "search") for one in who]
    _run(units, settings, folder, asked)
    command = f"symscope study geometry --preset {asked.preset}"
    records = join(folder, PUBLISHED, command)
    text = geometry(view(records, settings, folder, command))
    page = folder / "report.html"
    write_whole(page, partial(Path.write_text, data=text, encoding="utf8"))
    print(page, file=sys.stderr)


def _run(
    units: list[Unit], settings: dict[str, Any], folder: Path, asked: argparse.Namespace
) -> None:
    wanted = [u for u in units if re.search(asked.only, "-".join(u))]
    for done, name in enumerate(run_units(WORK, wanted, settings, folder, asked.jobs), 1):
        said = [r.note for r in read_evidence(folder / "units" / f"{name}.json") if r.score is None]
        print(f"{done}/{len(wanted)} {name}", *said, file=sys.stderr, flush=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=[*PRESETS], default="small")
    parser.add_argument("--out", type=Path, default=Path("results/geometry"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, help="fewer or more networks and draws of each kind")
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    return parser.parse_args()


if __name__ == "__main__":
    main()
