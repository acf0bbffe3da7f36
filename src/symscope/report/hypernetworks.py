"""A study of hypernetworks as one page: networks that morph as β turns, and what they compute.

The view is a mapping that JSON can hold. Needed: "title", "lead", "command" (text), "made" (what
to reproduce it with, by name). Lists, each of which may be empty or absent, and then has no
section: "hypernetworks", "fronts", "phases", "patterns", "orders", "pictures", "sizes",
"encoder", "comparison", "tests", "claims" (as the other pages have them). "classes" may say what
each class of algorithm is, {name: sentence}; its order is that of colours and legends.

A *measure* is a number, None, or {"score": number or None, "low", "high": its 95 % interval,
"null": what chance gives, "reason": why there is no score}; all but "score" may be absent. Names
in square brackets may be absent or None. Losses, KL (nats) and β are as they are; the page draws
them on logarithmic axes. *Floors* are {name: number}, losses that need no insight.

- hypernetwork, a dial: "name" (unique), "seed", "task", "sizes", "betas" (increasing), "networks"
  (one for each β), ["steps": earlier ones, {"step", "networks"}], ["step": that of "networks"],
  ["floors"], ["said"]. A network is "weights" (`packed_weights`), "positions" (`packed`, (node, 2):
  inputs, hidden units, outputs), "loss", "kl" (measures), "class" (text or None), ["confidence"].
- front: "network" (the hypernetwork's name), "task", "points" {"beta", "loss", "kl" (measures),
  "class"}, ["floors"]. All of a task are in one chart.
- phase: "network", "steps", "betas", "classes" (a row for each step, of a class or None for each
  β), ["losses": likewise, numbers or None], ["pattern": which development it is], ["said"].
- pattern: "name", "count", "of", ["said"]; the page adds Wilson's interval.
- order: "task", "x", "y" (names), "made" (hand-built networks) and "generated", both {"x", "y",
  "class", ["name"]}, "boundaries" {"name", and "x" or "y": a number, or "points": [x, y] pairs},
  ["log": which axes are logarithmic, of "x" and "y"], ["confusion": {"labels", "counts": a row for
  each true label}], ["said"].
- pictures, a row of networks side by side: "name", "networks" {"name", "sizes", "weights",
  "positions", "loss", "length" (description length in bits), "energy" (measures), "class"},
  ["said"].
- sizes, an atlas of sizes: "network", "inputs", "hidden", "losses" (a row for each number of
  inputs, of measures), "radial" (the radial floor for each number of inputs), "trained" (a list of
  [inputs, hidden]), ["contours": [0.07, 0.15]], ["said"].
- encoder: "network", "betas", "with", "without" (a measure for each β), ["floors"], ["said"].
- comparison row: "method", "task", "loss", "length", "formula" (error of the formula), "owned"
  (share of owned units), "aligned" (share of aligned variables; measures), ["class"], ["note"],
  ["control": whether it is one].
- tests of one network: "network", "class", "rows" {"name", "measure", "controls" {name: number},
  ["expected": text], ["said"]}, ["said"].
"""

from collections.abc import Mapping
from typing import Any

import torch

from symscope.models.perceptron import Weights
from symscope.report.geometry import packed
from symscope.report.hypernetworks_view import checked_hypernetworks
from symscope.report.render import rendered, script

_SCRIPTS = (
    "theme.js", "words.js", "slider.js", "atlas_colours.js", "geometry_measure.js",
    "geometry_chart.js", "geometry_panels.js", "hypernetworks_words.js",
    "hypernetworks_network.js", "hypernetworks_dial.js", "hypernetworks_scatter.js",
    "hypernetworks_fronts.js", "hypernetworks_grid.js", "hypernetworks_maps.js",
    "hypernetworks_tables.js", "hypernetworks.js",
)  # fmt: skip


def hypernetworks(view: Mapping[str, Any]) -> str:
    """The page as text: one file that opens offline, with a dial from exact to simple networks.

    `view` is as this module describes it. Raises `SymscopeError` where it lacks something or its
    shapes do not agree, and where jinja2 is not installed.
    """
    view = checked_hypernetworks(view)
    pictures = view.pop("pictures")
    return rendered(
        "hypernetworks.html", [script(*_SCRIPTS)],
        ["explorer.css", "geometry.css", "hypernetworks.css"],
        view=view, pictures=pictures, headline=view["title"], told=plain,
    )  # fmt: skip


def packed_weights(weights: Weights) -> str:
    """One network's weights as a view holds them: its matrices row by row, then its biases."""
    return packed(torch.cat([p.detach().flatten() for part in weights for p in part]).cpu())


def plain(value: Any) -> str:
    """A number with three digits that count, never in percent; other things as they are.

    >>> plain(0.04567), plain(-0.5), plain(12345), plain(2e-7), plain(None), plain("x")
    ('0.0457', '−0.5', '12,345', '2e−07', '–', 'x')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    whole = isinstance(value, int) or abs(value) >= 1000
    return (f"{value:,.0f}" if whole else f"{value:.3g}").replace("-", "−")
