"""Hiding a network that was written by hand, so that no unit shows what the network does.

A `Design` is written in plain coordinates, one per variable. `plant` adds noise coordinates, which
follow the inputs and are never read, and turns the whole space by a random change of basis.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from symscope.alignment import Alignment, Handle, blocks
from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.featurizer import Featurizer, Frame, Rotation
from symscope.intervention.natural import natural_vectors
from symscope.network import Network, logits
from symscope.site import Site
from symscope.task import IGNORE, Task

BASES = ("orthogonal", "invertible", "plain")
Built = tuple[nn.Module, Sequence[Tensor], Sequence[Tensor]]
"""A module, its writers and its readers: views of weights whose last axis is the hidden space."""


@dataclass(frozen=True, eq=False)
class Decoy:
    """A claim that is false: `size` dimensions of `site` as the place of a program's variable."""

    program: str
    variable: str
    site: Site
    size: int = 1


@dataclass(frozen=True, eq=False)
class Design:
    """A network in plain coordinates, with the claims about it that are true and that are not.

    `build(width, noise, generator)` gives the module and the weights through which its hidden
    space is written and read; the first `coordinates` dimensions of that space are the named ones,
    the next are noise. `true` maps each variable to its site and coordinates there, `decoys` a
    reason to a false claim.
    """

    task: Task
    program: str
    build: Callable[[int, int, torch.Generator], Built]
    coordinates: int
    true: Mapping[str, tuple[Site, tuple[int, ...]]]
    decoys: Mapping[str, Decoy]
    answer: Callable[[Tensor], Tensor] = logits


@dataclass(frozen=True, eq=False)
class Planted:
    """A network whose program is known, the true alignment, and false ones.

    Every decoy is an alignment to start a search from: a random rotation at the claimed site.
    """

    network: Network
    task: Task
    alignment: Alignment
    decoys: Mapping[str, Alignment]

    def claimed(self, variable: str, seed: int = 0) -> Alignment:
        """The true claim about `variable` as a search starts: right site and size, random axes."""
        handle = self.alignment[variable]
        size = len(handle.coordinates)
        start = Rotation(handle.featurizer.width, size, seed)
        return blocks(self.alignment.program, handle.site, start, {variable: size})


def plant(
    design: Design, noise: int = 4, seed: int = 0, basis: str = "orthogonal",
    width: int | None = None,
) -> Planted:  # fmt: skip
    """The network of `design`, hidden by a random `basis` among `noise` noise coordinates.

    An "invertible" basis has a condition number of at most 9; no rotation can undo it. `width`
    may be larger than coordinates and noise need; the rest stays 0. Raises `SymscopeError` where
    it is smaller, and where the hidden network does not do the task without a mistake.
    """
    if basis not in BASES:
        raise UnknownName("basis", basis, BASES)
    needed = design.coordinates + noise
    width = needed if width is None else width
    if noise < 0 or width < needed:
        raise SymscopeError(
            f"{design.task.name} with {noise} noise units does not fit into {width} dimensions:"
            f" width {needed} is the smallest"
        )
    generator = torch.Generator().manual_seed(seed)
    module, writers, readers = design.build(width, noise, generator)
    matrix = change_of_basis(width, basis, generator)
    turn(writers, readers, matrix)
    network = Network(module, answer=design.answer)
    require_perfect(network, design.task, seed)
    featurizer: Featurizer = Frame(width, width, matrix=matrix)
    if basis != "invertible":
        featurizer = Rotation(width, width, start=matrix)
    handles = {v: Handle(site, featurizer, at) for v, (site, at) in design.true.items()}
    example = design.task.sample(2, generator)
    decoys = {}
    for why, decoy in design.decoys.items():
        stepped = design.task.program.stepped and decoy.site.position is None
        site = decoy.site.at(0) if stepped else decoy.site
        start = Rotation(natural_vectors(network, example, site).shape[1], decoy.size, seed)
        decoys[why] = blocks(decoy.program, decoy.site, start, {decoy.variable: decoy.size})
    return Planted(network, design.task, Alignment(design.program, handles), decoys)


def change_of_basis(width: int, basis: str, generator: torch.Generator) -> Tensor:
    """Plain to hidden coordinates as a (width, width) matrix of the kind that `basis` names."""
    if basis == "plain":
        return torch.eye(width)
    left, right = (
        torch.linalg.qr(torch.randn(width, width, generator=generator).double()).Q.float()
        for _ in range(2)
    )
    if basis == "orthogonal":
        return left
    return left @ torch.diag(3 ** (2 * torch.rand(width, generator=generator) - 1)) @ right


def turn(writers: Sequence[Tensor], readers: Sequence[Tensor], matrix: Tensor) -> None:
    """Rewrite the weights so that the hidden vector h becomes `matrix` · h, all else alike."""
    inverse = torch.linalg.inv(matrix.double()).float()
    with torch.no_grad():
        for weight in writers:
            weight.copy_(weight @ matrix.T)
        for weight in readers:
            weight.copy_(weight @ inverse)


def require_perfect(network: Network, task: Task, seed: int = 0) -> None:
    """Raises `SymscopeError` unless the network answers all of the task's gate right."""
    inputs = task.gate(torch.Generator().manual_seed(seed))
    target = task.correct(inputs)
    with torch.no_grad():
        found = network.run(inputs).output.argmax(-1)
    wrong = int(((found != target) & (target != IGNORE)).sum())
    if wrong:
        raise SymscopeError(
            f"noise or basis destroy the behaviour: {wrong} of {target.numel()} answers of"
            f" {task.name} are wrong; use less noise or another width"
        )
