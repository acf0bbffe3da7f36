"""Registers as directions in the space of states: lines with ticks where the map is affine."""

from collections.abc import Iterator

import numpy as np

from symscope.report.drawing import Box, cut, element, measured, overlap, shown, text
from symscope.report.latent import Latent
from symscope.report.plot_box import BOX, Scale, inside, line, path, ticks

STRAIGHT = 0.95
"""The share of variance from which on a map of the registers is drawn."""


def mapped(parts: list[str], found: Latent, scale: Scale, register: str, flat: bool) -> list[str]:
    """Draws registers as directions where the map is affine; says how well it fits."""
    fit = found.affine
    if fit is None:
        return []
    told = f"{100 * fit.explained:.2f} % of the states' variance is an affine map of the registers"
    if fit.explained < STRAIGHT:
        return [f"{told}: none is drawn."]
    if flat:
        if len(found.names) > 1:
            return [f"{told}."]
        ends = np.array([[v, fit.origin[0] + v * fit.steps[0, 0]] for v in (scale.low[0],
                        scale.high[0])])  # fmt: skip
        parts.append(line(scale.place(ends)))
        return [f"{told}: one more of {register} is {shown(float(fit.steps[0, 0]))} in the state."]
    if len(found.names) == 2:
        parts += _grid(found, scale)
    taken: list[Box] = []
    apart = [_direction(parts, found, scale, i, taken) for i in range(len(found.names))]
    every = ", ".join(f"{n} every {shown(size)}" for n, size in zip(found.names, apart, strict=True)
                      if size)  # fmt: skip
    grid = " The grid is of both." if len(found.names) == 2 else ""
    return [f"{told}. Lines: where one register changes and the others are 0.{grid} Ticks: {every}"]


def _direction(
    parts: list[str], found: Latent, scale: Scale, index: int, taken: list[Box]
) -> float:
    """Draws the line on which one register changes, with ticks; how far these are apart."""
    assert found.affine is not None, "asked where there is a map"
    origin, step, name = found.affine.origin, found.affine.steps[index], found.names[index]
    values = found.column(name)
    span = np.array([min(float(values.min()), 0.0), max(float(values.max()), 0.0)])
    ends = scale.place(origin + span[:, None] * step)
    seen = inside(ends)
    if seen is None:
        return 0.0
    low, high = span[0] + np.array(seen) * (span[1] - span[0])
    first, last = (ends[0] + t * (ends[1] - ends[0]) for t in seen)
    parts.append(path(first, last, "axis"))
    marked = ticks(low, high, 6)
    for value in marked:
        x, y = scale.place(origin + value * step)
        parts.append(element("circle", cx=float(x), cy=float(y), r=2.6, kind="tick"))
    label = cut(name, 120)
    half = measured(label) / 2
    for share in (1.0, 0.85, 0.7, 0.55, 0.0, 0.15, 0.3):
        at = first + share * (last - first)
        x = float(np.clip(at[0], BOX[0] + half + 4, BOX[2] - half - 4))
        y = float(np.clip(at[1] - 7, BOX[1] + 14, BOX[3] - 6))
        box = (x - half, y - 11, x + half, y + 3)
        if not any(overlap(box, other) for other in taken):
            taken.append(box)
            parts.append(text(x, y, label, "by middle"))
            break
    return marked[1] - marked[0] if len(marked) > 1 else 0.0


def _grid(found: Latent, scale: Scale) -> Iterator[str]:
    """Lines on which one of two registers is constant, at the ticks of its direction."""
    assert found.affine is not None, "asked where there is a map"
    origin, steps = found.affine.origin, found.affine.steps
    spans = [(min(float(c.min()), 0.0), max(float(c.max()), 0.0)) for c in found.values.T]
    for fixed, free in ((0, 1), (1, 0)):
        for value in ticks(*spans[fixed], 6):
            ends = [origin + value * steps[fixed] + end * steps[free] for end in spans[free]]
            yield line(scale.place(np.array(ends)), "grid")
