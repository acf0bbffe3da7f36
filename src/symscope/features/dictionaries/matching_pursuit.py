"""Greedy selection: k times the feature that fits best what is left (MP-SAE, Costa et al., 2025).

From r = x − b, each of k steps takes the feature with the largest r · d, adds r · d to its
coordinate and takes (r · d) d off r, so that the length of r never grows. The decoder is the
encoder. Ours: a step without a positive r · d changes nothing, which keeps coordinates positive;
a feature may be taken twice; dead features start anew.
"""

from torch import Tensor

from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """What k steps took of each feature."""
    return pursued(dictionary, vectors)[0]


def pursued(dictionary: Dictionary, vectors: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The coordinates, and what was left before the first step and after each, (sample, width)."""
    left = [dictionary.without_bias(vectors)]
    found = vectors.new_zeros(len(vectors), dictionary.size)
    lengths = dictionary.decoder.square().sum(1)  # 1 where it was fitted here
    for _ in range(dictionary.k):
        value, place = (left[-1] @ dictionary.decoder.T).max(1, keepdim=True)
        taken = value.relu() / lengths[place[:, 0]][:, None]
        found = found.scatter_add(1, place, taken)
        left.append(left[-1] - taken * dictionary.decoder[place[:, 0]])
    return found, left


def loss(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """The squared length of what is left; `targets` are the vectors."""
    found, left = pursued(dictionary, vectors)
    return left[-1].square().sum(1).mean(), found


MATCHING_PURSUIT = Method(
    "matching_pursuit", codes, (), loss=loss, sparsity=8, counted=True, resampled=True
)
