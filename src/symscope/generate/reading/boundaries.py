"""Where a measure stops speaking for an algorithm: bounds fitted on networks written by hand.

For each measure there are kinds of networks that lie above the bound and kinds that lie below. The
bound is where the balanced accuracy is highest, every kind counting the same, or within `NEAR` of
that: of such places the one nearest to the middle between the two sides' nearest kinds, so that no
single odd network decides. What is fitted on 200 networks of each kind lies beside this file in
`boundaries.json`, since it takes minutes; `fit_boundaries` makes it again.

The phase boundaries that Liao, Liu and Tegmark (2023, figure 3.2) put by hand are those of
`double_sidedness` and `strongest` here; beside them are those of the repaired order parameters, and
the balanced accuracy says how far each alone would get.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from symscope.evidence import SymscopeError, write_json
from symscope.generate.reading.drawn import draw
from symscope.generate.reading.formula_network import ALGORITHMS
from symscope.generate.reading.interventions import ABLATED
from symscope.generate.reading.labelled import NOISE, SIZES, Labelled, labelled
from symscope.generate.reading.measures import causal_measures, causal_tests, measures
from symscope.generate.reading.one_layer import one_layer
from symscope.generate.reading.order import order_parameters
from symscope.generate.reading.ownership import owners_of

NEAR = 0.003
"""How much of balanced accuracy a bound may give up for being in the middle: our choice."""
_RADIAL = ("convexity",)
_PUDDING = ("pudding_positive", "pudding_negative")
SIDES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "beyond_radius": (ABLATED, _RADIAL),
    "kink": (ABLATED, _RADIAL),
    "stray_kink": (ABLATED, _RADIAL),
    "balance": (("double_sided",), (*_PUDDING, "mixed")),
    "right": (("pudding_negative",), ("pudding_positive", "double_sided", "mixed")),
    "left": (("pudding_positive",), ("pudding_negative", "double_sided", "mixed")),
    "one_sided": (_PUDDING, ("double_sided", "mixed")),
    "rotation": (ABLATED, _RADIAL),
    "free_bends": (_RADIAL, ABLATED),
    "ablation": (("own formula",), ("another formula",)),
    "rebuilt.sparse": (ABLATED, ("shuffled",)),
    "double_sidedness": (("double_sided",), (*_PUDDING, *_RADIAL)),
    "most_double_sided": (("double_sided",), (*_PUDDING, *_RADIAL)),
    "strongest": (ABLATED, _RADIAL),
    "strongest_path": (ABLATED, _RADIAL),
}
"""Measure → kinds that lie above its bound, and below. "own formula" is the right algorithm's."""


@dataclass(frozen=True)
class Boundary:
    """A bound of a measure, the kinds on its sides, and its balanced accuracy on labelled networks.

    `typical_above` and `typical_below` are the medians of the kinds' values, each kind counting the
    same.
    """

    measure: str
    value: float
    above: tuple[str, ...]
    below: tuple[str, ...]
    accuracy: float
    typical_above: float
    typical_below: float


@cache
def fitted_boundaries() -> Mapping[str, Boundary]:
    """Measure → its fitted bound, as it lies beside this file."""
    text = files("symscope.generate.reading").joinpath("boundaries.json").read_text("utf8")
    found = [
        Boundary(**{**entry, "above": tuple(entry["above"]), "below": tuple(entry["below"])})
        for entry in json.loads(text)["boundaries"]
    ]
    return {boundary.measure: boundary for boundary in found}


def write_boundaries(path: Path, networks: int = 200, seed: int = 0) -> Mapping[str, Boundary]:
    """Fit the bounds, write them with what they were fitted on, and return them."""
    found = fit_boundaries(networks, seed)
    settings = {"networks": networks, "seed": seed, "sizes": SIZES, "noise": NOISE}
    write_json(path, {**settings, "boundaries": [asdict(found[name]) for name in SIDES]})
    return found


def fit_boundaries(networks: int = 200, seed: int = 0) -> Mapping[str, Boundary]:
    """Measure → bound, from `networks` of each kind; with 200 it takes minutes.

    Held-out networks are those of another seed.
    """
    found = measured_by_kind(networks, seed)
    return {name: _boundary(name, found[name]) for name in SIDES}


def measured_by_kind(networks: int, seed: int) -> Mapping[str, Mapping[str, list[float]]]:
    """Measure → kind → its values on `networks` labelled networks of each kind."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in SIDES}
    for network in labelled((*ALGORITHMS, "mixed", "shuffled"), networks, seed):
        for kind, measured in _measured(network):
            for name in SIDES.keys() & measured.keys():
                found[name].setdefault(kind, []).append(measured[name])
    return found


def place(
    above: Mapping[str, list[float]], below: Mapping[str, list[float]]
) -> tuple[float, float]:
    """The bound and its balanced accuracy, from the values of each kind on either side.

    Balanced: the mean of the two sides' accuracy, a side's being the mean of its kinds'.

    >>> place({"a": [3.0, 4.0]}, {"b": [0.0, 1.0]})
    (2.0, 1.0)
    """
    if not above or not below or not all([*above.values(), *below.values()]):
        raise SymscopeError("a bound needs networks of kinds on both of its sides")
    values = np.unique(np.concatenate([*map(np.asarray, (*above.values(), *below.values()))]))
    middle = (min(map(np.median, above.values())) + max(map(np.median, below.values()))) / 2
    places = np.append((values[1:] + values[:-1]) / 2, middle)
    over = np.mean([(np.asarray(v)[:, None] > places).mean(0) for v in above.values()], axis=0)
    under = np.mean([(np.asarray(v)[:, None] < places).mean(0) for v in below.values()], axis=0)
    accuracy = (over + under) / 2
    good = np.flatnonzero(accuracy >= accuracy.max() - NEAR)
    best = good[np.abs(places[good] - middle).argmin()]
    return float(places[best]), float(accuracy[best])


def _boundary(name: str, values: Mapping[str, list[float]]) -> Boundary:
    above, below = ({kind: values[kind] for kind in kinds} for kinds in SIDES[name])
    value, accuracy = place(above, below)
    typical = [float(np.median([np.median(v) for v in side.values()])) for side in (above, below)]
    return Boundary(name, value, *SIDES[name], accuracy, *typical)


def _measured(network: Labelled, samples: int = 2000) -> list[tuple[str, dict[str, float]]]:
    """A network's measures under its kind, and what its sided ablation says of each formula."""
    kind, weights, task, seed = network
    layer = one_layer(weights)
    found = measures(weights, owners_of(layer), draw(task, layer.inputs, seed, samples))
    order = order_parameters(weights)
    found |= {
        name: getattr(order, name) or 0.0
        for name in ("double_sidedness", "most_double_sided", "strongest", "strongest_path")
    }
    if kind == "mixed":
        return [(kind, found)]
    assumed = "double_sided" if kind == "shuffled" else kind
    tested = causal_measures(causal_tests(weights, task, assumed, seed, samples, draws=5))
    found |= {name: tested[name] for name in ("rotation", "free_bends")}
    found["rebuilt.sparse"] = tested[f"rebuilt.sparse.{assumed}"]
    formulas = []
    if kind in ABLATED:
        others = max(tested[f"ablation.{name}"] for name in ABLATED if name != kind)
        formulas = [("own formula", {"ablation": tested[f"ablation.{kind}"]}),
                    ("another formula", {"ablation": others})]  # fmt: skip
    return [(kind, found), *formulas]
