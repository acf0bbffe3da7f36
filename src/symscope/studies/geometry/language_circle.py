"""The circle of the start, layer by layer: can it be read, is it a circle, does the answer follow?

Layers count the blocks: layer l is the stream that enters block l, at the token of the start.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry import (
    Circle,
    Crossed,
    by_frequency,
    circle_evidence,
    compare_curves,
    fit_circle,
    intervene,
    off_circle,
    point_on,
)
from symscope.network import Network
from symscope.site import Site
from symscope.studies.geometry.language_prompts import Posed, beside, fewer_components
from symscope.task import Pairs

CURVES = ("line", "circle", "helix")
OFF_CIRCLE = (2, 3, 4, 5)
"""The durations with which points off the circle are tried, as published."""
BATCH = 128
SAID = ("difference", "share")


def probe_claims(
    states: Tensor, blank: Tensor | None, values: Tensor, period: int, claim: str, layer: int,
    seed: int,
) -> list[Evidence]:  # fmt: skip
    """The circular probe at one layer, and the curves that the states could lie on instead.

    `states` are (prompt, width), `blank` those of the untrained network. For an odd prime period
    `config["by_frequency"]` has the probes of all frequencies.
    """
    with fewer_components():
        found = circle_evidence(states, values, period, claim=f"{claim}.circle.layer_{layer}",
                                seed=seed)  # fmt: skip
        if blank is not None:
            other = circle_evidence(blank, values, period, seed=seed).score
            found = beside(found, untrained=other)
        config = dict(found.config)
        if all(period % k for k in range(2, period)):
            waves = by_frequency(states, values, period)
            config["by_frequency"] = {str(f): r2 for f, r2 in waves.items()}
        curves = compare_curves(states, values, [period], CURVES, seed=seed,
                                claim=f"{claim}.curve.layer_{layer}")  # fmt: skip
    return [replace(found, config=config), *curves.values()]


def intervention_claims(
    one: Posed, untrained: Posed | None, pairs: Pairs, layer: int, claim: str, seed: int
) -> list[Evidence]:  # fmt: skip
    """A new angle written into one layer: four records, each with all baselines and controls.

    `config["published"]` is what the released code writes: the same point less the mean's own share
    of the plane. With an untrained network its score is one of the controls.
    """
    site = one.site(layer, "a")
    circle = circle_at(one, layer)
    found = intervene(one.network, one.crossed, pairs, site, circle, claim, seed)
    if untrained is not None:
        other = untrained_scores(untrained, pairs, layer, seed)
        found = {k: beside(record, untrained=other.get(k)) for k, record in found.items()}
    published = dict(zip(SAID, published_edit(one, pairs, site, circle), strict=True))
    return [
        replace(record, config={**record.config, "published": published[k]})
        if k in published else record
        for k, record in found.items()
    ]  # fmt: skip


def circle_at(one: Posed, layer: int) -> Circle:
    """The probe of the start in the stream that enters a block."""
    with fewer_components():
        return fit_circle(one.states([layer], "a")[layer], one.prompts.first, one.period)


def untrained_scores(untrained: Posed, pairs: Pairs, layer: int, seed: int) -> dict[str, float]:
    """What the same intervention does in the untrained network; nothing where it has no circle."""
    try:
        found = intervene(untrained.network, untrained.crossed, pairs, untrained.site(layer, "a"),
                          circle_at(untrained, layer), seed=seed)  # fmt: skip
    except SymscopeError:
        return {}
    return {k: record.score for k, record in found.items() if record.score is not None}


@torch.no_grad()
def published_edit(one: Posed, pairs: Pairs, site: Site, circle: Circle) -> tuple[float, float]:
    """Difference and share when the mean's own coordinates in the plane are taken off the point."""
    points = point_on(circle, pairs.labels["first.source"])
    points = points - circle.mean @ circle.plane @ circle.plane.T
    logits = torch.cat([
        answers_with(one.network, pairs.base[rows], site, _put(points[rows]), one.prompts.choices)
        for rows in torch.arange(len(pairs)).split(BATCH)
    ])  # fmt: skip
    rows = torch.arange(len(logits))
    away = logits[rows, pairs.labels["answer.base"]] - logits[rows, pairs.target]
    return float(away.mean()), float((logits.argmax(1) == pairs.target).double().mean())


def answers_with(
    network: Network, prompts: Tensor, site: Site, edit: Edit, choices: Tensor
) -> Tensor:
    """Logits (prompt, choices) at the end of a run with one edit."""
    run = network.run(prompts.to(network.device), do={site: edit})
    return run.output[:, -1].cpu().double()[:, choices]


def off_circle_claims(one: Posed, layer: int, claim: str) -> list[Evidence]:
    """Other radii and angles at one layer, with durations of two to five."""
    kept = torch.isin(one.prompts.second, torch.tensor(OFF_CIRCLE))
    some = one.crossed
    some = Crossed(some.prompts[kept], some.first[kept], some.second[kept], some.answers[kept],
                   some.choices)  # fmt: skip
    circle = circle_at(one, layer)
    return off_circle(one.network, some, one.site(layer, "a"), circle,
                      claim=f"{claim}.off_circle")  # fmt: skip


def layers_of(asked: Sequence[int] | None, count: int) -> list[int]:
    """The layers asked for, all without; raises `SymscopeError` for one that is not there."""
    found = list(range(count)) if asked is None else list(asked)
    if not found or not all(0 <= layer < count for layer in found):
        raise SymscopeError(f"layers {found}: this model has 0 to {count - 1}")
    return found


def _put(value: Tensor) -> Edit:
    return lambda old: value.to(old)
