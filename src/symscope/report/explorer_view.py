"""What the explorer shows, checked where it comes in: keys, shapes that agree, real numbers.

C checkpoints are the time axis of everything; a part that was measured at fewer names them by
their indices, `checkpoints`, and is as long as these, K. P programs; lines are numbered from 1.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from symscope.evidence import SymscopeError

_NEEDED = {
    "title": str, "lead": str, "command": str, "made": Mapping, "checkpoints": list, "tokens": list,
    "programs": list, "trajectory": Mapping, "breakdown": Mapping,
}  # fmt: skip
_PROGRAM = {
    "name": str, "tokens": list, "answer": str, "first": str, "depth": int, "root_line": int,
    "lines": list, "query": str, "query_line": int, "predictions": list, "probability": list,
}  # fmt: skip
_TRAJECTORY = {
    "accuracy": list, "low": list, "high": list, "series": Mapping, "floors": Mapping,
    "phases": list,
}  # fmt: skip
_CLAIM = {"claim": str, "low": None, "high": None, "score": None, "n": None, "controls": Mapping}
_EACH = "one for each checkpoint"
_OPTIONAL = ("lens", "patching", "subspaces", "claims")
_DIGITS = {"lens": 3, "patching": 3, "subspaces": 4}
"""Significant digits that the page keeps: of what is drawn as colour few, for the page's size."""


def checked_view(view: Mapping[str, Any]) -> dict[str, Any]:
    """The view with what is absent as None, and with numbers rounded to what a page can show.

    "checkpoints" are C ascending steps; "programs" have their tokens, one "\\n" after each line,
    and C "predictions" and probabilities; "trajectory" has curves of C shares, "floors" and
    "phases"; "breakdown" has [right, n] by attribute and value. These may be absent or empty:
    "lens" and "patching" with maps of rows × tokens by program, "subspaces" with points in the
    plane, "claims". Raises `SymscopeError` that names the place where something is off.
    """
    _has(view, "the view", _NEEDED)
    steps = view["checkpoints"]
    _listed(steps, None, "checkpoints")
    if not steps or any(b <= a for a, b in pairwise(steps)):
        raise SymscopeError(f"checkpoints are steps in ascending order, at least one; got {steps}")
    if not view["programs"]:
        raise SymscopeError("programs is empty: the explorer needs at least one to show")
    for number, program in enumerate(view["programs"]):
        _program(program, f"programs[{number}]", len(steps))
    _trajectory(view["trajectory"], len(steps))
    for attribute, values in view["breakdown"].items():
        _has(values, f"breakdown[{attribute!r}]")
        for value, counts in values.items():
            _counts(counts, f"breakdown[{attribute!r}][{value!r}]", len(steps))
    optional = {name: view.get(name) or None for name in _OPTIONAL}
    if optional["lens"]:
        _lens(optional["lens"], view["programs"], len(steps))
    if optional["patching"]:
        _patching(optional["patching"], view["programs"], len(steps))
    if optional["subspaces"]:
        _subspaces(optional["subspaces"], len(steps))
    for number, claim in enumerate(optional["claims"] or []):
        _has(claim, f"claims[{number}]", _CLAIM)
    whole = {**view, **optional}
    return {key: _rounded(value, key, _DIGITS.get(key, 6)) for key, value in whole.items()}


def _program(program: Any, where: str, checkpoints: int) -> None:
    _has(program, where, _PROGRAM)
    _listed(program["predictions"], checkpoints, f"{where}.predictions", _EACH)
    _numbers(program["probability"], checkpoints, f"{where}.probability", _EACH)
    lines = program["lines"]
    ends = program["tokens"].count("\n")
    if ends != len(lines):
        raise SymscopeError(f'{where}.tokens has {ends} line ends "\\n", but {len(lines)} lines')
    for number, line in enumerate(lines, 1):
        here = f"{where}.lines, line {number}"
        _has(line, here, {"left": str, "right": str, "from": None, "chain": bool})
        if line["from"] is not None and line["from"] not in range(1, number):
            raise SymscopeError(f"{here} takes its value from line {line['from']}: not before it")
    for name in ("root_line", "query_line"):
        if program[name] not in range(1, len(lines) + 1):
            raise SymscopeError(f"{where}.{name} is {program[name]}; there are {len(lines)} lines")


