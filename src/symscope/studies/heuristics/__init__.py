"""Arithmetic by a bag of heuristics (Nikankin et al., 2025); run it with `python -m`."""
