"""The k largest projections of each vector, and no penalty (Gao et al., 2024).

z = relu(TopK((x − b) W + c)), loss ‖x − x̂‖² + ‖e − ê‖² / 32, where ê is what the best dead features
make of the error e (AuxK). A vector has exactly k features unless fewer projections are positive;
the relu is that of their code, not of their equation. b starts at the mean, theirs at the
geometric median.
"""

import torch
from torch import Tensor

from symscope.features.dictionaries.dead import auxiliary, spare, spared
from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment
from symscope.features.dictionaries.few import how_many, of_each, portions, read, summed


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """The k largest projections, the others 0."""
    return largest(dictionary.raw(vectors), dictionary.k)


def largest(raw: Tensor, k: int) -> Tensor:
    """`raw` (sample, size) with all but the k largest of each row, and negative ones, at 0."""
    values, places = raw.topk(k, 1)
    return raw.new_zeros(raw.shape).scatter(1, places, values.relu())


def loss(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """Squared error, and that of the error itself in dead features."""
    raw = dictionary.raw(vectors)
    found = largest(raw, dictionary.k)
    error = targets - dictionary.decode(found)
    return error.square().sum(1).mean() + auxiliary(dictionary, raw, error, moment.dead), found


def quick(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """`loss` on the k features of each vector alone, and how many vectors have each feature."""
    chosen, others = [], []
    with torch.no_grad():
        for rows in portions(vectors, dictionary.size):
            raw = dictionary.raw(rows)
            chosen.append(raw.topk(dictionary.k, 1, sorted=False))
            others.append(spare(raw, moment.dead, targets.shape[1]))
    values, places = (torch.cat(parts) for parts in zip(*chosen, strict=True))
    pairs = of_each(places, dictionary.size)
    found = read(dictionary, vectors, values.flatten(), pairs).relu()
    error = targets - (summed(dictionary, found, pairs) + dictionary.bias)
    value = error.square().sum(1).mean() + spared(dictionary, vectors, others, error)
    return value, how_many(found.detach(), pairs)


TOPK = Method("topk", codes, loss=loss, quick=quick, sparsity=8, counted=True)
