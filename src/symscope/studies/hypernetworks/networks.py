"""The hypernetworks of the study: trained, found again, and their checkpoints."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from symscope.evidence import Evidence, bootstrap
from symscope.generate.files import load_hypernetwork, save_hypernetwork
from symscope.generate.hypernetwork import Hypernetwork
from symscope.generate.sampling import losses, sampled
from symscope.generate.training import (
    Plan,
    before_training,
    checkpoints,
    place,
    train_hypernetwork,
)
from symscope.jobs import Unit
from symscope.placement import Placement
from symscope.studies.hypernetworks.settings import FAMILIES, PRESETS, TARGET
from symscope.tasks.functions import Function, function


def trained_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Train the hypernetwork of one function."""
    _, name, seed_text = unit
    plan, sizes = asked(name, settings)
    return trained(name, sizes, plan, int(seed_text), settings, folder, f"hypernetworks.{name}")


def trained(  # what is trained, how, and what it is called
    name: str, sizes: tuple[int, ...], plan: Plan, seed: int, settings: dict[str, Any],
    folder: Path, claim: str, slug: str = "",
) -> list[Evidence]:  # fmt: skip
    """Train one hypernetwork, and the loss of what it writes at all β."""
    preset, task = PRESETS[settings["preset"]], function_of(name, sizes[0])
    training = training_folder(folder, slug or name, seed)
    module, history = train_hypernetwork(
        task, sizes, plan, seed, training, Placement(settings.get("device", "cpu")).alone.device
    )
    save_hypernetwork(weights_file(folder, slug or name, seed), module.cpu(), task.name)
    fresh = before_training(sizes, plan, seed + 1000)
    found = each_loss(module, task, preset.samples, settings)
    controls = {"untrained": float(each_loss(fresh, task, preset.quick, settings).mean())}
    alone = sampled(module, preset.swept, seed, encoder=False)
    controls["decoder only"] = float(losses(alone.weights, task, preset.quick, 1).mean())
    low, high = bootstrap([[x] for x in found.tolist()])
    config = {"history": history["told"], "plan": asdict(plan), "sizes": list(sizes),
              "steps_per_second": history["step"] / max(history["seconds"], 1e-9)}  # fmt: skip
    return [Evidence(
        f"{claim}.loss", float(found.mean()), low, high, len(found), "squared error",
        controls | task.floors(preset.samples), [seed], history["seconds"], config,
        note="interval over β and sampling seeds",
    )]  # fmt: skip


def each_loss(
    module: Hypernetwork, task: Function, samples: int, settings: dict[str, Any]
) -> np.ndarray:
    """The loss of one network at each β and sampling seed, (β · seed,)."""
    preset = PRESETS[settings["preset"]]
    rows = [losses(sampled(module, preset.swept, draw).weights, task, samples, draw).mean(1)
            for draw in range(preset.draws)]  # fmt: skip
    return torch.cat(rows).numpy()


def asked(name: str, settings: dict[str, Any]) -> tuple[Plan, tuple[int, ...]]:
    """How the hypernetwork for a function is trained, and the sizes it writes."""
    preset = PRESETS[settings["preset"]]
    if name == TARGET:
        return preset.plan, preset.sizes
    if name in preset.further:
        return preset.plan, preset.further[name][0]
    return preset.other_plan, preset.others[name]


def function_of(name: str, inputs: int) -> Function:
    """What the networks of a family compute."""
    return function(TARGET if name in FAMILIES else name, inputs)


def training_folder(folder: Path, name: str, seed: int) -> Path:
    """Where the training of one hypernetwork is kept."""
    return folder / "training" / f"{name}-{seed}"


def weights_file(folder: Path, name: str, seed: int) -> Path:
    """The trained hypernetwork."""
    return folder / "networks" / f"{name}-{seed}.safetensors"


def hypernetwork(
    name: str, seed: int, settings: dict[str, Any], folder: Path
) -> tuple[Hypernetwork, Function]:
    """A trained hypernetwork and its function; raises `SymscopeError` where it is not there."""
    _, sizes = asked(name, settings)
    task = function_of(name, sizes[0])
    return load_hypernetwork(weights_file(folder, name, seed), sizes, task.name), task


def developing(
    name: str, seed: int, settings: dict[str, Any], folder: Path
) -> list[tuple[int, Hypernetwork]]:
    """(step, the hypernetwork as it was then), from the start to the end of training."""
    plan, sizes = asked(name, settings)
    found = []
    for step in sorted(checkpoints(plan.steps)):
        module = before_training(sizes, plan, seed)
        module.load_state_dict(load_file(place(training_folder(folder, name, seed), step)))
        found.append((step, module))
    return found
