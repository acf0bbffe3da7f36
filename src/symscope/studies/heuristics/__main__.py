"""Is arithmetic done by a bag of heuristics, or by waves? And is that really so?

After Nikankin et al. (2025). Small transformers learn sums, differences, products and quotients
well enough to answer prompts they were not trained on. Of each the study finds the heads, MLPs and
neurons that do it, the pattern of the operands on which each neuron fires, with maps that are no
pattern beside them; it silences neurons by pattern, rebuilds them from patterns or from waves, and
follows both over the training. The same is asked of language models.

    symscope study heuristics --preset small      nine networks, about an hour on two cores
    symscope study heuristics --preset more       four signs in one, and numbers digit by digit
    symscope study heuristics --preset tiny       one network, minutes, for a first look
    symscope study heuristics --preset llama-3-8b --device cuda --dtype bfloat16 --dry-run
    symscope study heuristics --preset pythia-6.9b --model FOLDER --device cuda

Every unit of work leaves a file in `results/heuristics/PRESET/units`; what is there is not computed
again. At the end the units are joined into `results/heuristics/PRESET.json`, and the atlas of each
first network is `results/heuristics/PRESET/atlas-NETWORK.html`.
"""

import argparse
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from symscope.engines import local
from symscope.evidence import read_json, write_whole
from symscope.jobs import Unit, Work, join
from symscope.models.modular_addition import published_names
from symscope.report.atlas import atlas
from symscope.studies import language_model
from symscope.studies.estimate import announced
from symscope.studies.heuristics.costs import unit_cost
from symscope.studies.heuristics.language import LANGUAGE, reckoned, sign_unit
from symscope.studies.heuristics.modular import modular_unit
from symscope.studies.heuristics.published import PUBLISHED
from symscope.studies.heuristics.settings import PRESETS
from symscope.studies.heuristics.units import (
    circuit_unit,
    development_unit,
    families_unit,
    network_unit,
    neurons_unit,
    speed_unit,
)
from symscope.studies.heuristics.view import view_unit
from symscope.studies.running import engine_of, engine_options, run, run_told
from symscope.tasks.arithmetic import Arithmetic

WORK: Work = {
    "network": network_unit,
    "circuit": circuit_unit,
    "neurons": neurons_unit,
    "families": families_unit,
    "development": development_unit,
    "modular": modular_unit,
    "sign": sign_unit,
    "speed": speed_unit,
    "view": view_unit,
}
WEIGHTS = "SYMSCOPE_WEIGHTS"
"""The folder that has `clock_pizza`, the published networks that add modulo 59."""


def main() -> None:
    """Run what is not there yet, in as many processes as asked for."""
    asked = _asked()
    (_language if asked.preset in LANGUAGE else _trained)(asked)


def _trained(asked: argparse.Namespace) -> None:
    """Networks that are trained here."""
    folder, name = asked.out / asked.preset, asked.preset
    settings: dict[str, Any] = {"preset": name}
    kinds = PRESETS[name][0]
    seeds = [(k, str(s)) for k, kind in kinds.items() for s in range(asked.seeds or kind.seeds)]
    networks: list[Unit] = [("network", *who) for who in seeds]
    whole = [who for who in seeds if isinstance(kinds[who[0]].task, Arithmetic)]
    units: list[Unit] = [(q, *who) for q in ("neurons", "families") for who in seeds]
    units += [(q, *who) for q in ("circuit", "development") for who in whole]
    units += [("view", *who) for who in whole if who[1] == "0"]
    units += [("speed", *who) for who in whole]
    if name == "small" and WEIGHTS in os.environ:
        settings["weights"] = os.environ[WEIGHTS]
        names = published_names(Path(settings["weights"]))
        units += [("modular", name, str(number)) for number, name in enumerate(names)]
    wanted = [u for u in networks + units if re.search(asked.only, "-".join(u))]
    preset = asked.preset
    if not announced(f"study heuristics --preset {preset}", wanted,
                     lambda u: unit_cost(u, preset), folder, asked):  # fmt: skip
        return
    run_told(WORK, networks, settings, folder, engine_of(asked), asked.only)
    run_told(WORK, units, settings, folder, engine_of(asked), asked.only)
    _joined(folder, f"symscope study heuristics --preset {preset}")


def _language(asked: argparse.Namespace) -> None:
    """A language model from a folder or the hub, sign by sign."""
    settings = {"preset": asked.preset, "model": asked.model or LANGUAGE[asked.preset].source,
                "dtype": asked.dtype, "device": asked.device, "budget": asked.budget}  # fmt: skip
    text, cost, kept = reckoned(settings)
    if not language_model.announced(text, cost, kept, settings, asked.dry_run):
        return
    folder = asked.out / asked.preset
    for sign in LANGUAGE[asked.preset].signs:
        run_told(WORK, [("sign", sign, "0")], settings, folder, local(1), asked.only)
    given = f" --model {asked.model}" if asked.model else ""
    _joined(folder, f"symscope study heuristics --preset {asked.preset}{given}")


def _joined(folder: Path, command: str) -> None:
    """All records in one file, and the pages."""
    records = join(folder, PUBLISHED, command)
    for path in sorted((folder / "views").glob("*.json")):
        view = read_json(path)
        claims = [r for r in records if r.claim.startswith(f"{view['name']}.")]
        view["claims"] = [{k: getattr(c, k) for k in (
            "claim", "score", "low", "high", "n", "controls", "source", "note")}
            for c in claims if "rebuilt" not in c.claim and "removed" not in c.claim]  # fmt: skip
        page, text = folder / f"atlas-{path.stem}.html", atlas({**view, "command": command})
        write_whole(page, partial(Path.write_text, data=text, encoding="utf8"))
        print(page, file=sys.stderr)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=[*PRESETS, *LANGUAGE], default="small")
    parser.add_argument("--out", type=Path, default=Path("results/heuristics"))
    engine_options(parser)
    parser.add_argument("--seeds", type=int, help="fewer or more networks of each kind")
    parser.add_argument("--only", default="", help="only units whose name matches this expression")
    parser.add_argument("--model", help="a folder, or a name on the hub")
    parser.add_argument("--dtype", default="bfloat16", help="of a language model")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, auto …")
    parser.add_argument("--budget", type=float, default=4.0, help="GB for maps beside the model")
    parser.add_argument("--dry-run", action="store_true", help="memory and time alone")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
