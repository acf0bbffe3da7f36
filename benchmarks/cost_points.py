"""What `benchmarks/cost.py` measures: methods at sizes, and what is counted for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symscope import cost
from symscope.cost import Cost, Decoder
from symscope.studies.programs.settings import setting_of
from symscope.tasks import algorithm
from symscope.tasks.arithmetic import Arithmetic
from symscope.tasks.numbers import VOCABULARY
from symscope.train import BATCH, UPDATES

LENGTH = 43
"""Tokens of a counting batch."""
VECTORS = 8192
DRAWN = 512
"""The vocabulary of drawn tokens."""
HUB_VOCABULARY = 8_000
SUMS = Arithmetic("+", operands=100)


@dataclass(frozen=True)
class Point:
    """A method at one size; `fit` says whether its factors come from it."""

    method: str
    fit: bool
    sizes: dict[str, Any]


def _points(method: str, fitted: list[dict[str, Any]], held: list[dict[str, Any]]) -> list[Point]:
    return [*(Point(method, True, s) for s in fitted), *(Point(method, False, s) for s in held)]


POINTS = [
    *_points("recurrent_training", [{"width": 32, "epochs": 15}, {"width": 128, "epochs": 4}],
             [{"width": 64, "epochs": 12}, {"width": 256, "epochs": 2},
              {"width": 512, "epochs": 1}]),
    *_points("copies_training", [{"task": "parity_all", "steps": 300},
                                 {"task": "add_mod_5", "steps": 150}],
             [{"task": "majority_0_2", "steps": 100}, {"task": "dithering", "steps": 60},
              {"task": "binary_addition", "steps": 200}]),
    *_points("transformer_training",
             [{"layers": 2, "width": 64, "batch": 128, "steps": 60},
              {"layers": 4, "width": 128, "batch": 256, "steps": 20}],
             [{"layers": 2, "width": 256, "batch": 512, "steps": 10},
              {"layers": 6, "width": 384, "batch": 128, "steps": 6},
              {"layers": 8, "width": 128, "batch": 1024, "steps": 4}]),
    *_points("recurrent_alignment", [{"width": 32, "pairs": 2000, "steps": 60},
                                     {"width": 128, "pairs": 2000, "steps": 40}],
             [{"width": 64, "pairs": 8000, "steps": 40}, {"width": 192, "pairs": 4000, "steps": 20},
              {"width": 256, "pairs": 2000, "steps": 20}]),
    *_points("transformer_alignment",
             [{"layers": 4, "width": 64, "layer": 1, "pairs": 1000, "steps": 10},
              {"layers": 4, "width": 128, "layer": 1, "pairs": 1500, "steps": 6}],
             [{"layers": 6, "width": 128, "layer": 1, "pairs": 2000, "steps": 4},
              {"layers": 6, "width": 192, "layer": 3, "pairs": 1000, "steps": 8},
              {"layers": 4, "width": 256, "layer": 0, "pairs": 1000, "steps": 4}]),
    *_points("patching", [{"layers": 4, "width": 64, "tokens": 32, "pairs": 64},
                          {"layers": 6, "width": 128, "tokens": 32, "pairs": 32}],
             [{"layers": 4, "width": 256, "tokens": 32, "pairs": 64},
              {"layers": 8, "width": 128, "tokens": 64, "pairs": 16},
              {"layers": 6, "width": 512, "tokens": 16, "pairs": 64}]),
    *_points("attribution", [{"layers": 4, "width": 64, "tokens": 32, "pairs": 512},
                             {"layers": 6, "width": 128, "tokens": 64, "pairs": 256}],
             [{"layers": 4, "width": 256, "tokens": 64, "pairs": 256},
              {"layers": 8, "width": 128, "tokens": 128, "pairs": 128},
              {"layers": 6, "width": 512, "tokens": 32, "pairs": 256}]),
    *_points("circuit", [{"layers": 2, "width": 64, "tokens": 8, "pairs": 128},
                         {"layers": 4, "width": 64, "tokens": 16, "pairs": 64}],
             [{"layers": 2, "width": 128, "tokens": 16, "pairs": 128},
              {"layers": 4, "width": 128, "tokens": 8, "pairs": 128},
              {"layers": 6, "width": 64, "tokens": 16, "pairs": 64}]),
    *_points("dictionary", [{"width": 128, "features": 2048, "dense": True, "steps": 40},
                            {"width": 256, "features": 4096, "dense": True, "steps": 10},
                            {"width": 128, "features": 2048, "dense": False, "steps": 100},
                            {"width": 256, "features": 4096, "dense": False, "steps": 30}],
             [{"width": 512, "features": 8192, "dense": True, "steps": 4},
              {"width": 128, "features": 8192, "dense": True, "steps": 10},
              {"width": 512, "features": 8192, "dense": False, "steps": 10},
              {"width": 128, "features": 16384, "dense": False, "steps": 20}]),
    *_points("activation_maps", [{"layers": 4, "width": 128, "prompts": 8000},
                                 {"layers": 6, "width": 256, "prompts": 4000}],
             [{"layers": 4, "width": 384, "prompts": 8000},
              {"layers": 12, "width": 128, "prompts": 9000},
              {"layers": 6, "width": 512, "prompts": 6000}]),
    *_points("hypernetwork_training", [{"inputs": 4, "hidden": 12, "betas": 4, "steps": 60},
                                       {"inputs": 8, "hidden": 24, "betas": 4, "steps": 60}],
             [{"inputs": 8, "hidden": 48, "betas": 4, "steps": 30},
              {"inputs": 16, "hidden": 48, "betas": 8, "steps": 10},
              {"inputs": 16, "hidden": 48, "betas": 32, "steps": 4}]),
    *_points("inference", [{"family": "gpt2", "layers": 4, "width": 256, "prompts": 512},
                           {"family": "llama", "layers": 6, "width": 512, "prompts": 512}],
             [{"family": "gpt2", "layers": 12, "width": 768, "prompts": 64},
              {"family": "llama", "layers": 8, "width": 768, "prompts": 128},
              {"family": "gpt_neox", "layers": 6, "width": 512, "prompts": 256}]),
]  # fmt: skip


def counted(point: Point) -> Cost:
    """What is counted for a point, without any factor."""
    return _COUNTS[point.method](**point.sizes)


def _raw(name: str) -> Callable[..., Cost]:
    return getattr(cost, name).__wrapped__


def _form(layers: int, width: int, vocabulary: int) -> Decoder:
    return Decoder(layers, width, max(2, width // 32), vocabulary)


def _copies_sizes(task: str, steps: int) -> Cost:
    chosen = setting_of(task)
    return _raw("copies_training")(chosen.width, *chosen.f, chosen.plan.copies, chosen.plan.batch,
                                   algorithm(task).length, steps)  # fmt: skip


def _hub_form(family: str, layers: int, width: int) -> Decoder:
    mlp = 3 if family == "llama" else 2
    weights = layers * (4 + 4 * mlp) * width**2 + HUB_VOCABULARY * width
    return Decoder(layers, width, width // 64, HUB_VOCABULARY, 4 * width, weights, family == "gpt2")


_COUNTS: dict[str, Callable[..., Cost]] = {
    "recurrent_training": lambda width, epochs: _raw("recurrent_training")(
        width, len(VOCABULARY), BATCH, LENGTH, UPDATES * epochs),
    "copies_training": _copies_sizes,
    "transformer_training": lambda layers, width, batch, steps: _raw("transformer_training")(
        _form(layers, width, len(SUMS.vocabulary)), batch, 4, steps),
    "recurrent_alignment": lambda width, pairs, steps: _raw("recurrent_alignment")(
        width, len(VOCABULARY), pairs, LENGTH, steps),
    "transformer_alignment": lambda layers, width, layer, pairs, steps:
        _raw("transformer_alignment")(_form(layers, width, len(VOCABULARY)), layer, pairs, LENGTH,
                                      steps),
    "patching": lambda layers, width, tokens, pairs: _raw("patching")(
        _form(layers, width, DRAWN), layers * tokens, pairs, tokens),
    "attribution": lambda layers, width, tokens, pairs: _raw("attribution")(
        _form(layers, width, DRAWN), pairs, tokens, 1),
    "circuit": lambda layers, width, tokens, pairs: _raw("circuit")(
        _form(layers, width, DRAWN), pairs, tokens),
    "dictionary": lambda width, features, dense, steps: _raw("dictionary")(
        width, features, VECTORS, steps, 1024, dense),
    "activation_maps": lambda layers, width, prompts: _raw("activation_maps")(
        _form(layers, width, DRAWN), layers * 4 * width, prompts, 4),
    "hypernetwork_training": lambda inputs, hidden, betas, steps: _raw("hypernetwork_training")(
        inputs, hidden, betas, 512, steps),
    "inference": lambda family, layers, width, prompts: _raw("inference")(
        _hub_form(family, layers, width), prompts, 16, 64),
}  # fmt: skip
