"""What each unit of the study's own part takes, as it was recorded for `small`."""

from symscope.cost import Cost
from symscope.jobs import Unit
from symscope.studies.estimate import recorded

SECONDS = {"network": 210.0, "toy": 6.0, "circles": 10.0, "circle": 90.0, "search": 60.0,
           "stories": 120.0}  # fmt: skip
TINY = 0.02
"""The share of it in the preset "tiny"."""


def unit_cost(unit: Unit, preset: str) -> Cost:
    """One network, cloud or layer."""
    return recorded(SECONDS[unit[0]], TINY if preset == "tiny" else 1.0)
