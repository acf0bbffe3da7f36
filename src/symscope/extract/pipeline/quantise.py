"""Weights that are nearly integers become integers."""

import numpy as np

from symscope.extract.pipeline.frame import Move
from symscope.extract.pipeline.weights import Array, Layer, Weights

NEAR = 0.01


def quantise(weights: Weights, seen: Array) -> Move:
    """w ← round(w) where |w − round(w)| ≤ 0.01, in all layers of f and g.

    Michaud et al. (2024), "quantisation". The state changes by what the rounding changes, and is
    otherwise in the same frame.
    """
    n, count, total = weights.width, 0, 0

    def rounded(value: Array) -> Array:
        nonlocal count, total
        whole = np.round(value)
        near = np.abs(value - whole) <= NEAR
        count, total = count + int(near.sum()), total + near.size
        return np.where(near, whole, value) + 0.0  # no −0

    f, g = (
        tuple(Layer(rounded(layer.weight), rounded(layer.bias)) for layer in part)
        for part in (weights.f, weights.g)
    )
    note = f"{count} of {total} numbers are integers"
    return Move(Weights(f, g), np.eye(n), np.zeros(n), note)