def _trajectory(trajectory: Any, checkpoints: int) -> None:
    _has(trajectory, "trajectory", _TRAJECTORY)
    curves = {f"trajectory.{n}": trajectory[n] for n in ("accuracy", "low", "high")}
    for group, named in trajectory["series"].items():
        _has(named, f"trajectory.series[{group!r}]")
        curves |= {f"trajectory.series[{group!r}][{n!r}]": curve for n, curve in named.items()}
    for where, curve in curves.items():
        _numbers(curve, checkpoints, where, _EACH)
    for number, phase in enumerate(trajectory["phases"]):
        _has(phase, f"trajectory.phases[{number}]", {"name": str, "from": None, "to": None})


def _counts(counts: Any, where: str, checkpoints: int) -> None:
    _listed(counts, checkpoints, where, f"{_EACH}, [right, n]")
    for cell in counts:
        _numbers(cell, 2, where, "right and n in each cell")
        if not 0 <= cell[0] <= cell[1]:
            raise SymscopeError(f"{where} has {cell[0]} right of {cell[1]}")


def _lens(lens: Any, programs: Sequence[Any], checkpoints: int) -> None:
    _has(lens, "lens", {"checkpoints": list, "rows": list, "maps": list})
    _indices(lens["checkpoints"], "lens", checkpoints)
    _listed(lens["maps"], len(programs), "lens.maps", "one for each program")
    for p, times in enumerate(lens["maps"]):
        count = len(lens["checkpoints"])
        _listed(times, count, f"lens.maps[{p}]", "one for each checkpoint of lens")
        for k, maps in enumerate(times):
            where = f"lens.maps[{p}][{k}]"
            _has(maps, where, {"answer": list, "first": list})
            for name in ("answer", "first"):
                shape = len(lens["rows"]), len(programs[p]["tokens"])
                _table(maps[name], shape, f"{where}.{name}")


def _patching(patching: Any, programs: Sequence[Any], checkpoints: int) -> None:
    wanted = {"checkpoints": list, "kinds": list, "rows": Mapping, "cells": list}
    _has(patching, "patching", wanted)
    _indices(patching["checkpoints"], "patching", checkpoints)
    _listed(patching["cells"], len(programs), "patching.cells", "one for each program")
    for p, kinds in enumerate(patching["cells"]):
        _has(kinds, f"patching.cells[{p}]")
        for kind, cell in kinds.items():
            where = f"patching.cells[{p}][{kind!r}]"
            if kind not in patching["kinds"]:
                raise SymscopeError(f"{where}: the kinds are {patching['kinds']}")
            if cell is None:
                continue
            _has(cell, where, {"tokens": list, "expected": str, "maps": Mapping})
            tokens = len(programs[p]["tokens"])
            _listed(cell["tokens"], tokens, f"{where}.tokens", "as many as the program has")
            _sites(cell["maps"], patching, tokens, where)
            if cell.get("heads") is not None:
                _heads(cell["heads"], len(patching["checkpoints"]), f"{where}.heads")


def _sites(maps: Mapping[str, Any], patching: Mapping[str, Any], tokens: int, where: str) -> None:
    for site, times in maps.items():
        if site not in patching["rows"]:
            raise SymscopeError(f"{where}.maps: no rows for {site!r}; patching.rows has "
                                f"{list(patching['rows'])}")  # fmt: skip
        here, count = f"{where}.maps[{site!r}]", len(patching["checkpoints"])
        _listed(times, count, here, "one for each checkpoint of patching")
        for k, table in enumerate(times):
            if table is not None:
                _table(table, (len(patching["rows"][site]), tokens), f"{here}[{k}]")


