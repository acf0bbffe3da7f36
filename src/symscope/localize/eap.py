"""Edge attribution patching: a score for every edge from a few backward passes.

The edge u → v patched alone moves the metric by about (u' − u)·∂m/∂(what v reads): EAP (Syed,
Rager & Conmy, 2023). EAP-IG takes the mean of the gradient between both runs (Hanna et al., 2024).
"""

import time
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.localize.attribution import Metric, agreement, metric_of_rows, towards_source
from symscope.localize.edge_view import EdgeView, earlier, receivers
from symscope.localize.edges import (
    PAIRS_AT_ONCE,
    contributions,
    edge_runs,
    edges,
    require_aligned,
    view_of,
)
from symscope.network import Network

STRONGEST = 20
"""How many edges are named."""
MOST = 1_000
"""How many edges are patched by themselves."""


def edge_scores(
    network: Network, base: Tensor, source: Tensor, metric: Metric | None = None, steps: int = 0
) -> Tensor:
    """What patching each edge alone would add to the metric, (edge, pair), in `edges`' order.

    `steps` 0 is EAP, with the gradient of the base run; else EAP-IG, with its mean over that many
    runs whose token vectors lie between the base's and the source's. Departure from Hanna et al.:
    midpoints of equal shares instead of their ends, which needs fewer steps. With steps enough the
    scores of all edges out of "embed" add up to metric(source) − metric(base). Scores of all edges
    do not: what flows through two edges in a row is counted at both.
    """
    view = view_of(network)
    require_aligned(base, source)
    metric = metric or towards_source(network, base, source)
    shares = [(i + 0.5) / steps for i in range(steps)] or [0.0]
    found = []
    for rows in torch.arange(len(base), device=base.device).split(PAIRS_AT_ONCE):
        start, change = _changes(view, base[rows], source[rows])
        few = partial(metric_of_rows, metric, rows=rows, pairs=len(base))
        slopes: list[Tensor] = []
        for share in shares:
            x = (start + share * change[:, :, 0]).requires_grad_()
            new = _slopes(view, base[rows], x, few)
            slopes = [a + b for a, b in zip(slopes, new, strict=True)] if slopes else new
        found.append(_products(view, change, slopes) / len(shares))
    return torch.cat(found, 1)


def edges_against_patching(
    network: Network, base: Tensor, source: Tensor, claim: str, metric: Metric | None = None,
    steps: int = 5, most: int = MOST,
) -> Evidence:  # fmt: skip
    """How the scores rank the edges (mean over pairs) beside patching each edge itself.

    A run for each edge, so that some hundred pairs are enough; of more than `most` edges a random
    sample. `config["shares"]` holds, for those that exactly patched move the metric most, the share
    of metric(source) − metric(base).
    Controls as those of `against_patching`, without the size of the change.
    """
    started = time.monotonic()
    metric = metric or towards_source(network, base, source)
    with torch.no_grad():
        natural, full = (metric(network.run(x).output[:, -1]) for x in (base, source))
        run, every = edge_runs(network, base, source), edges(network)
        kept = torch.randperm(len(every), generator=torch.Generator().manual_seed(0))[:most]
        kept = kept.sort().values
        exact = torch.stack([metric(run([every[i]])) - natural for i in kept.tolist()])
    found = agreement(edge_scores(network, base, source, metric, steps)[kept], exact, claim)
    shares = exact.mean(1) / (full - natural).mean()
    order = shares.abs().argsort(descending=True)[:STRONGEST].tolist()
    config = {**found.config, "steps": steps, "of": len(every),
              "shares": {" → ".join(every[kept[i]]): float(shares[i]) for i in order}}  # fmt: skip
    return replace(found, config=config, seconds=time.monotonic() - started)


def _changes(view: EdgeView, base: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """What "embed" writes on the base, and by how much the source changes what each sender does."""
    natural, other = (contributions(view, tokens) for tokens in (base, source))
    return natural[:, :, 0].clone(), other - natural


def _slopes(view: EdgeView, tokens: Tensor, start: Tensor, metric: Metric) -> list[Tensor]:
    """∂metric/∂(what each receiver reads), (pair, step, receiver, width) per group."""
    read: list[Tensor] = []
    groups = receivers(view)

    def meet(group: int, x: Tensor, _: list[Tensor]) -> Tensor:
        read.append(x[:, :, None].expand(-1, -1, len(groups[group]), -1))
        return read[-1]

    with torch.enable_grad():
        moved = metric(view.forward(tokens, meet, start)[1]).sum()
    return list(torch.autograd.grad(moved, read, materialize_grads=True))


def _products(view: EdgeView, change: Tensor, slopes: list[Tensor]) -> Tensor:
    """(edge, pair): each sender's change times the slope at each later receiver."""
    return torch.cat([
        torch.einsum("btsd,btrd->rsb", change[:, :, :count], slope).flatten(0, 1)
        for count, slope in zip(earlier(view), slopes, strict=True)
    ])  # fmt: skip
