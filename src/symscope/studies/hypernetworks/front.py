"""Loss against complexity over β, with and without the encoder; other sizes; blocks put to zero."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from symscope.evidence import Evidence, bootstrap
from symscope.generate.reading import rank_correlation
from symscope.generate.sampling import SILENT, losses, sampled
from symscope.jobs import Unit
from symscope.models.perceptron import Weights
from symscope.studies.hypernetworks.networks import hypernetwork
from symscope.studies.hypernetworks.settings import PRESETS
from symscope.tasks.functions import Function

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
    betas = preset.swept.tolist()
    order, of_loss = (rank_correlation(betas, v.mean(0).tolist()) for v in (nats, with_))
    low, high = bootstrap([row.tolist() for row in without])
    return [
        Evidence(f"{claim}.spearman", order, order, order, preset.betas, "rank correlation",
                 {} if of_loss is None else {"losses instead of KL": of_loss}, [seed],
                 config={"table": table},
                 note="" if order is not None else "KL is the same at every β"),
        Evidence(f"{claim}.decoder_only", float(without.mean()), low, high, without.size,
                 "squared error", {"with encoder": float(with_.mean()), **floors}, [seed],
                 note="interval over sampling seeds and β"),
    ]  # fmt: skip


def sizes_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """What the decoder alone writes at other sizes: its loss after the best scale and offset.

    The target is standardised for each number of inputs, and the output of a network whose units
    share an output weight grows with their number. Two numbers of each network, fitted on other
    inputs, put both right; what is left says whether the algorithm is there. The control "as it is"
    is the loss without them.
    """
    _, name, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    module, task = hypernetwork(name, seed, settings, folder)
    beta, found = float(preset.swept[preset.betas // 4]), []
    for inputs in preset.inputs:
        other = task.at(inputs)
        floors = other.floors(preset.samples, only=("linear", "radial"))
        for hidden in preset.hidden:
            betas = torch.full((preset.decoder_draws,), beta)
            written = sampled(module, betas, seed, (inputs, hidden, task.outputs), encoder=False)
            each = [calibrated(w, other, preset.quick, seed) for w in written.weights.each()]
            fitted, raw = (np.array(column) for column in zip(*each, strict=True))
            low, high = bootstrap([[x] for x in fitted.tolist()])
            table = {"best": float(fitted.min()), "worst": float(fitted.max()),
                     "below the floor": float((fitted < floors["radial"]).mean())}  # fmt: skip
            found.append(Evidence(
                f"hypernetworks.{name}.sizes.{inputs}_{hidden}", float(fitted.mean()), low, high,
                len(fitted), "squared error", {"as it is": float(raw.mean()), **floors}, [seed],
                config={"table": table}, note="interval over sampling seeds",
            ))  # fmt: skip
    return found


def calibrated(weights: Weights, task: Function, samples: int, seed: int) -> tuple[float, float]:
    """The loss with the scale and offset of the output that are best on other inputs; and without.

    >>> from symscope.generate.by_hand import by_hand
    >>> from symscope.tasks import function
    >>> net, task = by_hand("pudding", (4, 12, 1), 0), function("l1_norm", 4)
    >>> twice = Weights((net.matrices[0], 2 * net.matrices[1]), net.biases)
    >>> abs(calibrated(net, task, 2000, 0)[0] - calibrated(twice, task, 2000, 0)[0]) < 1e-6
    True
    """
    generator = torch.Generator().manual_seed(seed)
    fit, fresh = (task.sample(samples, generator) for _ in range(2))
    said, right = (f[:, 0].double() for f in (weights.run(fit), task.correct(fit)))
    variance = said.var().clamp(min=1e-12)
    scale = ((said - said.mean()) * (right - right.mean())).sum() / (len(said) - 1) / variance
    offset = right.mean() - scale * said.mean()
    said, right = (f[:, 0].double() for f in (weights.run(fresh), task.correct(fresh)))
    return (float((scale * said + offset - right).square().mean()),
            float((said - right).square().mean()))  # fmt: skip


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
