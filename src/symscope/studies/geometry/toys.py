"""Clouds whose shape is known: both indices of each; and two circles in one dictionary."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.features.dictionaries import Dictionary, Training, bench, fit_dictionary
from symscope.features.geometry import (
    SHAPES,
    jaccard,
    mixture_index,
    neighbour_clusters,
    published_mixture,
    published_separability,
    reconstructions,
    separability,
    spectral_clusters,
    split_separability,
    sweep_neighbours,
)
from symscope.jobs import Unit
from symscope.studies.geometry.settings import PRESETS, Preset

PLANAR = ("circle", "gaussian", "mixture", "lattice", "square", "ring of 7", "ring of 12")
WIDER = {"helix": (1,), "torus": (1, 2), "two circles": ()}
"""Shapes of more dimensions, and into how many coordinates and the rest they are split."""
WIDTH, FEATURES, PENALTY = 10, 64, 0.1


def toy_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Separability and mixture index of one shape, by our estimators and the published ones."""
    _, slug, seed_text = unit
    name, seed = slug.replace("_", " "), int(seed_text)
    points = SHAPES[name](PRESETS[settings["preset"]].points, seed)
    claim = f"geometry.toy.{slug}"
    found = [mixture_index(points, _values(name, points), f"{claim}.mixture", seed=seed)]
    if name not in PLANAR:
        return found + [split_separability(points, k, f"{claim}.split_{k}", seed=seed)
                        for k in WIDER[name]]  # fmt: skip
    ours = separability(points, f"{claim}.separability", seed=seed)
    found.append(ours)
    n = len(points)
    for what, value, unit_name in (
        ("separability.published_recipe", published_separability(points), "bits"),
        ("mixture.published_recipe", published_mixture(points, seed=seed), "share of points"),
        ("separability.neighbours", ours.config.get("neighbours"), "bits"),
    ):
        beside = {}
        if what.endswith("neighbours") and ours.config.get("neighbours_shuffled") is not None:
            beside = {"shuffled": ours.config["neighbours_shuffled"]}
        note = "" if value is not None else "points repeat: they have no density"
        found.append(Evidence(f"{claim}.{what}", value, value, value, n if value is not None else 0,
                              unit_name, beside, [seed], note=note))  # fmt: skip
    return found


def _values(name: str, points: Tensor) -> Tensor | None:
    """Which point of a ring each belongs to."""
    if not name.startswith("ring"):
        return None
    count = int(name.rsplit(" ", 1)[1])
    turns = torch.atan2(points[:, 1], points[:, 0]) * count / (2 * torch.pi)
    return turns.round().long() % count


def circles_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """A sparse autoencoder on two circles in orthogonal planes, and how they come apart.

    Beside it those on one circle in a plane, with 2 and with 10 features, as published.
    """
    _, _, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    found = []
    for size in (2, 10):
        one = SHAPES["circle"](preset.points, seed)
        fitted = _fitted(one, size, preset, seed)
        found += [_renamed(r, f"geometry.one_circle.{size}_features") for r in bench(fitted, one)]
    points = SHAPES["two circles"](preset.points, seed)
    fitted = _fitted(points, FEATURES, preset, seed)
    found += [_renamed(r, "geometry.two_circles") for r in bench(fitted, points)]
    return found + _apart(fitted, points, seed)


def _fitted(points: Tensor, size: int, preset: Preset, seed: int) -> Dictionary:
    training = Training(steps=preset.toy_steps, warm_up=min(1000, preset.toy_steps // 4))
    return fit_dictionary(points.float(), "relu", size=size, sparsity=PENALTY, training=training,
                          seed=seed)  # fmt: skip


def _renamed(record: Evidence, claim: str) -> Evidence:
    what = record.claim.rsplit(".", 1)[1]
    return Evidence(f"{claim}.{what}", record.score, record.low, record.high, record.n,
                    record.unit, record.controls, record.seeds, record.seconds)  # fmt: skip


def planes_of(points: Tensor) -> Tensor:
    """The two circles' planes, (2, width, 2): each point lies in one of them."""
    first = torch.linalg.svd(points[:1], full_matrices=False)[2][0]
    # points of one circle are those that are orthogonal to some points of the other
    other = points[(points @ first).abs() < 1e-9]
    one = torch.linalg.svd(other, full_matrices=False)[2][:2].T
    rest = points - points @ one @ one.T
    two = torch.linalg.svd(rest, full_matrices=False)[2][:2].T
    return torch.stack([one, two])


def _apart(dictionary: Dictionary, points: Tensor, seed: int) -> list[Evidence]:
    """How well clusters meet the features of either circle: mean best Jaccard index."""
    with torch.no_grad():
        codes = dictionary.encode(points.float())
    alive = (codes > 1e-6).any(0).nonzero()[:, 0]
    directions = dictionary.decoder.detach()[alive].double()
    planes = planes_of(points)
    length = torch.stack([(directions @ p).norm(dim=1) for p in planes], 1)
    which, pure = length.argmax(1), length.amax(1)
    groups = [which.eq(i).nonzero()[:, 0].tolist() for i in (0, 1)]
    ways = {
        "positive": spectral_clusters(directions, 2, "positive", seed),
        "angular": spectral_clusters(directions, 2, "angular", seed),
        "neighbours": neighbour_clusters(directions),
    }
    generator = torch.Generator().manual_seed(seed)
    dealt = which[torch.randperm(len(which), generator=generator)]
    mixed = [dealt.eq(i).nonzero()[:, 0].tolist() for i in (0, 1)]
    found = [_jaccard(name, clusters, groups, mixed, seed) for name, clusters in ways.items()]
    sweep = sweep_neighbours(directions, groups)
    best = max(sweep, key=lambda one: sweep[one])
    found.append(Evidence(
        "geometry.two_circles.neighbours_best", sweep[best], min(sweep.values()), sweep[best],
        len(alive), "Jaccard index", {"median of the sweep": float(_median(sweep.values()))},
        [seed], note="range of the sweep over k and τ",
    ))  # fmt: skip
    found.append(Evidence(
        "geometry.two_circles.purity", float(pure.mean()), float(pure.min()), float(pure.max()),
        len(pure), "length in the nearer plane", {"random": (2 / WIDTH) ** 0.5}, [seed],
        note="range over features",
    ))  # fmt: skip
    for i, group in enumerate(ways["positive"][:2]):
        said, _ = reconstructions(dictionary, points.float(), alive[list(group)].tolist())
        plane = torch.linalg.svd(said - said.mean(0), full_matrices=False)[2][:2].T
        flat = ((said - said.mean(0)) @ plane).double()
        found.append(separability(flat, f"geometry.two_circles.circle_{i + 1}.separability",
                                  seed=seed))  # fmt: skip
        found.append(mixture_index(flat, None, f"geometry.two_circles.circle_{i + 1}.mixture",
                                   seed=seed))  # fmt: skip
    return found


def _jaccard(
    name: str, clusters: list[tuple[int, ...]], groups: list[list[int]], mixed: list[list[int]],
    seed: int,
) -> Evidence:  # fmt: skip
    values = [jaccard(clusters, g) for g in groups]
    chance = sum(jaccard(clusters, g) for g in mixed if g) / 2
    size = sum(map(len, groups))
    return Evidence(
        f"geometry.two_circles.{name}", sum(values) / 2, min(values), max(values), size,
        "Jaccard index", {"features dealt anew": chance}, [seed], note="the two circles",
    )  # fmt: skip


def _median(values: Any) -> float:
    ordered = sorted(values)
    return float(ordered[len(ordered) // 2])
