"""Where a training stands: weights, optimiser and a description in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from symscope.evidence import SymscopeError, write_whole
from symscope.files import read_tensors, refusing, said_in


def checkpoint(path: Path, module: nn.Module) -> None:
    """Write the weights alone, whole or not at all."""
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    write_whole(path, lambda p: save_file(tensors, p))


def keep(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, said: Mapping[str, Any]
) -> None:
    """Write what is needed to go on, whole or not at all; `said` is anything that JSON holds."""
    tensors = {f"module.{k}": v for k, v in module.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
    metadata = {"symscope": json.dumps(said)}
    tensors = {k: v.contiguous() for k, v in tensors.items()}
    write_whole(path, lambda p: save_file(tensors, p, metadata=metadata))


def restore(  # what is to be filled, and what the file has to say
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, settings: Mapping[str, Any],
    form: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Put what `keep` wrote into module and optimiser; what it said is returned.

    `form` is an example of what it said besides `settings`; the first item of a list stands for
    all of them, of which there are no fewer. Raises `SymscopeError` where the file is something
    else, or said other values of `settings`.
    """
    damaged = "is not the state of this training"
    tensors, metadata = read_tensors(path, "state of a training", damaged)
    with refusing(f"{path} {damaged}"):
        said = said_in(metadata)
        for name, value in settings.items():
            if said.get(name) != value:
                raise SymscopeError(f"{path} was trained with {name} {said.get(name)}, not {value}")
        for name, value in form.items():
            _alike(said[name], value, name)
        state = _state(_below("adam.", tensors), optimiser)
        module.load_state_dict(_below("module.", tensors))
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
    return said


def _alike(found: Any, form: Any, name: str) -> None:
    """Raise where `found` is not of the form of the example; an integer counts from 0."""
    if isinstance(form, float):
        right = isinstance(found, int | float)
    else:
        right = isinstance(found, type(form)) and not (isinstance(form, int) and found < 0)
    right = right and not (isinstance(form, list) and len(found) < len(form))
    if not right:
        raise ValueError(f"its {name} is {str(found)[:99]!r}")
    if isinstance(form, dict):
        for key, value in form.items():
            _alike(found[key], value, key)
    for part in found if isinstance(form, list) and form else ():
        _alike(part, form[0], name)


def _state(
    tensors: Mapping[str, Tensor], optimiser: torch.optim.Optimizer
) -> dict[int, dict[str, Tensor]]:
    """Adam's state by the index of the parameter; raises where its shapes are not theirs."""
    weights = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        shape = weights[int(index)].shape if name != "step" else torch.Size([])
        if value.shape != shape or not value.is_floating_point():
            raise ValueError(f"adam.{key} has shape {tuple(value.shape)}, not {tuple(shape)}")
        state.setdefault(int(index), {})[name] = value
    for held in state.values():
        if set(held) != {"step", "exp_avg", "exp_avg_sq"}:
            raise ValueError(f"adam has {', '.join(held)} alone of a parameter")
    return state


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
