"""Where a training stands: weights, optimiser and a description in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from symscope.evidence import SymscopeError, write_whole


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


def restore(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Put what `keep` wrote into module and optimiser; what it said is returned.

    Raises `SymscopeError` where the file is something else, or said other values of `settings`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            said = json.loads((file.metadata() or {})["symscope"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        module.load_state_dict(_below("module.", tensors))
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise SymscopeError(f"{path} is not the state of this training: {error}") from None
    for name, value in settings.items():
        if said.get(name) != value:
            raise SymscopeError(f"{path} was trained with {name} {said.get(name)}, not {value}")
    state: dict[int, dict[str, Any]] = {}
    for key, value in _below("adam.", tensors).items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    return said


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
