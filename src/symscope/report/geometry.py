"""A study of multi-dimensional features as one page: clouds of points, their indices, what acts.

The view is a mapping that JSON can hold. Needed: "title", "lead", "command" (text), "made" (what
to reproduce it with, by name). Lists, each of which may be empty or absent, and then has no
section: "clouds", "histograms", "ranking", "interventions", "off_circle", "residuals",
"verdicts", "spectra", "claims" (as the atlas has them).

A *measure* is a number, None, or {"score": number or None, "low", "high": its 95 % interval,
"null": what chance gives, "reason": why there is no score}; all but "score" may be absent. Names
in square brackets may be absent or None.

- cloud: "group", "name" (unique in its group), "said" (a sentence), "points" (`packed` floats
  (n, d), n ≤ 2,000), "dimensions" (d, 2 to 5; the first three are drawn in 3-D), "variable",
  ["plane": the two axes that are drawn flat, from 0; [0, 1]], ["axes": d names], ["texts": n, what
  a point is], ["indices": {"separability", "mixture": measures}, "mixture" with a "support" beside
  its "null": M that its discrete support alone reaches], ["published": {"separability", "mixture",
  "source"}], ["facts": {"frequency", "r2", "cluster", …: number or text}].
- variable: "name", "values" (n numbers, None where not known), ["period": the value that is 0
  again; colours are then cyclic], ["labels": values are places in it; colours are then of kinds,
  or cyclic with a period]. Without both, colours go from the least value to the greatest. On a
  circle of frequency k, give k·a modulo the period: colours then go round once.
- histogram: "name", "unit" ("share" is told in percent), "values", ["null": values by chance],
  ["marks": {"x", "label"}], ["said"].
- ranking row, in any order: "cluster" (number or name), "size", "score" ((1 − M)·S, a measure
  whose "null" is the Gaussian's), "separability", "mixture", "r2" (measures), "frequency" (or
  None), "tokens" (texts), ["cloud": its place in "clouds"], ["published": text or number].
- intervention: "network", "metric", "unit" ("share" or another word), "x" (labels of layers or
  sites; with one, the series are rows of dots), "series" {name: a measure for each x}, ["said"].
  `geometry_words.SERIES` says what the names mean; ["words": {name: sentence}] of the view says it
  of others.
- off_circle: "network", "radius", "accuracy" (a measure for each), ["chance"], ["circle": the
  radius that the network itself uses], ["said"].
- residual: "network", "shape" [a, b], "steps" {"added", "r2" (number or measure), ["low", "high",
  "null", "grid": `packed` bytes (a, b, 3), the residual as red, green, blue]}, ["rows", "columns":
  what runs down and across; a, b], ["said"].
- verdict: "network", "unsupervised", "fourier" (frequencies), "gradient_symmetricity",
  "distance_irrelevance", "intervention" (measures), "verdict" (clock, pizza, neither or None),
  ["untrained": whether it is that control], ["note"].
- spectrum: "network", "frequencies", "power" (as many), ["floor": one number, or as many], ["of":
  what it is a spectrum of], ["key": frequencies that count as used], ["said"].
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from symscope.report.geometry_view import checked_geometry
from symscope.report.render import rendered, script
from symscope.report.told import told

_SCRIPTS = (
    "theme.js", "words.js", "atlas_colours.js", "geometry_measure.js", "geometry_hues.js",
    "geometry_chart.js", "geometry_points.js", "geometry_canvas.js", "geometry_plane.js",
    "geometry_turn.js", "geometry_facts.js", "geometry_clouds.js", "geometry_histograms.js",
    "geometry_panels.js", "geometry_curves.js", "geometry_residuals.js", "geometry_spectra.js",
    "geometry.js",
)  # fmt: skip


def geometry(view: Mapping[str, Any]) -> str:
    """The page as text: one file that opens offline, with every cloud to turn and to look through.

    `view` is as this module describes it. Raises `SymscopeError` where it lacks something or its
    shapes do not agree, and where jinja2 is not installed.
    """
    view = checked_geometry(view)
    return rendered(
        "geometry.html", [script(*_SCRIPTS)], ["explorer.css", "geometry.css"],
        view=view, headline=view["title"], told=told,
        groups=list(dict.fromkeys(c["group"] for c in view["clouds"])),
    )  # fmt: skip


def packed(values: Any) -> str:
    """An array as a view holds it, in base64: bytes as they are, all else as 32-bit floats.

    >>> packed(np.zeros((1, 2))), packed(np.full((1, 1, 3), 255, np.uint8))
    ('AAAAAAAAAAA=', '////')
    """
    array = np.asarray(values)
    kind = np.uint8 if array.dtype == np.uint8 else np.dtype("<f4")
    return base64.b64encode(np.ascontiguousarray(array, dtype=kind).tobytes()).decode()
