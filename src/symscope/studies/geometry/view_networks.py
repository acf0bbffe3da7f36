"""What the page shows of each network that adds: its circles, its spectrum, and its verdict."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import Evidence, read_evidence
from symscope.features.geometry import candidates, fit_circle, residual_colours
from symscope.models.modular_addition import published_names
from symscope.report.geometry import packed
from symscope.studies.geometry.adders import keys_of, last_states, table_of, verdict
from symscope.studies.geometry.networks import Adder, adder

WORDS = {"trained": "trained here", "published": "clock and pizza networks",
         "untrained": "untrained"}  # fmt: skip
CLOUDS, GRIDS = 3, 2
"""Circles of each network that are drawn, and networks of each kind whose residuals are."""
Records = dict[str, Evidence]
Networks = dict[tuple[str, str], Records]
"""Kind and number → what its units found, by the end of the claim."""


def networks_in(folder: Path) -> Networks:
    """Every network that was asked, and the records of it alone."""
    found: Networks = {}
    for kind in WORDS:
        for path in sorted((folder / "units").glob(f"*-{kind}-*.json")):
            records = {r.claim.removeprefix(f"geometry.{kind}."): r for r in read_evidence(path)}
            found.setdefault((kind, path.stem.rsplit("-", 1)[1]), {}).update(records)
    return dict(sorted(found.items(), key=lambda n: (list(WORDS).index(n[0][0]), int(n[0][1]))))


def network_parts(
    networks: Networks, settings: dict[str, Any], folder: Path
) -> dict[str, list[dict[str, Any]]]:
    """Clouds, residuals, verdicts and spectra, network by network."""
    parts: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("clouds", "residuals", "verdicts", "spectra")
    }
    for (kind, number), records in networks.items():
        name = name_of(kind, number, settings)
        parts["verdicts"] += _verdict(kind, name, records)
        parts["spectra"] += _spectrum(name, records)
        if kind == "published" and "weights" not in settings:
            continue
        asked = adder(kind, number, settings, folder)
        if kind != "untrained":
            parts["clouds"] += _circles(name, asked)
        if int(number) < GRIDS:
            parts["residuals"] += _residuals(name, asked, records)
    return parts


def name_of(kind: str, number: str, settings: dict[str, Any]) -> str:
    """What the page calls a network: the published ones by their files' names."""
    if kind == "published" and "weights" in settings:
        return published_names(Path(settings["weights"]))[int(number)]
    return f"{WORDS[kind]}, {number}"


def _keys(record: Evidence | None, name: str) -> list[int]:
    """Frequencies that a record names in its configuration."""
    text = record.config.get(name, "none") if record is not None else "none"
    return [] if text == "none" else [int(k) for k in str(text).split()]


def _measure(record: Evidence | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {"score": record.score, "low": record.low, "high": record.high, "reason": record.note}


def _verdict(kind: str, name: str, records: Records) -> list[dict[str, Any]]:
    alike, apart = (records.get(k) for k in ("gradient_symmetricity", "distance_irrelevance"))
    if alike is None or apart is None:
        return []
    written, search = records.get("written.all.share"), records.get("search.waves")
    return [{
        "network": name, "unsupervised": _keys(search, "found"), "fourier": _keys(search, "used"),
        "gradient_symmetricity": _measure(alike), "distance_irrelevance": _measure(apart),
        "verdict": None if kind == "untrained" else verdict(alike.score, apart.score),
        "intervention": _measure(written), "untrained": kind == "untrained",
    }]  # fmt: skip


def _spectrum(name: str, records: Records) -> list[dict[str, Any]]:
    record = records.get("embedding.power")
    if record is None:
        return []
    power = record.config["spectrum"][1:]
    return [{"network": name, "frequencies": list(range(1, len(power) + 1)), "power": power,
             "of": "the embedding", "key": _keys(record, "keys")}]  # fmt: skip


def _circles(name: str, asked: Adder) -> list[dict[str, Any]]:
    """The first circles of the embedding, each with the next one's cosine as a third axis."""
    table, p, found = table_of(asked), asked.modulus, []
    keys = keys_of(asked, 0)
    numbers = torch.arange(p)
    planes = [_plane(table, numbers, p, k) for k in keys]
    for place, k in enumerate(keys[:CLOUDS]):
        following = planes[(place + 1) % len(planes)][:, :1]
        points = torch.cat([planes[place], following], 1)
        found.append({
            "group": "Embeddings", "name": f"{name}, frequency {k}",
            "said": f"The vectors of the {p} numbers in the plane of frequency {k}, read by a"
                    " probe.",
            "points": packed(points.numpy()), "dimensions": 3,
            "variable": {"name": f"{k}a mod {p}", "values": (k * numbers % p).tolist(),
                         "period": p},
            "axes": ["plane 1", "plane 2", f"plane of {keys[(place + 1) % len(keys)]}"],
            "texts": [f"a = {a}" for a in range(p)], "facts": {"frequency": k},
        })  # fmt: skip
    return found


def _plane(table: Tensor, numbers: Tensor, modulus: int, frequency: int) -> Tensor:
    """The vectors in the plane of a circle, (number, 2)."""
    circle = fit_circle(table, numbers, modulus, (frequency,))
    return (table.double() - circle.mean) @ circle.plane


def _residuals(name: str, asked: Adder, records: Records) -> list[dict[str, Any]]:
    """What is left of the last states after each group of functions, as colours."""
    steps = [r for k, r in sorted(records.items()) if k.startswith("explanation.")]
    if not steps:
        return []
    crossed, vectors = asked.crossed, last_states(asked)
    groups = candidates(crossed.first, crossed.second, asked.modulus)
    shown = [{"added": "nothing", "r2": 0.0, "grid": _grid(asked, vectors, {})}]
    for step in steps:
        known = {name: groups[name] for name in step.config["with"]}
        shown.append({"added": step.config["group"], "r2": step.score, "low": step.low,
                      "high": step.high, "null": step.controls["random_gain"],
                      "grid": _grid(asked, vectors, known)})  # fmt: skip
    return [{"network": name, "shape": [asked.modulus] * 2, "steps": shown,
             "said": "beside each r² the gain of as many random functions of the sum"}]  # fmt: skip


def _grid(asked: Adder, vectors: Tensor, groups: dict[str, Tensor]) -> str:
    crossed = asked.crossed
    colours = residual_colours(vectors, groups, crossed.first, crossed.second)
    return packed((255 * colours).round().byte().numpy())
