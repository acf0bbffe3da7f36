"""A frame in which the states seen have the same size in every direction."""

import numpy as np

from symscope.extract.pipeline.frame import Move, turned
from symscope.extract.pipeline.weights import Array, Weights

LEAST = 1e-4


def whiten(weights: Weights, seen: Array) -> Move:
    """A = Q·diag(s_i^(−1/2) if s_i > 10⁻⁴·max s, else 1)·Qᵀ with C = mean hhᵀ = Q·diag(s)·Qᵀ.

    C is not centred: 0 is the first state and stays where it is. Narrower directions stay as they
    are: they may be nothing but noise. Michaud et al. (2024), "whitening", where s_i > 0.1 is asked
    for, whatever the size of the state; that leaves a shift register of seven numbers unsolved.
    """
    sizes, axes = np.linalg.eigh(seen.T @ seen / len(seen))
    wide = sizes > LEAST * sizes.max()
    scale = np.where(wide, sizes, 1.0) ** -0.5
    return turned(weights, (axes * scale) @ axes.T, f"{wide.sum()} of {len(wide)} directions")
