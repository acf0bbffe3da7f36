"""Which algorithm do given weights run? Order parameters, ownership, causal tests, and a name."""

from symscope.generate.reading.boundaries import (
    Boundary,
    fit_boundaries,
    fitted_boundaries,
    write_boundaries,
)
from symscope.generate.reading.classify import Reading, Vote, look, read_algorithm
from symscope.generate.reading.drawn import Drawn, draw
from symscope.generate.reading.formula_network import ALGORITHMS, formula_network
from symscope.generate.reading.front import (
    PATTERNS,
    count_patterns,
    is_random_assignment,
    pattern,
    phases_of,
    rank_correlation,
    transition,
    transitions,
)
from symscope.generate.reading.held_out import confusion, right
from symscope.generate.reading.interventions import (
    linear_replacement,
    permuted_owners,
    rebuilt,
    rotation,
    shuffled,
    sided_ablation,
)
from symscope.generate.reading.labelled import half_and_half, labelled
from symscope.generate.reading.measures import causal_tests
from symscope.generate.reading.order import Order, order_parameters, seed_dependence
from symscope.generate.reading.ownership import Owners, Shares, kinks, owners, shares

__all__ = [
    "ALGORITHMS",
    "PATTERNS",
    "Boundary",
    "Drawn",
    "Order",
    "Owners",
    "Reading",
    "Shares",
    "Vote",
    "causal_tests",
    "confusion",
    "count_patterns",
    "draw",
    "fit_boundaries",
    "fitted_boundaries",
    "formula_network",
    "half_and_half",
    "is_random_assignment",
    "kinks",
    "labelled",
    "linear_replacement",
    "look",
    "order_parameters",
    "owners",
    "pattern",
    "permuted_owners",
    "phases_of",
    "rank_correlation",
    "read_algorithm",
    "rebuilt",
    "right",
    "rotation",
    "seed_dependence",
    "shares",
    "shuffled",
    "sided_ablation",
    "transition",
    "transitions",
    "write_boundaries",
]
