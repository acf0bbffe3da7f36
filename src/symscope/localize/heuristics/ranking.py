"""Which neurons do the work: three ways to rank them at the last step, one of them exact.

The effect of a neuron is the mean change of logit(r') − logit(r) when it is patched from a prompt
with the answer r' into one with the answer r. `exact` patches each; `estimated` takes one backward
pass for all (attribution patching); `direct` counts only what the neuron itself adds to both logits
with the final norm's scale left as it is, without what later layers make of it.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from symscope.localize.heuristics.effects import at_once
from symscope.localize.heuristics.maps import added_to
from symscope.localize.patching import patched
from symscope.localize.places import layout_in
from symscope.network import Network
from symscope.site import Site
from symscope.task import Pairs

BATCH = 128


@torch.no_grad()
def exact(
    network: Network, pairs: Pairs, neurons: Mapping[int, Sequence[int]]
) -> dict[int, Tensor]:
    """Layer → what patching each of its named neurons alone does, (neuron,)."""
    layout, logits = layout_in(network), network.run(pairs.base).output[:, -1]
    natural, found = _shift(logits, pairs), {}
    for layer, named in neurons.items():
        sites = [layout.site(layer, "neuron", n).at(-1) for n in named]
        parts = [
            patched(network, pairs.base, pairs.source, some) for some in at_once(logits, sites)
        ]
        found[layer] = torch.cat([(_shift(x, pairs) - natural).mean(-1) for x in parts]).cpu()
    return found


def estimated(network: Network, pairs: Pairs) -> dict[int, Tensor]:
    """Layer → an estimate for all of its neurons, (neuron,): the change times the gradient."""
    sites = _sites(network)
    total = [torch.zeros(())] * len(sites)
    for rows in torch.arange(len(pairs)).split(BATCH):
        some = pairs[rows]
        with torch.enable_grad():
            ran = network.run(some.base, read=sites.values())
            moved = _shift(ran.output[:, -1], some).sum()
            values = [ran.values[site] for site in sites.values()]
            slopes = torch.autograd.grad(moved, values)
        with torch.no_grad():
            other = network.run(some.source, read=sites.values()).values
            changes = [(other[site] - value)[:, -1]
                       for site, value in zip(sites.values(), values, strict=True)]  # fmt: skip
            total = [t + (c * s[:, -1]).sum(0).float().cpu()
                     for t, c, s in zip(total, changes, slopes, strict=True)]  # fmt: skip
    return {layer: t.detach() / len(pairs) for layer, t in zip(sites, total, strict=True)}


@torch.no_grad()
def direct(network: Network, pairs: Pairs) -> dict[int, Tensor]:
    """Layer → the neurons' own part, (neuron,), up to the scale of the last norm: an estimate."""
    sites = _sites(network)
    here, there = (network.run(x, read=sites.values()).values for x in (pairs.base, pairs.source))
    old, new = pairs.labels["answer.base"], pairs.target[:, -1]
    answers, place = torch.cat([old, new]).unique(return_inverse=True)
    found = {}
    for layer, site in sites.items():
        added = added_to(network, layer, answers).cpu()
        change = (there[site] - here[site])[:, -1].float().cpu()
        toward = added[:, place[len(old) :]] - added[:, place[: len(old)]]
        found[layer] = (change.T * toward).mean(1)
    return found


def _sites(network: Network) -> dict[int, Site]:
    layout = layout_in(network)
    return {layer: layout.site(layer, "neuron") for layer in range(layout.layers)}


def _shift(logits: Tensor, pairs: Pairs) -> Tensor:
    """logit(r') − logit(r) of each pair, (…, pair)."""
    rows = torch.arange(len(pairs))
    return logits[..., rows, pairs.target[:, -1]] - logits[..., rows, pairs.labels["answer.base"]]
