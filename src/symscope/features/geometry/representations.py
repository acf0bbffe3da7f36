"""Which irreducible representations of a group does a network use to compose its elements?

After Chughtai, Chan & Nanda (2023): embeddings are made of a representation's matrix elements, and
the logit of c on a, b is its character at a b c⁻¹. For a cyclic group these are the waves of
`spectrum`.
"""

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.features.geometry.cloud import finite
from symscope.features.geometry.groups import Group

PERMUTATIONS, LEVEL = 200, 0.99


def representation_spectrum(group: Group, table: Tensor) -> dict[str, float]:
    """Irrep → the share of the variance of the elements' vectors (element, width) it explains.

    By regression on its matrix elements. Those of different irreps are orthogonal, so shares add up
    to 1; the trivial one is the mean and is left out. A random table gives each its share of the
    |G| − 1 dimensions, d² of them (2 for the rotations of a cyclic group).
    """
    numbers = finite(table)
    if len(numbers) != group.order:
        raise SymscopeError(f"{len(numbers)} vectors for the {group.order} elements")
    centred = numbers - numbers.mean(0)
    whole = (centred**2).sum()
    if not whole > 1e-24 * max(1.0, (numbers**2).sum()):
        raise SymscopeError("all elements have the same vector: there is nothing to explain")
    return {name: float(((basis.T @ centred) ** 2).sum() / whole)
            for name, basis in _bases(group).items()}  # fmt: skip


def key_representations(
    group: Group, table: Tensor, level: float = LEVEL, seed: int = 0
) -> tuple[str, ...]:
    """Irreps that explain more than they would by chance, the strongest first.

    Chance is the same vectors for other elements: of 200 permutations, the largest excess of any
    irrep's share over its share of the dimensions; its quantile `level` has to be passed.
    """
    bases = _bases(group)
    fair = {name: basis.shape[1] / (group.order - 1) for name, basis in bases.items()}
    order = np.random.default_rng(seed)

    def excess(rows: np.ndarray) -> dict[str, float]:
        found = representation_spectrum(group, table[rows])
        return {name: share - fair[name] for name, share in found.items()}

    most = [max(excess(order.permutation(group.order)).values()) for _ in range(PERMUTATIONS)]
    floor = float(np.quantile(most, level))
    found = excess(np.arange(group.order))
    return tuple(n for n in sorted(found, key=lambda n: -found[n]) if found[n] > floor)


def character_shares(group: Group, logits: Tensor) -> dict[str, float]:
    """Irrep → the share of the variance of logits (a, b, c) that its character at a b c⁻¹ explains.

    Logits are centred over c first, as answers depend on their differences alone. Characters of
    different irreps are orthogonal, so shares add up to at most 1, and 1 − their sum is what
    nothing of this kind explains.
    """
    size = group.order
    numbers = logits.detach().cpu().double().numpy()
    if numbers.shape != (size,) * 3 or not np.isfinite(numbers).all():
        raise SymscopeError(f"logits are (a, b, c) over {size} elements, and finite numbers")
    centred = numbers - numbers.mean(2, keepdims=True)
    whole = (centred**2).sum()
    quotient = group.table[group.table[:, :, None], group.inverse]
    found = {}
    for name in group.irreps:
        if name != "trivial":
            wave = group.characters(name)[quotient]
            found[name] = float((wave * centred).sum() ** 2 / ((wave**2).sum() * whole))
    return found


def with_representations(
    group: Group, table: Tensor, irreps: tuple[str, ...], keep: bool = True
) -> Tensor:
    """The elements' vectors with the parts of these irreps alone, or without; the mean stays."""
    bases = _bases(group)
    for name in irreps:
        if name not in bases:
            raise SymscopeError(f"no irrep {name!r} of {group.name}: there is {list(bases)}")
    numbers = finite(table)
    mean = numbers.mean(0)
    part = sum((bases[n] @ (bases[n].T @ (numbers - mean)) for n in irreps), 0 * numbers)
    return torch.from_numpy(mean + part if keep else numbers - part).to(table.dtype)


def _bases(group: Group) -> dict[str, np.ndarray]:
    """An orthonormal basis of each irrep's matrix elements, (element, dimensions)."""
    found = {}
    for name, matrices in group.irreps.items():
        if name == "trivial":
            continue
        left, size, _ = np.linalg.svd(matrices.reshape(group.order, -1), full_matrices=False)
        found[name] = left[:, size > 1e-9 * size[0]]
    return found
