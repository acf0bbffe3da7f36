"""What can be swept of hypernetworks: their training, and what they write."""

from dataclasses import asdict, replace
from pathlib import Path

import torch

from symscope.evidence import Evidence, bootstrap, wilson
from symscope.generate.files import load_hypernetwork, save_hypernetwork
from symscope.generate.hypernetwork import Hypernetwork
from symscope.generate.reading import ALGORITHMS, read_algorithm
from symscope.generate.sampling import losses, sampled
from symscope.generate.training import Plan, before_training, train_hypernetwork
from symscope.models.perceptron import checked_sizes
from symscope.tasks.functions import Function, function

SAMPLES, OTHER = 10_000, 1_000
"""Fresh inputs for a loss; added to the seed of an untrained hypernetwork."""
FILE = "hypernetwork.safetensors"


def train(
    folder: Path, *, target: str = "l1_norm", inputs: int = 8, hidden: int = 24,
    steps: int = 12_000, rate: float = 3e-3, seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """A hypernetwork for networks with one hidden layer, kept; the loss of what it writes."""
    task, sizes = _asked(target, inputs, hidden)
    plan = replace(Plan(), steps=steps, rate=rate)
    module, history = train_hypernetwork(task, sizes, plan, seed, folder)
    save_hypernetwork(folder / FILE, module.cpu(), task.name)
    mine, fresh = (_losses(m, task, seed) for m in (module, _fresh(sizes, seed)))
    low, high = bootstrap([[x] for x in mine])
    return [Evidence(
        f"hypernetworks.{target}.loss", sum(mine) / len(mine), low, high, len(mine),
        "squared error", {"untrained": sum(fresh) / len(fresh), **task.floors(SAMPLES)}, [seed],
        history["seconds"], {"plan": asdict(plan)}, note="interval over the networks drawn",
    )]  # fmt: skip


def read(
    folder: Path, *, target: str = "l1_norm", inputs: int = 8, hidden: int = 24, beta: float = 1e-6,
    draws: int = 8, seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """The share of networks drawn that run each algorithm, beside an untrained hypernetwork's."""
    task, sizes = _asked(target, inputs, hidden)
    module = load_hypernetwork(folder / FILE, sizes, task.name)
    mine, other = (_named(m, task, beta, draws, seed) for m in (module, _fresh(sizes, seed)))
    found = []
    for name in (*ALGORITHMS, "none"):
        low, high = wilson(mine.count(name), draws)
        found.append(Evidence(
            f"hypernetworks.{target}.{name}", mine.count(name) / draws, low, high, draws,
            "share of networks", {"untrained": other.count(name) / draws}, [seed],
        ))  # fmt: skip
    return found


def _asked(target: str, inputs: int, hidden: int) -> tuple[Function, tuple[int, ...]]:
    task = function(target, inputs)
    return task, checked_sizes((inputs, hidden, task.outputs))


def _fresh(sizes: tuple[int, ...], seed: int) -> Hypernetwork:
    return before_training(sizes, Plan(), seed + OTHER)


def _losses(module: Hypernetwork, task: Function, seed: int) -> list[float]:
    betas = torch.full((8,), 1e-6)
    return losses(sampled(module, betas, seed).weights, task, SAMPLES, seed).mean(1).tolist()


def _named(module: Hypernetwork, task: Function, beta: float, draws: int, seed: int) -> list[str]:
    drawn = sampled(module, torch.full((draws,), beta), seed).weights
    return [read_algorithm(weights, task, seed).algorithm for weights in drawn.each()]
