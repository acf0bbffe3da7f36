"""Does the answer follow the circle? A new angle is written into a network's states.

Engels, Liao et al. (ICLR 2025, section 5) set the state to the circle's point of another value and
the rest to the mean. A mean logit difference that falls says little by itself: the mean state alone
makes it fall, and so does a random plane among the same components. All of that stands beside it.
"""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.circle import Circle, fit_circle, point_on, turn_to
from symscope.features.geometry.cloud import FewerComponents
from symscope.features.geometry.crossed import Crossed, last_step
from symscope.features.geometry.held_out import relabelled
from symscope.intervention.natural import natural_vectors
from symscope.network import Network, NothingChanged
from symscope.site import Site
from symscope.task import Pairs

DRAWS, BATCH, RESAMPLED = 3, 512, 2000
RANDOM = ("random_plane", "random_plane_in_components", "shuffled_values", "random_displacement")
"""Controls that are drawn three times."""


@dataclass(frozen=True, eq=False)
class States:
    """The states (pair, width) before and after: `base`, and `source`, where the value is another.

    `known` are the states of all prompts that the pairs hold, with their values, for a probe.
    """

    base: Tensor
    source: Tensor
    old: Tensor
    new: Tensor
    known: Tensor
    values: Tensor


def intervene(
    network: Network, crossed: Crossed, pairs: Pairs, site: Site, circle: Circle,
    claim: str = "geometry.intervention", seed: int = 0,
) -> dict[str, Evidence]:  # fmt: skip
    """What the network answers when a state is set to the circle's point of the source's value.

    `pairs` come from `counterfactuals(crossed)`, `circle` was fitted to the first operand's states
    at `site`. Four pieces of evidence: "difference", the mean of logit(old answer) − logit(new
    answer), and "share", how often the new one has the largest logit, when all but the circle is
    the mean; "kept.difference" and "kept.share" when the rest of the state is kept. Each has all
    the controls, see `edits`. Intervals draw the base prompts again with all their pairs.
    """
    began = time.monotonic()
    states = states_of(network, pairs, site)
    old, new = pairs.labels["answer.base"], pairs.target
    scores: dict[str, tuple[Tensor, Tensor]] = {}
    for name, vectors in edits(circle, states, seed).items():
        logits = logits_with(network, pairs.base, site, vectors, crossed.choices)
        rows = torch.arange(len(logits))
        best = logits.argmax(1) == new
        scores[name] = (logits[rows, old] - logits[rows, new]).double(), best.double()
    found = {}
    for which, unit in enumerate(("difference", "share")):
        controls = _averaged({name: float(s[which].mean()) for name, s in scores.items()})
        for prefix, name in (("", "circle"), ("kept.", "circle_kept")):
            score = scores[name][which]
            low, high = clustered(score, pairs.labels["base"], seed)
            found[prefix + unit] = Evidence(
                f"{claim}.{prefix}{unit}", float(score.mean()), low, high, len(score),
                "logit(old) − logit(new)" if which == 0 else "share that answers the new",
                {k: v for k, v in controls.items() if k != name}, seeds=[seed],
                seconds=time.monotonic() - began,
                config={"site": str(site), "components": len(circle.axes),
                        "frequencies": list(circle.frequencies),
                        "prompts": len(pairs.labels["base"].unique())},
            )  # fmt: skip
    return found


