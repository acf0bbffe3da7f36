"""What Nikankin et al. (2025) report of Llama-3-8B and others, by claim: other, larger networks."""

from collections.abc import Mapping
from typing import Any

_PAPER = "Nikankin et al. (2025)"
_SIGNS = ("add", "subtract", "multiply", "divide")


def _of(value: float, where: str) -> dict[str, Any]:
    return {"where": f"{_PAPER}, {where}, Llama-3-8B", "value": value}


_VALUES: dict[str, dict[str, Any]] = {
    f"{sign}.{claim}": _of(value, where)
    for claim, where, values in (
        ("accuracy", "Table 3", (0.97, 0.96, 0.84, 0.92)),
        ("circuit.faithfulness", "Table 1", (0.97, 0.98, 0.90, 0.96)),
        ("knockout.published.10", "Fig. 8, read off", (0.0, 0.08, 0.48, 0.20)),
        ("knockout.published.20", "Fig. 8, read off", (0.0, 0.06, 0.30, 0.09)),
    )
    for sign, value in zip(_SIGNS, values, strict=True)
} | {
    f"{sign}.labelled.published": _of(0.91, "§4, of all operators together") for sign in _SIGNS
} | {
    f"{sign}.by_type": _of(value, "Fig. 7, 0.56/0.86, 0.64/0.88, 0.80/0.89, 0.78/0.91")
    for sign, value in zip(_SIGNS, (0.30, 0.24, 0.09, 0.13), strict=True)
}  # fmt: skip
_ACCURACY = {
    "pythia-6.9b": (0.30, 0.04, 0.27, 0.75), "gpt-j": (0.23, 0.09, 0.46, 0.64),
}  # fmt: skip
PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    f"heuristics.{before}.{claim}": value
    for before in ("small.plus", "small.plus_minus", "small.four", "small.gated", "llama-3-8b")
    for claim, value in _VALUES.items()
} | {
    f"heuristics.{name}.{sign}.accuracy": {"where": f"{_PAPER}, Table 3, {name}", "value": value}
    for name, values in _ACCURACY.items() for sign, value in zip(_SIGNS, values, strict=True)
}  # fmt: skip
