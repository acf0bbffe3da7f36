"""The k largest projections of each vector, and no penalty (Gao et al., 2024).

z = relu(TopK((x − b) W + c)), loss ‖x − x̂‖² + ‖e − ê‖² / 32, where ê is what the best dead features
make of the error e (AuxK). A vector has exactly k features unless fewer projections are positive;
the relu is that of their code, not of their equation. b starts at the mean, theirs at the
geometric median.
"""

from torch import Tensor

from symscope.features.dictionaries.dead import auxiliary
from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment


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


TOPK = Method("topk", codes, loss=loss, sparsity=8, counted=True)
