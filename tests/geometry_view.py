"""A study of multi-dimensional features that never was: rings, blobs, and what edits of them do."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from atlas_tab import PIXELS
from symscope.report.geometry import geometry, packed

PLANE, TURN = "[data-view=plane] canvas", "[data-view=turn] canvas"
DAY = "#group=Language+model&cloud=days"
STILL = {"media": "screen", "reduced_motion": "reduce"}
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
EFFECTS = {"circle": -13.1, "circle_kept": -9.0, "whole": -37.4, "no_op": 37.6, "mean": 0.1,
           "random_plane": 36.5, "random_plane_in_components": -10.7, "plane_removed": 4.0,
           "shuffled_values": 1.3}  # fmt: skip


def geometry_view(points: int = 300, layers: int = 12, more: int = 0, seed: int = 0) -> dict:
    """A view with every part; `more` adds so many clouds of five dimensions to the first group."""
    rng = np.random.default_rng(seed)
    return {
        "title": "Which features of a network are circles, and does it use them",
        "lead": "Made-up clouds and networks: rings of days and of remainders, blobs and lines; "
        "interventions that follow the ring, and controls that do not.",
        "command": "symscope study geometry --preset tiny",
        "made": {"seed": seed, "torch": "2.13"},
        "clouds": clouds(rng, points, more), "histograms": histograms(rng), "ranking": ranking(),
        "interventions": interventions(rng, layers), "off_circle": off_circle(),
        "residuals": residuals(rng), "verdicts": verdicts(), "spectra": spectra(rng),
        "words": {"oracle": "a <b>made-up</b> edit that always works"},
        "claims": [
            {"claim": "geometry.p59.share", "score": 0.984, "low": 0.97, "high": 0.992, "n": 1000,
             "controls": {"random_plane": 0.02}, "source": None, "note": ""},
        ],
    }  # fmt: skip


def written(view: dict, folder: Path) -> Path:
    path = folder / "geometry.html"
    path.write_text(geometry(view), encoding="utf8")
    return path


def drawn(canvas) -> str:
    """A canvas's pixels as a hash: a test that fails is not to print them."""
    return sha256(canvas.evaluate(PIXELS).encode()).hexdigest()


def image(tab, selector: str) -> str:
    return drawn(tab.locator(selector).first)


