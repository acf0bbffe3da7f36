"""The figures that are no heat maps: controls, training, the aligned coordinate.

Pure functions to plotly dicts, under the two rules of `heat`: `var(--name)` colours, escaped text.
"""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from symscope.align.accept import verdict
from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.report.controls import Control, controls_of
from symscope.report.heat import Figure, letters
from symscope.report.sentence import basis, percent

_COLOURS = {"floor": "var(--floor)", "rival": "var(--rival)", "ceiling": "var(--floor)"}
_KINDS = {"floor": "a floor", "rival": "another choice of coordinates", "ceiling": "a ceiling"}
_PHASES = ("demo phase", "response phase")
_ASIDE = 0.13
"""The two phases stand beside each other: a point is this far from its count."""


def controls_figure(evidence: Evidence) -> Figure | None:
    """The claim above all controls that are shares of the same pairs, each with its interval."""
    if evidence.score is None:
        return None
    rows = list(controls_of(evidence, "floor", "rival", "ceiling").values())
    rows.sort(key=lambda row: (list(_COLOURS).index(row[0].kind), -row[1]))
    floor = verdict(evidence).floor
    claim = f"<b>this claim\u2002{percent(evidence.score)}</b>"
    labels = [*(_label(c.label, value) for c, value in reversed(rows)), claim]
    values = [*(value for _, value in reversed(rows)), evidence.score]
    bounds = [wilson(round(v * evidence.n), evidence.n) for v in values[:-1]]
    bounds.append((_or(evidence.low, evidence.score), _or(evidence.high, evidence.score)))
    hover = [_explained(c, v, b) for (c, v), b in zip(reversed(rows), bounds[:-1], strict=True)]
    hover.append(f"<b>{percent(evidence.score)}</b><br>" + _lines(basis(evidence)))
    colours = [*(_COLOURS[c.kind] for c, _ in reversed(rows)), "var(--accent)"]
    trace = {
        "type": "scatter", "mode": "markers", "x": values, "y": list(range(len(labels))),
        "text": hover, "hovertemplate": "%{text}<extra></extra>", "cliponaxis": False,
        "marker": {"color": colours, "size": [9] * len(rows) + [14], "opacity": 1,
                   "line": {"width": 0}},
        "error_x": {
            "type": "data", "symmetric": False, "thickness": 1.5, "width": 0,
            "color": "var(--muted)",
            "array": [h - v for v, (_, h) in zip(values, bounds, strict=True)],
            "arrayminus": [v - low for v, (low, _) in zip(values, bounds, strict=True)],
        },
    }  # fmt: skip
    layout = {
        "height": 110 + 32 * len(labels), "margin": {"l": 240, "r": 24, "t": 28, "b": 48},
        "xaxis": {"range": [0, 1], "tickformat": ".0%", "zeroline": False,
                  "title": {"text": "share of pairs"}},
        "yaxis": {"tickvals": list(range(len(labels))), "ticktext": labels, "zeroline": False,
                  "range": [-0.6, len(labels) - 0.4]},
        "showlegend": False, "hovermode": "closest",
    }  # fmt: skip
    return {"data": [trace], "layout": layout | (_line_at(floor) if floor is not None else {})}


def training_figure(evidence: Evidence) -> Figure | None:
    """Loss, on a logarithmic axis, and accuracy where it was measured, by epoch."""
    try:
        history = [dict(h) for h in evidence.config.get("history", [])]
        loss = [(h["epoch"], float(h["loss"])) for h in history if "loss" in h]
        right = [(h["epoch"], float(h["accuracy"])) for h in history if "accuracy" in h]
    except (KeyError, TypeError, ValueError) as error:
        raise SymscopeError(f"{evidence.claim}: config['history'] is no history: {error}") from None
    if not history:
        return None
    traces = [
        _curve(right, "var(--accent)", "lines+markers", "accuracy %{y:.1%}"),
        _curve(loss, "var(--rival)", "lines", "loss %{y:.4f}") | {"yaxis": "y2"},
    ]
    layout = {
        "height": 380, "margin": {"l": 64, "r": 16, "t": 12, "b": 52}, "showlegend": False,
        "hovermode": "x unified",
        "xaxis": {"title": {"text": "epoch"}, "anchor": "y2", "zeroline": False},
        "yaxis": {"title": {"text": "accuracy"}, "domain": [0.55, 1], "range": [-0.03, 1.05],
                  "tickformat": ".0%", "zeroline": False},
        "yaxis2": {"title": {"text": "loss (log)"}, "domain": [0, 0.45], "type": "log",
                   "zeroline": False},
    }  # fmt: skip
    return {"data": traces, "layout": layout}


