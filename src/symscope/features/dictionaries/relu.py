"""ReLU codes with an L1 penalty: the first sparse autoencoders (Bricken et al., 2023).

z = relu((x − b) W + c), x̂ = z D + b, loss ‖x − x̂‖² + λ Σ z, the rows of D of length 1. Dead
features start anew, as published. λ grows from 0 in the warm-up, which is ours.
"""

from torch import Tensor

from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment


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


RELU = Method("relu", codes, loss=loss, sparsity=0.1, resampled=True)
