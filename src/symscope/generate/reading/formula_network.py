"""A network built from an algorithm's formula alone, with few numbers fitted to a given network.

double_sided      c + a Σ_i [s(x_i) + s(−x_i)]           2n units
pudding_positive  c + a Σ_i s(−x_i) + b Σ_i x_i          n + 1 units
pudding_negative  c + a Σ_i s(x_i) + b Σ_i x_i           n + 1 units
convexity         c + a mean_j s(u_j·x)                  u_j random directions and their opposites

with s(t) = silu(g t)/g, as the networks have SiLU where the formulas of Liao, Liu and
Tegmark (2023, section 3) have ReLU; g → ∞ gives theirs. a, b, c are fitted by least squares and g
is the best of `GAINS` (our choice). A pudding's sign is that of its linear part, so that the
positive one's kinks are at negative inputs.
"""

import numpy as np
import torch
from scipy.special import expit

from symscope.causal_model import UnknownName
from symscope.generate.reading.one_layer import one_layer
from symscope.models.perceptron import Weights

ALGORITHMS = ("convexity", "pudding_positive", "pudding_negative", "double_sided")
"""The algorithms that a network can be said to run."""
GAINS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
DIRECTIONS = 64
"""Of the convexity formula, or more, in random bases, which favour none; each with its opposite."""
RAISED, TILT = 20.0, 0.05
"""Bias and weights of the unit that is linear: silu(20 + t) is 20 + t within 1e-5 for t > −8."""


def formula_network(weights: Weights, algorithm: str, x: np.ndarray, seed: int = 0) -> Weights:
    """The network of `algorithm` whose outputs on `x` (sample, inputs) are nearest to `weights`'.

    Raises `UnknownName` for another algorithm. Only the outputs of `weights` are used.
    """
    if algorithm not in ALGORITHMS:
        raise UnknownName("algorithm", algorithm, ALGORITHMS)
    outputs = one_layer(weights).run(x)
    rows = _directions(algorithm, x.shape[1], seed)
    total = x.sum(1, keepdims=True) if algorithm.startswith("pudding") else x[:, :0]
    best, least, gain = np.zeros(2), np.inf, GAINS[0]
    ahead = x @ rows.T
    for tried in GAINS:
        shape = (ahead * expit(tried * ahead)).sum(1, keepdims=True)
        columns = np.hstack([np.ones((len(x), 1)), shape, total])
        found = np.linalg.lstsq(columns, outputs, rcond=None)[0]
        loss = ((columns @ found - outputs) ** 2).sum()
        if loss < least:
            best, least, gain = found, loss, tried
    return _written(rows, gain, best)


def _directions(algorithm: str, inputs: int, seed: int) -> np.ndarray:
    """The units' directions, (unit, input)."""
    axes = np.eye(inputs)
    if algorithm == "convexity":
        count = -(-DIRECTIONS // inputs)
        drawn = np.random.default_rng(seed).normal(size=(count, inputs, inputs))
        directions = np.linalg.qr(drawn)[0].reshape(-1, inputs)
        return np.vstack([directions, -directions])
    named = {"double_sided": np.vstack([axes, -axes]), "pudding_negative": axes}
    return named.get(algorithm, -axes)


def _written(rows: np.ndarray, gain: float, numbers: np.ndarray) -> Weights:
    """The weights of c + a Σ s(rows · x) + b Σ x for `numbers` (c, a) or (c, a, b)."""
    offset, slope = numbers[:2]
    first, bias = gain * rows.T, np.zeros(len(rows))
    last = np.full(len(rows), slope / gain)
    if len(numbers) == 3:
        first = np.hstack([first, np.full((len(first), 1), TILT)])
        bias, last = np.append(bias, RAISED), np.append(last, numbers[2] / TILT)
        offset = offset - RAISED * numbers[2] / TILT
    parts = (first, last[:, None], bias, np.array([offset]))
    matrix, readout, shift, constant = (torch.from_numpy(p).float() for p in parts)
    return Weights((matrix, readout), (shift, constant))
