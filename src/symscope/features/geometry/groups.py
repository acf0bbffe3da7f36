"""Finite groups and their irreducible representations, written out: cyclic, dihedral, symmetric.

Chughtai, Chan & Nanda (2023) read a network's algorithm for composing group elements in these. All
are real and orthogonal. The two-dimensional ones of a cyclic group are irreducible over the real
numbers only: over the complex ones each is two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from symscope.evidence import SymscopeError

LARGEST_SYMMETRIC = 5


@dataclass(frozen=True, eq=False)
class Group:
    """`table[g, h]` is the number of the product gh; element 0 is the identity.

    `irreps` name → matrices (element, d, d). `halves` are those that are two over the complex
    numbers: their characters have mean square 2 instead of 1.
    """

    name: str
    table: np.ndarray
    irreps: Mapping[str, np.ndarray]
    halves: frozenset[str] = frozenset()

    @property
    def order(self) -> int:
        """How many elements there are."""
        return len(self.table)

    @property
    def inverse(self) -> np.ndarray:
        """The number of each element's inverse."""
        return (self.table == 0).argmax(1)

    def characters(self, irrep: str) -> np.ndarray:
        """The trace of each element's matrix, (element,)."""
        return np.trace(self.irreps[irrep], axis1=1, axis2=2)


def cyclic(n: int) -> Group:
    """The residues modulo n; "k" is the rotation by 2πk/n, "sign" (−1)^g for an even n."""
    _at_least(n, 1, "cyclic")
    g = np.arange(n)
    irreps: dict[str, np.ndarray] = {"trivial": np.ones((n, 1, 1))}
    rotations = {str(k): _rotations(2 * np.pi * k * g / n) for k in range(1, (n + 1) // 2)}
    irreps |= rotations
    if n % 2 == 0:
        irreps["sign"] = ((-1.0) ** g)[:, None, None]
    return Group(f"cyclic {n}", (g[:, None] + g) % n, irreps, frozenset(rotations))


def dihedral(n: int) -> Group:
    """The 2n symmetries of a polygon: g < n turns by 2πg/n, n + g reflects first.

    One-dimensional: "trivial", "reflection" (−1 for reflections), and for an even n "turn" (−1 for
    odd turns) and their product "both". "k" is the one of the plane where turns are k-fold.
    """
    _at_least(n, 3, "dihedral")
    turn, flip = np.tile(np.arange(n), 2), np.repeat([0, 1], n)
    # r^a s^e · r^b s^f = r^(a ± b) s^(e + f), as s r = r⁻¹ s
    turns = (turn[:, None] + np.where(flip[:, None] == 1, -turn, turn)) % n
    table = turns + n * ((flip[:, None] + flip) % 2)
    irreps: dict[str, np.ndarray] = {
        "trivial": np.ones((2 * n, 1, 1)),
        "reflection": ((-1.0) ** flip)[:, None, None],
    }
    if n % 2 == 0:
        irreps["turn"] = ((-1.0) ** turn)[:, None, None]
        irreps["both"] = irreps["turn"] * irreps["reflection"]
    mirror = np.where(flip[:, None, None] == 1, np.diag([1.0, -1.0]), np.eye(2))
    for k in range(1, (n + 1) // 2):
        irreps[str(k)] = _rotations(2 * np.pi * k * turn / n) @ mirror
    return Group(f"dihedral {n}", table, irreps)


def symmetric(n: int) -> Group:
    """All n! permutations, n from 2 to 5: gh is h first, and elements are in lexicographic order.

    Each partition of n names one, "3+1" for example, by Young's orthogonal form: the exchange of
    neighbours i and i + 1 has 1/r on the diagonal, r the distance between their boxes in a standard
    tableau, and √(1 − 1/r²) to the tableau with the two exchanged.
    """
    if not 2 <= n <= LARGEST_SYMMETRIC:
        raise SymscopeError(f"symmetric groups of 2 to {LARGEST_SYMMETRIC} things, not {n}")
    elements = list(permutations(range(n)))
    number = {element: i for i, element in enumerate(elements)}
    table = np.array([[number[tuple(g[i] for i in h)] for h in elements] for g in elements])
    swaps = [number[tuple(_exchanged(range(n), i))] for i in range(n - 1)]
    irreps = {}
    for shape in partitions(n):
        generators = _young(shape)
        matrices: dict[int, np.ndarray] = {0: np.eye(len(generators[0]))}
        waiting = [0]
        for g in waiting:  # grows while it is gone through: the group from its generators
            for swap, matrix in zip(swaps, generators, strict=True):
                product = int(table[swap, g])
                if product not in matrices:
                    matrices[product] = matrix @ matrices[g]
                    waiting.append(product)
        name = "trivial" if shape == (n,) else "+".join(map(str, shape))
        irreps[name] = np.stack([matrices[i] for i in range(len(elements))])
    return Group(f"symmetric {n}", table, irreps)


def partitions(n: int, largest: int | None = None) -> list[tuple[int, ...]]:
    """The ways to write n as a sum of positive numbers in falling order.

    >>> partitions(3)
    [(3,), (2, 1), (1, 1, 1)]
    """
    if n == 0:
        return [()]
    first = range(min(n, n if largest is None else largest), 0, -1)
    return [(k, *rest) for k in first for rest in partitions(n - k, k)]


def _tableaux(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Standard tableaux: the row of each of the numbers 0 to n − 1, put in one by one."""
    found: list[tuple[int, ...]] = [()]
    for _ in range(sum(shape)):
        found = [
            (*rows, row)
            for rows in found
            for row in range(len(shape))
            if rows.count(row) < shape[row] and (row == 0 or rows.count(row) < rows.count(row - 1))
        ]
    return found


def _young(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Young's orthogonal matrices of the exchanges of neighbours, (n − 1) of them."""
    tableaux = _tableaux(shape)
    number = {tableau: i for i, tableau in enumerate(tableaux)}
    matrices = []
    for i in range(sum(shape) - 1):
        matrix = np.zeros((len(tableaux),) * 2)
        for tableau, t in number.items():
            distance = _content(tableau, i + 1) - _content(tableau, i)
            matrix[t, t] = 1 / distance
            other = number.get(tuple(_exchanged(tableau, i)))
            if other is not None and other != t:
                matrix[other, t] = np.sqrt(1 - 1 / distance**2)
        matrices.append(matrix)
    return matrices


def _content(tableau: tuple[int, ...], i: int) -> int:
    """Column less row of the box that number i is in."""
    return tableau[:i].count(tableau[i]) - tableau[i]


def _exchanged(row: range | tuple[int, ...], i: int) -> list[int]:
    out = list(row)
    out[i], out[i + 1] = out[i + 1], out[i]
    return out


def _rotations(angles: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(angles), np.sin(angles)
    return np.stack([np.stack([cos, -sin], 1), np.stack([sin, cos], 1)], 1)


def _at_least(n: int, least: int, name: str) -> None:
    if n < least:
        raise SymscopeError(f"a {name} group of {n}: {least} or more")
