"""Where the states of a graph stand, and the way an edge takes: the geometry of an automaton."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

Point = tuple[float, float]
Edge = tuple[int, int]


@dataclass(frozen=True)
class Way:
    """An edge as a cubic Bézier curve, from rim to rim."""

    start: Point
    one: Point
    two: Point
    end: Point

    def at(self, t: float) -> Point:
        """The point at `t`, from 0 to 1."""
        u = 1 - t
        shares = u**3, 3 * u * u * t, 3 * u * t * t, t**3
        points = self.start, self.one, self.two, self.end
        x, y = (sum(s * p[k] for s, p in zip(shares, points, strict=True)) for k in (0, 1))
        return x, y


def around(count: int, edges: Collection[Edge]) -> list[int]:
    """The place of each state on a circle, found by exchanging two while edges become shorter."""
    place = list(range(count))
    best = _length(place, edges)
    improved = True
    while improved:
        improved = False
        for i, j in combinations(range(count), 2):
            place[i], place[j] = place[j], place[i]
            if (now := _length(place, edges)) < best - 1e-9:
                best, improved = now, True
            else:
                place[i], place[j] = place[j], place[i]
    return place


def _length(place: list[int], edges: Collection[Edge]) -> float:
    count = len(place)
    return sum(abs(math.sin(math.pi * (place[a] - place[b]) / count)) for a, b in edges)


def positions(count: int, edges: Collection[Edge], middle: Point, radius: float) -> list[Point]:
    """The states' centres on a circle; the first state is at its left."""
    if count == 1:
        return [middle]
    place = around(count, edges)
    turn = place[0]
    angles = [math.pi + 2 * math.pi * (p - turn) / count for p in place]
    return [(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in angles]


def way(edge: Edge, at: list[Point], middle: Point, size: float, both: bool) -> Way:
    """The way of an edge between rims of circles of radius `size`.

    One back to its own state is a loop on the outside; where there is an edge each way (`both`)
    they bend apart.
    """
    a, b = at[edge[0]], at[edge[1]]
    if edge[0] == edge[1]:
        away = math.atan2(a[1] - middle[1], a[0] - middle[0]) if a != middle else -math.pi / 2
        far, wide = size * 2.9, 0.62
        return Way(_from(a, away - 0.45, size), _from(a, away - wide, far),
                   _from(a, away + wide, far), _from(a, away + 0.45, size))  # fmt: skip
    along, distance = math.atan2(b[1] - a[1], b[0] - a[0]), math.dist(a, b)
    bend = min(0.42, 26 / distance + 0.12) if both else 0.0
    out, into, reach = along - bend, along + math.pi + bend, distance / 3
    return Way(_from(a, out, size), _from(a, out, reach), _from(b, into, reach),
               _from(b, into, size))  # fmt: skip


def beads(curve: Way, count: int = 24) -> Iterator[tuple[Point, Point]]:
    """The curve as short straight pieces."""
    return pairwise(curve.at(i / count) for i in range(count + 1))


def _from(point: Point, angle: float, distance: float) -> Point:
    return point[0] + distance * math.cos(angle), point[1] + distance * math.sin(angle)
