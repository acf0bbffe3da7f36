"""One dictionary by any method, at the size and the sparsity that the bench compares them at."""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.features.dictionaries import Dictionary, Training, fit_dictionary
from symscope.studies.dictionaries.settings import ACROSS, DENSE, LABELLED, Penalties, sparsity_at

RATE = 4e-3
FACTORISED = 3000
"""Vectors that semi-NMF is given: it takes them all at once."""
FEW = 40
"""Steps of semi-NMF."""
MOST = 500
"""Steps of ICA at most."""


@dataclass(frozen=True)
class Recipe:
    """`size` features, about `features` of them in a vector, fitted in `steps` steps.

    Methods without a sparsity have `dense` features, all of them in every vector.
    """

    size: int
    dense: int
    features: int
    penalties: Penalties
    steps: int


def dictionary(
    method: str, vectors: Tensor, recipe: Recipe, seed: int, targets: Tensor | None = None
) -> Dictionary:
    """A dictionary by the recipe.

    `targets` are what a transcoder gives, and the labels of difference in means, which has as many
    features as there are labels but one; the other methods are not shown them.
    """
    size, steps = recipe.size, recipe.steps
    training = Training(steps=steps, rate=RATE, warm_up=min(100, steps // 2),
                        dead_after=max(1, steps // 5))  # fmt: skip
    if method == LABELLED:
        assert targets is not None, "the study labels what it gives to this method"
        size = len(targets.unique()) - 1
    if method in DENSE:
        size, training = recipe.dense, Training(steps=FEW if method == "semi_nmf" else MOST)
    if method == "semi_nmf":
        vectors = vectors[:FACTORISED]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ICA says when it has not ended; its score says it too
        return fit_dictionary(
            vectors, method, size=size,
            sparsity=sparsity_at(method, recipe.features, recipe.penalties),
            targets=targets if method in (LABELLED, ACROSS) else None, training=training, seed=seed,
        )  # fmt: skip


def rank(vectors: Tensor) -> int:
    """How many dimensions the vectors span around their mean."""
    return int(torch.linalg.matrix_rank((vectors - vectors.mean(0)).double(), rtol=1e-5))


def per_vector(found: Dictionary, vectors: Tensor) -> float:
    """How many features a vector has on average."""
    with torch.no_grad():
        return float((found.encode(vectors) != 0).sum(1).float().mean())
