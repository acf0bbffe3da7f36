"""The networks of Zhong, Liu, Tegmark & Andreas (2023) that add modulo 59, from their files.

*The Clock and the Pizza* (NeurIPS 2023): transformers whose attention is mixed with a constant
one, and two networks without attention. A state dict and a JSON file with its sizes make one.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.files import read_json, refusing, shapes_alone
from symscope.layout import Layout
from symscope.models.load import checked, load_weights


class Mixed(nn.Module):
    """share · softmax(q·k/√d) + (1 − share), unmasked: the published attention."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        """Queries and keys (batch, head, step, width) → weights (batch, head, step, step)."""
        strength = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        return self.share * strength.softmax(-1) + (1 - self.share)


class MixedAttention(nn.Module):
    """Attention without biases; each head's mixture of values is the input of `out`."""

    def __init__(self, width: int, heads: int, share: float):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.pattern = Mixed(share)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, step, width) → the same."""
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for layer in (self.q, self.k, self.v))  # fmt: skip
        return self.out((self.pattern(q, k) @ v).transpose(1, 2).flatten(2))


class PlainBlock(nn.Module):
    """x + attention(x), then x + mlp(x): no norm."""

    def __init__(self, width: int, heads: int, hidden: int, share: float):
        super().__init__()
        self.attention = MixedAttention(width, heads, share)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, step, width) → the same."""
        x = x + self.attention(x)
        return x + self.mlp(x)


class ModularAddition(nn.Module):
    """Tokens (batch, 2), a and b from 0, → logits at both steps, (batch, 2, modulus).

    The answer is read at the last. With `apart` the second operand has tokens of its own, which
    are put in here.
    """

    def __init__(  # the form of the network, all of it
        self, modulus: int, width: int, layers: int, heads: int, hidden: int, share: float,
        apart: bool,
    ):  # fmt: skip
        super().__init__()
        self.modulus, self.apart = modulus, apart
        self.embed = nn.Embedding(modulus * (1 + apart), width)
        self.place = nn.Parameter(torch.zeros(2, width))
        self.blocks = nn.ModuleList(PlainBlock(width, heads, hidden, share) for _ in range(layers))
        self.norm = nn.Identity()
        self.readout = nn.Linear(width, modulus * (1 + apart), bias=False)
        self.layout = Layout(
            blocks="blocks", embed="embed", norm="norm", readout="readout", q="attention.q",
            k="attention.k", v="attention.v", mixed=("attention.out", "input"),
            hidden=("mlp.1", "output"), down="mlp.2", attention=("attention", "output"),
            pattern="attention.pattern", layers=layers, heads=heads, key_heads=heads,
            head_width=width // heads, neurons=hidden,
        )  # fmt: skip

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the sums 0 to modulus − 1."""
        offset = torch.tensor([0, self.modulus * self.apart], device=tokens.device)
        x = self.embed(tokens + offset) + self.place
        for block in self.blocks:
            x = block(x)
        return self.readout(self.norm(x))[..., : self.modulus]


class Perceptron(nn.Module):
    """Without attention, (batch, 2) → (batch, modulus). The published models B and D.

    B adds both operands' vectors and has two layers, D puts them side by side and has one; a ReLU
    follows the first.
    """

    def __init__(self, modulus: int, embedded: int, hidden: int, layers: int):
        super().__init__()
        self.embed = nn.Embedding(modulus, embedded)
        self.adds = layers == 2
        widths = [embedded if self.adds else 2 * embedded, *[hidden] * layers]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.readout = nn.Linear(hidden, modulus, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the sums."""
        x = self.embed(tokens)
        x = x.sum(1) if self.adds else x.flatten(1)
        x = self.layers[0](x).relu()
        return self.readout(self.layers[1](x) if self.adds else x)


def published_names(weights: Path) -> list[str]:
    """The transformers in a folder's `clock_pizza`, by name: those that have attention."""
    paths = sorted((weights / "clock_pizza").glob("config_*.json"))
    found = [p for p in paths if "n_layers" in read_json(p)]
    return [p.stem.removeprefix("config_") for p in found]


def load_modular_addition(weights: Path) -> nn.Module:
    """The network of `model_ID.pt`, with `config_ID.json` beside it."""
    path = weights.with_name(weights.name.replace("model_", "config_")).with_suffix(".json")
    if not path.exists():
        raise SymscopeError(f"no {path.name} beside {weights}: it says the sizes of the network")
    config, tensors = read_json(path), load_weights(weights)
    with refusing(f"{weights} is not the network of {path.name}"):
        make = _perceptron if config.get("model_type") in ("B", "D") else _transformer
        with shapes_alone():
            checked(*make(config, tensors), weights)  # before memory is taken
        module, named = make(config, tensors)
        module.load_state_dict(named)
    return module.eval()


def _transformer(
    config: Mapping[str, Any], given: Mapping[str, Tensor]
) -> tuple[nn.Module, dict[str, Tensor]]:
    layers = int(config["n_layers"])
    module = ModularAddition(
        config["C"], config["d_model"], layers, config["n_heads"],
        len(given["blocks.0.mlp.b_in"]), float(config["attn_coeff"]), bool(config["diff_vocab"]),
    )  # fmt: skip
    named = {"embed.weight": given["embed.W_E"].T, "place": given["pos_embed.W_pos"],
             "readout.weight": given["unembed.W_U"].T}  # fmt: skip
    for layer in range(layers):
        block = f"blocks.{layer}"
        for part in "qkv":  # (head, width of a head, width) → (width, width)
            theirs = given[f"{block}.attn.W_{part.upper()}"]
            named[f"{block}.attention.{part}.weight"] = theirs.flatten(0, 1)
        named[f"{block}.attention.out.weight"] = given[f"{block}.attn.W_O"]
        for ours, theirs_ in (("0", "in"), ("2", "out")):
            named[f"{block}.mlp.{ours}.weight"] = given[f"{block}.mlp.W_{theirs_}"]
            named[f"{block}.mlp.{ours}.bias"] = given[f"{block}.mlp.b_{theirs_}"]
    return module, named


def _perceptron(
    _: Mapping[str, Any], given: Mapping[str, Tensor]
) -> tuple[nn.Module, dict[str, Tensor]]:
    modulus, embedded = given["embed.weight"].shape
    layers = 2 if "l2.weight" in given else 1
    module = Perceptron(modulus, embedded, given["unembed.weight"].shape[1], layers)
    named = {"embed.weight": given["embed.weight"], "readout.weight": given["unembed.weight"]}
    for layer in range(layers):
        for part in ("weight", "bias"):
            named[f"layers.{layer}.{part}"] = given[f"l{layer + 1}.{part}"]
    return module, named
