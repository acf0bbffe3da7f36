"""Coordinates at a site: ways to write a vector as numbers that can be swapped one by one."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from symscope.conditioning import HOPELESS, conditioned, warn_of_arbitrary_axes, warn_of_half_turns
from symscope.evidence import ComputationFailed, SymscopeError


class Featurizer(nn.Module, ABC):
    """`encode` (batch, width) → (batch, size) and `decode` back.

    What `decode` cannot express, the residual, stays as it was in a swap. Subclasses are final.
    """

    width: int
    size: int

    @abstractmethod
    def encode(self, vectors: Tensor) -> Tensor:
        """The coordinates of `vectors`."""

    @abstractmethod
    def decode(self, coordinates: Tensor) -> Tensor:
        """The vectors that have these coordinates and no residual."""

    def swap(self, base: Tensor, source: Tensor, coordinates: Sequence[int]) -> Tensor:
        """`base` with the given coordinates taken from `source`, the rest and the residual kept."""
        z = self.encode(base)
        mixed = z.clone()
        mixed[:, coordinates] = self.encode(source)[:, coordinates]
        return base + self.decode(mixed) - self.decode(z)

    def config(self) -> dict[str, int]:
        """What the constructor needs to make one of the same shape."""
        return {"width": self.width, "size": self.size}


class Identity(Featurizer):
    """Every unit is its own coordinate: the plain full-site or single-neuron interchange."""

    def __init__(self, width: int, size: int | None = None):
        super().__init__()
        self.width, self.size = width, width
        if size not in (None, width):
            raise SymscopeError(f"Identity has as many coordinates as units: {width}, not {size}")

    def encode(self, vectors: Tensor) -> Tensor:
        """The vectors themselves."""
        return vectors

    def decode(self, coordinates: Tensor) -> Tensor:
        """The vectors themselves."""
        return coordinates


class Mask(Featurizer):
    """An axis-aligned choice of units: a coordinate for each, the other units are residual."""

    units: Tensor

    def __init__(self, width: int, size: int, units: Sequence[int] | None = None):
        super().__init__()
        _check_size(width, size)
        self.width, self.size = width, size
        chosen = torch.as_tensor(list(units) if units is not None else range(size))
        if len(set(chosen.tolist())) != size or not 0 <= int(chosen.min()) <= chosen.max() < width:
            raise SymscopeError(
                f"a mask of size {size} needs {size} different units of 0..{width - 1}"
            )
        self.register_buffer("units", chosen)

    def encode(self, vectors: Tensor) -> Tensor:
        """The chosen units."""
        return vectors[:, self.units]

    def decode(self, coordinates: Tensor) -> Tensor:
        """Zero outside the chosen units."""
        vectors = coordinates.new_zeros(len(coordinates), self.width)
        return vectors.index_copy(1, self.units, coordinates)


class Rotation(Featurizer):
    """The first `size` axes of a rotation: distributed alignment search (Geiger et al., 2023).

    A low-rank rotation is the Q of a (width, size) matrix's QR factorisation, which spans the same
    subspaces as torch's `orthogonal` parametrisation at a small part of its cost; a full one is
    Q₀ (I − S)(I + S)⁻¹ with S skew-symmetric (Cayley), for which QR has a worse gradient. The start
    is uniform over rotations, drawn from `seed`; `start` (width, size) gives another one.
    """

    start: Tensor

    def __init__(self, width: int, size: int, seed: int = 0, start: Tensor | None = None):
        super().__init__()
        _check_size(width, size)
        self.width, self.size = width, size
        if start is None:
            start = torch.randn(width, size, generator=torch.Generator().manual_seed(seed))
        start = _orthonormal(start)
        full = size == width
        self.register_buffer("start", start if full else torch.empty(0))
        self.weight = nn.Parameter(torch.zeros(width, width) if full else start)

    def axes(self, coordinates: Sequence[int] | None = None) -> Tensor:
        """The orthonormal axes, or those of some coordinates, as columns, (width, size)."""
        chosen = slice(None) if coordinates is None else coordinates
        if self.size < self.width:
            return _orthonormal(self.weight)[:, chosen]
        upper = self.weight.triu(1)
        eye = torch.eye(self.width, dtype=upper.dtype, device=upper.device)
        # (I − S)(I + S)⁻¹ = 2 (I + S)⁻¹ − I, so only the columns that are asked for are solved for.
        wanted, plus = eye[:, chosen], eye + upper - upper.T
        warn_of_half_turns(plus)
        return self.start @ (2 * torch.linalg.solve(plus, wanted) - wanted)

    def encode(self, vectors: Tensor) -> Tensor:
        """Projections on the axes."""
        return vectors @ self.axes()

    def decode(self, coordinates: Tensor) -> Tensor:
        """The point of the axes' span with these projections."""
        return coordinates @ self.axes().T

    def swap(self, base: Tensor, source: Tensor, coordinates: Sequence[int]) -> Tensor:
        """As `Featurizer.swap`, with one factorisation instead of four."""
        axes = self.axes(coordinates if len(coordinates) < self.size else None)
        return base + (source - base) @ axes @ axes.T


