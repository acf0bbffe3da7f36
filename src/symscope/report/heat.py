"""Heat maps: any table of numbers as one, and the splits of an IIA by value, phase and distance.

Colours are written `var(--name)`: the page puts in what its style sheet says, light or dark.
Text that comes from data is escaped, because plotly reads a part of HTML in labels.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.report.sentence import called, percent, variable_of

Figure = dict[str, Any]
"""`data` and `layout` as plotly takes them, ready for JSON."""
Cell = tuple[int, int]
"""Pairs that came out right, pairs."""

PER_CELL = 8
"""Values are grouped until a cell holds this many pairs in the mean; fewer say nothing."""
FEWEST = 3
"""A cell with fewer pairs is left blank; the hover still says what there is."""
_WIDEST = 10
_MOST_TEXT = 12
_SCALE = [[0, "var(--heat-low)"], [0.5, "var(--heat-middle)"], [1, "var(--heat-high)"]]
_MARGIN = {"l": 72, "r": 16, "t": 12, "b": 56}


def letters(text: str) -> str:
    """The text so that plotly shows it letter for letter: it reads HTML, and formulas between $.

    >>> letters("a < $b$")
    'a &lt; &#36;b&#36;'
    """
    return escape(text, False).replace("$", "&#36;")


def heat_map(
    x: Sequence[str],
    y: Sequence[str],
    z: Sequence[Sequence[float | None]],
    hover: Sequence[Sequence[str]],
    titles: tuple[str, str],
    height: int = 460,
) -> Figure:
    """A table of shares as coloured squares; None is left blank. `hover` has a text per cell."""
    few = max(len(x), len(y)) <= _MOST_TEXT
    trace = {
        "type": "heatmap", "z": z, "text": [[letters(t) for t in row] for row in hover],
        "hovertemplate": "%{text}<extra></extra>", "xgap": 1, "ygap": 1,
        "zmin": 0, "zmax": 1, "colorscale": _SCALE,
        "colorbar": {"tickformat": ".0%", "thickness": 10, "outlinewidth": 0, "len": 0.8},
    }  # fmt: skip
    if few:
        trace |= {"texttemplate": "%{z:.0%}", "textfont": {"size": 11}}
    tick = {"tickangle": 0, "tickfont": {"size": 11}} if few else {}
    axes = {
        f"{name}axis": {
            "title": {"text": letters(title), "standoff": 14}, "showgrid": False,
            "zeroline": False,
            "tickvals": list(range(len(labels))),
            "ticktext": [letters(label) for label in labels], "constrain": "domain",
            "ticks": "",
        } | tick
        for name, title, labels in (("x", titles[0], x), ("y", titles[1], y))
    }  # fmt: skip
    axes["yaxis"]["scaleanchor"] = "x"
    return {"data": [trace], "layout": axes | {"height": height, "margin": _MARGIN}}


def values_figure(evidence: Evidence) -> Figure | None:
    """IIA by the variable's value in the base (across) and in the source (up), grouped if few."""
    cells = {_two(key): cell for key, cell in cells_of(evidence, "value").items()}
    if not cells:
        return None
    step = group_step(cells)
    groups: dict[tuple[int, int], Cell] = {}
    for (source, base), (right, n) in cells.items():
        key = source // step, base // step
        before = groups.get(key, (0, 0))
        groups[key] = before[0] + right, before[1] + n
    numbers = [number for key in groups for number in key]
    span = range(min(numbers), max(numbers) + 1)
    most = max(number for key in cells for number in key)
    labels = [_group(i * step, min(most, i * step + step - 1)) for i in span]
    name = called(variable_of(evidence))
    titles = f"{name} in the base", f"{name} in the source"
    return _of_cells(groups, span, labels, titles, 480)


def phases_figure(evidence: Evidence) -> Figure | None:
    """IIA by phase of the base (across) and of the source (up)."""
    cells = {_two(key): cell for key, cell in cells_of(evidence, "phase").items()}
    if not cells:
        return None
    span = range(max(max(key) for key in cells) + 1)
    labels = ["demo", "response"] if len(span) == 2 else [str(i) for i in span]
    return _of_cells(cells, span, labels, ("phase of the base", "phase of the source"), 260)


