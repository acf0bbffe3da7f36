"""The shortest sum of products of bits (Quine, 1952; McCluskey, 1956), unseen inputs left open."""

from collections.abc import Sequence

import numpy as np

MOST_BITS = 7
"""With more bits the products, up to 3 to this power, are too many to choose from exactly."""
SECONDS = 5.0
Product = tuple[int, ...]
"""For each bit 1, 0, or 2 where it does not matter."""


def sum_of_products(names: Sequence[str], matrix: np.ndarray, target: np.ndarray) -> str | None:
    """Products of bits and negated bits, joined by `or`, that are the target on all rows.

    The cheapest cover by prime implicants, as an integer program; None where it is not found.
    """
    ones, zeros = matrix[target == 1], matrix[target == 0]
    if not len(ones) or not len(zeros):
        return None
    primes = np.array(_primes(zeros, matrix.shape[1]))
    covers = np.stack([_inside(ones, p) for p in primes], 1)
    useful = covers.any(0)
    chosen = _cheapest_cover(covers[:, useful], primes[useful])
    return None if chosen is None else " or ".join(_written(names, p) for p in chosen)


def _primes(zeros: np.ndarray, bits: int) -> list[Product]:
    """The products that hold on none of `zeros` and from which no bit can be left out."""
    every = (np.arange(2**bits)[:, None] >> np.arange(bits)) & 1
    forbidden = {tuple(row) for row in zeros.tolist()}
    level: set[Product] = {tuple(r) for r in every.tolist() if tuple(r) not in forbidden}
    primes: list[Product] = []
    while level:
        wider: set[Product] = set()
        merged: set[Product] = set()
        for product in level:
            for i in (i for i, bit in enumerate(product) if bit == 0):
                partner = (*product[:i], 1, *product[i + 1 :])
                if partner in level:
                    wider.add((*product[:i], 2, *product[i + 1 :]))
                    merged |= {product, partner}
        primes += sorted(level - merged)
        level = wider
    return primes


def _inside(rows: np.ndarray, product: np.ndarray) -> np.ndarray:
    return np.all((product == 2) | (rows == product), axis=1)


def _cheapest_cover(covers: np.ndarray, primes: np.ndarray) -> np.ndarray | None:
    from scipy.optimize import Bounds, LinearConstraint, milp  # takes long to load

    # a literal is a node, a negation another, and each but the last is joined by one more
    price = 2 * (primes != 2).sum(1) + (primes == 0).sum(1)
    found = milp(
        price,
        integrality=np.ones(len(primes)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(covers.astype(float), 1, np.inf),
        options={"time_limit": SECONDS},
    )
    return None if found.x is None else primes[found.x > 0.5]


def _written(names: Sequence[str], product: np.ndarray) -> str:
    literals = [n if bit else f"not {n}" for n, bit in zip(names, product, strict=True) if bit != 2]
    return " and ".join(literals) or "1"