def _heads(times: Any, count: int, where: str) -> None:
    _listed(times, count, where, "one for each checkpoint of patching")
    given = [table for table in times if table is not None]
    for k, table in enumerate(given):
        _listed(table, len(given[0]), f"{where}[{k}]", "as many layers as the first has")
        _table(table, (len(table), len(given[0][0]) if given[0] else 0), f"{where}[{k}]")


def _subspaces(subspaces: Any, checkpoints: int) -> None:
    _has(subspaces, "subspaces", {"checkpoints": list, "groups": Mapping})
    _indices(subspaces["checkpoints"], "subspaces", checkpoints)
    for name, group in subspaces["groups"].items():
        where = f"subspaces.groups[{name!r}]"
        _has(group, where, {"labels": list, "points": list})
        count = len(subspaces["checkpoints"])
        _listed(group["points"], count, f"{where}.points", "one for each checkpoint of subspaces")
        for k, points in enumerate(group["points"]):
            _table(points, (len(group["labels"]), 2), f"{where}.points[{k}]")


def _has(part: Any, where: str, fields: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Raises unless `part` is a mapping with these keys, of these kinds; None is any kind."""
    if not isinstance(part, Mapping):
        raise SymscopeError(f"{where} is {_kind(part)} where a mapping is needed")
    for key, kind in fields.items():
        if key not in part:
            raise SymscopeError(f"{where} has no {key!r}; it has {sorted(map(str, part))}")
        if kind is not None and not isinstance(part[key], kind):
            wanted = "mapping" if kind is Mapping else kind.__name__
            raise SymscopeError(f"{where}: {key!r} is {_kind(part[key])} where {wanted} is needed")


def _listed(part: Any, count: int | None, where: str, each: str = "") -> None:
    """Raises unless `part` is a list, of that many."""
    if not isinstance(part, list | tuple):
        raise SymscopeError(f"{where} is {_kind(part)} where a list is needed")
    if count is not None and len(part) != count:
        raise SymscopeError(f"{where} has {len(part)} entries; it needs {count}, {each}")


def _table(part: Any, shape: tuple[int, int], where: str) -> None:
    _listed(part, shape[0], where, f"a table of {shape[0]} rows × {shape[1]}")
    for number, row in enumerate(part):
        each = f"a table of {shape[0]} rows × {shape[1]}"
        _numbers(row, shape[1], f"{where}, row {number}", each)


def _numbers(part: Any, count: int, where: str, each: str) -> None:
    """Raises unless `part` is a list of that many numbers, or None for what was not measured."""
    _listed(part, count, where, each)
    other = next((v for v in part if not (v is None or isinstance(v, int | float))), None)
    if other is not None:
        raise SymscopeError(f"{where} holds {other!r}; it has to hold numbers, or None")


def _indices(indices: Sequence[Any], where: str, checkpoints: int) -> None:
    rising = all(b > a for a, b in pairwise(indices))
    if not (indices and rising and all(i in range(checkpoints) for i in indices)):
        raise SymscopeError(f"{where}.checkpoints are ascending indices into the {checkpoints}"
                            f" checkpoints, at least one; got {indices}")  # fmt: skip


def _rounded(part: Any, where: str, digits: int) -> Any:
    """The part with its numbers rounded; raises for one that JSON does not have."""
    if isinstance(part, float):
        if not math.isfinite(part):
            raise SymscopeError(f"{where} holds {part}, which is no number")
        return float(f"{part:.{digits}g}")
    if isinstance(part, Mapping):
        return {str(k): _rounded(v, f"{where}[{k!r}]", digits) for k, v in part.items()}
    if isinstance(part, list | tuple):
        return [_rounded(v, where, digits) for v in part]
    return part


def _kind(part: Any) -> str:
    return "nothing" if part is None else f"a {type(part).__name__}"
