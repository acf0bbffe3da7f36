"""Generated networks beside Adam, Adam with an L1 penalty and pruning: how simple at equal loss?"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from symscope.evidence import Evidence, write_whole
from symscope.generate.baselines import Plan, train_perceptron, untrained, with_l1_at
from symscope.generate.formula import FRESH, formula_of
from symscope.generate.length import description_length, selectivity, values_needed, weights_needed
from symscope.generate.pruning import pruned_to
from symscope.generate.reading import read_algorithm, shuffled
from symscope.generate.sampling import losses
from symscope.jobs import Unit
from symscope.models.perceptron import Weights
from symscope.programs.printing import python_source
from symscope.studies.hypernetworks.chosen import METHODS, chosen, keep_weights, kept_weights
from symscope.studies.hypernetworks.networks import function_of
from symscope.studies.hypernetworks.settings import PRESETS
from symscope.studies.questions import Question, answered
from symscope.tasks.functions import Function

TUNED = 40
"""What share of a training's steps, one in so many, follows each cut."""


def compared_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The networks of all methods, and for each its loss, its bits, its formula and its units."""
    _, name, seed_text = unit
    seed = int(seed_text)
    found = _made(name, seed, settings, folder)
    questions: Iterator[Question] = iter(
        [partial(measured, name, method, seed, settings, folder) for method in METHODS]
    )
    return found + answered(questions, f"hypernetworks.{name}.compared", seed)


def _made(name: str, seed: int, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Train and prune; a method that does not reach the loss is said."""
    preset = PRESETS[settings["preset"]]
    weights, task, loss = chosen(name, seed, settings, folder)
    sizes, plan = weights.sizes, Plan(steps=preset.baseline_steps)
    keep_weights(folder, "generated", name, seed, weights)
    adam = train_perceptron(task, sizes, (seed,), plan=plan).of(0)
    keep_weights(folder, "adam", name, seed, adam)

    def sparse() -> list[Evidence]:
        keep_weights(folder, "adam_l1", name, seed,
                     with_l1_at(loss, task, sizes, seed, plan).weights)  # fmt: skip
        return []

    def pruned() -> list[Evidence]:
        cut = pruned_to(adam, task, loss, seed, max(1, preset.baseline_steps // TUNED))
        keep_weights(folder, "pruned", name, seed, cut.weights)
        return []

    return answered(iter([sparse, pruned]), f"hypernetworks.{name}.baselines", seed)


def measured(
    name: str, method: str, seed: int, settings: dict[str, Any], folder: Path
) -> list[Evidence]:
    """All measures of one network; the controls are those of an untrained and a shuffled one."""
    preset, weights = PRESETS[settings["preset"]], kept_weights(folder, method, name, seed)
    task = function_of(name, weights.sizes[0])
    claim = f"hypernetworks.{name}.{method}"
    error = losses(weights, task, preset.samples, seed)[0].numpy()
    half = 1.96 * float(error.std()) / len(error) ** 0.5
    found = [Evidence(f"{claim}.loss", float(error.mean()), float(error.mean()) - half,
                      float(error.mean()) + half, len(error), "squared error",
                      task.floors(preset.samples), [seed], note="95 % over inputs")]  # fmt: skip
    others = {"untrained": untrained(weights.sizes, seed + 1000),
              "shuffled": shuffled(weights, seed)}  # fmt: skip
    own, beside = _counts(weights, task), {k: _counts(w, task) for k, w in others.items()}
    units = {"bits": "bits", "nonzero": "weights", "needed": "weights", "values": "values",
             "owned": "share of units", "participation": "inputs"}  # fmt: skip
    for what, unit in units.items():
        controls = {k: v[what] for k, v in beside.items()}
        found.append(Evidence(f"{claim}.{what}", own[what], own[what], own[what],
                              int(own["used"]), unit, controls, [seed],
                              note="one network"))  # fmt: skip
    found += _formula(
        claim, weights, task, seed, folder / "formulas" / f"{method}-{name}-{seed}.py"
    )
    return found + _class(claim, weights, task, seed)


def _counts(weights: Weights, task: Function) -> dict[str, float]:
    length, reads = description_length(weights, task), selectivity(weights)
    return {
        "bits": length.bits, "nonzero": length.nonzero, "needed": weights_needed(weights, task),
        "values": values_needed(weights, task), "owned": reads.owned,
        "participation": reads.participation, "used": reads.used,
    }  # fmt: skip


def _formula(
    claim: str, weights: Weights, task: Function, seed: int, place: Path
) -> list[Evidence]:
    """What the best formula leaves unexplained of the network, and its own loss; it is written."""
    program, ranked = formula_of(weights, task, seed)
    best = ranked[0]
    assert best.score is not None and best.low is not None and best.high is not None
    kind = best.claim.split(".")[-2]
    missed = Evidence(
        f"{claim}.formula.error", 1 - best.score, 1 - best.high, 1 - best.low, best.n,
        "share of variance", {k: 1 - v for k, v in best.controls.items()}, [seed], best.seconds,
        {"group": kind, "others": {e.claim.split(".")[-2]: e.score for e in ranked}},
        note=f"{kind}; bootstrap interval over inputs",
    )  # fmt: skip
    sparse = [] if best.config["sparse"] is None else [Evidence(
        f"{claim}.formula.sparse", best.config["sparse"], None, None, best.n, "R²",
        {"same inputs, none left out": best.score}, [seed], config={"group": kind},
        note="of the formula on inputs of which three in four are 0",
    )]  # fmt: skip
    if program is None:
        return [missed, *sparse]
    source = python_source(program)
    write_whole(place, lambda p: p.write_text(source, encoding="utf8"))
    inputs = task.sample(FRESH, torch.Generator().manual_seed(seed + 5))
    outputs = program.run(inputs.double()).output
    said = torch.stack(outputs if isinstance(outputs, tuple) else (outputs,), -1)
    error = (said - task.correct(inputs)).square().mean(-1).numpy()
    half = 1.96 * float(error.std()) / FRESH**0.5
    return [missed, *sparse, Evidence(
        f"{claim}.formula.loss", float(error.mean()), float(error.mean()) - half,
        float(error.mean()) + half, FRESH, "squared error", {"constant": 1.0}, [seed],
        config={"group": kind}, note="of the formula on the task; 95 % over inputs",
    )]  # fmt: skip


def _class(claim: str, weights: Weights, task: Function, seed: int) -> list[Evidence]:
    """The algorithm, by weights and interventions, of a network for the L1 norm."""
    if task.kind != "l1_norm":
        return []
    reading = read_algorithm(weights, task, seed)
    named = float(reading.algorithm != "none")
    return [Evidence(f"{claim}.named", named, 0.0, 1.0, 1, "share of networks", {}, [seed],
                     config={"group": reading.algorithm},
                     note=f"{reading.algorithm}; {'; '.join(reading.reasons)}")]  # fmt: skip
