"""The weights of a network before and after each stage of the simplification, as heat maps."""

from collections.abc import Iterator, Sequence

import numpy as np

from symscope.extract.pipeline.simplify import Simplified, Step
from symscope.extract.pipeline.weights import Array, Weights
from symscope.report.drawing import LEFT, WIDE, broken, cut, drawing, element, measured, shown, text

_GAP, _MOST, _WRITTEN = 16, 40, 28
"""Pixels between maps; the widest cell; the narrowest in which its number is written."""
_NOTHING = 0.005
"""A map of no larger values is all 0, as it is written."""
_LEVELS = 8
"""Shades of a map whose cells are too many to be an element each."""
Map = tuple[str, Array]


def weights_picture(simplified: Simplified) -> str:
    """SVG: one strip of maps W, V, b, U for the trained network and for each stage that changed it.

    W and V are how f reads state and input (of an f with ReLU the product of its matrices), b is
    what its last layer adds, U how g reads the state. For an f with one hidden layer its units
    follow, before and after.
    """
    first, last = simplified.steps[0].before, simplified.weights
    parts: list[str] = []
    y = _strip(parts, 18, "as trained", "", _maps(first))
    for step in simplified.steps:
        y = _stage(parts, y, step)
    if len(first.f) == 2:
        y = _strip(parts, y, "hidden units, as trained", "one column each", _units(first))
        y = _strip(parts, y, "hidden units, simplified", "", _units(last))
    y = _scale(parts, y)
    return drawing(y, "the weights before and after the simplification", parts)


def _maps(weights: Weights) -> list[Map]:
    return [("W", weights.transition), ("V", weights.entry), ("b", weights.f[-1].bias[:, None]),
            ("U", weights.g[0].weight)]  # fmt: skip


def _units(weights: Weights) -> list[Map]:
    """What each hidden unit reads (state, input, bias), and below what it adds to the state."""
    first, last = weights.f
    reads = np.vstack([first.weight.T, first.bias[None]])
    return [("reads", reads), ("adds", last.weight)]


def _stage(parts: list[str], y: float, step: Step) -> float:
    """The strip of one stage, or a line where it was undone or changed nothing."""
    before, after = _maps(step.before), _maps(step.after)
    same = all(np.allclose(one, other, atol=1e-9) for (_, one), (_, other) in
               zip(before, after, strict=True))  # fmt: skip
    if step.kept and not same:
        return _strip(parts, y, step.name, step.note, after)
    said = step.note if not step.kept else "changed nothing"
    parts.append(text(LEFT, y, step.name, "strong quiet"))
    for line in broken(said, WIDE - 2 * LEFT - 90, 12)[:3]:
        parts.append(text(LEFT + 90, y, line, "quiet"))
        y += 16
    return y + 10


def _strip(parts: list[str], y: float, name: str, note: str, maps: Sequence[Map]) -> float:
    """Draws the maps under their heading; the height at which the next strip begins."""
    beside = 90 + max(0, len(name) - 10) * 7
    parts.append(text(LEFT, y, name, "strong"))
    parts.append(text(LEFT + beside, y, cut(note, WIDE - 2 * LEFT - beside), "quiet"))
    stacked = len(maps) == 2
    columns = maps[0][1].shape[1] if stacked else sum(m.shape[1] for _, m in maps)
    room = WIDE - 2 * LEFT - (50 if stacked else _GAP * (len(maps) - 1))
    cell = min(float(_MOST), room / columns)
    if stacked:
        return _stack(parts, y + 12, maps, cell)
    x, deepest = float(LEFT), 0.0
    for label, values in maps:
        most = float(np.abs(values).max())
        wide = values.shape[1] * cell
        said = f"{label} ±{shown(most)}" if wide > 60 else label
        parts.append(text(x, y + 18, said, "quiet"))
        parts += _cells(values, most, x, y + 24, cell)
        x += wide + _GAP
        deepest = max(deepest, values.shape[0] * cell)
    return y + 24 + deepest + 28


def _stack(parts: list[str], y: float, maps: Sequence[Map], cell: float) -> float:
    """Two wide maps below each other, each named at its left."""
    high = max(cell, 7.0)
    for label, values in maps:
        most = float(np.abs(values).max())
        parts.append(text(LEFT, y + 10, label, "quiet"))
        parts.append(text(LEFT, y + 24, f"±{shown(most)}", "quiet"))
        parts += _shaded(values, most, (LEFT + 50, y), (cell, high))
        y += max(values.shape[0] * high, 28) + 6
    return y + 22


def _cells(values: Array, most: float, x: float, y: float, cell: float) -> Iterator[str]:
    """Every entry as a square; its number in it where there is room, and under the pointer."""
    for (i, j), value in np.ndenumerate(values):
        share = abs(value) / most if most > _NOTHING else 0.0
        sign = "nought" if share < 0.005 else "plus" if value > 0 else "minus"
        opacity = "" if sign == "nought" else f"{max(share, 0.06):.2f}"
        left, top = x + j * cell, y + i * cell
        yield element(
            "rect", element("title", shown(value)), x=left, y=top, width=cell, height=cell,
            kind=f"cell {sign}", fill_opacity=opacity,
        )  # fmt: skip
        if cell >= _WRITTEN:
            kind = "on middle light" if share > 0.55 else "on middle"
            yield text(left + cell / 2, top + cell / 2 + 4, _fitting(value, cell), kind)


def _fitting(value: float, cell: float) -> str:
    """The number with as many digits as the cell has room for."""
    rounded = [shown(value), *(shown(round(value, places)) for places in (1, 0))]
    return next((r for r in rounded if measured(r, 10.5) <= cell - 2), "")


def _shaded(
    values: Array, most: float, corner: tuple[float, float], size: tuple[float, float]
) -> Iterator[str]:
    """The same in few elements: one path for each sign and shade."""
    (x, y), (wide, high) = corner, size
    rows, columns = values.shape
    yield element("rect", x=x, y=y, width=columns * wide, height=rows * high, kind="cell nought")
    level = np.round(_LEVELS * values / most).astype(int) if most else np.zeros(values.shape, int)
    for shade in sorted(set(level.ravel().tolist()) - {0}):
        squares = "".join(
            f"M{x + j * wide:.1f} {y + i * high:.1f}h{wide:.1f}v{high:.1f}h-{wide:.1f}z"
            for i, j in np.argwhere(level == shade)
        )
        kind = "plus" if shade > 0 else "minus"
        yield element("path", d=squares, kind=kind, fill_opacity=f"{abs(shade) / _LEVELS:.2f}")


def _scale(parts: list[str], y: float) -> float:
    """What the colours mean."""
    steps = np.linspace(-1, 1, 15)
    for i, value in enumerate(steps):
        kind = "cell " + ("nought" if abs(value) < 0.01 else "plus" if value > 0 else "minus")
        parts.append(element("rect", x=LEFT + 18 * i + 30, y=y - 10, width=18, height=12, kind=kind,
                             fill_opacity=f"{max(abs(value), 0.01):.2f}"))  # fmt: skip
    parts.append(text(LEFT, y, "−m", "quiet"))
    parts.append(text(LEFT + 18 * 15 + 36, y, "+m", "quiet"))
    said = "m: the largest absolute value of the map, written ±m where it is wide enough."
    for line in broken(said, WIDE - 2 * LEFT):
        y += 16
        parts.append(text(LEFT, y + 4, line, "quiet"))
    return y + 14