def edits(circle: Circle, states: States, seed: int = 0) -> dict[str, Tensor]:
    """What is put in place of the base states, (pair, width), under each name.

    "circle" and "circle_kept" are what is claimed. Controls that should fail: "no_op"; "mean";
    "plane_removed" (the plane's coordinates are the mean's) and "plane_alone" (all others are);
    and, three times each, "random_plane" (the source's coordinates in a random plane of all
    dimensions, the rest kept), "random_plane_in_components" (the same within the probe's
    components, all else the mean), "shuffled_values" (as "circle", of a probe fitted to values
    exchanged for each other) and "random_displacement" (as far from the base as "circle" is).
    What could be had: "whole" (the source's state) and "components" (its coordinates in all of the
    probe's components).
    """
    base, source, mean = states.base, states.source, circle.mean
    plane, axes = circle.plane, circle.axes.T
    found = {
        "circle": point_on(circle, states.new), "circle_kept": turn_to(circle, states.new)(base),
        "no_op": base, "whole": source, "mean": mean.expand_as(base),
        "components": base + (source - base) @ axes @ axes.T,
        "plane_removed": base - (base - mean) @ plane @ plane.T,
        "plane_alone": mean + (base - mean) @ plane @ plane.T,
    }  # fmt: skip
    for draw in range(DRAWS):
        generator = torch.Generator().manual_seed(DRAWS * seed + draw)
        wide = _random_plane(base.shape[1], plane.shape[1], generator)
        inner = axes @ _random_plane(axes.shape[1], plane.shape[1], generator)
        away = torch.randn(base.shape, generator=generator, dtype=base.dtype)
        length = (found["circle"] - base).norm(dim=1, keepdim=True)
        found |= {
            f"random_plane {draw}": base + (source - base) @ wide @ wide.T,
            f"random_plane_in_components {draw}": mean + (source - mean) @ inner @ inner.T,
            f"shuffled_values {draw}": _shuffled(circle, states, DRAWS * seed + draw),
            f"random_displacement {draw}": base + away / away.norm(dim=1, keepdim=True) * length,
        }
    return found


def states_of(network: Network, pairs: Pairs, site: Site) -> States:
    """The natural states of the pairs at a site with one position, as float64."""
    if not all(name in pairs.labels for name in ("base", "source", "first.base", "first.source")):
        raise SymscopeError("pairs come from counterfactuals(crossed): these lack its labels")
    rows = torch.cat([pairs.labels["base"], pairs.labels["source"]])
    firsts = torch.cat([pairs.labels["first.base"], pairs.labels["first.source"]])
    prompts = torch.cat([pairs.base, pairs.source])
    unique, which = rows.unique(return_inverse=True)
    one = torch.empty(len(unique), dtype=torch.long).scatter_(0, which, torch.arange(len(rows)))
    known = natural_vectors(network, prompts[one].to(network.device), site).cpu().double()
    if known.dim() != 2:
        raise SymscopeError(f"{site} has several steps: say which with .at(step)")
    base, source = known[which].chunk(2)
    old, new = firsts.chunk(2)
    return States(base, source, old, new, known, firsts[one])


@torch.no_grad()
def logits_with(
    network: Network, prompts: Tensor, site: Site, vectors: Tensor, choices: Tensor | None = None
) -> Tensor:
    """Logits (prompt, choices) at the last step when the site holds these vectors."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)  # doing nothing is one of the controls
        for rows in torch.arange(len(prompts)).split(BATCH):
            run = network.run(prompts[rows].to(network.device), do={site: _put(vectors[rows])})
            found.append(last_step(run.output, choices))
    return torch.cat(found)


def clustered(scores: Tensor, groups: Tensor, seed: int = 0) -> tuple[float, float]:
    """A 95 % interval of the mean of `scores` (n,) when whole groups (n,) are drawn again."""
    _, which = groups.unique(return_inverse=True)
    total = np.bincount(which.numpy(), weights=scores.double().numpy())
    count = np.bincount(which.numpy())
    rows = np.random.default_rng(seed).integers(len(total), size=(RESAMPLED, len(total)))
    low, high = np.percentile(total[rows].sum(1) / count[rows].sum(1), [2.5, 97.5])
    return float(low), float(high)


def _put(value: Tensor) -> Edit:
    return lambda old: value.to(old)


def _shuffled(circle: Circle, states: States, seed: int) -> Tensor:
    """The source's points on the circle of a probe whose values were exchanged for each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewerComponents)
        other = fit_circle(states.known, relabelled(states.values, seed), circle.period,
                           circle.frequencies, len(circle.axes))  # fmt: skip
    return point_on(other, states.new)


def _random_plane(width: int, size: int, generator: torch.Generator) -> Tensor:
    return torch.linalg.qr(torch.randn(width, size, generator=generator, dtype=torch.float64)).Q


def _averaged(scores: Mapping[str, float]) -> dict[str, float]:
    """Each drawn control's mean over its draws; the others as they are."""
    found = {name: value for name, value in scores.items() if not name.startswith(RANDOM)}
    for name in RANDOM:
        drawn = [scores[f"{name} {draw}"] for draw in range(DRAWS)]
        found[name] = sum(drawn) / DRAWS
    return found
