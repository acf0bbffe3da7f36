"""Loss against complexity over β, with and without the encoder; other sizes; blocks put to zero."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from symscope.evidence import Evidence, bootstrap
from symscope.generate.sampling import SILENT, losses, sampled
from symscope.jobs import Unit
from symscope.studies.hypernetworks.networks import hypernetwork
from symscope.studies.hypernetworks.settings import PRESETS, TARGET
from symscope.tasks.functions import function

INSENSITIVE_NATS = 0.1
"""Less information than this at every β, and it is paid for nothing (our choice)."""
CONTOURS = (0.07, 0.15)
"""Of the published figure 3.5."""


def front_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Loss and KL at each β, with the encoder and without, on fresh inputs."""
    _, name, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    module, task = hypernetwork(name, seed, settings, folder)
    draws = range(preset.draws)
    coded = [sampled(module, preset.swept, draw) for draw in draws]
    alone = [sampled(module, preset.swept, draw, encoder=False) for draw in draws]
    samples = preset.samples // 5
    with_, without = (
        np.stack([losses(w.weights, task, samples, draw).mean(1).numpy()
                  for draw, w in enumerate(written)])
        for written in (coded, alone)
    )  # fmt: skip
    nats = np.stack([w.nats.numpy() for w in coded])
    floors = task.floors(preset.samples)
    table = {
        f"{beta:.0e}": {"loss": float(with_[:, i].mean()), "alone": float(without[:, i].mean()),
                        "nats": float(nats[:, i].mean())}
        for i, beta in enumerate(preset.swept.tolist())
    }  # fmt: skip
    claim = f"hypernetworks.{name}.front"
    order = float(spearmanr(preset.swept.numpy(), nats.mean(0)).statistic)
    low, high = bootstrap([row.tolist() for row in without])
    floor = floors.get("radial", floors["linear"])
    least = bool((nats.mean(0) < INSENSITIVE_NATS).all() and with_.mean() < floor)
    made = [
        Evidence(f"{claim}.spearman", order, order, order, preset.betas, "rank correlation",
                 {"losses instead of KL": float(spearmanr(preset.swept, with_.mean(0)).statistic)},
                 [seed], config={"table": table}),
        Evidence(f"{claim}.decoder_only", float(without.mean()), low, high, without.size,
                 "squared error", {"with encoder": float(with_.mean()), **floors}, [seed],
                 note="interval over sampling seeds and β"),
        Evidence(f"{claim}.insensitive", float(least), 0, 1, 1, "share of hypernetworks",
                 {"floor": floor}, [seed], config={"nats": float(nats.mean(0).max())}),
    ]  # fmt: skip
    return made


def sizes_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The loss of what the decoder alone writes at other sizes, beside the radial floor there."""
    _, name, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    module, task = hypernetwork(name, seed, settings, folder)
    beta, found = float(preset.swept[preset.betas // 4]), []
    for inputs in preset.inputs:
        other = task.at(inputs)
        floors = other.floors(preset.samples // 5)
        for hidden in preset.hidden:
            betas = torch.full((preset.decoder_draws,), beta)
            written = sampled(module, betas, seed, (inputs, hidden, task.outputs), encoder=False)
            each = losses(written.weights, other, preset.quick, seed).mean(1).numpy()
            low, high = bootstrap([[x] for x in each.tolist()])
            found.append(Evidence(
                f"hypernetworks.{name}.sizes.{inputs}_{hidden}", float(each.mean()), low, high,
                len(each), "squared error",
                {k: floors[k] for k in ("radial", "linear") if k in floors}, [seed],
                config={"table": {"best": float(each.min()), "worst": float(each.max()),
                                  "below the radial floor": float(
                                      (each < floors.get("radial", floors["linear"])).mean())}},
                note="interval over sampling seeds",
            ))  # fmt: skip
    return found


def blocks_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The loss with one block of the hypernetwork put to zero: which of them is needed?"""
    _, name, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    module, task = hypernetwork(name, seed, settings, folder)
    whole = losses(sampled(module, preset.swept, seed).weights, task, preset.quick, seed).mean()
    found = []
    for block in SILENT:
        written = sampled(module, preset.swept, seed, silent=(block,))
        each = losses(written.weights, task, preset.quick, seed).mean(1).numpy()
        low, high = bootstrap([[x] for x in each.tolist()])
        found.append(Evidence(
            f"hypernetworks.{name}.without.{block}", float(each.mean()), low, high, len(each),
            "squared error", {"all blocks": float(whole)}, [seed], note="interval over β",
        ))  # fmt: skip
    return found


def sizes_of_claim(claim: str) -> tuple[int, int]:
    """Inputs and hidden units of a claim about other sizes.

    >>> sizes_of_claim("hypernetworks.l1_norm.sizes.16_48")
    (16, 48)
    """
    inputs, hidden = claim.rsplit(".", 1)[1].split("_")
    return int(inputs), int(hidden)


def floor_at(inputs: int, samples: int) -> float:
    """The radial floor of the target at so many inputs."""
    return function(TARGET, inputs).floors(samples)["radial"]
