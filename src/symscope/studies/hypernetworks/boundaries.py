"""What the classifier is worth: networks written by hand that its bounds have not seen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symscope.evidence import Evidence, wilson, write_json
from symscope.generate.reading import ALGORITHMS, confusion, fitted_boundaries
from symscope.jobs import Unit
from symscope.studies.hypernetworks.settings import PRESETS

HELD_OUT = 12
"""Bounds were fitted on the networks of seed 0; the rule was changed after looking at 1 and 7."""
NETWORKS = 200, 50
"""Of each kind, by weights and outputs alone and with interventions; a tenth in tiny."""


def boundaries_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The confusion of held-out networks, with interventions and without, and the bounds."""
    tiny, found = PRESETS[settings["preset"]].samples < 10_000, list[Evidence]()
    for causal, count in zip((False, True), NETWORKS, strict=True):
        rows = confusion(count // 10 if tiny else count, HELD_OUT, causal)
        found += _shares(rows, "with_interventions" if causal else "by_weights")
        write_json(folder / "confusion" / f"{'causal' if causal else 'weights'}.json",
                   {kind: dict(row) for kind, row in rows.items()})  # fmt: skip
    for name, bound in fitted_boundaries().items():
        found.append(Evidence(
            f"hypernetworks.boundary.{name}", bound.value, None, None, 200, "bound",
            {"balanced accuracy": bound.accuracy, "typical above": bound.typical_above,
             "typical below": bound.typical_below}, [0],
            note=f"{' and '.join(bound.above)} above, {' and '.join(bound.below)} below",
        ))  # fmt: skip
    return found


def _shares(rows: Mapping[str, Mapping[str, int]], how: str) -> list[Evidence]:
    """Per kind the share named right, over all algorithms, and over all that follow none."""
    found, none = [], tuple(kind for kind in rows if kind not in ALGORITHMS)
    groups = {kind: (kind,) for kind in rows} | {"algorithms": ALGORITHMS, "no_algorithm": none}
    for name, kinds in groups.items():
        right = sum(rows[k].get(k if k in ALGORITHMS else "none", 0) for k in kinds)
        wrong = sum(rows[k].get(c, 0) for k in kinds for c in ALGORITHMS if c != k)
        n = sum(sum(rows[k].values()) for k in kinds)
        found.append(Evidence(
            f"hypernetworks.held_out.{how}.{name}", right / n, *wilson(right, n), n,
            "share of networks", {"another algorithm": wrong / n}, [HELD_OUT],
        ))  # fmt: skip
    return found
