"""Writing and reading networks: safetensors with the architecture in the file's metadata."""

import json
import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError, write_whole
from symscope.files import read_tensors, refusing, regular, said_in, shapes_alone
from symscope.models import real_rnn
from symscope.models.perceptron import Perceptron
from symscope.models.rnn import CELLS, RNN
from symscope.models.transformer import Transformer
from symscope.site import Site

ARCHITECTURES = (*CELLS, "transformer")
WIDEST = 4096
"""A network that is trained here; one such layer has a hundred million weights."""


def build(
    architecture: str, vocabulary: int, width: int, seed: int = 0, **options: int | str
) -> nn.Module:
    """A fresh token model with torch's default initialisation; `options` are the model's own.

    Raises `UnknownName` for another architecture than "gru", "lstm" or "transformer".
    """
    if architecture not in ARCHITECTURES:
        raise UnknownName("architecture", architecture, ARCHITECTURES)
    if not 2 <= width <= WIDEST:
        raise SymscopeError(f"width {width}: 2 or more, up to {WIDEST:,}")
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
    """The module and the config that `save_network` wrote.

    No memory is taken for a network before its shapes are seen to be those of the tensors.
    """
    tensors, metadata = read_tensors(path)
    others: dict[str, Callable[..., nn.Module]] = {
        **dict.fromkeys(real_rnn.ARCHITECTURES, real_rnn.build_real), "perceptron": _perceptron
    }  # fmt: skip
    with refusing(f"{path} does not say which network it is"):
        config = said_in(metadata)
        if max(_depths(config), default=0) > len(tensors):
            raise ValueError(f"it says more layers than it has tensors: {len(tensors)}")
        make = others.get(config["architecture"], build)
        with shapes_alone():
            checked(make(**config), tensors, path)
        module = make(**config).to(_precision(tensors))
    fill(module, tensors, path)
    return module, config


def _precision(tensors: Mapping[str, Tensor]) -> torch.dtype:
    """That of the weights: what was trained in float64 is read in it."""
    wide = any(value.dtype == torch.float64 for value in tensors.values())
    return torch.float64 if wide else torch.float32


def _depths(config: Mapping[str, Any]) -> Iterator[int]:
    """How many layers it says, here and there."""
    yield config.get("layers", 0)
    yield from (config[part][1] for part in "fg" if config.get(part) is not None)


def _perceptron(architecture: str, **options: Any) -> nn.Module:
    """One with the arguments of `Perceptron`."""
    return Perceptron(**options)


def load_weights(path: Path) -> dict[str, Tensor]:
    """A checkpoint's tensors, from safetensors or from a torch file that holds tensors alone.

    Torch files are read with `weights_only=True`; one that would run code is refused.
    """
    if Path(path).suffix == ".safetensors":
        return read_tensors(path)[0]
    size = regular(path, "checkpoint")
    with refusing(f"{path} is truncated or no checkpoint"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of a pickle before it refuses it
        _refuse_packed(path, size)
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            raise SymscopeError(
                f"{path} is a pickle that holds more than tensors and is not opened; load it where"
                " you trust it and save its state dict as safetensors"
            ) from None
    if not isinstance(state, dict) or not all(map(_plain, state, state.values())):
        raise SymscopeError(f"{path} holds no state dict (name → tensor)")
    # tied weights count twice, and a view may repeat one number without end
    if sum(value.numel() * value.element_size() for value in state.values()) > 4 * size:
        raise SymscopeError(f"{path} holds tensors that are larger than the file")
    return state


def _refuse_packed(path: Path, size: int) -> None:
    """Raise for a zip file whose content is larger than the file: torch packs nothing."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > size:
                raise SymscopeError(
                    f"{path} is a packed zip file, which torch does not write, and is not opened"
                )


def _plain(name: object, value: object) -> bool:
    """Whether this is a name, and a tensor with its numbers in this machine's memory."""
    if not isinstance(name, str) or not isinstance(value, Tensor):
        return False
    return value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put `tensors` into `module`; raises `SymscopeError` naming the first that does not fit."""
    checked(module, tensors, path)
    with refusing(f"{path} does not fit"):
        module.load_state_dict(dict(tensors))


def checked(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Nothing; raises `SymscopeError` naming the first tensor that does not fit into `module`."""
    wanted = module.state_dict()
    for name, value in wanted.items():
        if name not in tensors:
            raise SymscopeError(f"{path} has no tensor {name!r}; it is of another architecture")
        if tensors[name].shape != value.shape:
            raise SymscopeError(
                f"{path}: {name} has shape {tuple(tensors[name].shape)},"
                f" this network needs {tuple(value.shape)}"
            )
        if not tensors[name].is_floating_point() and value.is_floating_point():
            raise SymscopeError(f"{path}: {name} holds {tensors[name].dtype}, not real numbers")
    extra = sorted(set(tensors) - set(wanted))
    if extra:
        raise SymscopeError(f"{path} has a tensor {extra[0]!r} that this network has not")
