"""The one kind of network whose algorithm is read here: one hidden layer and one output."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from symscope.evidence import SymscopeError
from symscope.models.perceptron import Weights


class OneLayer(NamedTuple):
    """offset + Σ_j last_j silu(Σ_i x_i first_ij + bias_j), in double precision.

    `first` (inputs, units), `bias` (units,), `last` (units,).
    """

    first: np.ndarray
    bias: np.ndarray
    last: np.ndarray
    offset: float

    @property
    def inputs(self) -> int:
        """How many inputs."""
        return self.first.shape[0]

    @property
    def units(self) -> int:
        """How many hidden units."""
        return self.first.shape[1]

    def parts(self, x: np.ndarray) -> np.ndarray:
        """What each unit adds to the output, (sample, units), for inputs (sample, inputs)."""
        before = x @ self.first + self.bias
        return before * expit(before) * self.last

    def run(self, x: np.ndarray) -> np.ndarray:
        """Outputs, (sample,)."""
        before = x @ self.first + self.bias
        return (before * expit(before)) @ self.last + self.offset


def one_layer(weights: Weights) -> OneLayer:
    """The network as arrays; raises `SymscopeError` for any other shape, or several networks."""
    if weights.matrices[0].dim() != 2:
        raise SymscopeError(
            f"weights of {weights.matrices[0].shape[0]} networks: choose one with .of(index)"
        )
    if len(weights.matrices) != 2 or weights.sizes[-1] != 1:
        raise SymscopeError(
            f"a network of sizes {weights.sizes}: algorithms are read from networks of one hidden"
            " layer and one output, such as (8, 24, 1)"
        )
    first, last = (part.detach().double().cpu().numpy() for part in weights.matrices)
    bias, offset = (part.detach().double().cpu().numpy() for part in weights.biases)
    if not all(np.isfinite(part).all() for part in (first, last, bias, offset)):
        raise SymscopeError("the weights are not finite: keep the last good checkpoint")
    return OneLayer(first, bias, last[:, 0], float(offset[0]))
