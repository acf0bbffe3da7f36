"""What the explorer shows, checked where it comes in: keys, shapes that agree, real numbers.

C checkpoints are the time axis of everything; a part that was measured at fewer names them by
their indices, `checkpoints`, and is as long as these, K. P programs; lines are numbered from 1.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from symscope.evidence import SymscopeError
from symscope.report.checks import has, listed, numbers, rounded, table

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
    has(view, "the view", _NEEDED)
    steps = view["checkpoints"]
    listed(steps, None, "checkpoints")
    if not steps or any(b <= a for a, b in pairwise(steps)):
        raise SymscopeError(f"checkpoints are steps in ascending order, at least one; got {steps}")
    if not view["programs"]:
        raise SymscopeError("programs is empty: the explorer needs at least one to show")
    for number, program in enumerate(view["programs"]):
        _program(program, f"programs[{number}]", len(steps))
    _trajectory(view["trajectory"], len(steps))
    for attribute, values in view["breakdown"].items():
        has(values, f"breakdown[{attribute!r}]")
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
        has(claim, f"claims[{number}]", _CLAIM)
    whole = {**view, **optional}
    return {key: rounded(value, key, _DIGITS.get(key, 6)) for key, value in whole.items()}


def _program(program: Any, where: str, checkpoints: int) -> None:
    has(program, where, _PROGRAM)
    listed(program["predictions"], checkpoints, f"{where}.predictions", _EACH)
    numbers(program["probability"], checkpoints, f"{where}.probability", _EACH)
    lines = program["lines"]
    ends = program["tokens"].count("\n")
    if ends != len(lines):
        raise SymscopeError(f'{where}.tokens has {ends} line ends "\\n", but {len(lines)} lines')
    for number, line in enumerate(lines, 1):
        here = f"{where}.lines, line {number}"
        has(line, here, {"left": str, "right": str, "from": None, "chain": bool})
        if line["from"] is not None and line["from"] not in range(1, number):
            raise SymscopeError(f"{here} takes its value from line {line['from']}: not before it")
    for name in ("root_line", "query_line"):
        if program[name] not in range(1, len(lines) + 1):
            raise SymscopeError(f"{where}.{name} is {program[name]}; there are {len(lines)} lines")


def _trajectory(trajectory: Any, checkpoints: int) -> None:
    has(trajectory, "trajectory", _TRAJECTORY)
    curves = {f"trajectory.{n}": trajectory[n] for n in ("accuracy", "low", "high")}
    for group, named in trajectory["series"].items():
        has(named, f"trajectory.series[{group!r}]")
        curves |= {f"trajectory.series[{group!r}][{n!r}]": curve for n, curve in named.items()}
    for where, curve in curves.items():
        numbers(curve, checkpoints, where, _EACH)
    for number, phase in enumerate(trajectory["phases"]):
        has(phase, f"trajectory.phases[{number}]", {"name": str, "from": None, "to": None})


def _counts(counts: Any, where: str, checkpoints: int) -> None:
    listed(counts, checkpoints, where, f"{_EACH}, [right, n]")
    for cell in counts:
        numbers(cell, 2, where, "right and n in each cell")
        if not 0 <= cell[0] <= cell[1]:
            raise SymscopeError(f"{where} has {cell[0]} right of {cell[1]}")


def _lens(lens: Any, programs: Sequence[Any], checkpoints: int) -> None:
    has(lens, "lens", {"checkpoints": list, "rows": list, "maps": list})
    _indices(lens["checkpoints"], "lens", checkpoints)
    listed(lens["maps"], len(programs), "lens.maps", "one for each program")
    for p, times in enumerate(lens["maps"]):
        count = len(lens["checkpoints"])
        listed(times, count, f"lens.maps[{p}]", "one for each checkpoint of lens")
        for k, maps in enumerate(times):
            where = f"lens.maps[{p}][{k}]"
            has(maps, where, {"answer": list, "first": list})
            for name in ("answer", "first"):
                shape = len(lens["rows"]), len(programs[p]["tokens"])
                table(maps[name], shape, f"{where}.{name}")


def _patching(patching: Any, programs: Sequence[Any], checkpoints: int) -> None:
    wanted = {"checkpoints": list, "kinds": list, "rows": Mapping, "cells": list}
    has(patching, "patching", wanted)
    _indices(patching["checkpoints"], "patching", checkpoints)
    listed(patching["cells"], len(programs), "patching.cells", "one for each program")
    for p, kinds in enumerate(patching["cells"]):
        has(kinds, f"patching.cells[{p}]")
        for kind, cell in kinds.items():
            where = f"patching.cells[{p}][{kind!r}]"
            if kind not in patching["kinds"]:
                raise SymscopeError(f"{where}: the kinds are {patching['kinds']}")
            if cell is None:
                continue
            has(cell, where, {"tokens": list, "expected": str, "maps": Mapping})
            tokens = len(programs[p]["tokens"])
            listed(cell["tokens"], tokens, f"{where}.tokens", "as many as the program has")
            _sites(cell["maps"], patching, tokens, where)
            if cell.get("heads") is not None:
                _heads(cell["heads"], len(patching["checkpoints"]), f"{where}.heads")


def _sites(maps: Mapping[str, Any], patching: Mapping[str, Any], tokens: int, where: str) -> None:
    for site, times in maps.items():
        if site not in patching["rows"]:
            raise SymscopeError(f"{where}.maps: no rows for {site!r}; patching.rows has "
                                f"{list(patching['rows'])}")  # fmt: skip
        here, count = f"{where}.maps[{site!r}]", len(patching["checkpoints"])
        listed(times, count, here, "one for each checkpoint of patching")
        for k, grid in enumerate(times):
            if grid is not None:
                table(grid, (len(patching["rows"][site]), tokens), f"{here}[{k}]")


def _heads(times: Any, count: int, where: str) -> None:
    listed(times, count, where, "one for each checkpoint of patching")
    given = [grid for grid in times if grid is not None]
    for k, grid in enumerate(given):
        listed(grid, len(given[0]), f"{where}[{k}]", "as many layers as the first has")
        table(grid, (len(grid), len(given[0][0]) if given[0] else 0), f"{where}[{k}]")


def _subspaces(subspaces: Any, checkpoints: int) -> None:
    has(subspaces, "subspaces", {"checkpoints": list, "groups": Mapping})
    _indices(subspaces["checkpoints"], "subspaces", checkpoints)
    for name, group in subspaces["groups"].items():
        where = f"subspaces.groups[{name!r}]"
        has(group, where, {"labels": list, "points": list})
        count = len(subspaces["checkpoints"])
        listed(group["points"], count, f"{where}.points", "one for each checkpoint of subspaces")
        for k, points in enumerate(group["points"]):
            table(points, (len(group["labels"]), 2), f"{where}.points[{k}]")


def _indices(indices: Sequence[Any], where: str, checkpoints: int) -> None:
    rising = all(b > a for a, b in pairwise(indices))
    if not (indices and rising and all(i in range(checkpoints) for i in indices)):
        raise SymscopeError(f"{where}.checkpoints are ascending indices into the {checkpoints}"
                            f" checkpoints, at least one; got {indices}")  # fmt: skip
