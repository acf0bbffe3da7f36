"""Attribution patching: what patching each place would do, estimated from one backward pass.

To first order, replacing an activation a by the source's a' moves the metric by (a' − a)·∂m/∂a
(Nanda, 2023; Syed, Rager & Conmy, 2023). One backward pass gives ∂m/∂a at every place at once.
"""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.evidence import Evidence, SymscopeError
from symscope.localize.edges import require_aligned
from symscope.localize.metrics import logit_difference
from symscope.localize.patching import patched
from symscope.localize.places import Place, layout_in
from symscope.network import Network, NothingChanged
from symscope.site import Site, positions

Metric = Callable[[Tensor], Tensor]
"""Logits at the last step (pair, vocabulary) → (pair,); must treat the pairs one by one."""
PAIRS_AT_ONCE = 64


@torch.no_grad()
def towards_source(network: Network, base: Tensor, source: Tensor) -> Metric:
    """logit(y') − logit(y): y' is what the network answers on the source, y on the base.

    Always 0 for a pair on which both are the same.
    """
    old, new = (network.run(x).output[:, -1].argmax(-1) for x in (base, source))
    return partial(logit_difference, answer=new, other=old)


def attribution(
    network: Network, base: Tensor, source: Tensor, places: Sequence[Place],
    metric: Metric | None = None, steps: int = 0, at_source: Sequence[Place] | None = None,
) -> Tensor:  # fmt: skip
    """(source − base) · ∂metric/∂activation at each place, for each pair, (place, pair).

    Places and `at_source` are those of `patched`, and the estimate is of metric(patched) −
    metric(base); of several sites together it is the sum.
    With `steps` the gradient is not the one on the base run but its mean over that many runs whose
    token vectors lie between the base's and the source's, at the midpoints of equal shares: the
    integrated gradients of Sundararajan et al. (2017), along the path of Hanna et al. (2024), who
    take the shares' ends. Over all steps of the embedding they add up to the metric's change.
    `metric` is `towards_source` if none is given.
    """
    start = Site(layout_in(network).embed)
    ends = _ends(places, places if at_source is None else at_source)
    if steps or any(site.position is None for exchanges in ends for site, _ in exchanges):
        require_aligned(base, source)
    metric = metric or towards_source(network, base, source)
    wholes = list(dict.fromkeys(whole(s) for exchanges in ends for pair in exchanges for s in pair))
    found = []
    for rows in torch.arange(len(base), device=base.device).split(PAIRS_AT_ONCE):
        natural, other = (_read(network, tokens[rows], wholes) for tokens in (base, source))
        slopes = _slopes(network, (base, source), rows, (start, *wholes), metric, steps)
        scores = [
            sum(((at(other, there, rows) - at(natural, here, rows)) * at(slopes, here, rows))
                .flatten(1).sum(1) for here, there in exchanges)
            for exchanges in ends
        ]  # fmt: skip
        found.append(torch.stack(cast("list[Tensor]", scores)))
    return torch.cat(found, 1)


def _ends(places: Sequence[Place], at_source: Sequence[Place]) -> list[list[tuple[Site, Site]]]:
    """Per place, its sites on the base and where on the source each finds its value."""
    if len(places) != len(at_source):
        raise SymscopeError(f"{len(at_source)} places on the source for {len(places)} on the base")
    several = [[p if isinstance(p, tuple) else (p,) for p in ends] for ends in (places, at_source)]
    for one, other in zip(*several, strict=True):
        if len(one) != len(other):
            raise SymscopeError(f"{len(other)} sites on the source for {len(one)} on the base")
    return [list(zip(one, other, strict=True)) for one, other in zip(*several, strict=True)]


def whole(site: Site) -> Site:
    """All steps and units of a site: the tensor that takes part in the computation."""
    return Site(site.module, site.part)


@torch.no_grad()
def _read(network: Network, tokens: Tensor, wholes: Sequence[Site]) -> Mapping[Site, Tensor]:
    return network.run(tokens, read=wholes).values


def _slopes(
    network: Network, pair: tuple[Tensor, Tensor], rows: Tensor, sites: Sequence[Site],
    metric: Metric, steps: int,
) -> dict[Site, Tensor]:  # fmt: skip
    """∂metric/∂value at each whole value: on the base run, or its mean between both runs.

    The first of the `sites` is where the tokens' vectors enter; the others are differentiated by.
    """
    entry, *wholes = sites
    shares = [(i + 0.5) / steps for i in range(steps)] or [0.0]
    start, end = (_read(network, x[rows], [entry])[entry] for x in pair)
    total = [torch.zeros(())] * len(wholes)
    for share in shares:
        x = (start + share * (end - start)).requires_grad_()
        with torch.enable_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", NothingChanged)  # share 0 is the base as it is
            ran = network.run(pair[0][rows], read=wholes, do={entry: constant(x)})
            moved = metric_of_rows(metric, ran.output[:, -1], rows, len(pair[0])).sum()
        values = [ran.values[site] for site in wholes]
        new = torch.autograd.grad(moved, values, allow_unused=True, materialize_grads=True)
        total = [a.to(b) + b / len(shares) for a, b in zip(total, new, strict=True)]
    return dict(zip(wholes, total, strict=True))


