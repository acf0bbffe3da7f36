"""The same network with its state in other coordinates, and what a stage of simplification gives.

Every stage is a function `(weights, seen) -> Move` of the network and the states it was seen in,
(sample, width). A stage proposes; `simplify` looks whether the outputs stay what they were.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symscope.extract.pipeline.weights import Array, Layer, Weights


@dataclass(frozen=True)
class Move:
    """The network after a stage, whose state is `frame` · h + `shift` from the first step on."""

    weights: Weights
    frame: Array
    shift: Array
    note: str = ""


Stage = Callable[[Weights, Array], Move]


def in_frame(weights: Weights, frame: Array) -> Weights:
    """The network whose state is A·h where it was h; A⁻¹ undoes it.

    The last layer of f becomes A·W₂, A·b₂, the first reads the state by W₁·A⁻¹, and so does g by
    U·A⁻¹. An affine f is both: A·W·A⁻¹, A·V, A·b.
    """
    n, inverse = weights.width, np.linalg.inv(frame)
    f, g = list(weights.f), list(weights.g)
    last = f[-1]
    f[-1] = Layer(frame @ last.weight, frame @ last.bias)
    first = f[0]
    f[0] = Layer(np.hstack([first.weight[:, :n] @ inverse, first.weight[:, n:]]), first.bias)
    g[0] = Layer(g[0].weight @ inverse, g[0].bias)
    return Weights(tuple(f), tuple(g))


def turned(weights: Weights, frame: Array, note: str = "") -> Move:
    """The move that changes the frame and nothing else."""
    return Move(in_frame(weights, frame), frame, np.zeros(weights.width), note)
