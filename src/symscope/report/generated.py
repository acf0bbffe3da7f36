"""The page of one run that wrote networks: the dial, the front, and the claims."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from symscope.evidence import Evidence
from symscope.generate.files import load_hypernetwork
from symscope.generate.reading import read_algorithm
from symscope.models.perceptron import Weights
from symscope.report.dial import dial, spread
from symscope.report.hypernetworks import hypernetworks
from symscope.report.told import told_claims
from symscope.tasks.functions import FUNCTIONS, Function, function

HYPERNETWORK = "hypernetwork.safetensors"
"""What a run's networks are written by."""
STOPS = 13
"""Trade-offs at which the dial stops."""


def generated_page(run: Path, config: Mapping[str, Any], evidence: Sequence[Evidence]) -> str:
    """The page of a run of `symscope generate`, as text."""
    task = task_named(config["task"])
    module = load_hypernetwork(run / HYPERNETWORK, config["sizes"], task.name)
    shown = dial(f"seed {config['seed']}", module, task, spread(STOPS), config["seed"])
    points = [{"beta": beta, "loss": n["loss"], "kl": n["kl"], "class": n["class"]}
              for beta, n in zip(shown["betas"], shown["networks"], strict=True)]  # fmt: skip
    made = {k: str(config[k]) for k in ("commit", "torch", "python", "version") if config.get(k)}
    return hypernetworks({
        "title": f"Networks written for {task.name}",
        "lead": "One hypernetwork, its dial turned from exact to simple.",
        "command": config["line"], "made": made, "claims": told_claims(evidence),
        "hypernetworks": [shown],
        "fronts": [{"network": shown["name"], "task": task.name, "points": points,
                    "floors": shown["floors"]}],
    })  # fmt: skip


def task_named(name: str) -> Function:
    """The function of a task's own name, such as "l1_norm_8"."""
    if name in FUNCTIONS:
        return function(name)
    kind, _, number = name.rpartition("_")
    made = function(kind)
    return made if made.name == name else made.at(int(number))


def algorithm_of(weights: Weights, task: Function, seed: int) -> dict[str, Any]:
    """The algorithm of one network, by geometry and causal tests, as a record holds it."""
    if task.kind != "l1_norm" or len(weights.matrices) != 2:
        return {}
    reading = read_algorithm(weights, task, seed)
    return {"algorithm": reading.algorithm, "confidence": reading.confidence,
            "reasons": list(reading.reasons), "shares": asdict(reading.shares),
            "said": f"{reading.algorithm}, confidence {reading.confidence:.2f}"}  # fmt: skip
