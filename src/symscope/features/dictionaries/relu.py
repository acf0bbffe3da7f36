"""ReLU codes with an L1 penalty: the first sparse autoencoders (Bricken et al., 2023).

z = relu((x − b) W + c), x̂ = z D + b, loss ‖x − x̂‖² + λ Σ z, the rows of D of length 1. Dead
features start anew, as published. λ grows from 0 in the warm-up, which is ours.
"""

from collections.abc import Iterable
from itertools import chain

import torch
from torch import Tensor

from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment
from symscope.features.dictionaries.few import by_hand, few, how_many, portions, read, summed

MANY = 1 / 8
"""The share of coordinates that are not 0 from which on it is faster to compute with all."""


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """The positive projections."""
    return dictionary.raw(vectors).relu()


def loss(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """Squared error and λ times the sum of the coordinates, means over the batch."""
    found = codes(dictionary, vectors)
    error = (targets - dictionary.decode(found)).square().sum(1).mean()
    assert dictionary.sparsity is not None, "the method has a default"
    return error + moment.warm * dictionary.sparsity * found.sum(1).mean(), found


def quick(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """`loss`, and how many vectors have each feature; on what they have alone if that is little."""
    assert dictionary.sparsity is not None, "the method has a default"
    penalty = moment.warm * dictionary.sparsity / len(vectors)
    parts = portions(vectors, dictionary.size)
    first = _codes(dictionary, parts[0])
    found = chain([first], (_codes(dictionary, part) for part in parts[1:]))
    if int(first.count_nonzero()) < MANY * first.numel():
        return _of_few(dictionary, vectors, targets, found, penalty)
    return _of_all(dictionary, vectors, targets, found, penalty)


@torch.no_grad()
def _codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    return dictionary.raw(vectors).relu_()


def _of_few(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, found: Iterable[Tensor],
    penalty: float,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """From the codes of one portion of the vectors after another, kept where they are not 0."""
    values, rows, places, before = [], [], [], 0
    for portion in found:
        there = portion.flatten().nonzero()[:, 0]
        values.append(portion.flatten()[there])
        rows.append(there // dictionary.size + before)
        places.append(there % dictionary.size)
        before += len(portion)
    pairs = few(torch.cat(rows), torch.cat(places), len(vectors), dictionary.size)
    amounts = read(dictionary, vectors, torch.cat(values), pairs)
    error = targets - (summed(dictionary, amounts, pairs) + dictionary.bias)
    value = error.square().sum(1).mean() + penalty * amounts.sum()
    return value, how_many(amounts.detach(), pairs)


def _of_all(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, found: Iterable[Tensor],
    penalty: float,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """With gradients by hand, since that of the vectors, a whole product, is not needed."""
    weights = dictionary.decoder, dictionary.encoder, dictionary.encoder_bias, dictionary.bias
    decoder, encoder, encoder_bias, bias = slopes = [torch.zeros_like(w) for w in weights]
    value, counts, before = vectors.new_zeros(()), torch.zeros_like(encoder_bias), 0
    with torch.no_grad():
        for codes in found:
            rows = slice(before, before + len(codes))
            error = dictionary.decode(codes) - targets[rows]
            value += error.square().sum() / len(vectors) + penalty * codes.sum()
            error *= 2 / len(vectors)
            slope = torch.addmm(value.new_tensor(penalty), error, dictionary.decoder.T)
            decoder.addmm_(codes.T, error)
            counts += codes.sign_().sum(0)
            slope *= codes
            encoder.addmm_(dictionary.without_bias(vectors[rows]).T, slope)
            encoder_bias += slope.sum(0)
            bias += error.sum(0)
            before = rows.stop
        if dictionary.centred:
            bias -= dictionary.encoder @ encoder_bias
    return by_hand(value, lambda given: tuple(given * s for s in slopes), *weights), counts


RELU = Method("relu", codes, loss=loss, quick=quick, sparsity=0.1, resampled=True)
