"""A study of variable binding as one page: programs, training, and what happens inside."""

from collections.abc import Mapping
from typing import Any

from symscope.report.drawing import shown
from symscope.report.explorer_view import checked_view
from symscope.report.render import plotly, rendered, script
from symscope.report.sentence import percent

_SCRIPTS = (
    "theme.js", "words.js", "slider.js", "heat.js", "program_graph.js", "explorer_training.js",
    "explorer_answers.js", "explorer_inside.js", "explorer_subspaces.js", "explorer.js",
)  # fmt: skip


def explorer(view: Mapping[str, Any]) -> str:
    """The page as text: one file that opens offline, in which all views follow the reader's choice.

    `view` is as `explorer_view.checked_view` describes it. Raises `SymscopeError` where it lacks
    something or its shapes do not agree, and where plotly or jinja2 is not installed.
    """
    view = checked_view(view)
    return rendered(
        "explorer.html", [plotly(), script(*_SCRIPTS)], ["explorer.css"],
        view=view, headline=view["title"], told=_told,
    )  # fmt: skip


def _told(value: Any) -> str:
    """A number as a table shows it, a share in percent; other things as they are."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return percent(value) if isinstance(value, float) and 0 <= value <= 1 else shown(value)
