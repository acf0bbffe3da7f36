"""States of a network that counts, one for each token of sequences that it may be given."""

import torch
from torch import Tensor

from symscope.network import Network
from symscope.site import Site
from symscope.tasks.numbers import PAD, Counting


@torch.no_grad()
def states_of(network: Network, task: Counting, site: Site, count: int, seed: int) -> Tensor:
    """`count` states at a site, (state, width), of tokens that are no padding."""
    generator, found, there = torch.Generator().manual_seed(seed), [], 0
    while there < count:
        inputs = task.sample(128, generator)
        steps = [site.at(step) for step in range(inputs.shape[1])]
        values = network.run(inputs.to(network.device), read=steps).values
        states = torch.stack([values[step].cpu() for step in steps], 1)[inputs != PAD]
        found.append(states)
        there += len(states)
    return torch.cat(found)[:count]
