"""Perceptrons written by hand for the functions beside the L1 norm, two algorithms for each.

Our choice throughout. Each algorithm is the program of that name (`programs/functions.py`) in
positive parts, which ReLU computes exactly; a sum of squares is followed by straight pieces.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.generate.by_hand import Blueprint, Design, enough, gains, kinks, written
from symscope.models.perceptron import Weights, checked_sizes
from symscope.programs.functions import cosine_basis
from symscope.tasks.functions import function

Kink = tuple[tuple[float, ...], float, tuple[float, ...]]
"""(direction, threshold, slopes): slope · max(direction · x − threshold, 0), a slope per output."""
_FURTHEST = 3.0
"""No kink of a square lies as far out."""
_MODULUS = 3


def by_hand_other(
    name: str, algorithm: str, sizes: tuple[int, ...], seed: int, noise: float = 0.0,
    activation: str = "relu",
) -> Weights:  # fmt: skip
    """A network of `sizes` (inputs, hidden, outputs) for the standardised function `name`.

    Units that the algorithm does not take are filled, and `noise` comes in, as with the L1 norm
    (`by_hand.written`). With ReLU, no noise and no spare units the function is exact, and faint
    spare units cost less than .01 of mean squared error; so does a sum of squares, which is never
    exact, from six units for each input on. Kinks on either side of an integer bear little noise.
    Raises `SymscopeError` where units do not suffice, and for sizes of another function.
    """
    if name not in BY_HAND:
        raise UnknownName("function by hand", name, BY_HAND)
    if algorithm not in BY_HAND[name]:
        raise UnknownName(f"algorithm for {name}", algorithm, BY_HAND[name])
    found = checked_sizes(sizes)
    task = function(name).at(found[0])
    if len(found) != 3 or found[2] != task.outputs:
        raise SymscopeError(
            f"sizes {found}: {task.name} is written as ({task.inputs}, hidden, {task.outputs})"
        )
    return written(BY_HAND[name][algorithm], task, found[1], seed, noise, activation)


def _of_kinks(
    name: str, needed: Sequence[Kink], inputs: int, hidden: int, generator: torch.Generator
) -> Blueprint:
    """A unit for each, in units of the function's spread."""
    enough(len(needed), hidden, f"{name} by this algorithm")
    directions, thresholds, slopes = (
        torch.tensor(column).double() for column in zip(*needed, strict=True)
    )
    gain = gains(len(needed), generator)
    return kinks(directions.T, slopes / function(name).scale, thresholds, gain)


def _hats(inputs: int, hidden: int, generator: torch.Generator) -> Blueprint:
    """A part of three units for each pair of residues whose answer is not 0.

    The pair (a, b) has the number v = m a + b; its hat is 1 at v and 0 at the other numbers.
    """
    m, needed = _MODULUS, []
    for v in range(m * m):
        answer = float((v // m + v % m) % m)
        for step, slope in ((-1.0, answer), (0.0, -2 * answer), (1.0, answer)):
            needed += [((float(m), 1.0), v + step, (slope,))] if answer else []
    units = _of_kinks("modular_addition", needed, inputs, hidden, generator)
    return units._replace(part=units.part // 3)


def _squared(turned: bool, inputs: int, hidden: int, generator: torch.Generator) -> Blueprint:
    """Σ z²: each coordinate, to both sides of 0, by straight pieces of equal length."""
    enough(2 * inputs, hidden, f"sum_of_squares of {inputs} inputs")
    pieces = hidden // (2 * inputs)
    length = _FURTHEST / max(pieces, 2)
    basis = cosine_basis(inputs) if turned else torch.eye(inputs).double()
    starts = length * torch.arange(pieces).double()
    slopes = torch.where(starts > 0, 2 * length, length)
    count = 2 * inputs
    directions = torch.cat([basis, -basis], 1).repeat_interleave(pieces, 1)
    scale = function("sum_of_squares", inputs).scale
    return kinks(directions, slopes.repeat(count)[:, None] / scale, starts.repeat(count),
                 gains(count * pieces, generator))  # fmt: skip


_KINKS: Mapping[str, Mapping[str, Sequence[Kink]]] = {
    "maximum": {
        "difference": [((1, -1), 0, (1,)), ((0, 1), 0, (1,)), ((0, -1), 0, (-1,))],
        "both_sides": [((1, -1), 0, (0.5,)), ((-1, 1), 0, (0.5,)),
                       ((1, 1), 0, (0.5,)), ((-1, -1), 0, (-0.5,))],
    },
    "sorted_two": {
        "difference": [((1, -1), 0, (-1, 1)), ((1, 0), 0, (1, 0)), ((-1, 0), 0, (-1, 0)),
                       ((0, 1), 0, (0, 1)), ((0, -1), 0, (0, -1))],
        "both_sides": [((1, -1), 0, (-0.5, 0.5)), ((-1, 1), 0, (-0.5, 0.5)),
                       ((1, 1), 0, (0.5, 0.5)), ((-1, -1), 0, (-0.5, -0.5))],
    },
    "parity_3": {
        "count": [((0.5, 0.5, 0.5), at - 1.5, (slope,)) for at, slope in ((0, 1), (1, -2), (2, 2))],
        "table": [(signs, 2, (1,))
                  for signs in ((1, -1, -1), (-1, 1, -1), (-1, -1, 1), (1, 1, 1))],
    },
    "modular_addition": {
        "piecewise": [((1, 1), 0, (1,)), ((1, 1), _MODULUS - 1, (-_MODULUS,)),
                      ((1, 1), _MODULUS, (_MODULUS,))],
    },
}  # fmt: skip
_FROM_KINKS: Mapping[str, Mapping[str, Design]] = {
    name: {algorithm: partial(_of_kinks, name, needed) for algorithm, needed in algorithms.items()}
    for name, algorithms in _KINKS.items()
}
BY_HAND: Mapping[str, Mapping[str, Design]] = {
    **_FROM_KINKS,
    "sum_of_squares": {"squares": partial(_squared, False), "rotated": partial(_squared, True)},
    "modular_addition": {**_FROM_KINKS["modular_addition"], "table": _hats},
}
"""Function → algorithm → its design."""
