"""A sparse dictionary: directions, and how much of each there is in a vector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.featurizer import Featurizer


@dataclass(frozen=True)
class Moment:
    """Where a training stands.

    `dead` says which features have been silent for long, (size,); `warm` is the share of the
    sparsity penalty that counts by now, 0..1.
    """

    dead: Tensor
    warm: float


@dataclass(frozen=True)
class Method:
    """How a dictionary reads vectors and how it is fitted; one per file of this folder.

    `codes` reads vectors (sample, width) as coordinates (sample, size). `parts` are the weights it
    needs besides `decoder` and `bias`, `frozen` those that no gradient moves. A trained method has
    a `loss`, from the batch, what it should give and the moment, with the coordinates found; maybe
    also a `quick` one, for large dictionaries on the CPU, the same with how many vectors have each
    feature, (size,). The others `solve` (dictionary, vectors, targets, steps, seed) in place.
    `sparsity` is the default, None for a method without; it is the number of features of a vector
    where `counted`, else a penalty. `centred` says whether the bias is taken off before reading,
    `resampled` whether dead features start anew, and `signed` whether coordinates can be negative.
    """

    name: str
    codes: "Callable[[Dictionary, Tensor], Tensor]"
    parts: tuple[str, ...] = ("encoder", "encoder_bias")
    loss: "Callable[[Dictionary, Tensor, Tensor, Moment], tuple[Tensor, Tensor]] | None" = None
    quick: "Callable[[Dictionary, Tensor, Tensor, Moment], tuple[Tensor, Tensor]] | None" = None
    solve: "Callable[[Dictionary, Tensor, Tensor | None, int, int], None] | None" = None
    frozen: tuple[str, ...] = ()
    sparsity: float | None = None
    counted: bool = False
    centred: bool = True
    resampled: bool = False
    signed: bool = False


class Dictionary(Featurizer):
    """Vectors ≈ coordinates @ `decoder` + `bias`: the features are the rows of `decoder`.

    `decoder` is (size, width), its rows of length 1 where the dictionary was fitted here; `encoder`
    is (width, size); which other weights there are is up to the method. With `outputs`, a width of
    its own, it is a transcoder: it reads vectors at one place and gives those of another.
    """

    encoder: nn.Parameter
    encoder_bias: nn.Parameter
    decoder: nn.Parameter
    bias: nn.Parameter
    threshold: nn.Parameter
    log_threshold: nn.Parameter
    gate_bias: nn.Parameter
    log_scale: nn.Parameter
    magnitude_bias: nn.Parameter

    def __init__(
        self, width: int, size: int, method: Method, sparsity: float | None = None,
        outputs: int | None = None, centred: bool | None = None,
    ):  # fmt: skip
        super().__init__()
        self.width, self.size, self.method, self.outputs = width, size, method, outputs
        self.sparsity = sparsity_of(method, size, sparsity)
        self.centred = method.centred if centred is None else centred
        if self.centred and outputs is not None:
            raise SymscopeError("the bias of a transcoder is not of the width that it reads")
        given = width if outputs is None else outputs
        shapes = {"encoder": (width, size), "decoder": (size, given), "bias": (given,)}
        for part in ("decoder", "bias", *method.parts):
            start = torch.zeros(shapes.get(part, (size,)))
            setattr(self, part, nn.Parameter(start, requires_grad=part not in method.frozen))

    @property
    def k(self) -> int:
        """How many features a vector has, for methods that count them."""
        return round(self.sparsity or 0)

    def encode(self, vectors: Tensor) -> Tensor:
        """How much of each feature there is; raises `SymscopeError` for another width."""
        if vectors.dim() != 2 or vectors.shape[1] != self.width:
            raise SymscopeError(
                f"vectors of shape {tuple(vectors.shape)}: this dictionary reads (sample,"
                f" {self.width})"
            )
        return self.method.codes(self, vectors.to(self.decoder.dtype))

    def decode(self, coordinates: Tensor) -> Tensor:
        """The sum of the features, each by its coordinate, and the bias."""
        return coordinates @ self.decoder + self.bias

    def swap(self, base: Tensor, source: Tensor, coordinates: Sequence[int]) -> Tensor:
        """As `Featurizer.swap`; a transcoder refuses, its residual is not in what it reads."""
        if self.outputs is not None:
            raise SymscopeError(
                "a transcoder reads one place and writes another: take `encode` of base and source,"
                " and add decode(mixed) - decode(base) to the outputs"
            )
        return super().swap(base, source, coordinates)

    def config(self) -> dict[str, Any]:
        """What the constructor needs to make one of the same shape, the method by its name."""
        return {
            "width": self.width, "size": self.size, "method": self.method.name,
            "sparsity": self.sparsity, "outputs": self.outputs, "centred": self.centred,
        }  # fmt: skip

    def raw(self, vectors: Tensor) -> Tensor:
        """Projections on the encoder's directions before anything is set to zero."""
        return torch.addmm(self.encoder_bias, self.without_bias(vectors), self.encoder)

    def without_bias(self, vectors: Tensor) -> Tensor:
        """The vectors as the encoder sees them."""
        return vectors - self.bias if self.centred else vectors


def sparsity_of(method: Method, size: int, asked: float | None) -> float | None:
    """The sparsity asked for or the method's own; raises `SymscopeError` where it cannot be."""
    if size < 1:
        raise SymscopeError(f"a dictionary of {size} features: 1 or more")
    if method.sparsity is None:
        if asked is not None:
            raise SymscopeError(f"{method.name} has no sparsity to set, {asked} was given")
        return None
    found = method.sparsity if asked is None else asked
    if method.counted and not (found == round(found) and 1 <= found <= size):
        raise SymscopeError(f"{found} features per vector (k): a whole number, 1 to {size}")
    if not found >= 0 or found == float("inf"):
        raise SymscopeError(f"a sparsity penalty of {found}: 0 or more, finite")
    return found
