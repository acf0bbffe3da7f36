"""A value as a cell of a table shows it, and records as the rows of a page's claims."""

from collections.abc import Iterable
from typing import Any

from symscope.evidence import Evidence
from symscope.report.drawing import shown
from symscope.report.sentence import percent


def told(value: Any) -> str:
    """A number with three digits, a share in percent; other things as they are.

    >>> told(0.25).replace("\u00a0", " "), told(12), told(-1.5), told(None)
    ('25.0 %', '12', '−1.5', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return percent(value) if isinstance(value, float) and 0 <= value <= 1 else shown(value)


def told_claims(records: Iterable[Evidence]) -> list[dict[str, Any]]:
    """What a page's view has under "claims"."""
    shown_of = ("claim", "score", "low", "high", "n", "controls", "source", "note")
    return [{name: getattr(record, name) for name in shown_of} for record in records]
