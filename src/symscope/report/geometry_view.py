"""What the page of multi-dimensional features shows, checked where it comes in.

`geometry` describes the view; here every measure becomes a mapping, and what is absent None.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symscope.evidence import SymscopeError
from symscope.report.checks import has, kind_of, listed, numbers, one_of, rounded
from symscope.report.geometry_words import words_of

MOST_POINTS = 2_000
VERDICTS = ("clock", "pizza", "neither", None)
_NUMBER = int | float
_NEEDED = {"title": str, "lead": str, "command": str, "made": Mapping}
_CLOUD = {"group": str, "name": str, "said": str, "points": str, "dimensions": int,
          "variable": Mapping}  # fmt: skip
_ROW = {"cluster": None, "size": int, "score": None, "separability": None, "mixture": None,
        "r2": None, "frequency": None, "tokens": list}  # fmt: skip
_INTERVENTION = {"network": str, "metric": str, "unit": str, "x": list, "series": Mapping}
_VERDICT = {"network": str, "unsupervised": list, "fourier": list, "gradient_symmetricity": None,
            "distance_irrelevance": None, "verdict": None, "intervention": None}  # fmt: skip
_CLAIM = {"claim": str, "low": None, "high": None, "score": None, "n": None, "controls": Mapping}
_DIGITS = 5
"""Significant digits that the page keeps of a number, of claims six."""


def checked_geometry(view: Mapping[str, Any]) -> dict[str, Any]:
    """The view of `geometry` with all its lists, in which what is absent is None.

    Numbers are rounded to what a page can show; rows of the ranking are in order, the best first.
    Raises `SymscopeError` that names the place where something is off.
    """
    has(view, "the view", _NEEDED)
    found: dict[str, Any] = {name: view[name] for name in _NEEDED}
    for name, check in _PARTS.items():
        parts = view.get(name) or []
        listed(parts, None, name)
        found[name] = [check(part, f"{name}[{i}]") for i, part in enumerate(parts)]
    _different([(c["group"], c["name"]) for c in found["clouds"]])
    for number, row in enumerate(found["ranking"]):
        if row["cloud"] is not None:
            one_of(row["cloud"], range(len(found["clouds"])), f"ranking[{number}].cloud")
    found["ranking"].sort(key=_unranked)
    names = list(dict.fromkeys(s for i in found["interventions"] for s in i["series"]))
    found["words"] = words_of(names, view.get("words") or {})
    digits = {"claims": 6}
    return {key: rounded(value, key, digits.get(key, _DIGITS)) for key, value in found.items()}


def measure(part: Any, where: str) -> dict[str, Any]:
    """A measure as a mapping: score, low, high, null; and the reason where there is no score."""
    if part is None or isinstance(part, int | float):
        part = {"score": part}
    has(part, where, {"score": None})
    found = {"low": None, "high": None, "null": None, "reason": None, **part}
    for key in ("score", "low", "high", "null", "support"):
        value = found.get(key)
        if value is not None and not isinstance(value, int | float):
            raise SymscopeError(f"{where}: {key!r} is {kind_of(value)} where a number is needed,"
                                " or None")  # fmt: skip
    found["reason"] = str(found["reason"] or "not measured") if found["score"] is None else None
    return found


def _different(names: list[tuple[str, str]]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise SymscopeError(f"clouds[{number}] is {name[1]!r} of {name[0]!r}, as is"
                                f" clouds[{names.index(name)}]")  # fmt: skip


def _unranked(row: Mapping[str, Any]) -> tuple[bool, float]:
    score = row["score"]["score"]
    return score is None, -(score or 0)


def unpacked(text: Any, shape: tuple[int, ...], kind: str, where: str) -> Any:
    """The array that was packed; raises unless it has that shape."""
    if not isinstance(text, str):
        raise SymscopeError(f"{where} is {kind_of(text)} where base64 is needed: packed(array)")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SymscopeError(f"{where} is not base64: packed(array)") from None
    wanted = int(np.prod(shape)) * np.dtype(kind).itemsize
    if len(data) != wanted:
        sides = " × ".join(map(str, shape))
        raise SymscopeError(f"{where} has {len(data)} bytes; it needs {wanted}, {sides} of"
                            f" {np.dtype(kind).name}")  # fmt: skip
    return np.frombuffer(data, kind).reshape(shape)


def _cloud(cloud: Any, where: str) -> dict[str, Any]:
    has(cloud, where, _CLOUD)
    n, d = _variable(cloud["variable"], f"{where}.variable"), cloud["dimensions"]
    one_of(d, range(2, 6), f"{where}.dimensions")
    if not 1 <= n <= MOST_POINTS:
        raise SymscopeError(f"{where} has {n} points; a cloud has from 1 to {MOST_POINTS:,}: show"
                            " a sample of them")  # fmt: skip
    points = unpacked(cloud["points"], (n, d), "<f4", f"{where}.points")
    wrong = np.flatnonzero(~np.isfinite(points).all(1))
    if len(wrong):
        raise SymscopeError(f"{where}.points: point {wrong[0]} holds a number that is none")
    axes = cloud.get("axes") or [f"axis {i + 1}" for i in range(d)]
    listed(axes, d, f"{where}.axes", "one for each dimension")
    plane = cloud.get("plane") or [0, 1]
    listed(plane, 2, f"{where}.plane", "the two axes that are drawn flat")
    for axis in plane:
        one_of(axis, range(d), f"{where}.plane")
    if cloud.get("texts"):
        listed(cloud["texts"], n, f"{where}.texts", "one for each point")
    indices = {k: measure(v, f"{where}.indices[{k!r}]")
               for k, v in (cloud.get("indices") or {}).items()}  # fmt: skip
    return {**cloud, "axes": axes, "plane": plane, "indices": indices,
            "texts": cloud.get("texts") or None, "facts": cloud.get("facts") or {},
            "published": cloud.get("published") or {}}  # fmt: skip


def _variable(variable: Any, where: str) -> int:
    """How many points it is given for."""
    has(variable, where, {"name": str, "values": list})
    values, period, labels = variable["values"], variable.get("period"), variable.get("labels")
    numbers(values, len(values), f"{where}.values", "")
    if period is not None and (not isinstance(period, int | float) or period <= 0):
        raise SymscopeError(f"{where}.period is {period!r}; it has to be above 0, or None")
    if labels is not None:
        listed(labels, None, f"{where}.labels")
        for value in values:
            if value is not None and value not in range(len(labels)):
                raise SymscopeError(f"{where}.values holds {value}, which is no place in its"
                                    f" {len(labels)} labels")  # fmt: skip
    return len(values)


def _histogram(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"name": str, "unit": str, "values": list})
    found = {**part, "null": part.get("null") or [], "marks": part.get("marks") or []}
    for name in ("values", "null"):
        numbers(found[name], len(found[name]), f"{where}.{name}", "")
        found[name] = [v for v in found[name] if v is not None]
    for number, mark in enumerate(found["marks"]):
        has(mark, f"{where}.marks[{number}]", {"x": _NUMBER, "label": str})
    return found


def _row(row: Any, where: str) -> dict[str, Any]:
    has(row, where, _ROW)
    measured = {k: measure(row[k], f"{where}.{k}")
                for k in ("score", "separability", "mixture", "r2")}  # fmt: skip
    return {"cloud": None, "published": None, **row, **measured}


def _intervention(part: Any, where: str) -> dict[str, Any]:
    has(part, where, _INTERVENTION)
    each = "one measure for each of x"
    series = {}
    for name, measures in part["series"].items():
        here = f"{where}.series[{name!r}]"
        listed(measures, len(part["x"]), here, each)
        series[name] = [measure(m, f"{here}[{i}]") for i, m in enumerate(measures)]
    if not part["x"] or not series:
        raise SymscopeError(f"{where} has no x or no series: leave it out")
    return {**part, "x": [str(x) for x in part["x"]], "series": series}


def _off_circle(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"network": str, "radius": list, "accuracy": list})
    numbers(part["radius"], len(part["radius"]), f"{where}.radius", "")
    if len(part["radius"]) < 2:
        raise SymscopeError(f"{where}.radius has {len(part['radius'])} entries; a curve needs two")
    listed(part["accuracy"], len(part["radius"]), f"{where}.accuracy", "one for each radius")
    accuracy = [measure(m, f"{where}.accuracy[{i}]") for i, m in enumerate(part["accuracy"])]
    return {"chance": None, "circle": None, **part, "accuracy": accuracy}


def _residual(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"network": str, "shape": list | tuple, "steps": list})
    listed(part["shape"], 2, f"{where}.shape", "[a, b]")
    if not part["steps"]:
        raise SymscopeError(f"{where}.steps is empty: leave it out")
    steps = []
    for number, step in enumerate(part["steps"]):
        here = f"{where}.steps[{number}]"
        has(step, here, {"added": str, "r2": None})
        given, beside = step["r2"], {k: step.get(k) for k in ("low", "high", "null", "reason")}
        r2 = measure(given if isinstance(given, Mapping) else {**beside, "score": given}, here)
        if step.get("grid") is not None:
            unpacked(step["grid"], (*part["shape"], 3), "u1", f"{here}.grid")
        steps.append({"added": step["added"], "r2": r2, "grid": step.get("grid")})
    sides = {"rows": part.get("rows") or "a", "columns": part.get("columns") or "b"}
    return {**part, **sides, "steps": steps}


def _verdict(part: Any, where: str) -> dict[str, Any]:
    has(part, where, _VERDICT)
    one_of(part["verdict"], VERDICTS, f"{where}.verdict")
    keys = "gradient_symmetricity", "distance_irrelevance", "intervention"
    measured = {k: measure(part[k], f"{where}.{k}") for k in keys}
    return {"untrained": False, "note": None, **part, **measured}


def _spectrum(part: Any, where: str) -> dict[str, Any]:
    has(part, where, {"network": str, "frequencies": list, "power": list})
    count, each = len(part["frequencies"]), "one for each frequency"
    if not count:
        raise SymscopeError(f"{where}.frequencies is empty: leave it out")
    numbers(part["frequencies"], count, f"{where}.frequencies", each)
    numbers(part["power"], count, f"{where}.power", each)
    floor = part.get("floor")
    if isinstance(floor, list | tuple):
        numbers(floor, count, f"{where}.floor", each)
    elif floor is not None:
        numbers([floor], 1, f"{where}.floor", each)
        floor = [floor] * count
    return {"of": None, **part, "key": part.get("key") or [], "floor": floor}


def _claim(claim: Any, where: str) -> dict[str, Any]:
    has(claim, where, _CLAIM)
    return dict(claim)


_PARTS: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "clouds": _cloud, "histograms": _histogram, "ranking": _row, "interventions": _intervention,
    "off_circle": _off_circle, "residuals": _residual, "verdicts": _verdict,
    "spectra": _spectrum, "claims": _claim,
}  # fmt: skip
