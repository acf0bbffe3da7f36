"""Does the accuracy come from the bag? Neurons are silenced by pattern, or prompt by prompt.

By prompt: of each layer, the N neurons with the best-fitting pattern that this prompt has. Beside
it four controls with as many neurons of each layer, as what is silent anyway cannot be missed:
random ones among those without a pattern that the prompt has; random ones of all; the most active
without; and ones without that are active as much as those of the bag, one for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.causal_model import Edit, UnknownName
from symscope.localize.places import layout_in
from symscope.network import Network
from symscope.site import Site

CONTROLS = ("random", "any", "most active", "as active")


@dataclass(frozen=True)
class Bag:
    """The neurons of one layer that are looked at, (neuron,), and the patterns each fires on.

    `share` is (neuron, heuristic) and 0 for patterns that a neuron does not have; `active`
    (neuron, prompt) is how much it writes, |activation| times the length of its output row.
    """

    neurons: Tensor
    share: Tensor
    active: Tensor

    def fit(self, has: Tensor) -> Tensor:
        """The best share among the patterns that a prompt has, (neuron, prompt); 0 for none.

        `has` (heuristic, prompt) says which patterns each prompt has.
        """
        return torch.stack([_best(share, has) for share in self.share])


def _best(share: Tensor, has: Tensor) -> Tensor:
    own = share.nonzero()[:, 0]
    if not len(own):
        return torch.zeros(has.shape[1])
    return (share[own, None] * has[own]).amax(0)


def chosen(bag: Bag, fit: Tensor, count: int, which: str = "matching", seed: int = 0) -> Tensor:
    """Which neurons to silence for each prompt, (prompt, neuron of the bag), by their `Bag.fit`.

    "matching" or one of the `CONTROLS`. Where fewer neurons than `count` match, fewer are silenced,
    and as many in the controls; where the pool of a control is smaller, all of it.
    """
    matching = _top(fit, fit > 0, torch.full((fit.shape[1],), count))
    if which == "matching":
        return matching.T
    wanted, free = matching.sum(0), fit == 0
    random = torch.rand(fit.shape, generator=torch.Generator().manual_seed(seed))
    if which == "random":
        return _top(random, free, wanted).T
    if which == "any":
        return _top(random, torch.ones_like(free), wanted).T
    if which == "most active":
        return _top(bag.active, free, wanted).T
    if which != "as active":
        raise UnknownName("neurons", which, ("matching", *CONTROLS))
    return _as_active(bag.active, matching, free).T


def _top(values: Tensor, allowed: Tensor, wanted: Tensor) -> Tensor:
    """The `wanted` (prompt,) largest of the allowed, (neuron, prompt)."""
    ranks = values.masked_fill(~allowed, -torch.inf).argsort(0, descending=True).argsort(0)
    return (ranks < wanted) & allowed


def _as_active(active: Tensor, matching: Tensor, free: Tensor) -> Tensor:
    """For each matching neuron, the strongest first, the free one that is most nearly as active."""
    free, found = free.clone(), torch.zeros_like(free)
    prompts = torch.arange(active.shape[1])
    left = active.masked_fill(~matching, -1.0)
    for _ in range(int(matching.sum(0).max())):
        strongest = left.argmax(0)
        there = (left[strongest, prompts] >= 0) & free.any(0)
        apart = (active - active[strongest, prompts]).abs().masked_fill(~free, torch.inf)
        nearest = apart.argmin(0)
        found[nearest[there], prompts[there]] = True
        free[nearest[there], prompts[there]] = False
        left[strongest, prompts] = -1.0
    return found


@torch.no_grad()
def silenced(
    network: Network, inputs: Tensor, silent: Mapping[int, Tensor],
    instead: Mapping[int, Tensor] | None = None,
) -> Tensor:  # fmt: skip
    """Logits at the last step when neurons are silenced there, (prompt, vocabulary).

    `silent` says for each layer which, (prompt, neuron of the layer), `instead` what stands there
    (neuron,), their means for example; 0 by default.
    """
    layout, do = layout_in(network), dict[Site, Edit]()
    for layer, mask in silent.items():
        value = torch.zeros(mask.shape[1]) if instead is None else instead[layer]
        do[layout.site(layer, "neuron").at(-1)] = _put(mask.to(network.device), value)
    output = network.run(inputs, do=do).output
    return output[:, -1] if output.dim() == 3 else output


def _put(mask: Tensor, value: Tensor) -> Edit:
    return lambda old: torch.where(mask, value.to(old), old)


def widened(chosen_: Tensor, bag: Bag, neurons: int) -> Tensor:
    """The choice among the bag's neurons as one among all of the layer, (prompt, neuron)."""
    found = torch.zeros(len(chosen_), neurons, dtype=torch.bool)
    found[:, bag.neurons] = chosen_
    return found
