"""A study of variable binding as one page: programs, training, and what happens inside."""

from collections.abc import Mapping
from typing import Any

from symscope.report.explorer_view import checked_view
from symscope.report.render import plotly, rendered, script
from symscope.report.told import told

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
        view=view, headline=view["title"], told=told,
    )  # fmt: skip
