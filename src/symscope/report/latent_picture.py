"""The space of a network's states drawn: points coloured by what the program holds there."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from symscope.report.affine_lines import mapped
from symscope.report.drawing import (
    LEFT,
    WIDE,
    Box,
    broken,
    cut,
    drawing,
    element,
    hue,
    measured,
    overlap,
    shown,
    text,
)
from symscope.report.latent import Latent, told_apart
from symscope.report.plot_box import BOX, Scale, fitted, ticks

SHADES = 9
_MOST_STATES, _MOST_CENTRES = 24, 48
States = Mapping[tuple[float, ...], int]


def latent_picture(found: Latent, states: States, by: Sequence[str]) -> str:
    """SVG of the states on their first two principal axes, or against a register if one wide.

    `by` are the registers that count, `states` the place among the program's states that their
    values have, empty for programs of many states. Few states have a colour each; of many, the
    register that the axes explain best is the colour, from light to dark. Where few values were
    met a ring is drawn at the mean of each cluster (states with equal registers and answer), with
    the values; else, where registers → state is affine, each register as a line with ticks.
    """
    names = tuple(by) or found.names
    register = told_apart(found, names)
    flat = found.points.shape[1] == 1
    points = np.column_stack([found.column(register), found.points]) if flat else found.points
    scale, keys = fitted(points), list(_keys(found, names))
    parts = [element("rect", x=BOX[0], y=BOX[1], width=BOX[2] - BOX[0], height=BOX[3] - BOX[1],
                     kind="frame")]  # fmt: skip
    few = bool(states) and set(keys) <= set(states)
    if few:
        parts += _grouped(scale.place(points), np.array([states[key] for key in keys]), len(states))
    else:
        parts += _shaded(scale.place(points), found.column(register))
    clustered = len(set(keys)) <= _MOST_STATES
    said = mapped(parts, found, scale, register, flat) if flat or not clustered else []
    if clustered:
        parts += _centres(found, scale, points, keys)
    y = _axes(parts, found, scale, register, flat)
    y = _legend(parts, y, states, names) if few else _shades(parts, y, found, register)
    for line in (part for whole in said for part in broken(whole, WIDE - 2 * LEFT)):
        y += 16
        parts.append(text(LEFT, y, line, "quiet"))
    return drawing(y + 10, f"{len(points)} states of the network, coloured by {', '.join(names)}",
                   parts)  # fmt: skip


def _keys(found: Latent, names: Sequence[str]) -> Iterator[tuple[float, ...]]:
    columns = [found.column(name) for name in names]
    return (tuple(row) for row in zip(*(c.tolist() for c in columns), strict=True))


def _dots(places: np.ndarray, **attributes: object) -> str:
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
    return element("path", d=path, **attributes)


def _grouped(places: np.ndarray, groups: np.ndarray, count: int) -> Iterator[str]:
    for i in range(count):
        if (groups == i).any():
            yield _dots(places[groups == i], kind="dots", stroke=hue(i, count))


def _shaded(places: np.ndarray, values: np.ndarray) -> Iterator[str]:
    low, high = values.min(), values.max()
    shade = np.round((SHADES - 1) * (values - low) / ((high - low) or 1)).astype(int)
    for i in range(SHADES):
        if (shade == i).any():
            yield _dots(places[shade == i], kind=f"dots shade{i}")


def _centres(
    found: Latent, scale: Scale, points: np.ndarray, keys: Sequence[tuple[float, ...]]
) -> Iterator[str]:
    """A ring at the mean of each cluster, and its values beside it if they have a place."""
    distinct = sorted(set(keys))
    whole = np.column_stack([[distinct.index(key) for key in keys], found.answers])
    kinds, member = np.unique(whole, axis=0, return_inverse=True)
    if len(kinds) > _MOST_CENTRES:
        return
    rings = [scale.place(points[member.ravel() == i].mean(0)) for i in range(len(kinds))]
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in rings]
    for (x, y), kind in zip(rings, kinds, strict=True):
        yield element("circle", cx=float(x), cy=float(y), r=5, kind="centre")
        label = ",".join(map(shown, distinct[int(kind[0])]))
        half = measured(label) / 2
        for right, down in ((0, -10), (0, 19), (half + 9, 4), (-half - 9, 4)):
            box = (x + right - half, y + down - 11, x + right + half, y + down + 2)
            inside = BOX[0] < box[0] and box[2] < BOX[2] and BOX[1] < box[1]
            if inside and not any(overlap(box, other) for other in taken):
                taken.append(box)
                yield text(float(x + right), float(y + down), label, "by middle")
                break


def _axes(parts: list[str], found: Latent, scale: Scale, register: str, flat: bool) -> float:
    """What the two directions are, under and beside the box; the height below."""
    left, top, right, bottom = BOX
    if flat:
        across, up = register, "the state, one number"
        for i, ends in enumerate(((left, right), (bottom, top))):
            for value in ticks(float(scale.low[i]), float(scale.high[i])):
                share = (value - scale.low[i]) / (scale.high[i] - scale.low[i])
                at = float(ends[0] + share * (ends[1] - ends[0]))
                parts.append(text(at, bottom + 16, shown(value), "quiet middle") if i == 0 else
                             text(left - 5, at + 4, shown(value), "quiet end"))  # fmt: skip
    else:
        across, up = (
            f"{name} principal axis ({100 * share:.1f} % of the variance)"
            for name, share in zip(("first", "second"), found.shares, strict=True)
        )
    y = bottom + (34 if flat else 18)
    across = cut(across, right - left)
    parts.append(text((left + right) / 2, y, across, "quiet middle"))
    x, middle = (12 if flat else 36), (top + bottom) / 2
    parts.append(text(x, middle, up, "quiet middle", transform=f"rotate(-90 {x} {middle:.0f})"))
    return y + 6


def _legend(parts: list[str], y: float, states: States, names: Sequence[str]) -> float:
    """The colours of few states."""
    y += 18
    heading = cut(f"the program's state: {', '.join(names)}", WIDE - 2 * LEFT)
    parts.append(text(LEFT, y, heading, "quiet"))
    x, y = float(LEFT), y + 18
    for key, place in states.items():
        said = ",".join(map(shown, key))
        wide = measured(said) + 26
        if x + wide > WIDE - LEFT:
            x, y = float(LEFT), y + 18
        parts.append(element("circle", cx=x + 6, cy=y - 4, r=5, fill=hue(place, len(states))))
        parts.append(text(x + 15, y, said, "quiet"))
        x += wide
    return y + 4


def _shades(parts: list[str], y: float, found: Latent, register: str) -> float:
    """The colours of a register, with its least and its largest value."""
    values = found.column(register)
    y += 20
    low, high = shown(float(values.min())), shown(float(values.max()))
    parts.append(text(LEFT, y, name := cut(register, 180), "quiet"))
    x = LEFT + measured(f"{name} {low}") + 16
    parts.append(text(x - 5, y, low, "quiet end"))
    for i in range(SHADES):
        parts.append(element("rect", x=x + 14 * i, y=y - 10, width=14, height=12,
                             kind=f"cell fill{i}"))  # fmt: skip
    parts.append(text(x + 14 * SHADES + 5, y, high, "quiet"))
    return y + 6
