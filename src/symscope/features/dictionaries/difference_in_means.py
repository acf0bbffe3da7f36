"""From the mean of one class to that of another: the baseline where labels are known.

One feature for each class but the first, in the order of their values: the direction from the first
class's mean to its own. Coordinates are those of the features' span (its pseudo-inverse), counted
from the mean of the first class.
"""

import math

import torch
from torch import Tensor

from symscope.conditioning import conditioned
from symscope.evidence import SymscopeError
from symscope.features.dictionaries.dictionary import Dictionary, Method
from symscope.features.dictionaries.pca import codes


def solve(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor | None, steps: int, seed: int
) -> None:
    """Features of length 1; `targets` are the labels, (sample,), of size + 1 classes."""
    if targets is None or targets.shape != (len(vectors),):
        raise SymscopeError("difference_in_means needs targets: one label per vector, (sample,)")
    classes = targets.unique()
    if len(classes) != dictionary.size + 1:
        raise SymscopeError(
            f"{len(classes)} classes have {len(classes) - 1} differences, not {dictionary.size}:"
            " give that as size"
        )
    means = torch.stack([vectors[targets == c].mean(0) for c in classes])
    features = torch.nn.functional.normalize(means[1:] - means[0], dim=1)
    without = "leave out a class whose mean lies between those of others"
    conditioned(features, "the set of directions between class means", without, math.inf)
    dictionary.decoder.copy_(features)
    dictionary.encoder.copy_(torch.linalg.pinv(features))
    dictionary.bias.copy_(means[0])


DIFFERENCE_IN_MEANS = Method("difference_in_means", codes, ("encoder",), solve=solve, signed=True)
