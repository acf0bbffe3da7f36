"""How large each part of the study is."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from symscope.generate.training import Plan

TARGET, WIDE, LARGE = "l1_norm", "l1_norm_wide", "l1_norm_large"
"""The function of the publication; with twice as many hidden units; at the published size."""
FAMILIES = TARGET, WIDE, LARGE
USUAL, SHORT = Plan(), Plan(steps=6_000)
OTHERS = {
    "sum_of_squares": (4, 16, 1), "maximum": (2, 8, 1), "sorted_two": (2, 12, 2),
    "parity_3": (3, 12, 1), "modular_addition": (2, 12, 1),
}  # fmt: skip
"""Function → the sizes of the networks for it (our choice)."""


Further = tuple[tuple[int, ...], tuple[int, ...]]
FURTHER: dict[str, Further] = {WIDE: ((8, 48, 1), (0, 1, 2, 3, 4)), LARGE: ((16, 48, 1), (1,))}
"""The sizes and the seeds of further hypernetworks for the L1 norm."""


@dataclass(frozen=True)
class Preset:
    """`seeds` hypernetworks for the L1 norm, `further` ones, `other_seeds` of other functions.

    Read at `betas` log-spaced trade-offs with `draws` sampling seeds each, on `samples` fresh
    inputs (`quick` for a map of many networks); drawn with the decoder alone `decoder_draws` times,
    and at `inputs` × `hidden` sizes. `baseline_steps` for networks trained in the usual way.
    """

    sizes: tuple[int, ...] = (8, 24, 1)
    plan: Plan = USUAL
    seeds: int = 5
    further: dict[str, Further] = field(default_factory=lambda: dict(FURTHER))
    betas: int = 30
    draws: int = 8
    samples: int = 100_000
    quick: int = 4_096
    decoder_draws: int = 40
    inputs: tuple[int, ...] = (4, 6, 8, 12, 16, 24, 32, 48, 64)
    hidden: tuple[int, ...] = (12, 24, 48, 96, 192)
    others: dict[str, tuple[int, ...]] = field(default_factory=lambda: dict(OTHERS))
    other_plan: Plan = SHORT
    other_seeds: int = 2
    baseline_steps: int = 20_000

    @property
    def swept(self) -> Tensor:
        """The trade-offs that are looked at."""
        return torch.logspace(-12, 0, self.betas)


PRESETS = {
    "small": Preset(),
    "tiny": Preset(
        (3, 9, 1), Plan(steps=100, batch=128), 2, {WIDE: ((3, 12, 1), (0,))}, 5, 2,
        2_000, 500, 4, (3, 4), (9, 12),
        {"maximum": (2, 8, 1)}, Plan(steps=60, batch=64), 1, 200,
    ),
    "published": Preset(
        (16, 48, 1), Plan(steps=200_000, betas=32, batch=1024), seeds=33, further={},
        other_plan=USUAL, other_seeds=5,
    ),
}  # fmt: skip
TRIED: dict[str, tuple[int, dict[str, Any]]] = {
    "as it is": (0, {}),
    "as it is seed 1": (1, {}),
    "as it is seed 2": (2, {}),
    "as it is seed 3": (3, {}),
    "as it is seed 4": (4, {}),
    "rate 1e-3": (0, {"rate": 1e-3}),
    "wavelength 100": (0, {"wavelength": 100.0}),
    "8 networks of 256 inputs": (0, {"betas": 8, "batch": 256}),
    "gain 1": (0, {"gain": 1.0}),
    "gain 1 seed 1": (1, {"gain": 1.0}),
    "response 1": (0, {"response": 1.0}),
    "gain 1 and response 1": (0, {"gain": 1.0, "response": 1.0}),
    "32 hidden units": (0, {"sizes": (8, 32, 1)}),
    "48 hidden units": (0, {"sizes": (8, 48, 1)}),
    "4 inputs": (0, {"sizes": (4, 24, 1)}),
    "16 inputs and 48 hidden units": (1, {"sizes": (16, 48, 1)}),
    "40000 steps": (0, {"steps": 40_000}),
}
"""What the search for settings tried, one change at a time: the seed, and what is not as usual."""
