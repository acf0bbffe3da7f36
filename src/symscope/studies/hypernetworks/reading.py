"""Which algorithm the written networks run: by weights and outputs, then by intervention."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from symscope.evidence import Evidence, bootstrap, wilson, write_json
from symscope.generate.hypernetwork import Hypernetwork
from symscope.generate.reading import (
    ALGORITHMS,
    draw,
    look,
    order_parameters,
    read_algorithm,
    shuffled,
)
from symscope.generate.sampling import losses, sampled
from symscope.jobs import Unit
from symscope.models.perceptron import Weights
from symscope.studies.hypernetworks.networks import hypernetwork
from symscope.studies.hypernetworks.settings import PRESETS
from symscope.tasks.functions import Function

CLASSES = (*ALGORITHMS, "none")
TESTED = 4
"""Networks of each hypernetwork, over β, on which the causal tests are run."""


def reading_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Class of every network over β and sampling seeds, order parameters, and causal tests."""
    _, name, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    module, task = hypernetwork(name, seed, settings, folder)
    claim = f"hypernetworks.{name}"
    networks = [w for draw_ in range(preset.draws)
                for w in sampled(module, preset.swept, draw_).weights.each()]  # fmt: skip
    fresh = Hypernetwork(module.sizes, seed + 1000)
    never = sampled(fresh, preset.swept, seed).weights.each()
    kinds = {
        "": named(networks, task, preset.quick),
        "shuffled": named([shuffled(w, seed) for w in networks], task, preset.quick),
        "untrained": named(never, task, preset.quick),
    }
    found = [
        _share(f"{claim}.algorithm.{algorithm}", kinds, algorithm, seed) for algorithm in CLASSES
    ]
    found += _order(claim, module, networks, settings, seed)
    return found + _tests(claim, module, task, settings, seed, folder)


def named(networks: Sequence[Weights], task: Function, samples: int, seed: int = 7) -> list[str]:
    """The class of each network, all on the same inputs, without interventions."""
    drawn = draw(task, task.inputs, seed, samples)
    return [look(weights, drawn).algorithm for weights in networks]


def _share(claim: str, kinds: dict[str, list[str]], algorithm: str, seed: int) -> Evidence:
    """The share of a hypernetwork's networks that are of one class."""
    counts = {kind: Counter(names)[algorithm] for kind, names in kinds.items()}
    right, n = counts.pop(""), len(kinds[""])
    controls = {kind: count / len(kinds[kind]) for kind, count in counts.items()}
    return Evidence(claim, right / n, *wilson(right, n), n, "share of networks", controls, [seed],
                    note="Wilson interval, one seed")  # fmt: skip


def _order(
    claim: str, module: Hypernetwork, networks: Sequence[Weights], settings: dict[str, Any],
    seed: int,
) -> list[Evidence]:  # fmt: skip
    """The order parameters as published and repaired, means over β and sampling seeds."""
    preset = PRESETS[settings["preset"]]
    count = preset.betas
    rows: dict[str, list[float]] = {}
    for i, weights in enumerate(networks):
        other = networks[i + count] if i + count < len(networks) else None
        order = order_parameters(weights, other)
        for name in ("double_sidedness", "most_double_sided", "strongest", "strongest_path",
                     "seed_dependence", "matched_dependence"):  # fmt: skip
            if (value := getattr(order, name)) is not None:
                rows.setdefault(name, []).append(value)
    mixed = [order_parameters(shuffled(w, seed)) for w in networks[:count]]
    found = []
    for name, values in rows.items():
        low, high = bootstrap([[v] for v in values])
        beside = [v for o in mixed if (v := getattr(o, name)) is not None]
        found.append(Evidence(
            f"{claim}.order.{name}", float(np.mean(values)), low, high, len(values),
            "order parameter", {"shuffled": float(np.mean(beside))} if beside else {}, [seed],
            note="interval over β and sampling seeds",
        ))  # fmt: skip
    return found


def _tests(  # the hypernetwork, its function, and where the readings are kept
    claim: str, module: Hypernetwork, task: Function, settings: dict[str, Any], seed: int,
    folder: Path,
) -> list[Evidence]:  # fmt: skip
    """The causal tests on the best network of each of a few β, chosen on other inputs."""
    preset = PRESETS[settings["preset"]]
    chosen = preset.swept[torch.linspace(0, preset.betas - 1, TESTED).round().long()]
    rows: dict[str, list[Evidence]] = {}
    kept = []
    for beta in chosen.tolist():
        written = sampled(module, torch.full((preset.draws,), beta), seed)
        errors = losses(written.weights, task, preset.quick, seed + 17).mean(1)
        best = written.weights.of(int(errors.argmin()))
        reading = read_algorithm(best, task, seed, preset.samples // 5)
        for test in reading.tests:
            rows.setdefault(test.claim, []).append(test)
        kept.append({"beta": beta, "class": reading.algorithm, "confidence": reading.confidence,
                     "reasons": list(reading.reasons), "loss": reading.loss,
                     "tests": [as_row(test) for test in reading.tests]})  # fmt: skip
    write_json(folder / "readings" / f"{claim.split('.')[1]}-{seed}.json", kept)
    confirmed = sum(row["class"] != "none" for row in kept)
    found = [Evidence(f"{claim}.confirmed", confirmed / len(kept), *wilson(confirmed, len(kept)),
                      len(kept), "share of networks", {}, [seed],
                      note="Wilson interval, one seed")]  # fmt: skip
    return found + [_joined(f"{claim}.test.{name}", tests, seed) for name, tests in rows.items()]


def as_row(test: Evidence) -> dict[str, Any]:
    """A test as the page holds it."""
    return {"name": test.claim, "score": test.score, "low": test.low, "high": test.high,
            "controls": dict(test.controls), "unit": test.unit}  # fmt: skip


def _joined(claim: str, tests: Sequence[Evidence], seed: int) -> Evidence:
    """One test over the chosen networks."""
    scores = [float(t.score) for t in tests if t.score is not None]
    names = dict.fromkeys(name for t in tests for name in t.controls)
    controls = {n: float(np.mean([t.controls[n] for t in tests if n in t.controls])) for n in names}
    low, high = bootstrap([[s] for s in scores])
    return Evidence(claim, float(np.mean(scores)), low, high, len(scores), tests[0].unit, controls,
                    [seed], note="interval over networks of several β")  # fmt: skip
