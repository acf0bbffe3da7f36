"""What the geometry of features says of a small case, with all that goes in cast as it is told."""

import torch
from torch import Tensor

import laws
from reliability.in_two_precisions import Cast, Found, scores_of
from symscope.features.geometry import (
    SHAPES,
    Crossed,
    circle_evidence,
    cluster_score,
    counterfactuals,
    explained_by,
    fit_circle,
    intervene,
    mixture_index,
    separability,
)
from symscope.models.compiled import FAMILIES, plant
from symscope.network import Network
from symscope.site import Site


def _points(seed: int) -> Tensor:
    return SHAPES["two circles"](600, seed).float()


def geometry(cast: Cast, seed: int) -> Found:
    """Separability, mixture index and cluster score with their controls."""
    points = cast(_points(seed))
    plane = points[:, :2]
    found = (separability(plane, seed=seed), mixture_index(plane, seed=seed),
             cluster_score(points, seed=seed))  # fmt: skip
    return Found(scores_of(*found))


def explanation(cast: Cast, seed: int) -> Found:
    """The held-out r² of a regression on two functions of the prompt."""
    a, b = torch.cartesian_prod(torch.arange(9), torch.arange(9)).T
    groups = {"a": a.double()[:, None], "b": (b % 3).double()[:, None]}
    known = torch.cat([*groups.values()], 1).float() @ laws.draws(2, 12, seed=seed)
    return Found(scores_of(explained_by(cast(known + laws.draws(81, 12, seed=seed + 1)), groups)))


def circle(cast: Cast, seed: int) -> Found:
    """A probe of a circle, and what becomes of the answers when its points are turned.

    What else the records hold is not compared: random planes are drawn in the principal axes, which
    for a circle are arbitrary within its plane, and where all else is set to the mean answers tie.
    """
    planted = plant(FAMILIES["clock_13"](), noise=0, seed=seed)
    network = Network(cast(planted.network.module))
    numbers = torch.arange(13)
    a, b = (prompts := torch.cartesian_prod(numbers, numbers)).T
    crossed, site = Crossed(prompts, a, b, (a + b) % 13), Site("blocks.0", "input")
    with torch.no_grad():
        states = network.run(prompts, read=[site]).values[site]
    found = fit_circle(states, a, 13, (1, 4), 8)
    records = intervene(network, crossed, counterfactuals(crossed, 100), site, found)
    whole = circle_evidence(states, a, 13, (1, 4), 8)
    kept = [records[name].score or 0.0 for name in ("kept.share", "kept.difference")]
    return Found(torch.cat([scores_of(whole), torch.tensor(kept).double()]), kept[0])