def distance_figure(evidence: Evidence) -> Figure | None:
    """IIA by |source − base|: points with their intervals, above a heat map of one row."""
    cells = {int(key): cell for key, cell in cells_of(evidence, "difference").items()}
    if not cells:
        return None
    span = sorted(cells)
    shares = [cells[d][0] / cells[d][1] for d in span]
    bounds = [wilson(*cells[d]) for d in span]
    hover = [f"difference {d}: {describe(cells[d])}" for d in span]
    points = {
        "type": "scatter", "mode": "markers", "x": span, "y": shares, "text": hover,
        "hovertemplate": "%{text}<extra></extra>", "marker": {"color": "var(--accent)", "size": 8},
        "error_y": {
            "type": "data", "symmetric": False, "thickness": 1.2, "width": 0,
            "color": "var(--accent)",
            "array": [high - s for s, (_, high) in zip(shares, bounds, strict=True)],
            "arrayminus": [s - low for s, (low, _) in zip(shares, bounds, strict=True)],
        },
    }  # fmt: skip
    strip = {
        "type": "heatmap", "x": span, "y": [""], "z": [shares], "text": [hover], "yaxis": "y2",
        "hovertemplate": "%{text}<extra></extra>", "zmin": 0, "zmax": 1, "colorscale": _SCALE,
        "showscale": False, "xgap": 1,
    }  # fmt: skip
    name = letters(called(variable_of(evidence)))
    layout = {
        "height": 290, "margin": _MARGIN, "showlegend": False,
        "xaxis": {"title": {"text": f"|{name} in the source − {name} in the base|"},
                  "showgrid": False, "zeroline": False, "anchor": "y2"},
        "yaxis": {"title": {"text": "IIA"}, "range": [0, 1.04], "tickformat": ".0%",
                  "domain": [0.2, 1], "zeroline": False},
        "yaxis2": {"domain": [0, 0.1], "showgrid": False, "showticklabels": False, "ticks": ""},
    }  # fmt: skip
    return {"data": [points, strip], "layout": layout}


def cells_of(evidence: Evidence, split: str) -> dict[str, Cell]:
    """The split's cells that hold pairs; raises `SymscopeError` where they are something else."""
    try:
        found = {str(k): (int(w), int(n)) for k, (w, n) in evidence.config.get(split, {}).items()}
        if any(not 0 <= right <= n for right, n in found.values()):
            raise ValueError("more pairs are right than there are")
        for key in found:
            int(key) if split == "difference" else _two(key)
    except (AttributeError, TypeError, ValueError) as error:
        raise SymscopeError(
            f"{evidence.claim}: config[{split!r}] holds no counts [right, n]: {error}"
        ) from None
    return {key: cell for key, cell in found.items() if cell[1]}


def group_step(cells: Mapping[tuple[int, int], Cell]) -> int:
    """How many values go into one group so that a cell holds `PER_CELL` pairs in the mean."""
    pairs = sum(n for _, n in cells.values())
    for step in range(1, _WIDEST):
        used = {(source // step, base // step) for source, base in cells}
        if pairs >= PER_CELL * len(used) or len(used) <= 4:
            return step
    return _WIDEST


def describe(cell: Cell) -> str:
    """A cell in words: share, interval, n."""
    low, high = wilson(*cell)
    share = f"{percent(cell[0] / cell[1])} of {cell[1]:,} pairs"
    return f"{share} (95\u00a0%: {100 * low:.0f}–{100 * high:.0f}\u00a0%)"


def _of_cells(
    cells: Mapping[tuple[int, int], Cell],
    span: range,
    labels: Sequence[str],
    titles: tuple[str, str],
    height: int,
) -> Figure:
    z: list[list[float | None]] = []
    hover = []
    for source, up in zip(span, labels, strict=True):
        row = [cells.get((source, base)) for base in span]
        z.append([cell[0] / cell[1] if cell and cell[1] >= FEWEST else None for cell in row])
        hover.append(
            [
                f"source {up}, base {across}: {describe(cell) if cell else 'no pairs'}"
                for across, cell in zip(labels, row, strict=True)
            ]
        )
    return heat_map(labels, labels, z, hover, titles, height)


def _two(key: str) -> tuple[int, int]:
    source, base = key.split(":")
    return int(source), int(base)


def _group(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
