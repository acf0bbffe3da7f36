"""The bag of heuristics: which numeric pattern each neuron fires on (Nikankin et al., 2025)."""

from symscope.localize.heuristics.discoveries import alike, false_share, shuffled, threshold
from symscope.localize.heuristics.effects import ablated, effects, means, suffices
from symscope.localize.heuristics.explained import (
    explained,
    fitted,
    operand_tables,
    waves,
    with_fits,
)
from symscope.localize.heuristics.knockout import CONTROLS, Bag, chosen, silenced, widened
from symscope.localize.heuristics.maps import BUDGET, added_to, added_up, neuron_maps, output_rows
from symscope.localize.heuristics.matching import (
    PUBLISHED,
    HeldOut,
    Matches,
    held_out,
    matches,
    nulls,
)
from symscope.localize.heuristics.ranking import direct, estimated, exact
from symscope.localize.heuristics.sparse import pursued
from symscope.localize.heuristics.specificity import Knocked, by_pattern, fall
from symscope.localize.heuristics.types import KINDS, Heuristic, heuristics

__all__ = [
    "BUDGET",
    "CONTROLS",
    "KINDS",
    "PUBLISHED",
    "Bag",
    "HeldOut",
    "Heuristic",
    "Knocked",
    "Matches",
    "ablated",
    "added_to",
    "added_up",
    "alike",
    "by_pattern",
    "chosen",
    "direct",
    "effects",
    "estimated",
    "exact",
    "explained",
    "fall",
    "false_share",
    "fitted",
    "held_out",
    "heuristics",
    "matches",
    "means",
    "neuron_maps",
    "nulls",
    "operand_tables",
    "output_rows",
    "pursued",
    "shuffled",
    "silenced",
    "suffices",
    "threshold",
    "waves",
    "widened",
    "with_fits",
]
