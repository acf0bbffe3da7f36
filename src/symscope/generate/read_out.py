"""The formula that stands in a network's weights: each hidden unit read as a kink or as linear.

Our choice. A unit is linear where its activation is, on the task's inputs, an affine function of
them up to 3 % of its variance. Else it is a kink, max(d·x − t, 0), if its weights, in units of the
largest, are nearly −1, 0 or 1 (apart from the band .35 to .65), t its threshold to the next half;
else it is mixed and has no reading. Units with the same d and t are one variable. Whether the
units compute what is read in them is tested: a variable's units together against the variable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.generate.hypotheses import Hypothesis, added, hinge, names
from symscope.models.perceptron import Weights

LINEAR = 0.97
BAND = 0.35, 0.65
STILL = 0.02
"""The share of the largest contribution's spread below which a unit is not used."""
MIXED = 0.1
"""With a larger share of the contributions' variance in mixed units there is no reading."""

Kink = tuple[tuple[int, ...], float]
"""A direction, −1, 0 or 1 for each input, and a threshold."""


@dataclass(frozen=True)
class Units:
    """Hidden units by what they are read as; `mixed` and `unused` are without a reading."""

    kinks: Mapping[Kink, tuple[int, ...]]
    linear: tuple[int, ...]
    mixed: tuple[int, ...]
    unused: tuple[int, ...]
    mixed_share: float


def units(weights: Weights, x: Tensor, activation: str = "silu") -> Units:
    """How each hidden unit is read, on inputs (sample, inputs) of the task."""
    matrix, bias, out = weights.matrices[0], weights.biases[0], weights.matrices[-1]
    hidden = weights.hidden(x.to(weights.matrices[0]), activation).double()
    spread = hidden.std(0) * out.double().norm(dim=1)
    straight = _straightness(x.double(), hidden)
    kinks: dict[Kink, list[int]] = {}
    linear, mixed, unused = [], [], []
    for j in range(matrix.shape[1]):
        if not float(spread[j]) > STILL * float(spread.max()):
            unused.append(j)
        elif float(straight[j]) >= LINEAR:
            linear.append(j)
        elif (kink := _kink(matrix[:, j], float(bias[j]))) is None:
            mixed.append(j)
        else:
            kinks.setdefault(kink, []).append(j)
    share = float(spread[mixed].square().sum() / spread.square().sum().clamp(min=1e-30))
    found = {kink: tuple(of) for kink, of in sorted(kinks.items(), key=_order)}
    return Units(found, tuple(linear), tuple(mixed), tuple(unused), share)


def read_out(weights: Weights, x: Tensor, activation: str = "silu") -> list[Hypothesis]:
    """The reading as hypotheses: one factor for all kinks, one for each side, or one for each kink.

    Kinks at different thresholds, or of different numbers of inputs, never share a factor. There is
    none for other than one hidden layer, or where units that have no reading carry more than a
    tenth. `config["units_r2"]` is the share of the variables' units that the variables explain.
    """
    if len(weights.matrices) != 2:
        return []
    found = units(weights, x, activation)
    if found.mixed_share > MIXED or not (found.kinks or found.linear):
        return []
    named = _named(found.kinks)
    rules = {name: hinge(_direction(k[0]), k[1]) for k, name in named.items()}
    inputs = names(x.shape[1])
    straight = ("s",) if found.linear else ()
    shared = rules | ({"s": added(inputs)} if found.linear else {})
    sides = _together({name: (tuple(sorted(d)), t) for (d, t), name in named.items()})
    sizes = _together({name: (sum(map(abs, d)), t) for (d, t), name in named.items()})
    config = {"units_r2": _explained(weights, found, x, activation),
              "mixed_share": found.mixed_share}  # fmt: skip
    return [
        Hypothesis("read_out", shared, (*sizes, *straight), config),
        Hypothesis("read_out_sides", shared, (*sides, *straight), config),
        Hypothesis("read_out_each", rules, (*rules, *(inputs if found.linear else ())), config),
    ]


def _together(kinds: Mapping[str, object]) -> tuple[str, ...]:
    """The sum of the variables of each kind."""
    found: dict[object, list[str]] = {}
    for name, kind in kinds.items():
        found.setdefault(kind, []).append(name)
    return tuple(map(added, found.values()))


def _straightness(x: Tensor, hidden: Tensor) -> Tensor:
    """R² of each unit's activation by an affine function of the inputs, (units,)."""
    design = torch.cat([torch.ones_like(x[:, :1]), x], 1)
    rest = hidden - design @ torch.linalg.lstsq(design, hidden).solution
    return 1 - rest.square().sum(0) / (hidden - hidden.mean(0)).square().sum(0).clamp(min=1e-30)


def _kink(column: Tensor, bias: float) -> Kink | None:
    largest = float(column.abs().max())
    share = column / largest
    between = (share.abs() > BAND[0]) & (share.abs() < BAND[1])
    if largest == 0 or bool(between.any()):
        return None
    direction = (share.sign() * (share.abs() >= BAND[1])).int()
    gain = float(column[direction != 0].abs().mean())
    return tuple(direction.tolist()), round(-2 * bias / gain) / 2 + 0.0


def _named(kinks: Mapping[Kink, Sequence[int]]) -> dict[Kink, str]:
    """p_i for max(x_i, 0), m_i for max(−x_i, 0), h_0, h_1, … for others."""
    found: dict[Kink, str] = {}
    for direction, threshold in kinks:
        owner = [i for i, d in enumerate(direction) if d]
        plain = len(owner) == 1 and threshold == 0
        sign = "p" if direction[owner[0]] > 0 else "m"
        number = sum(name.startswith("h") for name in found.values())
        found[direction, threshold] = f"{sign}_{owner[0]}" if plain else f"h_{number}"
    return found


def _direction(direction: Sequence[int]) -> str:
    text = " ".join(f"{'-' if d < 0 else '+'} x_{i}" for i, d in enumerate(direction) if d)
    return text[2:] if text.startswith("+") else "-" + text[2:]


def _explained(weights: Weights, found: Units, x: Tensor, activation: str) -> float:
    """1 − what is left of the variables' units' contributions, each fitted by its variable alone.

    Those of linear units together are fitted by all inputs.
    """
    hidden = weights.hidden(x.to(weights.matrices[0]), activation).double()
    out = weights.matrices[-1].double()
    lost = whole = torch.zeros((), dtype=torch.float64)
    ones = torch.ones(len(x), 1, dtype=torch.float64)
    parts = [
        (of, ((x.double() @ torch.tensor(d, dtype=torch.float64)) - t).relu()[:, None])
        for (d, t), of in found.kinks.items()
    ]
    for of, variable in [*parts, (found.linear, x.double())]:
        part = hidden[:, of] @ out[list(of)]
        design = torch.cat([ones, variable], 1)
        rest = part - design @ torch.linalg.lstsq(design, part).solution
        lost = lost + rest.square().sum()
        whole = whole + (part - part.mean(0)).square().sum()
    return 1 - float(lost / whole.clamp(min=1e-30))


def _order(kink: tuple[Kink, object]) -> tuple[tuple[int, ...], tuple[int, ...], float]:
    """Kinks of the first input first, positive ones before negative ones."""
    (direction, threshold), _ = kink
    return tuple(-abs(d) for d in direction), tuple(-d for d in direction), threshold