def coordinate_figure(coordinates: Mapping[str, Sequence[float]]) -> Figure:
    """The aligned coordinate of natural states against the true count, by phase."""
    count, phase, first, _ = _columns(coordinates)
    traces = []
    for value, name, colour, symbol in _by_phase():
        here = phase == value
        aside = _ASIDE if value else -_ASIDE
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": name,
                "x": (count[here] + aside).tolist(), "y": first[here].round(5).tolist(),
                "customdata": count[here].tolist(),
                "hovertemplate": f"count %{{customdata}}, {name}<br>coordinate %{{y:.3f}}"
                "<extra></extra>",
                "marker": {"color": colour, "size": 7, "symbol": symbol, "opacity": 0.75},
            }
        )  # fmt: skip
    layout = {
        "height": 440, "margin": {"l": 64, "r": 16, "t": 36, "b": 52}, "hovermode": "closest",
        "xaxis": {"title": {"text": "true count"}, "zeroline": False},
        "yaxis": {"title": {"text": "aligned coordinate"}, "zeroline": False},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    }  # fmt: skip
    return {"data": traces, "layout": layout}


def plane_figure(coordinates: Mapping[str, Sequence[float]]) -> Figure:
    """The aligned coordinate and a second one of its subspace, coloured by the true count."""
    count, phase, first, second = _columns(coordinates)
    traces = []
    for value, name, _, symbol in _by_phase():
        here = phase == value
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": name,
                "x": first[here].round(5).tolist(), "y": second[here].round(5).tolist(),
                "customdata": count[here].tolist(),
                "hovertemplate": f"count %{{customdata}}, {name}<extra></extra>",
                "marker": {"color": count[here].tolist(), "coloraxis": "coloraxis", "size": 7,
                           "symbol": symbol},
                "showlegend": False,
            }
        )  # fmt: skip
    layout = {
        "height": 440, "margin": {"l": 64, "r": 16, "t": 36, "b": 52}, "hovermode": "closest",
        "xaxis": {"title": {"text": "aligned coordinate"}, "zeroline": False},
        "yaxis": {"title": {"text": "second coordinate"}, "zeroline": False},
        "coloraxis": {
            "colorscale": [[0, "var(--heat-low)"], [0.5, "var(--heat-middle)"],
                           [1, "var(--heat-high)"]],
            "colorbar": {"title": {"text": "count", "font": {"size": 13}}, "thickness": 10,
                         "outlinewidth": 0},
        },
    }  # fmt: skip
    return {"data": traces, "layout": layout}


def correlations(coordinates: Mapping[str, Sequence[float]]) -> list[tuple[str, float, int]]:
    """Phase, Pearson's correlation of coordinate and count in it, number of states in it.

    A phase in which one of the two does not vary has no correlation and is left out.
    """
    count, phase, first, _ = _columns(coordinates)
    found = []
    for value, name, *_ in _by_phase():
        x, y = count[phase == value], first[phase == value]
        if len(x) > 1 and x.std() and y.std():
            found.append((name, float(np.corrcoef(x, y)[0, 1]), len(x)))
    return found


def _columns(
    coordinates: Mapping[str, Sequence[float]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    try:
        names = ("count", "phase", "coordinate", "second")
        count, phase, first, second = (np.array(coordinates[n], dtype=float) for n in names)
        if len({count.shape, phase.shape, first.shape, second.shape, (count.size,)}) != 1:
            raise ValueError("its columns are not of one length")
        if not (count.size and np.isfinite(np.concatenate([count, phase, first, second])).all()):
            raise ValueError("its columns are empty or not finite")
    except (KeyError, TypeError, ValueError) as error:
        raise SymscopeError(f"coordinates.json holds no coordinates: {error}") from None
    return count, phase, first, second


def _by_phase() -> list[tuple[int, str, str, str]]:
    return [(0, _PHASES[0], "var(--accent)", "circle"), (1, _PHASES[1], "var(--rival)", "diamond")]


def _curve(points: list[tuple[int, float]], colour: str, mode: str, hover: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": mode, "x": [x for x, _ in points], "y": [y for _, y in points],
        "line": {"color": colour, "width": 1.8}, "marker": {"color": colour, "size": 5},
        "hovertemplate": hover + "<extra></extra>",
    }  # fmt: skip


def _label(text: str, value: float) -> str:
    return f"{letters(text)}\u2002{percent(value)}"


def _line_at(floor: float) -> dict[str, Any]:
    line = {"color": "var(--floor)", "width": 1.2, "dash": "dash"}
    note = {
        "text": f"highest floor {percent(floor)}", "x": floor, "xref": "x", "y": 1, "yref": "paper",
        "yanchor": "bottom", "showarrow": False, "font": {"size": 12, "color": "var(--muted)"},
        "xanchor": "left" if floor < 0.6 else "right",
    }  # fmt: skip
    shape = {"type": "line", "x0": floor, "x1": floor, "y0": 0, "y1": 1, "yref": "paper"}
    return {"shapes": [shape | {"line": line, "layer": "below"}], "annotations": [note]}


def _explained(control: Control, value: float, bounds: tuple[float, float]) -> str:
    low, high = (100 * b for b in bounds)
    title = f"<b>{letters(control.label)}: {percent(value)}</b> ({_KINDS[control.kind]})"
    text = f"95\u00a0%: {low:.1f}–{high:.1f}\u00a0%. {control.meaning} {control.expected}"
    return f"{title}<br>{_lines(text)}"


def _lines(text: str) -> str:
    return "<br>".join(letters(line) for line in wrap(text, 52))


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
