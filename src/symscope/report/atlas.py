"""A study of arithmetic by a bag of heuristics as one page: the atlas of its activation maps."""

from collections.abc import Mapping
from typing import Any

from symscope.report.atlas_view import FAMILIES, KINDS, OF, checked_atlas
from symscope.report.render import rendered, script
from symscope.report.told import told

_SCRIPTS = (
    "theme.js", "words.js", "heat.js", "atlas_colours.js", "atlas_patterns.js", "atlas_map.js",
    "atlas_circuit.js", "atlas_tiles.js", "atlas_scores.js", "atlas_detail.js", "atlas.js",
)  # fmt: skip


def atlas(view: Mapping[str, Any]) -> str:
    """The page as text: one file that opens offline, with a map of each neuron to look through.

    `view` is as `atlas_view.checked_atlas` describes it. Raises `SymscopeError` where it lacks
    something or its shapes do not agree, and where jinja2 is not installed.
    """
    view = checked_atlas(view)
    return rendered(
        "atlas.html", [script(*_SCRIPTS)], ["explorer.css", "atlas.css"],
        view=view, headline=view["title"], told=told, kinds=KINDS, of=OF, families=FAMILIES,
        layers=sorted({n["layer"] for n in view["neurons"]}),
    )  # fmt: skip
