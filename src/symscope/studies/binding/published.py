"""What Wu, Geiger & Millière (2025) report, by claim; values of another, larger network.

Accuracies of the phases are the authors' own (abstract, companion site); the rest is known from
summaries of the paper and is unverified. Layers and head numbers belong to one trained network of
12 blocks: the pattern can be compared, not the numbers.
"""

from collections.abc import Mapping
from typing import Any

_PAPER = "Wu, Geiger & Millière (2025)"


def _of(value: float, where: str) -> dict[str, Any]:
    return {"where": f"{_PAPER}, {where}", "value": value}


_VALUES: dict[str, dict[str, Any]] = {
    "phase.random": _of(0.12, "companion site, phase 1"),
    "phase.shallow": _of(0.56, "companion site, phase 2"),
    "phase.general": _of(0.999, "companion site, phase 3 (above)"),
    "accuracy": _of(0.999, "abstract (above)"),
    "subspace.constants.classifier": _of(0.9217, "Fig. 5, 10 dimensions, unverified"),
    "subspace.names.classifier": _of(0.8708, "Fig. 5, 26 dimensions, unverified"),
    "residual.root.hops3.right_1": _of(1.0, "Fig. 3a, one program, from its colours"),
    "residual.root.hops3.right_2": _of(1.0, "Fig. 3a, one program, from its colours"),
    "residual.root.hops3.right_3": _of(0.55, "Fig. 3a, one program, from its colours"),
    "residual.root.hops3.query": _of(1.0, "Fig. 3a, one program, from its colours"),
    "residual.root.hops3.colon": _of(1.0, "Fig. 3a, one program, from its colours"),
} | {
    f"binding_vectors.mean_shift.{part}.calibrated": {
        "where": "Feng & Steinhardt (2024), LLaMA-30B on capitals, another task", "value": value
    }
    for part, value in (("none", 0.99), ("attribute", 0.0), ("entity", 0.0), ("both", 0.97))
}  # fmt: skip
PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    f"binding.{preset}.{claim}": value
    for preset in ("tiny", "small", "published")
    for claim, value in _VALUES.items()
}
