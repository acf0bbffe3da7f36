"""What the page of hypernetworks shows, checked where it comes in.

`hypernetworks` describes the view; here every measure becomes a mapping, what is absent None, and
the networks that stand side by side become drawings.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from symscope.evidence import SymscopeError, wilson
from symscope.models.perceptron import Weights, checked_sizes
from symscope.report.checks import has, listed, numbers, one_of, rounded
from symscope.report.geometry_view import measure, unpacked
from symscope.report.network_picture import network_picture

_NUMBER = int | float
_NEEDED = {"title": str, "lead": str, "command": str, "made": Mapping}
_DIAL = {"name": str, "seed": int, "task": str, "sizes": list | tuple, "betas": list,
         "networks": list}  # fmt: skip
_NETWORK = {"weights": str, "positions": str, "loss": None, "kl": None, "class": None}
_PICTURE = {"name": str, "sizes": list | tuple, "weights": str, "positions": str, "loss": None,
            "length": None, "energy": None, "class": None}  # fmt: skip
_PHASE = {"network": str, "steps": list, "betas": list, "classes": list}
_ORDER = {"task": str, "x": str, "y": str, "made": list, "generated": list, "boundaries": list}
_SIZES = {"network": str, "inputs": list, "hidden": list, "losses": list, "radial": list,
          "trained": list}  # fmt: skip
_MEASURED = ("loss", "length", "formula", "owned", "aligned")
_CLAIM = {"claim": str, "low": None, "high": None, "score": None, "n": None, "controls": Mapping}
CONTOURS = (0.07, 0.15)
"""The losses at which Liao, Liu and Tegmark (2023) draw the edge of the sizes that work."""
_DIGITS = 5
"""Significant digits that the page keeps of a number, of claims six."""


def checked_hypernetworks(view: Mapping[str, Any]) -> dict[str, Any]:
    """The view of `hypernetworks` with all its lists, in which what is absent is None.

    "classes" lists {"name", "said"}: those that the view describes, then others as they appear.
    Raises `SymscopeError` that names the place where something is off.
    """
    has(view, "the view", _NEEDED)
    found: dict[str, Any] = {name: view[name] for name in _NEEDED}
    for name, check in _PARTS.items():
        parts = view.get(name) or []
        listed(parts, None, name)
        found[name] = [check(part, f"{name}[{i}]") for i, part in enumerate(parts)]
    names = [dial["name"] for dial in found["hypernetworks"]]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise SymscopeError(f"hypernetworks[{number}] is {name!r}, as is"
                                f" hypernetworks[{names.index(name)}]")  # fmt: skip
    said = view.get("classes") or {}
    has(said, "classes")
    classes = dict.fromkeys([*said, *_classes_in(found)])
    found["classes"] = [{"name": c, "said": str(said.get(c) or "")} for c in classes]
    digits = {"claims": 6}
    return {key: rounded(value, key, digits.get(key, _DIGITS)) for key, value in found.items()}


def _classes_in(part: Any) -> list[str]:
    """All classes of algorithms that are named anywhere in the part, as they appear."""
    if isinstance(part, list | tuple):
        return [name for one in part for name in _classes_in(one)]
    if not isinstance(part, Mapping):
        return []
    own = [part["class"]] if isinstance(part.get("class"), str) else []
    own += [name for row in part.get("classes") or [] for name in row if name is not None]
    return own + [name for key in part if key != "classes" for name in _classes_in(part[key])]


def _growing(values: Any, where: str) -> None:
    """Raises unless these are numbers above 0 in increasing order: a logarithmic axis."""
    numbers(values, len(values), where, "")
    if not values or any(v is None or v <= 0 for v in values):
        raise SymscopeError(f"{where} is {values}; it has to hold numbers above 0")
    if any(a >= b for a, b in pairwise(values)):
        raise SymscopeError(f"{where} is {values}; it has to increase")


def _measures(parts: Any, count: int, where: str, each: str) -> list[dict[str, Any]]:
    listed(parts, count, where, each)
    return [measure(part, f"{where}[{i}]") for i, part in enumerate(parts)]


def _floors(part: Mapping[str, Any], where: str) -> dict[str, float]:
    floors = part.get("floors") or {}
    has(floors, f"{where}.floors", dict.fromkeys(floors, _NUMBER))
    return dict(floors)


def _text(value: Any, where: str) -> None:
    """Raises unless this is a class, or None for none."""
    if value is not None and not isinstance(value, str):
        raise SymscopeError(f"{where} is {value!r}; a class is a text, or None")


def _arrays(part: Any, sizes: tuple[int, ...], where: str) -> tuple[Weights, np.ndarray]:
    """The network's weights and its nodes' positions; raises unless they fit its sizes."""
    layers = [(a, b) for a, b in pairwise(sizes)]
    counts = [*(a * b for a, b in layers), *sizes[1:]]
    flat = unpacked(part["weights"], (sum(counts),), "<f4", f"{where}.weights")
    positions = unpacked(part["positions"], (sum(sizes), 2), "<f4", f"{where}.positions")
    for name, values in (("weights", flat), ("positions", positions)):
        if not np.isfinite(values).all():
            raise SymscopeError(f"{where}.{name} holds a number that is none")
    parts = [torch.tensor(p) for p in np.split(flat, np.cumsum(counts)[:-1])]
    matrices = [p.reshape(shape) for p, shape in zip(parts, layers, strict=False)]
    return Weights(tuple(matrices), tuple(parts[len(layers) :])), positions


def _dial(dial: Any, where: str) -> dict[str, Any]:
    has(dial, where, _DIAL)
    sizes = checked_sizes(dial["sizes"])
    _growing(dial["betas"], f"{where}.betas")
    earlier = []
    for number, part in enumerate(dial.get("steps") or []):
        here = f"{where}.steps[{number}]"
        has(part, here, {"step": int, "networks": list})
        earlier.append({"step": part["step"],
                        "networks": _networks(part["networks"], dial, sizes, here)})  # fmt: skip
    return {"step": None, "said": None, **dial, "sizes": list(sizes), "steps": earlier,
            "networks": _networks(dial["networks"], dial, sizes, where),
            "floors": _floors(dial, where)}  # fmt: skip


def _networks(
    networks: Any, dial: Mapping[str, Any], sizes: tuple[int, ...], where: str
) -> list[dict[str, Any]]:
    listed(networks, len(dial["betas"]), f"{where}.networks", "one for each β")
    found = []
    for number, network in enumerate(networks):
        here = f"{where}.networks[{number}]"
        has(network, here, _NETWORK)
        _arrays(network, sizes, here)
        _text(network["class"], f"{here}.class")
        measured = {k: measure(network[k], f"{here}.{k}") for k in ("loss", "kl")}
        confidence = measure(network.get("confidence"), f"{here}.confidence")
        found.append({**network, **measured, "confidence": confidence})
    return found


def _front(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"network": str, "task": str, "points": list})
    points = []
    for number, point in enumerate(part["points"]):
        here = f"{where}.points[{number}]"
        has(point, here, {"beta": _NUMBER, "loss": None, "kl": None, "class": None})
        _text(point["class"], f"{here}.class")
        measured = {k: measure(point[k], f"{here}.{k}") for k in ("loss", "kl")}
        points.append({**point, **measured})
    return {**part, "points": points, "floors": _floors(part, where)}


def _phase(part: Any, where: str) -> dict[str, Any]:
    has(part, where, _PHASE)
    _growing(part["betas"], f"{where}.betas")
    count, each = len(part["betas"]), "a class or None for each β"
    listed(part["classes"], len(part["steps"]), f"{where}.classes", "a row for each step")
    for number, row in enumerate(part["classes"]):
        listed(row, count, f"{where}.classes[{number}]", each)
        for name in row:
            _text(name, f"{where}.classes[{number}]")
    losses = part.get("losses")
    if losses is not None:
        listed(losses, len(part["steps"]), f"{where}.losses", "a row for each step")
        for number, row in enumerate(losses):
            numbers(row, count, f"{where}.losses[{number}]", "one for each β")
    return {"pattern": None, "said": None, **part, "losses": losses}


def _pattern(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"name": str, "count": int, "of": int})
    one_of(part["count"], range(part["of"] + 1), f"{where}.count")
    low, high = wilson(part["count"], part["of"])
    return {"said": None, **part, "low": low, "high": high}


def _order(part: Any, where: str) -> dict[str, Any]:
    has(part, where, _ORDER)
    for kind in ("made", "generated"):
        for number, point in enumerate(part[kind]):
            here = f"{where}.{kind}[{number}]"
            has(point, here, {"x": None, "y": None, "class": None})
            numbers([point["x"], point["y"]], 2, here, "")
            _text(point["class"], f"{here}.class")
    for number, line in enumerate(part["boundaries"]):
        here = f"{where}.boundaries[{number}]"
        has(line, here, {"name": str})
        if sum(line.get(k) is not None for k in ("x", "y", "points")) != 1:
            raise SymscopeError(f"{here} needs one of 'x', 'y' and 'points'; it has"
                                f" {sorted(line)}")  # fmt: skip
    log = part.get("log") or []
    for axis in log:
        one_of(axis, ("x", "y"), f"{where}.log")
    confusion = part.get("confusion")
    if confusion is not None:
        has(confusion, f"{where}.confusion", {"labels": list, "counts": list})
        listed(confusion["counts"], None, f"{where}.confusion.counts")
    return {"said": None, **part, "log": log, "confusion": confusion}


def _row_of_pictures(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"name": str, "networks": list})
    networks = []
    for number, network in enumerate(part["networks"]):
        here = f"{where}.networks[{number}]"
        has(network, here, _PICTURE)
        _text(network["class"], f"{here}.class")
        weights, positions = _arrays(network, checked_sizes(network["sizes"]), here)
        measured = {k: measure(network[k], f"{here}.{k}") for k in ("loss", "length", "energy")}
        svg = network_picture(weights, positions, network["name"])
        networks.append({"name": network["name"], "class": network["class"], **measured,
                         "svg": svg})  # fmt: skip
    return {"name": part["name"], "said": part.get("said"), "networks": networks}


def _sizes(part: Any, where: str) -> dict[str, Any]:
    has(part, where, _SIZES)
    inputs, hidden = part["inputs"], part["hidden"]
    _growing(inputs, f"{where}.inputs")
    _growing(hidden, f"{where}.hidden")
    numbers(part["radial"], len(inputs), f"{where}.radial", "one for each number of inputs")
    listed(part["losses"], len(inputs), f"{where}.losses", "a row for each number of inputs")
    each = "one for each number of hidden units"
    losses = [_measures(row, len(hidden), f"{where}.losses[{i}]", each)
              for i, row in enumerate(part["losses"])]  # fmt: skip
    for number, size in enumerate(part["trained"]):
        listed(size, 2, f"{where}.trained[{number}]", "[inputs, hidden]")
    contours = part.get("contours") or list(CONTOURS)
    numbers(contours, len(contours), f"{where}.contours", "")
    return {"said": None, **part, "losses": losses, "contours": contours}


def _encoder(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"network": str, "betas": list, "with": list, "without": list})
    _growing(part["betas"], f"{where}.betas")
    both = {k: _measures(part[k], len(part["betas"]), f"{where}.{k}", "one for each β")
            for k in ("with", "without")}  # fmt: skip
    return {"said": None, **part, **both, "floors": _floors(part, where)}


def _compared(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"method": str, "task": str, **dict.fromkeys(_MEASURED)})
    measured = {k: measure(part[k], f"{where}.{k}") for k in _MEASURED}
    return {"class": None, "note": None, "control": False, **part, **measured}


def _tests(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"network": str, "class": None, "rows": Sequence})
    rows = []
    for number, row in enumerate(part["rows"]):
        here = f"{where}.rows[{number}]"
        has(row, here, {"name": str, "measure": None, "controls": Mapping})
        has(row["controls"], f"{here}.controls", dict.fromkeys(row["controls"], _NUMBER))
        rows.append({"expected": None, "said": None, **row,
                     "measure": measure(row["measure"], f"{here}.measure")})  # fmt: skip
    return {"said": None, **part, "rows": rows}


def _claim(claim: Any, where: str) -> dict[str, Any]:
    has(claim, where, _CLAIM)
    return dict(claim)


_PARTS: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "hypernetworks": _dial, "fronts": _front, "phases": _phase, "patterns": _pattern,
    "orders": _order, "pictures": _row_of_pictures, "sizes": _sizes, "encoder": _encoder,
    "comparison": _compared, "tests": _tests, "claims": _claim,
}  # fmt: skip
