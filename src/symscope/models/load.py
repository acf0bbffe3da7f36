"""Writing and reading networks: safetensors with the architecture in the file's metadata."""

import json
import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError, write_whole
from symscope.models import real_rnn
from symscope.models.perceptron import Perceptron
from symscope.models.rnn import CELLS, RNN
from symscope.models.transformer import Transformer
from symscope.site import Site

ARCHITECTURES = (*CELLS, "transformer")


def build(
    architecture: str, vocabulary: int, width: int, seed: int = 0, **options: int | str
) -> nn.Module:
    """A fresh token model with torch's default initialisation; `options` are the model's own.

    Raises `UnknownName` for another architecture than "gru", "lstm" or "transformer".
    """
    if architecture not in ARCHITECTURES:
        raise UnknownName("architecture", architecture, ARCHITECTURES)
    if width < 2:
        raise SymscopeError(f"width {width} is too small: 2 or more")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if architecture in CELLS:
            return RNN(architecture, vocabulary, width, **options)  # type: ignore[arg-type]
        return Transformer(vocabulary, width, **options)  # type: ignore[arg-type]


def default_site(architecture: str) -> Site:
    """Where Grant et al. (2025) look: a recurrent state (h and c), a transformer's first block."""
    return Site("rnn", "state") if architecture in CELLS else Site("blocks.0")


def save_network(path: Path, module: nn.Module, config: Mapping[str, Any]) -> None:
    """Write weights and `config`, what to build it with, whole or not at all.

    These are the arguments of `build`, `build_real`, or of `Perceptron`, and the architecture.
    """
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    metadata = {"symscope": json.dumps(dict(config))}
    write_whole(path, lambda p: save_file(tensors, p, metadata=metadata))


def load_network(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The module and the config that `save_network` wrote."""
    tensors, metadata = _read_safetensors(path)
    try:
        config = json.loads(metadata["symscope"])
        others: dict[str, Callable[..., nn.Module]] = {
            **dict.fromkeys(real_rnn.ARCHITECTURES, real_rnn.build_real), "perceptron": _perceptron
        }  # fmt: skip
        module = others.get(config["architecture"], build)(**config)
    except (KeyError, TypeError, ValueError) as error:
        raise SymscopeError(f"{path} does not say which network it is: {error}") from None
    fill(module, tensors, path)
    return module, config


def _perceptron(architecture: str, **options: Any) -> nn.Module:
    """One with the arguments of `Perceptron`."""
    return Perceptron(**options)


def load_weights(path: Path) -> dict[str, Tensor]:
    """A checkpoint's tensors, from safetensors or from a torch file that holds tensors alone.

    Torch files are read with `weights_only=True`; one that would run code is refused.
    """
    if Path(path).suffix == ".safetensors":
        return _read_safetensors(path)[0]
    try:
        with warnings.catch_warnings():  # torch warns of a pickle before it refuses it
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise SymscopeError(f"no checkpoint {path}") from None
    except pickle.UnpicklingError:
        raise SymscopeError(
            f"{path} is a pickle that holds more than tensors and is not opened; load it where you"
            " trust it and save its state dict as safetensors"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise SymscopeError(f"{path} is truncated or no checkpoint: {error}") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise SymscopeError(f"{path} holds no state dict (name → tensor)")
    return state


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put `tensors` into `module`; raises `SymscopeError` naming the first that does not fit."""
    wanted = module.state_dict()
    for name, value in wanted.items():
        if name not in tensors:
            raise SymscopeError(f"{path} has no tensor {name!r}; it is of another architecture")
        if tensors[name].shape != value.shape:
            raise SymscopeError(
                f"{path}: {name} has shape {tuple(tensors[name].shape)},"
                f" this network needs {tuple(value.shape)}"
            )
    extra = sorted(set(tensors) - set(wanted))
    if extra:
        raise SymscopeError(f"{path} has a tensor {extra[0]!r} that this network has not")
    module.load_state_dict(dict(tensors))


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except FileNotFoundError:
        raise SymscopeError(f"no checkpoint {path}") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise SymscopeError(f"{path} is truncated or no safetensors file: {error}") from None
