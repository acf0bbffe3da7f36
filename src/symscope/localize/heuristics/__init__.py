"""The bag of heuristics: which numeric pattern each neuron fires on (Nikankin et al., 2025)."""

from symscope.localize.heuristics.effects import ablated, effects, means, suffices
from symscope.localize.heuristics.explained import (
    explained,
    fitted,
    operand_tables,
    waves,
    with_fits,
)
from symscope.localize.heuristics.knockout import Bag, chosen, silenced, widened
from symscope.localize.heuristics.maps import added_to, neuron_maps
from symscope.localize.heuristics.matching import Matches, matches, nulls
from symscope.localize.heuristics.types import Heuristic, heuristics

__all__ = [
    "Bag",
    "Heuristic",
    "Matches",
    "ablated",
    "added_to",
    "chosen",
    "effects",
    "explained",
    "fitted",
    "heuristics",
    "matches",
    "means",
    "neuron_maps",
    "nulls",
    "operand_tables",
    "silenced",
    "suffices",
    "waves",
    "widened",
    "with_fits",
]
