"""Interchange intervention accuracy: how often a network does what the program says."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from symscope.align.das import coordinates
from symscope.align.swap import Swap
from symscope.alignment import Alignment
from symscope.evidence import Evidence, wilson
from symscope.task import Pairs


def agreement(
    alignment: Alignment,
    swap: Swap,
    claim: str = "",
    controls: Mapping[str, float] = {},
    seed: int = 0,
) -> Evidence:
    """IIA on the pairs: the share for which every scored answer after the swap is right.

    The config holds the splits of the same answers: by phase, by distance and by count.
    """
    names = swap.pairs.variables
    featurizer = next(iter(alignment.handles.values())).featurizer
    right = swap.right(featurizer, coordinates(alignment, swap))
    low, high = wilson(int(right.sum()), len(right))
    claim = claim or f"{alignment.program}.{'_'.join(names)}.iia"
    return Evidence(
        claim, float(right.float().mean()), low, high, len(right), controls=dict(controls),
        seeds=[seed], config=splits(right, swap.pairs), note="Wilson interval, one seed",
    )  # fmt: skip


def splits(right: Tensor, pairs: Pairs) -> dict[str, Any]:
    """[right, n] by base and source phase, by |difference|, by value, and for held-out inputs.

    Values are those of the first swapped variable; keys are "source:base" or the difference.
    """
    labels = pairs.labels
    cells: dict[str, Any] = {}
    if "phase.base" in labels:
        cells["phase"] = _counts(right, labels["phase.source"], labels["phase.base"])
    if pairs.variables:
        name = pairs.variables[0]
        source, base = (labels[f"{name}.{side}"].round().long() for side in ("source", "base"))
        cells["value"] = _counts(right, source, base)
        cells["difference"] = _counts(right, (source - base).abs())
    if "held_out" in labels:
        for name, rows in (("held_out", labels["held_out"]), ("seen", ~labels["held_out"])):
            cells[name] = [int(right[rows].sum()), int(rows.sum())]
    return cells


def _counts(right: Tensor, *keys: Tensor) -> dict[str, list[int]]:
    stacked = torch.stack(keys, 1)
    values, index = torch.unique(stacked, dim=0, return_inverse=True)
    n = torch.bincount(index, minlength=len(values))
    won = torch.bincount(index, weights=right.double(), minlength=len(values)).long()
    return {
        ":".join(map(str, value)): [int(w), int(c)]
        for value, w, c in zip(values.tolist(), won, n, strict=True)
    }
