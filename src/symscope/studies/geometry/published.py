"""What Engels, Liao et al. report, by claim: the values that stand in text and tables."""

from collections.abc import Mapping
from typing import Any

_PAPER = "Engels, Liao et al. (ICLR 2025)"
_THESIS = "Liao (2024)"
_CODE = "its code"

_TOY = {"mixture": (0.6396, "0.3437 in " + _THESIS), "circle": (0.1784, ""),
        "gaussian": (0.0794, ""), "lattice": (0.2590, "")}  # fmt: skip
"""M; where their lines lie in the mixture is not published, so that ours is another one."""
_RIGHT = {
    "gpt2": {"weekdays": (8, 49), "months": (10, 144)},
    "mistral-7b": {"weekdays": (31, 49), "months": (125, 144)},
    "llama-3-8b": {"weekdays": (29, 49), "months": (143, 144)},
}
_SAID = {("llama-3-8b", "weekdays"): f"; 25 of 49 in {_THESIS}, Table 2.1"}
_WORDINGS = {"weekdays": ("text", "code"), "months": ("text",)}
_RANKS = {"weekdays": (9, 9, 0.63), "months": (28, 16, 0.53), "years": (15, 10, 0.55)}
"""Rank, elements, and their mean cosine."""
_TURNED = {
    "dictionary.intervention.difference": (-2.01, "plane of the dictionary, layer 8"),
    "intervention.layer_8.difference": (-2.58, "circular probe, layer 8"),
    "dictionary.earlier.difference": (-2.32, "the dictionary's plane of layer 8 in layer 6"),
    "dictionary.probe_earlier.difference": (0.029, "the probe of layer 8 in layer 6"),
}


def _of(value: float, where: str) -> dict[str, Any]:
    return {"where": where, "value": value}


PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    f"geometry.toy.{shape}.mixture":
        _of(value, f"{_PAPER}, Figs. 10 and 11" + (f"; {other}" if other else ""))
    for shape, (value, other) in _TOY.items()
} | {
    f"geometry.{model}.{cycle}.accuracy.{wording}.valid":
        _of(right / of, f"{_PAPER}, {right} of {of}{_SAID.get((model, cycle), '')}")
    for model, cycles in _RIGHT.items() for cycle, (right, of) in cycles.items()
    for wording in _WORDINGS[cycle]
} | {
    f"geometry.gpt2.{cycle}.accuracy.{wording}.vocabulary": _of(0.0, f"{_THESIS}, Table 2.1")
    for cycle, wordings in _WORDINGS.items() for wording in wordings
} | {
    f"geometry.gpt2.{cycle}.dictionary.rank":
        _of(rank, f"{_PAPER}, section 4, of 1000; {size} elements with a mean cosine of {cosine}"
                  f" in {_CODE}")
    for cycle, (rank, size, cosine) in _RANKS.items()
} | {
    "geometry.gpt2.weekdays.dictionary.mixture": _of(0.475, f"{_PAPER}, components 2-3, read off"),
    "geometry.gpt2.weekdays.dictionary.separability":
        _of(0.951, f"{_PAPER}, components 2-3, read off"),
    "geometry.mistral-7b.weekdays.places.same_b.copied": _of(15, f"{_THESIS}, layers 15 to 17"),
} | {
    f"geometry.mistral-7b.weekdays.{claim}": _of(value, f"{_PAPER}, section 5.2, {where}")
    for claim, (value, where) in _TURNED.items()
}  # fmt: skip
"""Claim → the value and where it stands. Most values by layer are in figures alone and not here."""
