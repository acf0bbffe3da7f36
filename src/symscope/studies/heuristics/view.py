"""What the atlas shows of one network, as a file beside the evidence."""

import base64
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import write_json
from symscope.jobs import Unit, made
from symscope.localize import layout_in
from symscope.localize.heuristics import (
    PUBLISHED,
    explained,
    means,
    pursued,
    silenced,
    threshold,
)
from symscope.network import Network
from symscope.studies.heuristics.families import features_of
from symscope.studies.heuristics.grids import Grid, grids, pairs_of, said
from symscope.studies.heuristics.neurons import Tops, ranked, strongest, tops
from symscope.studies.heuristics.patterns import Listed, listed, matched, null_maps
from symscope.studies.heuristics.settings import Asked
from symscope.studies.heuristics.units import about, networks_of
from symscope.studies.heuristics.view_circuit import circuit_view, places_view
from symscope.studies.idle import idle_patches
from symscope.task import Pairs
from symscope.tasks.arithmetic import Arithmetic

TERMS, LABELS, TOP, TRIED, EDGE_PAIRS = 8, 12, 10, 1_000, 200
DIVISION = {"/": "//"}
"""Signs that the page writes in another way."""


def view_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Any]:
    """Write `views/NETWORK.json`, what `report.atlas` makes a page of."""
    kind, asked, seed, name = about(unit, settings)
    network, _ = networks_of(unit, settings, folder)
    task = kind.task
    assert isinstance(task, Arithmetic)
    pairs = task.counterfactuals("all", asked.pairs, seed + 100)
    with idle_patches():
        shown = _shown(network, task, pairs, asked, name, seed)
    view = {
        "name": name, "title": f"Which neurons do arithmetic: {unit[1].replace('_', ' ')}",
        "lead": f"A transformer of two blocks that answers {_spoken(task)} of numbers below"
                f" {task.operands}, trained on four of five prompts. The strongest neurons of each"
                " block, what each fires on, and how far patterns explain it.",
        "command": "", "made": made() | {"network": f"{unit[1]}, seed {seed}"},
        "signs": [DIVISION.get(s, s) for s in task.signs], "operands": task.operands,
        "cells": task.operands, "modulus": task.modulus,
        **shown,
    }  # fmt: skip
    write_json(folder / "views" / f"{unit[1]}.json", view)
    return []


def _shown(
    network: Network, task: Arithmetic, pairs: Pairs, asked: Asked, name: str, seed: int
) -> dict[str, Any]:
    """The neurons, the circuit and the places."""
    few = pairs[torch.arange(min(EDGE_PAIRS, len(pairs)))]
    return {**_atlas(network, task, asked, seed), "circuit": circuit_view(network, few, name),
            "places": places_view(network, pairs)}  # fmt: skip


def _spoken(task: Arithmetic) -> str:
    words = {"+": "sums", "-": "differences", "*": "products", "/": "quotients"}
    return ", ".join(words[sign] for sign in task.signs)


def _atlas(network: Network, task: Arithmetic, asked: Asked, seed: int) -> dict[str, Any]:
    """The maps of the network itself and of its strongest neurons, sign by sign."""
    asked_of = {DIVISION.get(g.sign, g.sign): g for g in grids(task)}
    effect = [ranked(network, pairs_of(g, asked.pairs, seed), "", seed)[0]
              for g in asked_of.values()]  # fmt: skip
    mean = {layer: torch.stack([e[layer].abs() for e in effect]).mean(0) for layer in effect[0]}
    neurons = strongest(mean, asked.top)
    found = {sign: _of_sign(network, g, neurons, asked, seed) for sign, g in asked_of.items()}
    shapes = {
        "right": {k: _square(task, s.grid, 255 * (s.said == s.grid.token).float())
                  for k, s in found.items()},
        "legal": {k: _square(task, s.grid, torch.ones(len(s.grid))) for k, s in found.items()},
    }  # fmt: skip
    falls = {sign: _falls(network, g, neurons) for sign, g in asked_of.items()}
    rows, number = [], 0
    for layer, some in neurons.items():
        for rank, neuron in enumerate(some.tolist(), 1):
            about_it = {"layer": layer, "neuron": neuron, "rank": rank}
            rows.append(about_it | _tile(task, found, falls, number))
            number += 1
    return {**shapes, "neurons": rows}


@dataclass(frozen=True)
class _Sign:
    """One sign's grid, what the network said on it, and what was found of its top neurons."""

    grid: Grid
    said: Tensor
    patterns: Listed
    top: Tops
    kept: Tensor
    r2: dict[str, Tensor]


def _of_sign(
    network: Network, grid: Grid, neurons: dict[int, Tensor], asked: Asked, seed: int
) -> _Sign:
    patterns = listed(grid)
    top = tops(network, grid, neurons, patterns)
    smooth = null_maps(top.matched, grid, asked.nulls, seed)["as smooth"]
    null = matched(*smooth, patterns, False).best
    limits = torch.tensor([threshold(top.matched.best[:, k], null[:, k])
                           for k in range(null.shape[1])])  # fmt: skip
    r2 = {}
    for family, columns in features_of(grid).items():
        if family != "random":
            ((_, fits, _),) = pursued(top.matched.maps, columns, ~grid.held_out, [TERMS])
            r2[family] = explained(top.matched.maps, fits, grid.held_out)
    kept = top.matched.kept(limits, patterns.groups)
    return _Sign(grid, said(network, grid.prompts), patterns, top, kept, r2)


