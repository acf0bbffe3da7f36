"""SAELens's folders: `cfg.json` and `sae_weights.safetensors`.

W_enc (width, size), W_dec (size, width), b_dec, b_enc, and `threshold` for jumprelu or `b_gate`,
`r_mag`, `b_mag` in place of b_enc for gated. Written as its version 6 does; read also as before 6,
where top-k was an activation function of the standard architecture. The layouts are those of its
source in October 2025.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from symscope.evidence import SymscopeError, read_json, write_json, write_whole
from symscope.features.dictionaries.dictionary import Dictionary
from symscope.features.dictionaries.files import filled, listed, of_length_one
from symscope.files import refusing
from symscope.models.load import load_weights

SHARED = {"encoder": "W_enc", "decoder": "W_dec", "bias": "b_dec", "encoder_bias": "b_enc"}
GATED = {"encoder": "W_enc", "decoder": "W_dec", "bias": "b_dec", "gate_bias": "b_gate",
         "log_scale": "r_mag", "magnitude_bias": "b_mag"}  # fmt: skip
JUMPRELU = {**SHARED, "threshold": "threshold"}
LAYOUTS = {
    "standard": ("relu", SHARED), "topk": ("topk", SHARED), "jumprelu": ("jumprelu", JUMPRELU),
    "gated": ("gated", GATED), "transcoder": ("transcoder", SHARED),
}  # fmt: skip
WRITTEN = {
    "relu": "standard", "topk": "topk", "jumprelu": "jumprelu", "batchtopk": "jumprelu",
    "gated": "gated", "transcoder": "transcoder",
}  # fmt: skip


def read_saelens(folder: Path) -> Dictionary:
    """The dictionary in a folder that SAELens wrote, in float32.

    Raises `SymscopeError`, listing the tensors, for an architecture or weights that are not among
    those above, and where activations are normalised one by one, which a dictionary here does not.
    """
    with refusing(f"{folder} is no folder of SAELens"):
        return _read(Path(folder))


def _read(folder: Path) -> Dictionary:
    config = read_json(folder / "cfg.json")
    tensors = {k: v.float() for k, v in load_weights(folder / "sae_weights.safetensors").items()}
    if not isinstance(config, dict):
        raise SymscopeError(f"{folder / 'cfg.json'} holds no mapping")
    architecture, k = _architecture(config)
    if architecture not in LAYOUTS:
        raise SymscopeError(
            f"{folder}: architecture {architecture!r} is not among {', '.join(LAYOUTS)}; it has"
            f" {listed(tensors)}"
        )
    _refuse_scaling(config, tensors, folder)
    method, names = LAYOUTS[architecture]
    found = {name: tensors.pop(there) for name, there in names.items() if there in tensors}
    if tensors or len(found) < len(names):
        there = {names[name]: value for name, value in found.items()} | tensors
        raise SymscopeError(
            f"{folder}: {architecture} has {', '.join(names.values())}; found {listed(there)}"
        )
    if architecture == "topk" and config.get("rescale_acts_by_decoder_norm"):
        found = of_length_one(found)
    centred = architecture != "transcoder" and bool(config.get("apply_b_dec_to_input", True))
    return filled(method, found, folder, k, centred)


def write_saelens(folder: Path, dictionary: Dictionary) -> None:
    """Write the folder, each file whole or not at all; SAELens has no other methods.

    "batchtopk" becomes a jumprelu with one threshold, as there. Raises `SymscopeError` for a method
    without a layout.
    """
    method = dictionary.method.name
    if method not in WRITTEN:
        raise SymscopeError(f"SAELens's files have no {method!r}, only {', '.join(WRITTEN)}")
    architecture = WRITTEN[method]
    tensors = {}
    for name, there in LAYOUTS[architecture][1].items():
        jump = name == "threshold" and method == "jumprelu"
        value = dictionary.log_threshold.exp() if jump else getattr(dictionary, name)
        tensors[there] = value.detach().cpu().contiguous()
    config: dict[str, Any] = {
        "architecture": architecture, "d_in": dictionary.width, "d_sae": dictionary.size,
        "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": dictionary.centred,
        "normalize_activations": "none", "reshape_activations": "none",
        "metadata": {"sae_lens_version": "6.0.0"},
    }  # fmt: skip
    if architecture == "topk":
        config |= {"k": dictionary.k, "rescale_acts_by_decoder_norm": False}
    if architecture == "transcoder":
        config["d_out"] = dictionary.outputs
    write_whole(Path(folder) / "sae_weights.safetensors", lambda p: save_file(tensors, p))
    write_json(Path(folder) / "cfg.json", config)


def _architecture(config: dict[str, Any]) -> tuple[str, float | None]:
    """The architecture, and the k of a top-k."""
    architecture = config.get("architecture", "standard")
    arguments = config.get("activation_fn_kwargs") or {}
    activation = config.get("activation_fn") or config.get("activation_fn_str")
    if activation == "topk" and architecture == "standard":
        architecture = "topk"
    k = config.get("k", arguments.get("k")) if architecture == "topk" else None
    if architecture == "topk" and not isinstance(k, int | float):
        raise SymscopeError(f"a top-k dictionary without its k in cfg.json: {json.dumps(config)}")
    return architecture, k


def _refuse_scaling(config: dict[str, Any], tensors: dict[str, Tensor], folder: Path) -> None:
    normalised = config.get("normalize_activations") or "none"
    if normalised != "none":
        raise SymscopeError(
            f"{folder}: activations are normalised ({normalised!r}), which is not in the weights;"
            " fold it into them first, or scale the vectors and set it to 'none'"
        )
    for name in ("scaling_factor", "finetuning_scaling_factor"):
        factor = tensors.pop(name, torch.ones(1))
        if not bool((factor == 1).all()):
            raise SymscopeError(f"{folder}: {name} is not 1 everywhere, which is not supported")
