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
from symscope.generate.reading import read_algorithm
from symscope.jobs import Unit
from symscope.models.perceptron import Weights, perceptron
from symscope.network import Network
from symscope.site import Site
from symscope.studies.hypernetworks.chosen import kept_weights
from symscope.studies.hypernetworks.networks import function_of
from symscope.studies.hypernetworks.settings import FAMILIES, PRESETS
from symscope.studies.questions import Question, answered
from symscope.tasks.functions import Function, function

ASKED = (
    ("absolute", "a_0", "a_1"), ("double_sided", "p_0", "m_0"), ("pudding", "r_0", "s"),
    ("pudding", "s", "r_0"), ("pudding_negative", "r_0", "s"), ("pudding_negative", "s", "r_0"),
)  # fmt: skip
"""Program of the L1 norm, variable, and another as a control; elsewhere each program's first."""
SIGNS = {"pudding_positive": "pudding", "pudding_negative": "pudding_negative"}
SIZE, METHODS = 2, ("generated", "adam")
SEARCH = Search(steps=1000, most=1500)
COUNTS = {"fit": 4_000, "validation": 1_000, "test": 2_000}
QUICK = Search(steps=20, more=20, most=20), {"fit": 100, "validation": 50, "test": 100}


def variables_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The interchange R² of each program's variables, in the generated network and in Adam's."""
    _, name, seed_text = unit
    seed = int(seed_text)
    told = _told(name, seed, folder)
    questions: Iterator[Question] = iter([
        partial(_asked, name, method, one, told.get(one[0], one[0]), settings, folder, seed)
        for method in METHODS for one in asked_of(name, settings)
    ])  # fmt: skip
    return answered(questions, f"hypernetworks.{name}.variables", seed)


def asked_of(name: str, settings: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """Program, variable, and another variable of it."""
    if name in FAMILIES:
        return list(ASKED)
    preset = PRESETS[settings["preset"]]
    programs = function(name, preset.others[name][0]).programs
    found: list[tuple[str, str, str | None]] = []
    for program in programs.values():
        names = [*program.names, None]
        found += [(program.name, str(names[0]), names[1])]
    return found


def _told(name: str, seed: int, folder: Path) -> dict[str, str]:
    """What claims call the programs: a network's own pudding, and its mirror image; or the kind."""
    if name not in FAMILIES:
        return {}
    weights = kept_weights(folder, "generated", name, seed)
    kind = read_algorithm(weights, function_of(name, weights.sizes[0]), causal=False).algorithm
    if kind == "double_sided":
        return {program: f"{program}_in_double_sided" for program, *_ in ASKED}
    if kind not in SIGNS:
        return {}
    return {program: "own_pudding" if program == SIGNS[kind] else "mirrored_pudding"
            for program in SIGNS.values()}  # fmt: skip


def _asked(  # one question: which network, which variable
    name: str, method: str, asked: tuple[str, str, str | None], told: str,
    settings: dict[str, Any], folder: Path, seed: int,
) -> list[Evidence]:  # fmt: skip
    weights = kept_weights(folder, method, name, seed)
    task = function_of(name, weights.sizes[0])
    evidence = examined(weights, task, asked, seed, PRESETS[settings["preset"]].samples < 10_000)
    return [replace(evidence, claim=f"hypernetworks.{name}.{method}.{told}.{asked[1]}.r2")]


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
