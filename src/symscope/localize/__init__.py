"""Where does a computation happen?"""

from symscope.localize.attention import edit_shifts_the_end, with_extra_pair
from symscope.localize.attribution import (
    against_patching,
    attribution,
    rank_correlation,
    towards_source,
)
from symscope.localize.binding_checks import factorisation, mean_shift, position_independence
from symscope.localize.binding_ids import Contexts, binding_ids
from symscope.localize.circuit import Circuit, faithfulness, find_circuit, prune
from symscope.localize.circuit_checks import completeness, minimality
from symscope.localize.eap import edge_scores, edges_against_patching
from symscope.localize.edges import Edge, edges, path_patched, run_edges
from symscope.localize.head_roles import attends, attention_roles, chain_roles, moves_value
from symscope.localize.lens import logit_lens
from symscope.localize.metrics import (
    logit_difference,
    logit_shift,
    normalised,
    probability,
    recovery,
    success,
)
from symscope.localize.patching import literal_patched, patched, patched_with
from symscope.localize.permutation import above_zero, holm
from symscope.localize.places import layout_in, places
from symscope.localize.smallest_set import smallest_set
from symscope.localize.successor import successor_scores
from symscope.localize.sweep import sweep
from symscope.localize.symbolic_heads import symbolic_heads

__all__ = [
    "Circuit",
    "Contexts",
    "Edge",
    "above_zero",
    "against_patching",
    "attends",
    "attention_roles",
    "attribution",
    "binding_ids",
    "chain_roles",
    "completeness",
    "edge_scores",
    "edges",
    "edges_against_patching",
    "edit_shifts_the_end",
    "factorisation",
    "faithfulness",
    "find_circuit",
    "holm",
    "layout_in",
    "literal_patched",
    "logit_difference",
    "logit_lens",
    "logit_shift",
    "mean_shift",
    "minimality",
    "moves_value",
    "normalised",
    "patched",
    "patched_with",
    "path_patched",
    "places",
    "position_independence",
    "probability",
    "prune",
    "rank_correlation",
    "recovery",
    "run_edges",
    "smallest_set",
    "success",
    "successor_scores",
    "sweep",
    "symbolic_heads",
    "towards_source",
    "with_extra_pair",
]
