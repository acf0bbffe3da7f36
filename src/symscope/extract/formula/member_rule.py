"""That one column is, or is not, among a few values."""

from collections.abc import Mapping, Sequence

import numpy as np

from symscope.extract.cost import cost
from symscope.extract.formula.holds import holds

MOST_VALUES = 20
"""A column with more different values than this is not described by listing them."""


def member_rule(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    seconds: float = 60.0,
    most_nodes: int = 12,
    constants: Sequence[int] = (),
) -> str | None:
    """`x in (0, 1, 4)` where a 0/1 target is a function of one column, or None.

    Takes no time worth bounding, and is as long as the list has to be: the keywords that other
    methods share are not used.
    """
    if not np.isin(target, (0, 1)).all():
        return None
    found = []
    for name, column in columns.items():
        if len(np.unique(column)) <= MOST_VALUES:
            inside = [int(v) for v in np.unique(column[target == 1])]
            outside = [int(v) for v in np.unique(column[target == 0])]
            found += [_listed(name, inside, ("==", "in")), _listed(name, outside, ("!=", "not in"))]
    right = [text for text in found if text is not None and holds(text, columns, target)]
    return min(right, key=cost, default=None)


def _listed(name: str, values: Sequence[int], signs: tuple[str, str]) -> str | None:
    if not values:
        return None
    if len(values) == 1:
        return f"{name} {signs[0]} {values[0]}"
    return f"{name} {signs[1]} ({', '.join(map(str, values))})"