def constant(value: Tensor) -> Edit:
    """An edit that puts `value`, whatever was there."""
    return lambda _: value


def metric_of_rows(metric: Metric, logits: Tensor, rows: Tensor, pairs: int) -> Tensor:
    """The metric of some of the pairs, (row,), for a metric that expects all of them."""
    rows = rows.to(logits.device)
    everyone = logits.new_zeros(pairs, logits.shape[1]).index_copy(0, rows, logits)
    return metric(everyone)[rows]


def at(values: Mapping[Site, Tensor], site: Site, rows: Tensor) -> Tensor:
    """The site's units, at its step in each of the samples `rows`, out of the whole values.

    Of a pattern, (sample, head, step, step), the weights of the head in its step's row.
    """
    value = values[whole(site)]
    if value.dim() == 4:
        value = value.transpose(1, 2)
        value = value if site.head is None else value[:, :, site.head[0]]
    elif (units := site.selected(value.shape[-1])) is not None:
        value = value[..., units]
    if (place := site.position) is None:
        return value
    steps = place if isinstance(place, int) else tuple(place[r] for r in rows.tolist())
    index = positions(steps, len(value), value.shape[1]).to(value.device)
    return value[torch.arange(len(value), device=value.device), index]


def rank_correlation(estimate: Tensor, exact: Tensor) -> float:
    """Spearman's rank correlation of all entries; 0 where one of both is constant.

    >>> rank_correlation(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 10.0, 100.0]))
    1.0
    """
    from scipy.stats import spearmanr

    a, b = (x.detach().flatten().double().cpu().numpy() for x in (estimate, exact))
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return round(float(spearmanr(a, b).statistic), 12)


def against_patching(
    network: Network, base: Tensor, source: Tensor, places: Sequence[Place], claim: str,
    metric: Metric | None = None, steps: int = 0,
) -> Evidence:  # fmt: skip
    """How the estimate ranks the places (mean over pairs) beside exact patching.

    The interval draws pairs again. Controls: the estimate's places shuffled, of 200 shuffles the
    mean and the 95 % point; the length of source − base, without a gradient, against |effect|; and,
    as the most that can be asked, exact patching on one half of the pairs against the other.
    """
    started = time.monotonic()
    metric = metric or towards_source(network, base, source)
    with torch.no_grad():
        natural = metric(network.run(base).output[:, -1])
        exact = torch.stack([metric(x) - natural for x in patched(network, base, source, places)])
    estimate = attribution(network, base, source, places, metric, steps)
    sizes = _sizes(network, base, source, places)
    found = agreement(estimate, exact, claim)
    controls = {**found.controls, "size_of_change": rank_correlation(sizes, exact.mean(1).abs())}
    config = {**found.config, "steps": steps}
    return replace(found, controls=controls, config=config, seconds=time.monotonic() - started)


def agreement(estimate: Tensor, exact: Tensor, claim: str) -> Evidence:
    """The rank correlation of two (place, pair) tables' means over pairs, with its controls.

    Raises `SymscopeError` where there are not two pairs to hold against each other.
    """
    map_, truth = estimate.mean(1), exact.mean(1)
    count, pairs = estimate.shape
    if pairs < 2:
        raise SymscopeError(f"{pairs} pairs: rank correlations need two or more")
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(count, generator=generator) for _ in range(200)]
    shuffled = [rank_correlation(map_[order], truth) for order in orders]
    draws = [torch.randint(pairs, (pairs,), generator=generator) for _ in range(500)]
    again = [rank_correlation(estimate[:, d].mean(1), exact[:, d].mean(1)) for d in draws]
    low, high = np.percentile(again, [2.5, 97.5])
    controls = {
        "shuffled": float(np.mean(shuffled)),
        "shuffled_95": float(np.percentile(shuffled, 95)),
        "halves": rank_correlation(exact[:, ::2].mean(1), exact[:, 1::2].mean(1)),
    }
    score = rank_correlation(map_, truth)
    return Evidence(  # drawing pairs again ties places: the draws may all lie on one side
        claim, score, min(float(low), score), max(float(high), score), pairs, "rank correlation",
        controls, config={"places": count, "per_place_and_pair": rank_correlation(estimate, exact)},
    )  # fmt: skip


def _sizes(network: Network, base: Tensor, source: Tensor, places: Sequence[Place]) -> Tensor:
    """How far source and base are apart at each place, the mean over pairs."""
    ends = _ends(places, places)
    wholes = list(dict.fromkeys(whole(site) for exchanges in ends for site, _ in exchanges))
    here, there = (_read(network, x, wholes) for x in (base, source))
    rows = torch.arange(len(base), device=base.device)
    squares = [sum((at(there, s, rows) - at(here, s, rows)).flatten(1).square().sum(1)
                   for s, _ in exchanges) for exchanges in ends]  # fmt: skip
    return torch.stack([torch.as_tensor(square).sqrt().mean() for square in squares])
