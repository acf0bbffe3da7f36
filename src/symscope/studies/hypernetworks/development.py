"""How the algorithm comes about: its class over training and β, and which pattern that is."""

import math
from pathlib import Path
from typing import Any

import torch

from symscope.evidence import Evidence, write_json
from symscope.generate.reading import draw, look, pattern, transitions
from symscope.generate.sampling import losses, sampled
from symscope.jobs import Unit
from symscope.studies.hypernetworks.networks import asked, developing, function_of
from symscope.studies.hypernetworks.settings import PRESETS

VOTES = 3
"""Sampling seeds at each place of the map; their most frequent class is the place's."""


def development_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The map over (step, β), its pattern, and the transition β at each step."""
    _, name, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    task = function_of(name, asked(name, settings)[1][0])
    drawn = draw(task, task.inputs, 7, 2_000)
    rows: dict[str, list[Any]] = {"steps": [], "classes": [], "losses": [], "nats": []}
    for step, module in developing(name, seed, settings, folder):
        written = [sampled(module, preset.swept, s) for s in range(VOTES)]
        classes = [[look(w, drawn).algorithm for w in one.weights.each()] for one in written]
        voted = [max(column, key=column.count) for column in zip(*classes, strict=True)]
        errors = torch.stack([losses(one.weights, task, 2_000, 1).mean(1) for one in written])
        rows["steps"].append(step)
        rows["classes"].append(voted)
        rows["losses"].append(errors.mean(0).tolist())
        rows["nats"].append(torch.stack([one.nats for one in written]).mean(0).tolist())
    betas = preset.swept.tolist()
    said = pattern(betas, rows["classes"], rows["nats"])
    where = [betas[-1] if t == math.inf else t for t in transitions(betas, rows["classes"])]
    write_json(
        folder / "maps" / f"{name}-{seed}.json",
        {**rows, "betas": betas, "pattern": said, "transitions": where},
    )
    firsts = [next((c for c in column if c != "none"), "none")
              for column in zip(*rows["classes"], strict=True)]  # fmt: skip
    first = firsts.count("convexity") / len(firsts)
    return [Evidence(
        f"hypernetworks.{name}.development.convexity_first", first, min(first, 1.0), first,
        len(firsts), "share of β", {}, [seed], config={"pattern": said},
    )]  # fmt: skip
