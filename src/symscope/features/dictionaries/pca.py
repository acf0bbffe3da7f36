"""The principal axes as a dictionary: the baseline that any sparse one is held against."""

from torch import Tensor

from symscope import featurizer
from symscope.features.dictionaries.dictionary import Dictionary, Method


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """Projections; nothing is set to zero."""
    return dictionary.without_bias(vectors) @ dictionary.encoder


def solve(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor | None, steps: int, seed: int
) -> None:
    """The axes of the largest variance, the widest first, and the mean as bias."""
    found = featurizer.PCA(dictionary.width, dictionary.size, vectors)
    dictionary.encoder.copy_(found.axes)
    dictionary.decoder.copy_(found.axes.T)
    dictionary.bias.copy_(found.mean)


PCA = Method("pca", codes, ("encoder",), solve=solve, signed=True)
