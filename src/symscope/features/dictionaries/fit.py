"""From vectors to a dictionary: one call for every method."""

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.features.dictionaries.check import fit_to_fit
from symscope.features.dictionaries.dictionary import Dictionary
from symscope.features.dictionaries.methods import empty, method_of
from symscope.features.dictionaries.training import DEFAULT, Training, Vectors, trained


def fit_dictionary(
    vectors: Vectors, method: str = "topk", *, size: int, sparsity: float | None = None,
    targets: Tensor | None = None, training: Training = DEFAULT, seed: int = 0,
) -> Dictionary:  # fmt: skip
    """A dictionary of `size` features of `vectors` (sample, width), or of a stream of batches.

    `sparsity` is the number of features per vector, k, for "topk", "batchtopk" and
    "matching_pursuit", and the penalty λ for "relu", "gated", "jumprelu" and "transcoder", for
    vectors at a root mean square distance of 1 from their mean. `targets` are what a "transcoder"
    shall give (sample, outputs), and the labels (sample,) of "difference_in_means". Methods that
    are not trained take from `training` only `steps` ("semi_nmf", "ica"), and no stream.
    A stream is anything that gives the same batches, (batch, width), each time it is read, see
    `streamed`; it is read as often as the steps need, and its first batch gives mean and scale.
    Vectors in float64 are fitted in float64, all others in float32.

    Raises `UnknownName` for another method, and `SymscopeError` for vectors that are not finite,
    all the same or fewer than a batch, a size or a sparsity that cannot be, and targets that are
    missing or not asked for.
    """
    chosen = method_of(method)
    first = _first(vectors, training.batch if chosen.loss else 2)
    width = first.shape[1]
    outputs = _outputs(first, targets, method)
    dictionary = empty(width, size, method, sparsity, outputs).to(first)
    if chosen.solve is None:
        given = targets if targets is None else fit_to_fit(targets, 2, "targets").to(first)
        return trained(dictionary, vectors, first, given, training, seed)
    if not isinstance(vectors, Tensor):
        raise SymscopeError(f"{method} needs all vectors at once, (sample, width), no stream")
    with torch.no_grad():
        chosen.solve(dictionary, first, targets, training.steps, seed)
    return dictionary


def _first(vectors: Vectors, batch: int) -> Tensor:
    """All vectors, or the first batch of a stream, if something can be fitted on them."""
    if isinstance(vectors, Tensor):
        return fit_to_fit(vectors, batch)
    batches = iter(vectors)
    if batches is vectors:
        raise SymscopeError(
            "an iterator can be read once only; give what can be read again, as `streamed` does"
        )
    first = next(batches, None)
    if first is None:
        raise SymscopeError("the stream gives no vectors")
    return fit_to_fit(first, 2)


def _outputs(vectors: Tensor, targets: Tensor | None, method: str) -> int | None:
    """The width of what a transcoder gives; None for the other methods."""
    if method != "transcoder":
        if targets is not None and method != "difference_in_means":
            raise SymscopeError(f"{method} gives the vectors back: it takes no targets")
        return None
    if targets is None or targets.dim() != 2 or len(targets) != len(vectors):
        raise SymscopeError(
            f"a transcoder needs targets, one vector for each of the {len(vectors)} it reads"
        )
    return targets.shape[1]
