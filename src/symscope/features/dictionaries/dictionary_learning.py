"""The folders of the library dictionary_learning: `ae.pt` and `config.json`.

Which class of that library made the weights stands in `config.json` under trainer, dict_class. The
names and orientations are those of its source in August 2025. Features are made of length 1 where
the library does so itself when it loads ("AutoEncoder").
"""

from pathlib import Path

from torch import Tensor

from symscope.evidence import SymscopeError, read_json
from symscope.features.dictionaries.dictionary import Dictionary
from symscope.features.dictionaries.files import filled, listed, of_length_one
from symscope.files import refusing
from symscope.models.load import load_weights

LINEAR = {"encoder": "encoder.weight", "encoder_bias": "encoder.bias", "decoder": "decoder.weight"}
MATRICES = {"encoder": "W_enc", "encoder_bias": "b_enc", "decoder": "W_dec", "bias": "b_dec"}
LAYOUTS: dict[str, tuple[str, bool, dict[str, str]]] = {
    "AutoEncoder": ("relu", True, {**LINEAR, "bias": "bias"}),
    "AutoEncoderNew": ("relu", False, {**LINEAR, "bias": "decoder.bias"}),
    "AutoEncoderTopK": ("topk", True, {**LINEAR, "bias": "b_dec"}),
    "BatchTopKSAE": ("batchtopk", True, {**LINEAR, "bias": "b_dec", "threshold": "threshold"}),
    "MatryoshkaBatchTopKSAE": ("batchtopk", True, {**MATRICES, "threshold": "threshold"}),
    "JumpReluAutoEncoder": ("jumprelu", False, {**MATRICES, "threshold": "threshold"}),
    "GatedAutoEncoder": (
        "gated", True,
        {"encoder": "encoder.weight", "decoder": "decoder.weight", "bias": "decoder_bias",
         "log_scale": "r_mag", "gate_bias": "gate_bias", "magnitude_bias": "mag_bias"},
    ),
}  # fmt: skip
"""Class → method, whether the bias is taken off before reading, and our names → theirs."""
BESIDE = ("k", "threshold", "group_sizes")
"""What some versions keep beside the weights and reading does not need."""


def read_dictionary_learning(folder: Path) -> Dictionary:
    """The dictionary in a folder of that library, in float32; `ae.pt` is read as tensors alone.

    Raises `SymscopeError`, listing the tensors, for a class or weights that are not those above.
    """
    with refusing(f"{folder} is no folder of dictionary_learning"):
        return _read(Path(folder))


def _read(folder: Path) -> Dictionary:
    config = read_json(folder / "config.json")
    tensors = {k: v.float() for k, v in load_weights(folder / "ae.pt").items()}
    trainer = config.get("trainer") if isinstance(config, dict) else None
    trainer = trainer if isinstance(trainer, dict) else {}
    name = trainer.get("dict_class")
    if name not in LAYOUTS:
        raise SymscopeError(
            f"{folder}: dict_class {name!r} is not among {', '.join(LAYOUTS)}; it has"
            f" {listed(tensors)}"
        )
    method, centred, names = LAYOUTS[name]
    missing = [there for there in names.values() if there not in tensors]
    extra = set(tensors) - set(names.values()) - set(BESIDE)
    if missing or extra:
        raise SymscopeError(
            f"{folder}: {name} has {', '.join(names.values())}; found {listed(tensors)}"
        )
    found = {ours: _turned(there, tensors[there]) for ours, there in names.items()}
    k = float(tensors["k"]) if "k" in tensors else trainer.get("k")
    counted = method in ("topk", "batchtopk")
    if counted and k is None:
        raise SymscopeError(f"{folder}: {name} without its k in config.json or ae.pt")
    if name == "AutoEncoder":
        found = of_length_one(found)
    return filled(method, found, folder, k if counted else None, centred)


def _turned(name: str, value: Tensor) -> Tensor:
    """A linear layer's weight is (out, in): the transpose of ours."""
    return value.T if name in ("encoder.weight", "decoder.weight") else value