class Linear(Featurizer):
    """Any invertible linear map: linear alignment function (Grant et al., 2025, public code).

    z = (h + b) W with W = (M Mᵀ + 0.1 I) diag(tanh a + 0.1 sign a), M ~ N(0, 1/width) and
    a ~ 0.01 N(0, 1). More flexible than a rotation, hence in need of the untrained-network control.
    """

    def __init__(self, width: int, size: int, seed: int = 0):
        super().__init__()
        if size != width:
            raise SymscopeError(f"Linear has as many coordinates as units: {width}, not {size}")
        self.width, self.size = width, size
        generator = torch.Generator().manual_seed(seed)
        self.mixing = nn.Parameter(torch.randn(width, width, generator=generator) * width**-0.5)
        self.scale = nn.Parameter(0.01 * torch.randn(width, generator=generator))
        self.offset = nn.Parameter(torch.zeros(width))

    def matrix(self) -> Tensor:
        """W; raises `ComputationFailed` when its condition number is above 1e6."""
        eye = torch.eye(self.width, dtype=self.mixing.dtype, device=self.mixing.device)
        scale = self.scale.tanh() + 0.1 * self.scale.sign()
        w = (self.mixing @ self.mixing.T + 0.1 * eye) * scale
        condition = conditioned(w, "the linear map", "lower the rate")
        if not condition < HOPELESS:
            raise ComputationFailed(f"the linear map is ill-conditioned: {condition:.2g} > 1e6")
        return w

    def encode(self, vectors: Tensor) -> Tensor:
        """(h + b) W."""
        return (vectors + self.offset) @ self.matrix()

    def decode(self, coordinates: Tensor) -> Tensor:
        """z W⁻¹ − b."""
        return torch.linalg.solve(self.matrix(), coordinates, left=False) - self.offset


class Frame(Featurizer):
    """A known basis: the columns of an invertible `matrix` (width, width), nothing to fit."""

    matrix: Tensor
    inverse: Tensor

    def __init__(self, width: int, size: int, matrix: Tensor | None = None):
        super().__init__()
        if size != width:
            raise SymscopeError(f"Frame has as many coordinates as units: {width}, not {size}")
        self.width, self.size = width, size
        matrix = torch.eye(width) if matrix is None else matrix
        square = matrix.shape == (width, width)
        if not square or not conditioned(matrix, "the frame", "give it in float64") < HOPELESS:
            raise SymscopeError(f"a frame needs an invertible {width} × {width} matrix")
        self.register_buffer("matrix", matrix)
        self.register_buffer("inverse", torch.linalg.inv(matrix.double()).to(matrix.dtype))

    def encode(self, vectors: Tensor) -> Tensor:
        """The coordinates in this basis."""
        return vectors @ self.inverse.T

    def decode(self, coordinates: Tensor) -> Tensor:
        """The vectors with these coordinates."""
        return coordinates @ self.matrix.T


