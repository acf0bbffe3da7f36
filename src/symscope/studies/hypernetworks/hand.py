"""What networks of known algorithm need: written by hand, at the sizes of the generated ones."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from symscope.evidence import Evidence, bootstrap
from symscope.generate.by_hand import ALGORITHMS, by_hand
from symscope.generate.by_hand_other import BY_HAND, by_hand_other
from symscope.generate.length import description_length
from symscope.generate.sampling import losses
from symscope.jobs import Unit
from symscope.studies.hypernetworks.networks import asked, function_of
from symscope.studies.hypernetworks.settings import FAMILIES, PRESETS
from symscope.studies.questions import Question, answered

DRAWS = 5
"""Networks of each algorithm, with their own gains."""


def hand_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Loss and bits of each algorithm, with SiLU, without noise."""
    _, name, seed_text = unit
    algorithms = ALGORITHMS if name in FAMILIES else tuple(BY_HAND[name])
    questions: Iterator[Question] = iter(
        [partial(_of, name, algorithm, settings, int(seed_text)) for algorithm in algorithms]
    )
    return answered(questions, f"hypernetworks.{name}.by_hand", int(seed_text))


def _of(name: str, algorithm: str, settings: dict[str, Any], seed: int) -> list[Evidence]:
    sizes, preset = asked(name, settings)[1], PRESETS[settings["preset"]]
    task = function_of(name, sizes[0])
    networks = [
        by_hand(algorithm, sizes, draw) if name in FAMILIES
        else by_hand_other(name, algorithm, sizes, draw, activation="silu")
        for draw in range(DRAWS)
    ]  # fmt: skip
    found = {
        "loss": [float(losses(w, task, preset.samples, seed).mean()) for w in networks],
        "bits": [description_length(w, task).bits for w in networks],
    }
    floors = task.floors(preset.samples, only=("constant", "linear", "radial"))
    units = {"loss": ("squared error", floors), "bits": ("bits", {})}
    return [
        Evidence(f"hypernetworks.{name}.by_hand.{algorithm}.{what}", float(np.mean(values)),
                 *bootstrap([[v] for v in values]), DRAWS, unit, controls, [seed],
                 note="interval over networks with other gains")
        for what, values in found.items() for unit, controls in (units[what],)
    ]  # fmt: skip
