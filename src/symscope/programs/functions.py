"""Programs for functions of a few real numbers: the same function by different algorithms.

Inputs are `x_0`, `x_1`, … Sums of positive parts, max(…, 0), are what one hidden layer of a network
can write; which parts they are is what tells the algorithms apart. The algorithms for the L1 norm
are those of Liao, Liu and Tegmark (2023), arXiv 2312.03051; the rest are our choice.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from symscope.program import Program, Variable

REACH = 8.0
"""Standard normal inputs are taken to lie within ± this."""
_TOGETHER = 16
"""Terms of a sum that stand in one pair of parentheses: nested ones would get too deep."""


def l1_programs(inputs: int) -> tuple[Program, ...]:
    """Σ|x_i|: "absolute", "double_sided", "pudding", "pudding_negative", and "convexity".

    "convexity", const · Σ_j max(w_j · x, 0) over 4n fixed random directions and their opposites, is
    wrong by construction: what it approaches, as directions are added, is what |x|₂ says.
    """
    x = [f"x_{i}" for i in range(inputs)]
    real = _real(x)
    absolute = {f"a_{i}": f"abs({v})" for i, v in enumerate(x)}
    positive = {f"p_{i}": f"max({v}, 0)" for i, v in enumerate(x)}
    negative = {f"m_{i}": f"max(-{v}, 0)" for i, v in enumerate(x)}
    below = {f"r_{i}": rule for i, rule in enumerate(negative.values())}
    above = {f"r_{i}": rule for i, rule in enumerate(positive.values())}
    total = {"s": _sum(x)}
    directions = _directions(inputs)
    parts = {f"c_{j}": f"max({_weighted(w, x)}, 0)" for j, w in enumerate(directions.tolist())}
    # E max(w · x, 0) is 1/√(2π) for a unit w, and E|x_i| is √(2/π)
    constant = repr(round(2 * inputs / len(directions), 6))
    return (
        _program("absolute", real, absolute, _sum(absolute)),
        _program("double_sided", real, positive | negative, _sum([*positive, *negative])),
        _program("pudding", real, below | total, f"2 * ({_sum(below)}) + s"),
        _program("pudding_negative", real, above | total, f"2 * ({_sum(above)}) - s"),
        _program("convexity", real, parts, f"{constant} * ({_sum(parts)})"),
    )


def square_programs(inputs: int) -> tuple[Program, ...]:
    """Σ x_i²: "squares" of the inputs, and "rotated", of their coordinates in `cosine_basis`."""
    x = [f"x_{i}" for i in range(inputs)]
    squares = {f"q_{i}": f"{v} * {v}" for i, v in enumerate(x)}
    basis = cosine_basis(inputs).T.tolist()
    turned = {f"z_{i}": _weighted(row, x, digits=9) for i, row in enumerate(basis)}
    again = {f"q_{i}": f"{z} * {z}" for i, z in enumerate(turned)}
    return (
        _program("squares", _real(x), squares, _sum(squares)),
        _program("rotated", _real(x), turned | again, _sum(again)),
    )


def cosine_basis(size: int) -> Tensor:
    """An orthonormal basis in columns, (size, size): the discrete cosine transform (type II)."""
    place = torch.arange(size, dtype=torch.float64)
    basis = torch.cos(math.pi / size * (place[:, None] + 0.5) * place) * math.sqrt(2 / size)
    basis[:, 0] /= math.sqrt(2)
    return basis


def maximum_programs() -> tuple[Program, ...]:
    """The larger of two: "difference", x_1 and what x_0 has more; "both_sides", (Σ + |Δ|) / 2."""
    real = _real(["x_0", "x_1"])
    more, less = {"more": "max(x_0 - x_1, 0)"}, {"less": "max(x_1 - x_0, 0)"}
    total = {"s": "x_0 + x_1"}
    return (
        _program("difference", real, more, "x_1 + more"),
        _program("both_sides", real, total | more | less, "(s + more + less) / 2"),
    )


def sorting_programs() -> tuple[Program, ...]:
    """Two in order, the smaller first: "difference" and "both_sides", as for the maximum."""
    real = _real(["x_0", "x_1"])
    more, less = {"more": "max(x_0 - x_1, 0)"}, {"less": "max(x_1 - x_0, 0)"}
    total = {"s": "x_0 + x_1"}
    both = "(s - more - less) / 2, (s + more + less) / 2"
    return (
        _program("difference", real, more, "x_0 - more, x_1 + more"),
        _program("both_sides", real, total | more | less, both),
    )


def parity_programs() -> tuple[Program, ...]:
    """Whether an odd number of three signs is +1: by their "count", by a "table", by "xor".

    "count" is the zigzag through 0, 1, 0, 1 at 0 to 3 ones; "table" has one variable for each odd
    pattern, 1 on it and 0 on the other seven; "xor" goes from bit to bit.
    """
    x = ["x_0", "x_1", "x_2"]
    sign = tuple(Variable(v, -1.0, 1.0, "real") for v in x)
    count = {"ones": "(x_0 + x_1 + x_2 + 3) / 2"}
    count |= {"over_1": "max(ones - 1, 0)", "over_2": "max(ones - 2, 0)"}
    table = {f"only_{i}": f"max({v} - {' - '.join(u for u in x if u != v)} - 2, 0)"
             for i, v in enumerate(x)}  # fmt: skip
    table |= {"all": "max(x_0 + x_1 + x_2 - 2, 0)"}
    xor = {"first": "x_0 > 0", "odd": "first ^ (x_1 > 0)"}
    return (
        _program("count", sign, count, "ones - 2 * over_1 + 2 * over_2", {"ones": (0.0, 3.0)}),
        _program("table", sign, table, _sum(table), dict.fromkeys(table, (0.0, 1.0))),
        _program("xor", sign, xor, "odd ^ (x_2 > 0)", dict.fromkeys(xor, (0.0, 1.0))),
    )


def modular_programs(modulus: int) -> tuple[Program, ...]:
    """(x_0 + x_1) mod m: "wrap", "piecewise" and "table".

    "wrap" takes m from a sum that reaches it; "piecewise" says "reaches it" as a difference of
    positive parts, 1 on integers from m on; "table" has a variable for each pair of residues whose
    answer is not 0.
    """
    m, high = modulus, 2.0 * modulus - 2
    real = tuple(Variable(v, 0.0, modulus - 1.0, "real") for v in ("x_0", "x_1"))
    total = {"s": "x_0 + x_1"}
    wrap = total | {"wrapped": f"s - {m} if s >= {m} else s"}
    over = total | {"over": f"max(s - {m - 1}, 0) - max(s - {m}, 0)"}
    cells = {f"t_{a}_{b}": (a + b) % m for a in range(m) for b in range(m) if (a + b) % m}
    table = {name: "1 if x_0 == {1} and x_1 == {2} else 0".format(*name.split("_"))
             for name in cells}  # fmt: skip
    answers = _sum([f"{answer} * {name}" for name, answer in cells.items()])
    sums = {"s": (0.0, high)}
    return (
        _program("wrap", real, wrap, "wrapped", sums | {"wrapped": (0.0, modulus - 1.0)}),
        _program("piecewise", real, over, f"s - {m} * over", sums | {"over": (0.0, 1.0)}),
        _program("table", real, table, answers, dict.fromkeys(table, (0.0, 1.0))),
    )


def _directions(inputs: int) -> Tensor:
    """Four random orthonormal bases and their opposites, (8n, n); always the same.

    Of bases, because independent directions favour some by chance and cost twice the error.
    """
    drawn = torch.randn(4, inputs, inputs, generator=torch.Generator().manual_seed(0))
    vectors = torch.linalg.qr(drawn.double()).Q.flatten(0, 1)
    return torch.cat([vectors, -vectors])


def _program(
    name: str, inputs: tuple[Variable, ...], rules: Mapping[str, str], output: str,
    ranges: Mapping[str, tuple[float, float]] = {},
) -> Program:  # fmt: skip
    """Real variables, within what normal inputs can make of them where nothing else is said."""
    most = 2 * REACH * REACH * len(inputs)
    limits = {v: ranges.get(v, (-most, most)) for v in rules}
    variables = tuple(Variable(v, low, high, "real") for v, (low, high) in limits.items())
    return Program(name, inputs, variables, rules, output)


def _real(names: Sequence[str]) -> tuple[Variable, ...]:
    return tuple(Variable(name, -REACH, REACH, "real") for name in names)


def _weighted(weights: Sequence[float], names: Sequence[str], digits: int = 6) -> str:
    """The text of Σ weight · name."""
    pairs = zip(weights, names, strict=True)
    return _sum([f"{round(weight, digits)!r} * {name}" for weight, name in pairs])


def _sum(terms: Sequence[str] | Mapping[str, str]) -> str:
    """The text of a sum, in groups where it is long."""
    terms = list(terms)
    while len(terms) > _TOGETHER:
        starts = range(0, len(terms), _TOGETHER)
        terms = [f"({' + '.join(terms[i : i + _TOGETHER])})" for i in starts]
    return " + ".join(terms)
