"""What each unit takes: trainings are counted, extractions have a time limit."""

from symscope.cost import Cost, copies_training
from symscope.jobs import Unit
from symscope.studies.estimate import recorded
from symscope.studies.programs.settings import MORE, SETTINGS, setting_of
from symscope.tasks import algorithm

SECONDS = {"extract": 10.0, "cell": 40.0, "changed": 1.0, "states": 1.0, "smallest": 50.0,
           "misfiled": 6.0, "untrained": 25.0}  # fmt: skip
"""Of one unit, as they were recorded."""
ENDED = 0.5
"""The share of the longest training after which a network is mostly good enough."""


def unit_cost(unit: Unit) -> Cost:
    """One network or what is asked of one."""
    kind, name, _ = unit
    if kind != "network" or name not in {**SETTINGS, **MORE}:
        return recorded(SECONDS[kind])
    chosen = setting_of(name)
    plan = chosen.plan
    steps = ENDED * (plan.steps + plan.cool)
    return copies_training(chosen.width, *chosen.f, plan.copies, plan.batch,
                           algorithm(name).length, steps, 8 if plan.double else 4)  # fmt: skip
