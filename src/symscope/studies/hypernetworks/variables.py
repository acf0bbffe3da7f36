"""Do the programs' variables live in the networks? Interchange of real variables, by search."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from symscope.align.descend import Search
from symscope.align.real import examine_real
from symscope.alignment import blocks
from symscope.evidence import Evidence
from symscope.featurizer import Rotation
from symscope.generate.baselines import untrained
from symscope.jobs import Unit
from symscope.models.perceptron import Weights, perceptron
from symscope.network import Network
from symscope.site import Site
from symscope.studies.hypernetworks.chosen import kept_weights
from symscope.studies.hypernetworks.networks import function_of
from symscope.studies.hypernetworks.settings import FAMILIES, PRESETS, TARGET
from symscope.studies.questions import Question, answered
from symscope.tasks.functions import Function, function

ASKED = {
    TARGET: (("absolute", "a_0", "a_1"), ("double_sided", "p_0", "m_0"),
                ("pudding", "r_0", "s"), ("pudding_negative", "r_0", "s")),
}  # fmt: skip
"""Program, variable, and another variable as a control; of the other functions the first two."""
SIZE, METHODS = 2, ("generated", "adam")
SEARCH = Search(steps=1000, most=1500)
COUNTS = {"fit": 4_000, "validation": 1_000, "test": 2_000}
QUICK = Search(steps=20, more=20, most=20), {"fit": 100, "validation": 50, "test": 100}


def variables_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The interchange R² of each program's variables, in the generated network and in Adam's."""
    _, name, seed_text = unit
    seed = int(seed_text)
    questions: Iterator[Question] = iter([
        partial(_asked, name, method, program, variable, wrong, settings, folder, seed)
        for method in METHODS for program, variable, wrong in asked_of(name, settings)
    ])  # fmt: skip
    return answered(questions, f"hypernetworks.{name}.variables", seed)


def asked_of(name: str, settings: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """Program, variable, and another variable of it."""
    if name in FAMILIES:
        return list(ASKED[TARGET])
    preset = PRESETS[settings["preset"]]
    programs = function(name, preset.others[name][0]).programs
    found: list[tuple[str, str, str | None]] = []
    for program in programs.values():
        names = [*program.names, None]
        found += [(program.name, str(names[0]), names[1])]
    return found


def _asked(  # one question: which network, which variable
    name: str, method: str, program: str, variable: str, wrong: str | None,
    settings: dict[str, Any], folder: Path, seed: int,
) -> list[Evidence]:  # fmt: skip
    weights = kept_weights(folder, method, name, seed)
    task = function_of(name, weights.sizes[0])
    evidence = examined(weights, task, (program, variable, wrong), seed,
                        settings["preset"] == "tiny")  # fmt: skip
    return [replace(evidence, claim=f"hypernetworks.{name}.{method}.{program}.{variable}.r2")]


def examined(
    weights: Weights, task: Function, asked: tuple[str, str, str | None], seed: int,
    quick: bool = False,
) -> Evidence:  # fmt: skip
    """The search for one variable at the hidden units, with its controls."""
    program, variable, wrong = asked
    site, width = Site("hidden.0"), weights.sizes[1]
    start = blocks(program, site, Rotation(width, SIZE, seed), {variable: SIZE})
    search, counts = QUICK if quick else (SEARCH, COUNTS)
    fresh = Network(perceptron(untrained(weights.sizes, seed + 1000)))
    _, evidence = examine_real(Network(perceptron(weights)), task, start, fresh, search, seed,
                               counts, wrong)  # fmt: skip
    return evidence
