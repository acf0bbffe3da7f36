"""The shortest formula of a Boolean function that is known on some rows: DNF or a bit sum."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from symscope.extract.pipeline.weights import Array

MOST = 6
"""Variables; there are 3ᵏ conjunctions of k."""


def boolean_formula(columns: Mapping[str, Array], target: Array) -> str | None:
    """A Python expression with value 0 or 1 that gives `target` on all rows; None if there is none.

    Michaud et al. (2024), "Boolean regression". Variables without which the rows are still
    consistent are left out, each alone tried in turn; then the shorter of a disjunction of
    conjunctions and, if the function depends on the number of ones alone, a condition on the sum.
    Input rows that never occur may give anything. The disjunction is of prime implicants taken
    greedily: with at most six variables it is seldom longer than the shortest.

    >>> a, b = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> boolean_formula({"a": a, "b": b}, a ^ b), boolean_formula({"a": a, "b": b}, a | b)
    ('(a + b) % 2', '1 if a or b else 0')
    """
    names = list(columns)
    rows = np.column_stack([columns[n] for n in names]) if names else np.zeros((len(target), 0))
    if not np.isin(rows, (0, 1)).all() or not np.isin(target, (0, 1)).all():
        return None
    table = _table(rows, target)
    if table is None:
        return None
    kept = list(range(len(names)))
    for i in range(len(names)):
        rest = [j for j in kept if j != i]
        if (smaller := _table(rows[:, rest], target)) is not None:
            kept, table = rest, smaller
    if len(kept) > MOST:
        return None
    used = [names[j] for j in kept]
    options = [*_by_sum(used, table), _disjunction(used, table)]
    return min(options, key=len)


Table = dict[tuple[int, ...], int]


def _table(rows: Array, target: Array) -> Table | None:
    """The value of each row that occurs; None where two equal rows have different values."""
    both = np.unique(np.column_stack([rows, target]).astype(int), axis=0)
    table = {tuple(row[:-1]): int(row[-1]) for row in both.tolist()}
    return table if len(table) == len(both) else None


def _by_sum(names: Sequence[str], table: Table) -> Iterator[str]:
    """Conditions on the number of ones, where the value depends on that alone."""
    values: dict[int, int] = {}
    for row, value in table.items():
        if values.setdefault(sum(row), value) != value:
            return
    total = " + ".join(names) or "0"
    ones = [s for s in values if values[s]]
    zeros = [s for s in values if not values[s]]
    if len(names) > 1 and all(value == s % 2 for s, value in values.items()):
        yield f"({total}) % 2"
    if len(names) > 1 and all(value == 1 - s % 2 for s, value in values.items()):
        yield f"({total} + 1) % 2"
    if ones and zeros:
        if len(ones) == 1:
            yield f"1 if {total} == {ones[0]} else 0"
        if len(zeros) == 1:
            yield f"0 if {total} == {zeros[0]} else 1"
        if min(ones) > max(zeros):
            yield f"1 if {total} > {max(zeros)} else 0"
        if max(ones) < min(zeros):
            yield f"1 if {total} < {min(zeros)} else 0"
        if len(ones) > 1:
            yield f"1 if {total} in ({', '.join(map(str, sorted(ones)))}) else 0"


def _disjunction(names: Sequence[str], table: Table) -> str:
    rows = list(table)
    on = sum(1 << i for i, row in enumerate(rows) if table[row])
    off = (1 << len(rows)) - 1 - on
    if not on or not off:
        return "1" if on else "0"
    literals = [[_mask(rows, j, value) for value in (0, 1)] for j in range(len(names))]
    terms: list[tuple[int, int, tuple[int, ...]]] = []  # literals, rows that are on, the cube
    for cube in product((0, 1, 2), repeat=len(names)):
        rows_in = on | off
        for j, value in enumerate(cube):
            if value < 2:
                rows_in &= literals[j][value]
        if rows_in & on and not rows_in & off:
            terms.append((len(names) - cube.count(2), rows_in & on, cube))
    chosen: list[tuple[int, ...]] = []
    while on:
        _, rows_in, cube = min(terms, key=lambda t: (-(t[1] & on).bit_count(), t[0], t[2]))
        chosen.append(cube)
        on &= ~rows_in
    written = [_conjunction(names, cube) for cube in chosen]
    if len(chosen) == 1 and chosen[0].count(2) == len(names) - 1:
        return written[0] if not written[0].startswith("not ") else f"1 - {written[0][4:]}"
    several = len(written) > 1
    parts = [f"({w})" if several and " and " in w else w for w in written]
    return f"1 if {' or '.join(parts)} else 0"


def _mask(rows: Sequence[tuple[int, ...]], place: int, value: int) -> int:
    return sum(1 << i for i, row in enumerate(rows) if row[place] == value)


def _conjunction(names: Sequence[str], cube: tuple[int, ...]) -> str:
    signs = {0: "not ", 1: ""}
    return " and ".join(signs[v] + n for n, v in zip(names, cube, strict=True) if v < 2)
