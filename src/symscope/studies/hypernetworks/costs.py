"""What each unit takes: training is counted, what is asked of a network was run in `small`."""

from symscope.cost import Cost, hypernetwork_training
from symscope.generate.hypernetwork import edge_count
from symscope.jobs import Unit
from symscope.room import PROCESS
from symscope.studies.estimate import recorded
from symscope.studies.hypernetworks.settings import PRESETS, Preset

ON_DEVICE = ("trained", "tried")
SECONDS = {"variables": 35.0, "hand": 5.0, "compared": 45.0, "equal": 30.0}
ASKED = 45.0
"""Seconds of one unit of `small`, where it is not listed by its kind."""


def unit_cost(unit: Unit, preset: Preset, sizes: tuple[int, ...], steps: int) -> Cost:
    """A unit about a hypernetwork for networks of `sizes`, trained for so many `steps`."""
    if unit[0] in ON_DEVICE:
        plan = preset.plan
        return hypernetwork_training(sizes[0], sizes[1], plan.betas, plan.batch, steps)
    small = PRESETS["small"]
    larger = edge_count(sizes) / edge_count(small.sizes)
    read = preset.betas * preset.draws / (small.betas * small.draws)
    held = 4.0 * preset.samples * sizes[1] * 4 + PROCESS / 2
    return Cost(held) + recorded(SECONDS.get(unit[0], ASKED), max(1.0, larger) * read)
