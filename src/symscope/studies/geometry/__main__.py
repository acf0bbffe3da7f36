"""In what coordinates are cyclic variables kept, and are they used?

After Engels, Liao et al. (ICLR 2025). Clouds of known shape tell what the indices are worth; two
circles in one dictionary are taken apart; networks that add modulo a number, trained here and by
Zhong et al. (2023), are searched for circles without labels, and what is found is confirmed by
Fourier, written into and swapped, beside everything that could do as well by chance; dictionaries
of a small language model are ranked as they are. Weekdays and months are asked of language models.

    symscope study geometry --preset small        (a) to (d), about an hour on two cores
    symscope study geometry --preset tiny         a minute, for a first look
    symscope study geometry --preset language --device cuda        GPT-2, Mistral-7B, Llama-3-8B
    symscope study geometry --preset language --model FOLDER --device cuda --dry-run
    symscope study geometry --preset gpt2 --model FOLDER --dictionary FOLDER

"language" asks each of the three, or the one whose kind a given folder is of. The published
networks and the small language model are read from the folder that SYMSCOPE_WEIGHTS names; what
needs them is left out without it. Every unit of work leaves a file in
`results/geometry/PRESET/units`; what is there is not computed again. At the end the units are
joined into `results/geometry/PRESET.json`; the page is `results/geometry/PRESET/report.html`.
"""

import argparse
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.causal_model import UnknownName
from symscope.engines import local
from symscope.evidence import write_whole
from symscope.features.geometry import SHAPES
from symscope.jobs import Unit, Work, join
from symscope.models.modular_addition import published_names
from symscope.report.geometry import geometry
from symscope.studies import language_model
from symscope.studies.estimate import announced
from symscope.studies.geometry.adders import circle_unit, search_unit
from symscope.studies.geometry.costs import unit_cost
from symscope.studies.geometry.language import (
    CYCLE,
    LANGUAGE,
    cycle_unit,
    language_settings,
    reckoned,
)
from symscope.studies.geometry.networks import WEIGHTS, network_unit
from symscope.studies.geometry.published import PUBLISHED
from symscope.studies.geometry.settings import PRESETS
from symscope.studies.geometry.stories import stories_unit
from symscope.studies.geometry.toys import circles_unit, toy_unit
from symscope.studies.geometry.view import view
from symscope.studies.geometry.view_language import language_page
from symscope.studies.running import engine_of, engine_options, run, run_told

WORK: Work = {
    "network": network_unit,
    "toy": toy_unit,
    "circles": circles_unit,
    "circle": circle_unit,
    "search": search_unit,
    "stories": stories_unit,
    "cycle": cycle_unit,
}
FAMILIES = {"gpt2": "gpt2", "mistral": "mistral-7b", "llama": "llama-3-8b"}
"""A folder's own name for its kind → the preset that is asked of it."""


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    asked = _asked()
    if asked.preset in PRESETS:
        _small(asked)
    for preset in _models(asked):
        _language(asked, preset)


def _small(asked: argparse.Namespace) -> None:
    """Toy shapes, networks that add, and a small language model."""
    folder, preset = asked.out / asked.preset, PRESETS[asked.preset]
    settings: dict[str, Any] = {"preset": asked.preset}
    if WEIGHTS in os.environ:
        settings["weights"] = os.environ[WEIGHTS]
    seeds = [str(s) for s in range(asked.seeds or preset.seeds)]
    networks: list[Unit] = [("network", "trained", s) for s in seeds]
    units: list[Unit] = [("toy", name.replace(" ", "_"), s) for name in SHAPES for s in seeds]
    units += [("circles", "both", s) for s in seeds]
    who = [(kind, s) for kind in ("trained", "untrained") for s in seeds]
    if WEIGHTS in os.environ:
        names = published_names(Path(os.environ[WEIGHTS]))
        who += [("published", str(i)) for i in range(min(preset.published, len(names)))]
        units += [("stories", str(layer), "0") for layer in preset.layers]
    units += [(question, *one) for question in ("circle", "search") for one in who]
    command = f"study geometry --preset {asked.preset}"
    wanted = [u for u in networks + units if re.search(asked.only, "-".join(u))]
    if not announced(command, wanted, lambda u: unit_cost(u, asked.preset), folder, asked):
        return
    run_told(WORK, networks, settings, folder, engine_of(asked), asked.only)
    run_told(WORK, units, settings, folder, engine_of(asked), asked.only)
    command = f"symscope study geometry --preset {asked.preset}"
    records = join(folder, PUBLISHED, command)
    _page(folder, view(records, settings, folder, command))


def _models(asked: argparse.Namespace) -> list[str]:
    """The language models that are meant."""
    if asked.preset != "language":
        return [asked.preset] if asked.preset in LANGUAGE else []
    if asked.model is None:
        return list(LANGUAGE)
    kind = language_model.described(asked.model).model_type
    if kind not in FAMILIES:
        raise UnknownName("kind of model", kind, FAMILIES)
    return [FAMILIES[kind]]


def _language(asked: argparse.Namespace, preset: str) -> None:
    """Weekdays and months, one model."""
    own = ("model", "dtype", "device", "pairs", "layers", "layer", "untrained", "dictionary",
           "dictionary_layer", "text")  # fmt: skip
    settings = language_settings(preset, {k: getattr(asked, k) for k in own})
    text, cost = reckoned(settings)
    if not language_model.announced(text, cost, 0.0, settings, asked.dry_run):
        return
    folder = asked.out / preset
    for name in CYCLE:
        run_told(WORK, [("cycle", name, "0")], settings, folder, local(1), asked.only)
    given = f" --model {asked.model}" if asked.model else ""
    command = f"symscope study geometry --preset {preset}{given}"
    records = join(folder, PUBLISHED, command)
    _page(folder, language_page(records, settings, command))


def _page(folder: Path, shown: dict[str, Any]) -> None:
    page, text = folder / "report.html", geometry(shown)
    write_whole(page, partial(Path.write_text, data=text, encoding="utf8"))
    print(page, file=sys.stderr)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=[*PRESETS, "language", *LANGUAGE], default="small")
    parser.add_argument("--out", type=Path, default=Path("results/geometry"))
    engine_options(parser)
    parser.add_argument("--seeds", type=int, help="fewer or more networks and draws of each kind")
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    parser.add_argument("--model", help="a folder, or a name on the hub")
    parser.add_argument("--dtype", help="of a language model; bfloat16 without")
    parser.add_argument("--device", help="cpu, cuda, auto …")
    parser.add_argument("--pairs", type=int, help="at most so many pairs of an intervention")
    parser.add_argument("--layers", type=_numbers, help="those that are probed, such as 0,4,8")
    parser.add_argument("--layer", type=int, help="where points off the circle are written")
    parser.add_argument("--untrained", action="store_const", const=True, help="a fresh one too")
    parser.add_argument("--dictionary", help="a folder with a dictionary in SAELens's layout")
    parser.add_argument("--dictionary-layer", type=int, help="the block whose input it reads")
    parser.add_argument("--text", help="a file of text to rank the dictionary's clusters on")
    parser.add_argument("--dry-run", action="store_true", help="memory and time alone")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
