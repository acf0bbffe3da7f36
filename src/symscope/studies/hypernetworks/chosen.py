"""The one network of a hypernetwork that is compared with others, and the networks beside it."""

from pathlib import Path
from typing import Any

import torch

from symscope.generate.sampling import losses, sampled
from symscope.models.load import load_network, save_network
from symscope.models.perceptron import Perceptron, Weights, perceptron
from symscope.studies.hypernetworks.networks import hypernetwork
from symscope.studies.hypernetworks.settings import PRESETS
from symscope.tasks.functions import Function

METHODS = ("generated", "adam", "adam_l1", "pruned")
"""How a network came about; all but Adam's own are at the loss of the generated one."""


def chosen(
    name: str, seed: int, settings: dict[str, Any], folder: Path
) -> tuple[Weights, Function, float]:
    """The best of several networks at a middle β, the function, and its loss.

    The best is chosen on other inputs than those on which its loss is taken.
    """
    preset = PRESETS[settings["preset"]]
    module, task = hypernetwork(name, seed, settings, folder)
    beta = float(preset.swept[preset.betas // 2])
    written = sampled(module, torch.full((preset.draws,), beta), seed).weights
    best = written.of(int(losses(written, task, preset.quick, seed + 17).mean(1).argmin()))
    return best, task, float(losses(best, task, preset.samples, seed).mean())


def keep_weights(folder: Path, method: str, name: str, seed: int, weights: Weights) -> None:
    """Write a network that is compared."""
    save_network(_place(folder, method, name, seed), perceptron(weights),
                 {"architecture": "perceptron", "sizes": list(weights.sizes)})  # fmt: skip


def kept_weights(folder: Path, method: str, name: str, seed: int) -> Weights:
    """Read it again; raises `SymscopeError` where it is not there."""
    module, _ = load_network(_place(folder, method, name, seed))
    assert isinstance(module, Perceptron)
    return module.weights.detached()


def _place(folder: Path, method: str, name: str, seed: int) -> Path:
    return folder / "networks" / f"{method}-{name}-{seed}.safetensors"
