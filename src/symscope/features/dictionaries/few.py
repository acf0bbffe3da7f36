"""Features that vectors have, and none of those they do not have: sums and gradients over them.

Which they are is known only after the product with the whole encoder. Everything else a step does,
forward and backward, then touches few features per vector instead of all. `read` and `summed` have
the values and gradients of `Dictionary.raw` and `decode` at these features, but for the gradient of
the vectors, which training does not need.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from symscope.features.dictionaries.dictionary import Dictionary

AT_ONCE = 2**22
"""How many projections are computed at a time: 16 MiB, which stay in the processor's cache."""


@dataclass(frozen=True)
class Few:
    """Pairs of a vector and a feature it has, by vector: `vectors` and `features`, (pair,).

    The pairs of a vector begin at `starts`, (vector,). `by_feature` orders them by feature, of
    which each begins at `feature_starts`, (feature,).
    """

    vectors: Tensor
    features: Tensor
    starts: Tensor
    by_feature: Tensor
    feature_starts: Tensor


def few(vectors: Tensor, features: Tensor, count: int, size: int) -> Few:
    """The pairs of `count` vectors and `size` features; they come ordered by vector."""
    return Few(
        vectors.int(), features.int(), _starts(vectors, count),
        features.int().argsort(stable=True), _starts(features, size),
    )  # fmt: skip


def _starts(of: Tensor, count: int) -> Tensor:
    numbers = torch.bincount(of, minlength=count)
    return (numbers.cumsum(0) - numbers).int()


def of_each(places: Tensor, size: int) -> Few:
    """The features `places` (vector, k) of each vector."""
    count, k = places.shape
    vectors = torch.arange(count, device=places.device).repeat_interleave(k)
    return few(vectors, places.flatten(), count, size)


def read(dictionary: Dictionary, vectors: Tensor, values: Tensor, pairs: Few) -> Tensor:
    """The projections `values` (pair,), found without gradient, with that of the weights."""
    seen = dictionary.without_bias(vectors).detach()
    encoder = dictionary.encoder.detach()

    def back(given: Tensor) -> tuple[Tensor | None, ...]:
        bias = given.new_zeros(dictionary.size).index_add_(0, pairs.features, given)
        centre = -(encoder @ bias) if dictionary.centred else None
        return _over_vectors(given, seen, pairs).T, bias, centre

    weights = dictionary.encoder, dictionary.encoder_bias, dictionary.bias
    return by_hand(values, back, *weights)


def summed(dictionary: Dictionary, values: Tensor, pairs: Few) -> Tensor:
    """The sum of the features of each vector, each `values` (pair,) times, (vector, width)."""
    sums = embedding_bag(
        pairs.features, dictionary.decoder.detach(), pairs.starts, mode="sum",
        per_sample_weights=values,
    )  # fmt: skip
    amounts = values.detach()
    return by_hand(sums, lambda given: (_over_vectors(amounts, given, pairs),), dictionary.decoder)


def how_many(values: Tensor, pairs: Few) -> Tensor:
    """How many vectors have each feature, (feature,): pairs whose value is 0 do not count."""
    counts = values.new_zeros(len(pairs.feature_starts))
    return counts.index_add_(0, pairs.features, (values != 0).to(values.dtype))


def _over_vectors(amounts: Tensor, rows: Tensor, pairs: Few) -> Tensor:
    """For each feature the sum of the `rows` (vector, width) that have it, (feature, width)."""
    order = pairs.by_feature
    return embedding_bag(
        pairs.vectors[order], rows, pairs.feature_starts, mode="sum",
        per_sample_weights=amounts[order],
    )  # fmt: skip


def by_hand(
    value: Tensor, back: Callable[[Tensor], tuple[Tensor | None, ...]], *weights: Tensor
) -> Tensor:
    """`value` as it is; from its gradient `back` computes those of the `weights`."""
    return _ByHand.apply(value, back, *weights)


class _ByHand(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, back: Callable[..., Any], *_: Tensor) -> Tensor:
        ctx.back = back
        return value.view_as(value)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, given: Tensor) -> Any:
        return given, None, *ctx.back(given)


def portions(vectors: Tensor, size: int) -> tuple[Tensor, ...]:
    """`vectors` in portions with about `AT_ONCE` projections on `size` features."""
    return vectors.split(max(1, AT_ONCE // size))