def cloud(
    group: str, name: str, points: np.ndarray, variable: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return {"group": group, "name": name, "said": f"What {name} looks like.",
            "points": packed(points), "dimensions": points.shape[1], "variable": variable,
            **more}  # fmt: skip


def ring(rng: np.random.Generator, turns: np.ndarray, d: int, noise: float = 0.06) -> np.ndarray:
    """Points on a unit circle in the first two of d dimensions, and noise."""
    points = noise * rng.standard_normal((len(turns), d))
    points[:, 0] += np.cos(2 * np.pi * turns)
    points[:, 1] += np.sin(2 * np.pi * turns)
    return points


def indices(s: float, m: float) -> dict[str, Any]:
    return {"separability": {"score": s, "low": s - 0.1, "high": s + 0.1, "null": 0.07},
            "mixture": {"score": m, "low": m - 0.02, "high": m + 0.02, "null": 0.09,
                        "support": 2 / 7}}  # fmt: skip


def clouds(rng: np.random.Generator, n: int, more: int) -> list[dict[str, Any]]:
    turns, days, p59 = rng.random(n), rng.integers(7, size=n), rng.integers(59, size=n)
    blob = 0.4 * rng.standard_normal((n, 2)) + 2.5 * (np.arange(n) % 2)[:, None]
    helix = ring(rng, 5 * p59 / 59, 5)
    helix[:, 2] += p59 / 59
    a = {"name": "a", "values": p59.tolist(), "period": 59}
    extra = [
        cloud("Toy shapes", f"helix {i + 1}", ring(rng, (i + 1) * p59 / 59, 5), a)
        for i in range(more)
    ]
    return [
        cloud("Toy shapes", "circle", ring(rng, turns, 2, 0.0),
              {"name": "angle", "values": turns.tolist(), "period": 1},
              indices=indices(2.31, 0.23),
              published={"mixture": 0.1784, "source": "Figure 10"}),
        cloud("Toy shapes", "two blobs", blob,
              {"name": "part", "values": (np.arange(n) % 2).tolist(), "labels": ["left", "right"]},
              indices={"separability": {"score": None, "reason": "fewer than 50 points"},
                       "mixture": 0.64}),
        cloud("Toy shapes", "Gaussian", rng.standard_normal((n, 2)),
              {"name": "distance", "values": [None, *np.arange(1, n).tolist()]}),
        *extra,
        cloud("Modular addition", "frequency 5", helix,
              {"name": "5a mod 59", "values": (5 * p59 % 59).tolist(), "period": 59},
              axes=[f"PC {i + 1}" for i in range(5)], indices=indices(1.9, 0.3),
              facts={"frequency": 5, "r2": 0.978, "cluster": "features 3, 8, 41"}),
        cloud("Modular addition", "frequency 5, other axes", helix, a, plane=[1, 2]),
        cloud("Language model", "days", ring(rng, days / 7, 3, 0.1),
              {"name": "day", "values": days.tolist(), "period": 7, "labels": DAYS},
              axes=["PC 2", "PC 3", "PC 4"], indices=indices(0.951, 0.475),
              texts=[f"two days from <i>{DAYS[d]}</i>" for d in days],
              published={"separability": 0.951, "mixture": 0.475, "rank": 9,
                         "source": "section 4"}),
    ]  # fmt: skip


def histograms(rng: np.random.Generator) -> list[dict[str, Any]]:
    s = np.concatenate([rng.gamma(2, 0.05, 280), rng.normal(0.9, 0.1, 20)])
    return [
        {"name": "Separability S", "unit": "bits", "values": s.tolist(),
         "null": rng.gamma(2, 0.04, 300).tolist(),
         "marks": [{"x": 0.951, "label": "days"}, {"x": 0.9, "label": "months"},
                   {"x": 0.62, "label": "years"}]},
        {"name": "Mixture index M", "unit": "share", "values": rng.beta(2, 6, 300).tolist()},
    ]  # fmt: skip


def ranking() -> list[dict[str, Any]]:
    """The best stands second, the third was not measured."""
    return [
        {"cluster": 12, "size": 9, "score": {"score": 0.31, "null": 0.05}, "separability": 0.8,
         "mixture": 0.61, "r2": 0.42, "frequency": 2,
         "tokens": ["<script>document['title']='broken'</script>", " the", "\n"]},
        {"cluster": 4, "size": 16, "score": {"score": 0.5, "low": 0.44, "high": 0.55, "null": 0.04},
         "separability": 0.951, "mixture": 0.475, "r2": 0.97, "frequency": 1, "published": 9,
         "tokens": [" Monday", " Tuesday", " Sunday"], "cloud": 5},
        {"cluster": "small one", "size": 2, "score": {"score": None, "reason": "rank 1"},
         "separability": None, "mixture": None, "r2": None, "frequency": None, "tokens": []},
    ]  # fmt: skip


def measures(rng: np.random.Generator, values: Sequence[float], wide: float) -> list[Any]:
    return [{"score": v, "low": v - wide, "high": v + wide}
            for v in (float(v) + 0.3 * wide * rng.standard_normal() for v in values)]  # fmt: skip


def interventions(rng: np.random.Generator, layers: int) -> list[dict[str, Any]]:
    fade = np.linspace(1, 0, layers) ** 2
    by_layer = {name: measures(rng, 37 + (v - 37) * fade, 2.0) for name, v in EFFECTS.items()}
    by_layer["mean"][3] = {"score": None, "reason": "too few prompts"}
    share = {name: measures(rng, np.full(layers, 0.08 if name != "circle" else 0.6), 0.03)
             for name in EFFECTS}  # fmt: skip
    one = {name: measures(rng, [v], 2.0) for name, v in EFFECTS.items()}
    one["oracle"] = [{"score": None, "reason": "not run"}]
    x = list(range(layers))
    metric = "logit(old) − logit(new)"
    return [
        {"network": "big model", "metric": metric, "unit": "logits", "x": x, "series": by_layer},
        {"network": "big model", "metric": "share that answers the new value", "unit": "share",
         "x": x, "series": share},
        {"network": "p = 59, seed 0", "metric": metric, "unit": "logits", "x": ["embed"],
         "series": one},
    ]  # fmt: skip


def off_circle() -> list[dict[str, Any]]:
    radius = [round(0.1 * i, 1) for i in range(20)]
    accuracy = [min(0.96, 0.02 + 1.6 * r) for r in radius]
    measured = [{"score": a, "low": a - 0.02, "high": a + 0.03} for a in accuracy]
    return [{"network": "p = 59, seed 0", "radius": radius, "chance": 1 / 59, "circle": 1.0,
             "accuracy": measured}]  # fmt: skip


def residuals(rng: np.random.Generator) -> list[dict[str, Any]]:
    a, b = np.meshgrid(np.arange(7), np.arange(9), indexing="ij")
    waves = [np.cos(2 * np.pi * (a * i + b) / 7 + i) for i in range(3)]
    grid = np.stack(waves, -1)
    names = ("constant", "one-hot a", "one-hot b", "circle 5 of c", "circle of a − b")
    steps = []
    for i, name in enumerate(names):
        left = grid * (1 - i / 5) + 0.2 * i / 5 * rng.standard_normal(grid.shape)
        colours = np.clip(127 + 110 * left, 0, 255).astype(np.uint8)
        r2 = 0.2 * i + 0.1
        steps.append({"added": name, "r2": r2, "low": r2 - 0.05, "high": r2 + 0.05,
                      "null": 0.02 * i, "grid": packed(colours)})  # fmt: skip
    steps[2]["grid"] = None
    both = {"shape": [7, 9], "rows": "start a", "columns": "duration b"}
    return [
        {"network": "big model", "steps": steps, **both},
        {"network": "p = 59, seed 0", "steps": steps[:4], **both},
    ]


def verdicts() -> list[dict[str, Any]]:
    return [
        {"network": "p = 59, seed 0", "unsupervised": [5, 8], "fourier": [5, 8, 11],
         "gradient_symmetricity": {"score": 0.33, "low": 0.31, "high": 0.35},
         "distance_irrelevance": 0.85, "verdict": "clock", "intervention": 0.97},
        {"network": "pizza", "unsupervised": [2], "fourier": [2], "gradient_symmetricity": 0.99,
         "distance_irrelevance": 0.17, "verdict": "pizza", "intervention": 0.91},
        {"network": "p = 59", "unsupervised": [], "fourier": [], "gradient_symmetricity": 0.1,
         "distance_irrelevance": {"score": None, "reason": "its logits are constant"},
         "verdict": None, "intervention": 0.016, "untrained": True},
    ]  # fmt: skip


def spectra(rng: np.random.Generator) -> list[dict[str, Any]]:
    frequencies = list(range(1, 30))
    power = 0.01 * rng.random(29) + 0.3 * np.isin(frequencies, [5, 8, 11])
    one = {"of": "the embedding", "frequencies": frequencies, "power": power.tolist(),
           "floor": 0.035, "key": [5, 8, 11]}  # fmt: skip
    return [{"network": f"p = 59, seed {seed}", **one} for seed in range(2)]