def _square(task: Arithmetic, grid: Grid, values: Tensor) -> str:
    """Values of all prompts, 0 to 255, as a map in base64; 0 where there is no prompt."""
    found = torch.zeros(task.operands, task.operands, dtype=torch.uint8)
    found[grid.first, grid.second] = values.round().to(torch.uint8)
    return base64.b64encode(found.numpy().tobytes()).decode()


def _tile(
    task: Arithmetic, found: dict[str, _Sign], falls: dict[str, dict[str, Tensor]], number: int
) -> dict[str, Any]:
    """One neuron's maps and all that is known of it."""
    maps = {sign: s.top.matched.maps[number] for sign, s in found.items()}
    low, high = (float(f([f(m) for m in maps.values()])) for f in (min, max))
    scale = 255 / max(high - low, 1e-9)
    labels = [label for sign, s in found.items() for label in _labels(s, sign, number)]
    labels = sorted(labels, key=lambda x: float(x["kappa"]), reverse=True)[:LABELS]
    first = next(iter(found.values()))
    return {
        "effect": float(torch.stack([f["logit"][number] for f in falls.values()]).mean()),
        "maps": {s: _square(task, found[s].grid, (m - low) * scale) for s, m in maps.items()},
        "low": low, "high": high, "labels": labels,
        "explained": {family: _mean([float(s.r2[family][number]) for s in found.values()])
                      for family in first.r2},
        "knockout": {"accuracy": _mean([-float(f["accuracy"][number]) for f in falls.values()]),
                     **_own_prompts(found, falls, labels, number)},
        "top": _top(task, found, maps),
    }  # fmt: skip


def _labels(found: _Sign, sign: str, number: int) -> list[dict[str, Any]]:
    share, kappa = (
        x[number].nan_to_num(-1) for x in (found.top.matched.share, found.top.matched.kappa)
    )
    rows = []
    for h in (share >= PUBLISHED).nonzero()[:, 0].tolist():
        pattern = found.patterns.heuristics[h]
        rows.append({"sign": sign, "name": str(pattern), "kind": pattern.kind, "of": pattern.of,
                     "values": list(pattern.values), "share": float(share[h]),
                     "kappa": float(kappa[h]), "kept": bool(found.kept[number, h])})  # fmt: skip
    return rows


def _mean(values: list[float]) -> float | None:
    """None where one is not a number: R² of a map that is constant on the prompts asked."""
    found = sum(values) / len(values)
    return found if isfinite(found) else None


def _own_prompts(
    found: dict[str, _Sign], falls: dict[str, dict[str, Tensor]], labels: list[dict[str, Any]],
    number: int,
) -> dict[str, float | None]:  # fmt: skip
    """The change of accuracy on the prompts that have the best pattern, and on the others."""
    if not labels:
        return {"satisfying": None, "others": None}
    sign, name = labels[0]["sign"], labels[0]["name"]
    at = [str(h) for h in found[sign].patterns.heuristics].index(name)
    lost, rows = falls[sign]["lost"][number], falls[sign]["rows"].long()
    has = found[sign].patterns.masks[at, rows]
    sides = {"satisfying": has, "others": ~has}
    return {k: -float(lost[m].mean()) if bool(m.any()) else None for k, m in sides.items()}


def _top(
    task: Arithmetic, found: dict[str, _Sign], maps: dict[str, Tensor]
) -> list[dict[str, Any]]:
    rows = []
    for sign, values in maps.items():
        grid = found[sign].grid
        for i in values.topk(min(TOP, len(values))).indices.tolist():
            rows.append({"text": task.text(grid.prompts[i]), "answer": int(grid.answer[i]),
                         "said": task.vocabulary[int(found[sign].said[i])],
                         "value": float(values[i])})  # fmt: skip
    return sorted(rows, key=lambda row: float(str(row["value"])), reverse=True)[:TOP]


@torch.no_grad()
def _falls(network: Network, grid: Grid, neurons: dict[int, Tensor]) -> dict[str, Tensor]:
    """Each neuron set to its mean by itself: what the right logit and the accuracy fall by."""
    layout, rows = layout_in(network), grid.some(TRIED, 0)
    prompts, token = grid.prompts[rows], grid.token[rows]
    sites = {layer: layout.site(layer, "neuron").at(-1) for layer in neurons}
    average = means(network, grid.prompts, sites.values())
    plain = network.run(prompts).output[:, -1]
    right, at = plain.argmax(-1) == token, torch.arange(len(rows))
    logit, lost = [], []
    for layer, some in neurons.items():
        for neuron in some.tolist():
            mask = torch.zeros(len(rows), layout.neurons, dtype=torch.bool)
            mask[:, neuron] = True
            new = silenced(network, prompts, {layer: mask}, {layer: average[sites[layer]]})
            logit.append((plain[at, token] - new[at, token]).mean())
            lost.append(right.float() - (new.argmax(-1) == token).float())
    whole = torch.stack(lost)
    return {"logit": torch.stack(logit), "lost": whole, "accuracy": whole.mean(1), "rows": rows}
