"""Functions of two operands that a state could be made of: the words of an explanation.

Those that Engels, Liao et al. (ICLR 2025, section 6) add by hand are among them: tables of an
operand, circles of the operands, their sum and difference, parities, and the sum itself.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from symscope.evidence import SymscopeError
from symscope.features.geometry.circle import circles


def candidates(first: Tensor, second: Tensor, modulus: int) -> dict[str, Tensor]:
    """Name → columns (prompt, column), for a + b modulo `modulus` of operands (prompt,).

    "table of x" has a column for each value, "circle k of x" the cosine and sine of 2πkx / modulus
    for every frequency up to half of the modulus (one column there, if it is even), "parity of x"
    one column of ±1. x is a, b, a + b, a − b; tables are of a, b, the sum and c, the sum modulo
    `modulus`, and parities of these. "carry" is whether the sum reaches the modulus. A constant is
    part of every explanation and is no candidate.
    """
    if modulus < 2 or first.shape != second.shape or first.dim() != 1:
        raise SymscopeError(f"two operands (prompt,) and a modulus of 2 or more, not {modulus}")
    total = first + second
    numbers = {"a": first, "b": second, "a + b": total, "c": total % modulus}
    found = {}
    for name, number in {**numbers, "a − b": first - second}.items():
        if name == "a + b":  # its circles are those of c
            continue
        for frequency in range(1, modulus // 2 + 1):
            columns = circles(number, modulus, (frequency,))
            half = 2 * frequency == modulus  # all sines are 0 there
            found[f"circle {frequency} of {name}"] = columns[:, :1] if half else columns
    for name, number in numbers.items():
        found[f"parity of {name}"] = (1 - 2 * (number % 2)).double()[:, None]
        found[f"table of {name}"] = one_hot(number - int(number.min())).double()
    found["carry"] = (total >= modulus).double()[:, None]
    return varied(found)


def varied(groups: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The groups without those that are the same for all prompts: a constant explains nothing."""
    return {k: v for k, v in groups.items() if bool((v != v[:1]).any())}


def random_functions(number: Tensor, size: int, seed: int = 0) -> Tensor:
    """`size` random functions of a number (prompt,): normal tables, (prompt, size)."""
    values, which = number.unique(return_inverse=True)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(values), size, generator=generator, dtype=torch.float64)[which]
