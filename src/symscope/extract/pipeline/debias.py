"""Biases that f never reads go over to g."""

import numpy as np

from symscope.extract.pipeline.frame import Move
from symscope.extract.pipeline.weights import Array, Layer, Weights

UNREAD = 0.1


def debias(weights: Weights, seen: Array) -> Move:
    """b₂ ← (I − P)·b₂ and c ← c + U·P·b₂, with P on the directions of the state that f ignores.

    P = N·Nᵀ, N the right singular vectors of W₁ with a value below 0.1; W₁ is how the first layer
    of f reads the state, U and c the first layer of g. Michaud et al. (2024), "de-biasing". It is
    right because g never reads h₀, which has no bias yet.
    """
    n = weights.width
    _, values, rows = np.linalg.svd(weights.f[0].weight[:, :n])
    values = np.concatenate([values, np.zeros(n - len(values))])
    unread = rows[values < UNREAD]
    last, first = weights.f[-1], weights.g[0]
    moved = unread.T @ unread @ last.bias
    f = (*weights.f[:-1], Layer(last.weight, last.bias - moved))
    g = (Layer(first.weight, first.bias + first.weight @ moved), *weights.g[1:])
    note = f"{len(unread)} of {n} directions unread"
    return Move(Weights(f, g), np.eye(n), -moved, note)
