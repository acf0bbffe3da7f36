"""A finite machine drawn: states on a circle, edges with their inputs and outputs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_letters

from symscope.report.circle import Edge, Point, Way, beads, positions, way
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
    text,
)
from symscope.report.state_graph import StateGraph

_SIZE, _LABEL, _LONGEST = 12, 15, 78
"""Of a label: the letters, the height of its box, the widest that stands at an edge. Pixels."""
_MOST_COLUMNS, _MOST_LINES, _MOST_LABELLED = 12, 14, 30
_TRIED = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8)


def automaton_picture(graph: StateGraph) -> str:
    """SVG of the machine; an arrow from nowhere marks its first state.

    A label is "inputs / output". Long labels are letters with a legend below. Where labels
    have no place, or there are more than `_MOST_LABELLED` edges, a table of next state and output
    stands below; of many inputs, letters for all edges, or nothing.
    """
    count = len(graph.names)
    size = 18.0 if count <= 10 else 13.5 if count <= 14 else 12.0
    radius = {1: 0.0, 2: 82.0, 3: 88.0}.get(count, min(100.0 + 5 * max(count - 4, 0), 136.0))
    middle = WIDE / 2, 0.0
    labels = graph.edges
    at = positions(count, labels, middle, radius)
    ways = {e: way(e, at, middle, size, both=(e[1], e[0]) in labels) for e in labels}
    names, legend = _names(graph, size)
    obstacles = [(x - size, y - size, x + size, y + size) for x, y in at]
    placed, below, tabled = _labelled(
        labels, ways, obstacles, letters_for_all=len(graph.symbols) > _MOST_COLUMNS
    )
    boxes = [*obstacles, *(_box(place, said) for said, place in placed)]
    heights = [y for w in ways.values() for (_, y), _ in beads(w)]
    top = min(*(b[1] for b in boxes), *heights, at[0][1] - size - 20) - 8
    tall = max(*(b[3] for b in boxes), *heights, at[0][1] + size + 20) + 8 - top
    graphic = [*map(_edge, ways.values()), _start(at[0], middle, size)]
    for i, (x, y) in enumerate(at):
        graphic.append(element("circle", cx=x, cy=y, r=size, kind="state", fill=hue(i, count)))
        graphic.append(text(x, y + 4.5, names[i], "name"))
    graphic += [_label(said, place) for said, place in placed]
    parts = [element("g", "\n".join(graphic), transform=f"translate(0 {-top:.1f})")]
    y = _beneath(parts, tall, [*_about(graph), *legend, *below])
    if tabled:
        y = _table(parts, y, graph, names)
    return drawing(y + 4, f"an automaton of {count} states and {len(labels)} edges", parts)


def _names(graph: StateGraph, size: float) -> tuple[list[str], list[str]]:
    """What stands in the circles, and the lines that explain it where names are too long."""
    if all(measured(n, 13) <= 2 * size - 4 for n in graph.names):
        return list(graph.names), []
    short = [f"q{i}" for i in range(len(graph.names))]
    return short, ["; ".join(f"{s}: {name}" for s, name in zip(short, graph.names, strict=True))]


def _about(graph: StateGraph) -> list[str]:
    return [graph.about] if graph.about else []


def _labelled(
    labels: Mapping[Edge, str],
    ways: Mapping[Edge, Way],
    obstacles: Sequence[Box],
    letters_for_all: bool,
) -> tuple[list[tuple[str, Point]], list[str], bool]:
    """Labels with their places, lines for the legend, and whether a table is to stand below."""
    if len(labels) > _MOST_LABELLED:
        return [], [], True
    long = [e for e, said in labels.items() if measured(said, _SIZE) > _LONGEST]
    letters = dict(zip(labels, ascii_letters, strict=False))
    for lettered in (long, list(labels)) if letters_for_all else (long,):
        if len(lettered) > len(ascii_letters):
            break
        said = {e: letters[e] if e in lettered else label for e, label in labels.items()}
        found = _places(said, ways, obstacles)
        if found is not None:
            lines = [f"{letters[e]}: {labels[e]}" for e in lettered]
            return found, lines, False
    return [], [], True


def _places(
    said: Mapping[Edge, str], ways: Mapping[Edge, Way], obstacles: Sequence[Box]
) -> list[tuple[str, Point]] | None:
    """A place on or beside its edge for every label, so that none lies on another or on a state."""
    taken, found = list(obstacles), []
    pieces = {edge: [piece for piece, _ in beads(w)] for edge, w in ways.items()}
    for edge, label in sorted(said.items(), key=lambda item: -len(item[1])):
        others = [p for e, own in pieces.items() if e != edge for p in own]
        places = list(_candidates(edge, ways[edge], label))
        boxes = [_box(place, label) for place in places]
        free = [
            i
            for i, box in enumerate(boxes)
            if box[0] > 1 and box[2] < WIDE - 1 and not any(overlap(box, t) for t in taken)
        ]
        if not free:
            return None
        best = min(free, key=lambda i: (_crossed(boxes[i], others), i))
        taken.append(boxes[best])
        found.append((label, places[best]))
    return found


def _candidates(edge: Edge, curve: Way, label: str) -> Iterator[Point]:
    """Outside a loop; on the edge; beside it."""
    if edge[0] == edge[1]:
        yield _outside(curve, label)
    yield from map(curve.at, _TRIED)
    along = math.atan2(curve.end[1] - curve.start[1], curve.end[0] - curve.start[0])
    across, down = -math.sin(along), math.cos(along)
    for t in _TRIED[:5]:
        x, y = curve.at(t)
        far = abs(across) * measured(label, _SIZE) / 2 + abs(down) * _LABEL / 2 + 3
        yield x + far * across, y + far * down
        yield x - far * across, y - far * down


def _outside(loop: Way, label: str) -> Point:
    """Beyond the loop, away from its state."""
    top = loop.at(0.5)
    foot = (loop.start[0] + loop.end[0]) / 2, (loop.start[1] + loop.end[1]) / 2
    away = math.atan2(top[1] - foot[1], top[0] - foot[0])
    beyond = abs(math.cos(away)) * measured(label, _SIZE) / 2 + abs(math.sin(away)) * 7 + 3
    return top[0] + beyond * math.cos(away), top[1] + beyond * math.sin(away)


def _box(place: Point, label: str) -> Box:
    half = measured(label, _SIZE) / 2 + 2
    return place[0] - half, place[1] - _LABEL / 2, place[0] + half, place[1] + _LABEL / 2


def _crossed(box: Box, others: Sequence[Point]) -> int:
    """How much of other edges runs under the label."""
    return sum(box[0] < x < box[2] and box[1] < y < box[3] for x, y in others)


def _label(said: str, place: Point) -> str:
    left, top, right, bottom = _box(place, said)
    under = element("rect", x=left, y=top, width=right - left, height=bottom - top, kind="under")
    return under + text(place[0], place[1] + 4, said, "label")


def _edge(curve: Way) -> str:
    (x, y), (x1, y1), (x2, y2), (x3, y3) = curve.start, curve.one, curve.two, curve.end
    line = f"M{x:.1f} {y:.1f}C{x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f} {x3:.1f} {y3:.1f}"
    return element("g", element("path", d=line, kind="edge"), _head(curve.two, curve.end))


def _head(before: Point, tip: Point) -> str:
    angle = math.atan2(tip[1] - before[1], tip[0] - before[0])
    corners = [tip] + [(tip[0] - 8 * math.cos(angle + a), tip[1] - 8 * math.sin(angle + a))
                       for a in (0.42, -0.42)]  # fmt: skip
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return element("polygon", points=points, kind="head")


def _start(at: Point, middle: Point, size: float) -> str:
    """The arrow at the first state, from the inside or, where it stands alone, from the left."""
    inward = 0.0 if at == middle else math.atan2(middle[1] - at[1], middle[0] - at[0])
    angle = math.pi if at == middle else inward + 2.35
    tail = at[0] + (size + 22) * math.cos(angle), at[1] + (size + 22) * math.sin(angle)
    tip = at[0] + size * math.cos(angle), at[1] + size * math.sin(angle)
    line = f"M{tail[0]:.1f} {tail[1]:.1f}L{tip[0]:.1f} {tip[1]:.1f}"
    return element("g", element("path", d=line, kind="rule"), _head(tail, tip), kind="start")


def _beneath(parts: list[str], y: float, lines: Sequence[str]) -> float:
    """Lines of text below the picture, two columns of short ones."""
    wide = WIDE - 2 * LEFT
    written = [part for line in lines for part in broken(line, wide)]
    if len(written) > _MOST_LINES:
        written = [*written[:_MOST_LINES], "… and more"]
    for line in written:
        y += 16
        parts.append(text(LEFT, y, line, "quiet"))
    return y + 8


def _table(parts: list[str], y: float, graph: StateGraph, names: Sequence[str]) -> float:
    """Rows of states, columns of inputs: "next / output"; left out where there are many inputs."""
    columns = len(graph.symbols)
    if columns > _MOST_COLUMNS:
        return _beneath(parts, y, ["Labels are left out: there are too many inputs."])
    wide = min((WIDE - 2 * LEFT - 40) / columns, 52.0)
    y += 18
    parts.append(text(LEFT, y, "next / output", "quiet"))
    heads = [" ".join(map(str, symbol)) for symbol in graph.symbols]
    y += 20
    for row, cells in enumerate([heads, *_written(graph, names)]):
        top = y + 17 * row
        kind = "quiet middle" if row else "strong middle quiet"
        parts.append(text(LEFT, top, names[row - 1] if row else "", "strong quiet"))
        parts += [text(LEFT + 40 + wide * (i + 0.5), top, cut(cell, wide - 2), kind)
                  for i, cell in enumerate(cells)]  # fmt: skip
    return y + 17 * len(names) + 12


def _written(graph: StateGraph, names: Sequence[str]) -> list[list[str]]:
    return [[f"{names[s]} / {y}" for s, y in zip(row, answers, strict=True)]
            for row, answers in zip(graph.following, graph.answering, strict=True)]  # fmt: skip
