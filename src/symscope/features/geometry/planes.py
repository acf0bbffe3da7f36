"""Is the answer carried by these directions alone? Their coordinates are taken from another run.

The test of a plane that was found without labels: an interchange intervention on the subspace that
the planes span, with the rest of the state kept. Beside it the same of all other directions, and of
random subspaces of equal size.
"""

import time

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.crossed import Crossed
from symscope.features.geometry.intervention import clustered, logits_with, states_of
from symscope.network import Network
from symscope.site import Site
from symscope.task import Pairs

DRAWS = 3


def swap_planes(
    network: Network, crossed: Crossed, pairs: Pairs, site: Site, directions: Tensor,
    claim: str = "geometry.planes", seed: int = 0,
) -> dict[str, Evidence]:  # fmt: skip
    """What the network answers when the source's coordinates along `directions` are put in.

    `directions` (k, width) need not be orthogonal or independent; `pairs` come from
    `counterfactuals(crossed)`. Two pieces of evidence, "difference", logit(old answer) − logit(new
    answer), and "share", how often the new one is the largest. Controls: "no_op"; "whole" (all of
    the source's state); "others" (all but these directions); "random" (as many random ones, the
    mean of three). Intervals draw the base prompts again with all their pairs.
    """
    began = time.monotonic()
    states = states_of(network, pairs, site)
    width = states.base.shape[1]
    if directions.dim() != 2 or directions.shape[1] != width:
        raise SymscopeError(f"directions are (k, {width}), not {tuple(directions.shape)}")
    basis = _spanned(directions.double())
    change = states.source - states.base
    edits = {
        "planes": change @ basis @ basis.T, "no_op": 0 * change, "whole": change,
        "others": change - change @ basis @ basis.T,
    }  # fmt: skip
    for draw in range(DRAWS):
        generator = torch.Generator().manual_seed(DRAWS * seed + draw)
        wide = torch.randn(width, basis.shape[1], generator=generator, dtype=torch.float64)
        some = torch.linalg.qr(wide).Q
        edits[f"random {draw}"] = change @ some @ some.T
    old, new, rows = pairs.labels["answer.base"], pairs.target, torch.arange(len(pairs))
    scores: dict[str, tuple[Tensor, Tensor]] = {}
    for name, moved in edits.items():
        vectors = states.base + moved
        logits = logits_with(network, pairs.base, site, vectors, crossed.choices)
        scores[name] = ((logits[rows, old] - logits[rows, new]).double(),
                        (logits.argmax(1) == new).double())  # fmt: skip
    found = {}
    for which, name in enumerate(("difference", "share")):
        controls = {k: float(v[which].mean()) for k, v in scores.items() if " " not in k}
        random = [float(scores[f"random {draw}"][which].mean()) for draw in range(DRAWS)]
        score = scores["planes"][which]
        low, high = clustered(score, pairs.labels["base"], seed)
        found[name] = Evidence(
            f"{claim}.{name}", float(score.mean()), low, high, len(score),
            "logit(old) − logit(new)" if which == 0 else "share that answers the new",
            {k: v for k, v in controls.items() if k != "planes"} | {"random": sum(random) / DRAWS},
            seeds=[seed], seconds=time.monotonic() - began,
            config={"site": str(site), "dimensions": basis.shape[1]},
        )  # fmt: skip
    return found


def _spanned(directions: Tensor) -> Tensor:
    """An orthonormal basis of what the directions span, (width, rank)."""
    _, size, axes = torch.linalg.svd(directions, full_matrices=False)
    rank = int((size > 1e-6 * size[0]).sum())
    if not rank:
        raise SymscopeError("all directions are zero")
    return axes[:rank].T
