"""When does the circuit come to be? The same patches at checkpoints all along the training."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.localize.phases import half_onset
from symscope.network import Network
from symscope.studies.binding.mechanism import role_map, roles_of, usable_pairs
from symscope.studies.binding.persistence import pull_of_line_one
from symscope.studies.binding.settings import Preset
from symscope.studies.binding.trajectory import at_checkpoint
from symscope.train_answers import checkpoints_in

EARLIEST = 50
LEAST = 0.2
"""A place that moves fewer answers at the end has not come to be."""


def chosen(steps: Sequence[int], count: int) -> list[int]:
    """`count` of the checkpoints, spread over their order, from step 50 on; the last one too.

    >>> chosen([0, 10, 50, 60, 80, 100, 200], 3)
    [50, 80, 200]
    """
    later = [s for s in steps if s >= EARLIEST] or list(steps)
    places = torch.linspace(0, len(later) - 1, min(count, len(later))).round().long()
    return [later[int(i)] for i in places.unique()]


def traced_claims(preset: Preset, training: Path, name: str, seed: int) -> list[Evidence]:
    """Per role its success over training, and the step from which it is past half of its last.

    Pairs are the same at all checkpoints: root pairs of the deepest chains that the last network
    answers right. The block of a role is the one that is best at the end.
    """
    kept = checkpoints_in(training)
    steps = chosen(list(kept), preset.traced)
    task, layers = preset.task, preset.shape["layers"]
    final = Network(at_checkpoint(preset, kept[steps[-1]]))
    pairs = usable_pairs(final, task, "root", task.hops, preset.pairs, seed + 800)
    roles = roles_of(task, pairs.base, task.hops)
    maps, pulls = [], []
    for step in steps:
        network = Network(at_checkpoint(preset, kept[step]))
        maps.append(role_map(network, pairs, roles, layers))
        pulls.append(pull_of_line_one(network, task, preset.tested, name, seed))
    records = []
    for role in roles:
        block = int(maps[-1].right[role].float().mean(1).argmax())
        curve = [m.success(role)[block] for m in maps]
        right: Tensor = maps[-1].right[role][block]
        low, high = wilson(int(right.sum()), len(right))
        config = {
            "block": block + 1,
            "steps": steps,
            "curve": curve,
            "half": half_onset(steps, curve) if curve[-1] >= LEAST else None,
            "maps": [m.success(role) for m in maps],
        }
        records.append(
            Evidence(f"{name}.birth.{role.replace(' ', '_')}", curve[-1], low, high, len(right),
                     "success", {"at the first checkpoint": curve[0]}, [seed], config=config,
                     note="at the last checkpoint; Wilson interval, one seed")
        )  # fmt: skip
    last = pulls[-1]
    course = {"steps": steps, "curve": [p.score for p in pulls],
              "shift": [p.config["shift"] for p in pulls],
              "shift_elsewhere": [p.config["shift_elsewhere"] for p in pulls]}  # fmt: skip
    records.append(
        Evidence(f"{name}.persistence.over_training", last.score, last.low, last.high, last.n,
                 last.unit, last.controls, [seed], config=course, note=last.note)
    )  # fmt: skip
    return records
