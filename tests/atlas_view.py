"""A study of arithmetic that never was: neurons that fire on patterns of the list, and noise."""

import base64
import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from symscope.localize.heuristics.types import Heuristic

DOES = {"+": torch.add, "-": torch.sub, "*": torch.mul}
PATTERNS = (
    Heuristic("modulo", "answer", (10, 3)), Heuristic("range", "first", (5, 10)),
    Heuristic("digits", "answer", (-1, 5)), Heuristic("same", "both"),
    Heuristic("modulo", "second", (2, 1)), Heuristic("range", "both", (2, 9)),
    Heuristic("digits", "first", (1, -1)), Heuristic("range", "answer", (10, 30)), None,
)  # fmt: skip


def atlas_view(
    neurons: int = 20, layers: int = 2, cells: int = 20, operands: int | None = None,
    signs: Sequence[str] = ("+", "-"), heads: int = 4, modulus: int | None = None, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """The view: neuron i fires on pattern i of `PATTERNS`, on the last sign on the one after it."""
    operands = operands or cells
    draw = random.Random(seed)
    noise = torch.Generator().manual_seed(seed)
    first, second = operand_grid(operands)
    legal = {sign: first >= second if sign == "-" else torch.ones_like(first, dtype=torch.bool)
             for sign in signs}  # fmt: skip
    right = {sign: (first + second < 1.7 * operands).float() for sign in signs}
    return {
        "title": "Which neurons add and subtract, and on what they fire",
        "lead": "A made-up network of two layers. Neurons fire on ranges, on remainders, and on "
        "digits of the operands and of the answer; some fire on nothing that the list knows.",
        "command": "symscope study arithmetic --preset tiny",
        "made": {"seed": seed, "torch": "2.13"},
        "signs": list(signs), "operands": operands, "cells": cells, "modulus": modulus,
        "right": {sign: packed(255 * pooled(right[sign], cells)) for sign in signs},
        "legal": {sign: packed(pooled(legal[sign].float(), cells).ceil()) for sign in signs},
        "neurons": [
            _neuron(i, layers, neurons, signs, cells, (first, second), modulus, draw, noise)
            for i in range(neurons)
        ],
        "circuit": _circuit(layers, heads, draw), "places": _places(layers, heads, draw),
        "claims": _claims(),
    }  # fmt: skip


def operand_grid(operands: int) -> tuple[Tensor, Tensor]:
    """The first operand of each prompt and the second, each (first, second)."""
    numbers = torch.arange(operands)
    return numbers[:, None].expand(operands, operands), numbers.expand(operands, operands)


def answers(sign: str, first: Tensor, second: Tensor, modulus: int | None = None) -> Tensor:
    """What is right; a prompt a // 0 has −1, as it has no answer."""
    if sign == "//":
        return torch.where(second > 0, first // second.clamp(min=1), -1)
    found = DOES[sign](first, second)
    return found if modulus is None else found % modulus


def pooled(grid: Tensor, cells: int) -> Tensor:
    """The mean of each cell of a grid of prompts, (cells, cells)."""
    width = len(grid) // cells
    return grid.float().reshape(cells, width, cells, width).mean((1, 3))


def packed(grid: Tensor) -> str:
    return base64.b64encode(bytes(grid.round().byte().flatten().tolist())).decode()


def _neuron(
    index: int, layers: int, neurons: int, signs: Sequence[str], cells: int,
    prompts: tuple[Tensor, Tensor], modulus: int | None, draw: random.Random,
    noise: torch.Generator,
) -> dict[str, Any]:  # fmt: skip
    maps, labels = {}, []
    for sign in signs:
        pattern = PATTERNS[(index + (sign == signs[-1] != signs[0])) % len(PATTERNS)]
        fires = torch.rand(prompts[0].shape, generator=noise) * 0.4
        if pattern is not None:
            fires = fires + pattern.holds(*prompts, answers(sign, *prompts, modulus)).float()
            labels += _labels(sign, pattern, draw)
        maps[sign] = packed(pooled(255 * fires / 1.4, cells))
    each = -(-neurons // layers)
    patterns = round(draw.uniform(0.2, 0.98), 3)
    return {
        "layer": index // each, "neuron": 7 * (index % each) + 3, "rank": index % each + 1,
        "effect": round(3 / (1 + index % each) + 0.01 * index, 4), "maps": maps, "low": -0.17,
        "high": 3.2, "labels": labels,
        "explained": {"patterns": patterns, "tables": None if index == 4 else patterns / 2,
                      "waves": round(draw.uniform(-0.1, 0.7), 3)},
        "knockout": {"accuracy": -0.012, "satisfying": -0.053 if labels else None,
                     "others": 0.001},
        "top": [{"text": f"{a} {signs[0]} 3 =", "answer": a + 3, "said": a + 3 + (a == 9),
                 "value": round(3.2 - a / 10, 2)} for a in range(5, 15)],
    }  # fmt: skip


def _labels(sign: str, pattern: Heuristic, draw: random.Random) -> list[dict[str, Any]]:
    """The pattern itself, and one that fits less well and does not pass."""
    share = round(draw.uniform(0.62, 0.99), 3)
    other = Heuristic("range", "second", (0, 5))
    return [
        label(sign, pattern, share, round(share - 0.1, 3), pattern.kind != "same"),
        label(sign, other, 0.4, 0.2, False),
    ]


def label(sign: str, pattern: Heuristic, share: float, kappa: float, kept: bool) -> dict[str, Any]:
    """A label as the atlas takes it."""
    return {"sign": sign, "name": str(pattern), "kind": pattern.kind, "of": pattern.of,
            "values": list(pattern.values), "share": share, "kappa": kappa,
            "kept": kept}  # fmt: skip


def _circuit(layers: int, heads: int, draw: random.Random) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = [
        {"name": "embed", "layer": -1, "kind": "embed", "effect": None, "attends": None}
    ]
    looks = ("= → first operand (.93)", "= → second operand (.88)", "= → sign (.71)", None)
    for layer in range(layers):
        nodes += [{"name": f"{layer}.{h}", "layer": layer, "kind": "head",
                   "effect": round(draw.uniform(0.2, 2), 3), "attends": looks[h % 4]}
                  for h in range(heads) if (h + layer) % 4 != 3]  # fmt: skip
        nodes.append({"name": f"mlp {layer}", "layer": layer, "kind": "mlp",
                      "effect": round(draw.uniform(1, 5), 3), "attends": None})  # fmt: skip
    nodes.append(
        {"name": "logits", "layer": layers, "kind": "logits", "effect": None, "attends": None}
    )
    order = [(n["layer"], ("embed", "head", "mlp", "logits").index(n["kind"])) for n in nodes]
    edges = [[a["name"], b["name"], round(draw.gauss(0.4, 0.5), 3)]
             for i, a in enumerate(nodes) for j, b in enumerate(nodes)
             if order[i] < order[j] and draw.random() < 0.55]  # fmt: skip
    return {"nodes": nodes, "edges": edges or [["embed", "logits", 0.5]], "faithfulness": 0.964,
            "size": len(nodes) - 2, "of": layers * (heads + 1), "unit": "places"}  # fmt: skip


def _places(layers: int, heads: int, draw: random.Random) -> dict[str, Any]:
    rows = [name for i in range(layers)
            for name in (*(f"{i}.{h}" for h in range(heads)), f"mlp {i}")]  # fmt: skip
    return {
        "positions": ["first operand", "sign", "second operand", "="], "rows": rows,
        "values": [[round(draw.gauss(0, 0.1) + 4 * (c == 3) * (r % 3 == 0), 4) for c in range(4)]
                   for r in range(len(rows))],
    }  # fmt: skip


def _claims() -> list[Mapping[str, Any]]:
    return [
        {"claim": "arithmetic.tiny.accuracy", "score": 0.984, "low": 0.97, "high": 0.992, "n": 1000,
         "controls": {"untrained": 0.02}, "source": {"figure": "Table 1", "value": 0.97},
         "note": ""},
        {"claim": "arithmetic.tiny.labelled", "score": 0.61, "low": 0.55, "high": 0.67, "n": 200,
         "controls": {"smooth maps": 0.44}, "source": None, "note": "two layers only"},
    ]  # fmt: skip
