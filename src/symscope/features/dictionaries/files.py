"""Dictionaries in files: weights as safetensors, what they are in the file's metadata."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from symscope.evidence import SymscopeError, write_whole
from symscope.features.dictionaries.dictionary import Dictionary
from symscope.features.dictionaries.methods import empty
from symscope.files import read_tensors, refusing, said_in, shapes_alone

LEAST = 1e-30
"""The smallest threshold that has a logarithm to keep."""


def save_dictionary(path: Path, dictionary: Dictionary) -> None:
    """Write weights and configuration, whole or not at all."""
    tensors = {name: value.contiguous() for name, value in dictionary.state_dict().items()}
    metadata = {"symscope": json.dumps({"dictionary": dictionary.config()})}
    write_whole(path, lambda p: save_file(tensors, p, metadata=metadata))


def load_dictionary(path: Path) -> Dictionary:
    """Read what `save_dictionary` wrote; raises `SymscopeError` where the file is another."""
    tensors, metadata = read_tensors(path, "dictionary file")
    try:
        with refusing("it says something else"):
            said = said_in(metadata)["dictionary"]
            with shapes_alone():  # no memory is taken for what the file does not hold
                dictionary = empty(**said)
            with torch.no_grad():
                dictionary.load_state_dict(tensors, assign=True)  # float64 stays what it is
    except SymscopeError as error:
        raise SymscopeError(
            f"{path} is no dictionary ({error}); it has {listed(tensors)}"
        ) from None
    return dictionary


def filled(
    method: str, weights: dict[str, Tensor], where: Path, sparsity: float | None, centred: bool
) -> Dictionary:
    """A dictionary with these weights, which another library wrote to `where`.

    A `threshold` is turned into what the method has: one for each feature, or its logarithm. Raises
    `SymscopeError` where shapes do not fit.
    """
    if weights["encoder"].dim() != 2 or weights["decoder"].dim() != 2:
        raise SymscopeError(f"{where}: encoder and decoder are no matrices: {listed(weights)}")
    width, size = weights["encoder"].shape
    if len(weights["decoder"]) != size:
        raise SymscopeError(f"{where}: the decoder has other features: {listed(weights)}")
    outputs = weights["decoder"].shape[1] if method == "transcoder" else None
    dictionary = empty(width, size, method, sparsity, outputs, centred)
    weights = dict(weights)
    if method == "jumprelu":  # one below 0 lets through what is positive, as 0 does
        weights["log_threshold"] = weights.pop("threshold").clamp(min=LEAST).log()
    with torch.no_grad():
        for name, value in weights.items():
            wanted = getattr(dictionary, name)
            if value.shape != wanted.shape and not (name == "threshold" and value.numel() == 1):
                raise SymscopeError(
                    f"{where}: {name} has shape {tuple(value.shape)}, {tuple(wanted.shape)} is"
                    f" needed beside an encoder of {width} × {size}"
                )
            wanted.copy_(value)
    return dictionary


def of_length_one(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same dictionary with features of length 1: coordinates grow by what features lose."""
    lengths = weights["decoder"].norm(dim=1).clamp(min=LEAST)
    return {
        **weights,
        "encoder": weights["encoder"] * lengths,
        "encoder_bias": weights["encoder_bias"] * lengths,
        "decoder": weights["decoder"] / lengths[:, None],
    }


def listed(tensors: dict[str, Tensor]) -> str:
    """Names and shapes, for messages."""
    return ", ".join(f"{k} {tuple(v.shape)}" for k, v in sorted(tensors.items())) or "no tensors"
