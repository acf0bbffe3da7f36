"""The bag of heuristics: which numeric pattern each neuron fires on (Nikankin et al., 2025)."""

from symscope.localize.heuristics.types import Heuristic, heuristics

__all__ = ["Heuristic", "heuristics"]
