"""A network as nodes and lines: what is connected to what, how strongly, and with which sign.

Colours as in Liao, Liu and Tegmark (2023): inputs green, the output magenta, positive weights red,
negative ones blue. They are `var(--name, colour)`, so that a drawing follows a page into the dark
and has its colours without one too.
"""

import numpy as np
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.models.perceptron import Weights
from symscope.report.drawing import LEFT, WIDE, broken, drawing, element, shown, text

FAINTEST = 0.08
"""Weights below this share of the largest of their layer are left out (our choice)."""
_HIGH, _RADIUS, _LEVELS = 340.0, 6.0, 8
_COLOURS = {
    "inputs": "var(--input, #2a9d5c)", "hidden": "var(--hidden, #8a9296)",
    "outputs": "var(--output, #d43fb0)", "positive": "var(--positive, #d8433b)",
    "negative": "var(--negative, #3b78d8)",
}  # fmt: skip


def network_picture(
    weights: Weights, positions: Tensor | np.ndarray, title: str, faintest: float = FAINTEST
) -> str:
    """SVG of one network whose nodes are at `positions` (node, 2), turned so that it lies wide.

    Lines are wide and dense by |w| as a share of the largest of their layer; those below
    `faintest` are left out. Raises `SymscopeError` for weights of several networks, and where there
    is not one finite position for each node.
    """
    if weights.matrices[0].dim() != 2:
        raise SymscopeError("weights of several networks: choose one with .of(index)")
    places = _placed(np.asarray(positions, dtype=float), weights.sizes)
    top = 18.0 * len(titles := broken(title, WIDE - 2 * LEFT, 13)) + 6
    places[:, 1] += top
    parts = [text(LEFT, 16 + 18 * i, line, "strong") for i, line in enumerate(titles)]
    parts += _lines(weights, places, faintest)
    parts += _nodes(weights.sizes, places)
    bottom = _legend(parts, top + _HIGH + 20, faintest)
    counts = " × ".join(map(str, weights.sizes))
    return drawing(bottom, f"{title}: the weights of a network of {counts} units", parts)


def _placed(positions: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Pixels inside the frame; the longest direction of the layout runs across."""
    if positions.shape != (sum(sizes), 2) or not np.isfinite(positions).all():
        raise SymscopeError(
            f"positions of shape {positions.shape} for {sum(sizes)} nodes: one finite (x, y) each"
        )
    middle = positions - positions.mean(0)
    across = np.linalg.svd(middle, full_matrices=False)[2]
    turned = middle @ across.T
    low, high = turned.min(0), turned.max(0)
    room = np.array([WIDE - 2 * LEFT, _HIGH]) - 2 * _RADIUS - 4
    scale = (room / np.maximum(high - low, 1e-9)).min()
    return (turned - (low + high) / 2) * min(scale, 1e6) + np.array([WIDE / 2, _HIGH / 2])


def _lines(weights: Weights, places: np.ndarray, faintest: float) -> list[str]:
    """One path for each sign and level of strength, the strongest last."""
    found: dict[tuple[int, bool], list[str]] = {}
    start = 0
    for matrix in weights.matrices:
        values = matrix.detach().cpu().double().numpy()
        rows, most = values.shape[0], max(float(np.abs(values).max()), 1e-30)
        for i, j in np.argwhere(np.abs(values) >= max(faintest * most, 1e-30)):
            level = min(int(abs(values[i, j]) / most * _LEVELS), _LEVELS - 1)
            (x, y), (a, b) = places[start + i], places[start + rows + j]
            line = f"M{x:.1f} {y:.1f}L{a:.1f} {b:.1f}"
            found.setdefault((level, bool(values[i, j] > 0)), []).append(line)
        start += rows
    return [
        element(
            "path", d="".join(lines), fill="none", stroke_linecap="round",
            stroke_width=f"{0.5 + 3.5 * (level + 0.5) / _LEVELS:.2f}",
            stroke_opacity=f"{0.15 + 0.8 * (level + 0.5) / _LEVELS:.2f}",
            style=f"stroke:{_COLOURS['positive' if positive else 'negative']}",
            kind="positive" if positive else "negative",
        )
        for (level, positive), lines in sorted(found.items())
    ]  # fmt: skip


def _nodes(sizes: tuple[int, ...], places: np.ndarray) -> list[str]:
    """Circles that are told under the pointer; ends are larger than hidden units."""
    parts = []
    for node, (layer, at) in enumerate((k, i) for k, n in enumerate(sizes) for i in range(n)):
        kind = "inputs" if not layer else "outputs" if layer == len(sizes) - 1 else "hidden"
        inner = f"unit {at + 1} of layer {layer}" if len(sizes) > 3 else f"hidden unit {at + 1}"
        name = {"inputs": f"input {at + 1}", "outputs": f"output {at + 1}"}.get(kind, inner)
        parts.append(element(
            "circle", element("title", name),
            cx=float(places[node, 0]), cy=float(places[node, 1]),
            r=_RADIUS if kind != "hidden" else 0.7 * _RADIUS, kind=f"node {kind}",
            style=f"fill:{_COLOURS[kind]};stroke:var(--card, #fff)",
        ))  # fmt: skip
    return parts


def _legend(parts: list[str], y: float, faintest: float) -> float:
    """What colours and widths mean; the height at which the drawing ends."""
    x = float(LEFT)
    for kind in ("inputs", "hidden", "outputs"):
        parts.append(element("circle", cx=x + 6, cy=y - 4, r=5, style=f"fill:{_COLOURS[kind]}"))
        parts.append(text(x + 16, y, kind, "quiet"))
        x += 72
    for kind, said in (("positive", "w > 0"), ("negative", "w < 0")):
        parts.append(element("path", d=f"M{x:.1f} {y - 4:.1f}h22", stroke_width=3,
                             style=f"stroke:{_COLOURS[kind]}"))  # fmt: skip
        parts.append(text(x + 28, y, said, "quiet"))
        x += 84
    said = f"width: |w| beside the largest of its layer; below {shown(100 * faintest)} % no line"
    parts.append(text(LEFT, y + 18, said, "quiet"))
    return y + 28
