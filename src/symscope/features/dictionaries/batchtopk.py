"""The k · batch largest projections of a whole batch, so that vectors differ in how many they have.

Bussmann et al. (2024). In training the batch decides; afterwards a projection counts where it is
above `threshold`, the running mean (0.99 kept) of the smallest one that counted, so that a vector's
codes do not depend on its neighbours. Dead features as in top-k.
"""

import torch
from torch import Tensor

from symscope.features.dictionaries.dead import auxiliary
from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment

KEPT = 0.99


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """The projections above the threshold, and above 0."""
    raw = dictionary.raw(vectors).relu()
    return raw * (raw > dictionary.threshold)


def loss(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """Squared error, and that of the error itself in dead features; moves the threshold."""
    raw = dictionary.raw(vectors)
    positive = raw.relu()
    values, places = positive.flatten().topk(dictionary.k * len(vectors))
    found = torch.zeros_like(positive).flatten().scatter(0, places, values).view_as(positive)
    error = targets - dictionary.decode(found)
    with torch.no_grad():
        _follow(dictionary, values[values > 0])
    return error.square().sum(1).mean() + auxiliary(dictionary, raw, error, moment.dead), found


def _follow(dictionary: Dictionary, counted: Tensor) -> None:
    threshold = dictionary.threshold
    if len(counted):
        first = not bool(threshold.any())
        threshold.copy_(counted.min() if first else KEPT * threshold + (1 - KEPT) * counted.min())


BATCHTOPK = Method(
    "batchtopk", codes, ("encoder", "encoder_bias", "threshold"), loss=loss,
    frozen=("threshold",), sparsity=8, counted=True,
)  # fmt: skip