class PCA(Featurizer):
    """The principal axes of a set of vectors, the widest first."""

    mean: Tensor
    axes: Tensor

    def __init__(self, width: int, size: int, vectors: Tensor | None = None):
        super().__init__()
        _check_size(width, size)
        self.width, self.size = width, size
        mean, axes = torch.zeros(width), torch.eye(width, size)
        if vectors is not None:
            mean, few = vectors.mean(0), len(vectors) < width  # if not few, U takes n² numbers
            _, sizes, found = torch.linalg.svd(vectors - mean, full_matrices=few)
            warn_of_arbitrary_axes(size, vectors, sizes)
            axes = found[:size].T.contiguous()
        self.register_buffer("mean", mean)
        self.register_buffer("axes", axes)

    def encode(self, vectors: Tensor) -> Tensor:
        """Projections of the centred vectors on the axes."""
        return (vectors - self.mean) @ self.axes

    def decode(self, coordinates: Tensor) -> Tensor:
        """The point of the axes' plane with these projections."""
        return coordinates @ self.axes.T + self.mean


class Reversible(Featurizer):
    """An invertible non-linear map: coupling blocks between fixed random rotations.

    Each of three blocks adds f(second half) to the first half and then g(first) to the second, f
    and g perceptrons with one hidden layer (Dinh et al., 2015). So flexible a map aligns almost
    anything (Sutter et al., 2025): a caution, not a method.
    """

    turns: Tensor

    def __init__(self, width: int, size: int, seed: int = 0):
        super().__init__()
        if size != width or width < 2:
            raise SymscopeError(f"Reversible needs all of 2 or more units: {width}, not {size}")
        self.width, self.size, self.cut = width, size, width // 2
        generator = torch.Generator().manual_seed(seed)
        turns = torch.linalg.qr(torch.randn(3, width, width, generator=generator)).Q
        self.register_buffer("turns", turns)
        sides = [(width - self.cut, self.cut), (self.cut, width - self.cut)] * 3
        self.first, self.second = nn.ParameterList(), nn.ParameterList()
        for reads, writes in sides:
            scale = reads**-0.5
            self.first.append(torch.randn(reads, 4 * width, generator=generator) * scale)
            self.second.append(torch.zeros(4 * width, writes))

    def _added(self, index: int, half: Tensor) -> Tensor:
        return torch.tanh(half @ self.first[index]) @ self.second[index]

    def encode(self, vectors: Tensor) -> Tensor:
        """The map."""
        for block, turn in enumerate(self.turns):
            turned = vectors @ turn
            left, right = turned[:, : self.cut], turned[:, self.cut :]
            left = left + self._added(2 * block, right)
            right = right + self._added(2 * block + 1, left)
            vectors = torch.cat([left, right], 1)
        return vectors

    def decode(self, coordinates: Tensor) -> Tensor:
        """Its inverse."""
        for block in reversed(range(len(self.turns))):
            left, right = coordinates[:, : self.cut], coordinates[:, self.cut :]
            right = right - self._added(2 * block + 1, left)
            left = left - self._added(2 * block, right)
            coordinates = torch.cat([left, right], 1) @ self.turns[block].T
        return coordinates


FEATURIZERS: dict[str, type[Featurizer]] = {
    "identity": Identity, "mask": Mask, "rotation": Rotation, "linear": Linear,
    "frame": Frame, "pca": PCA, "reversible": Reversible,
}  # fmt: skip


def _check_size(width: int, size: int) -> None:
    if not 1 <= size <= width:
        raise SymscopeError(f"a subspace of {size} does not fit: choose 1 to {width} (the width)")


def _orthonormal(columns: Tensor) -> Tensor:
    return torch.linalg.qr(columns).Q
