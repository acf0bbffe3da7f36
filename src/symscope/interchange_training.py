"""Training a network to keep a program's variables at given sites.

Interchange intervention training (Geiger et al., 2022): loss = cross-entropy of the natural answers
+ cross-entropy of the answers after a swap, where the swapped site has to do what the
program says. Unlike in alignment, gradients reach every weight, through base and source alike.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from symscope.evidence import ComputationFailed, Evidence, wilson
from symscope.intervention.natural import of_rows
from symscope.network import Network
from symscope.program import Program
from symscope.site import Site
from symscope.task import IGNORE, Pairs, Task

BATCH, POOL = 128, 10_000
"""Pairs per step, and pairs per variable that they are drawn from."""


def interchange_training(
    network: Network, task: Task, program: Program, places: Mapping[str, Site],
    steps: int = 2000, rate: float = 3e-3, seed: int = 0,
) -> Evidence:  # fmt: skip
    """Train `network` in place; the evidence is its accuracy on fresh inputs.

    `places` says at which site, or units of it, each variable shall be kept; without places it is
    plain training. Raises `ComputationFailed` on NaN.
    """
    pools = {name: task.pairs(program, (name,), POOL, seed, "fit") for name in places}
    inputs = task.sample(POOL, _generator(seed))
    target = task.correct(inputs)
    optimiser = torch.optim.Adam(network.module.parameters(), lr=rate)
    generator = _generator(seed + 1)
    names = list(places)
    for step in range(steps):
        rows = torch.randint(POOL, (BATCH,), generator=generator)
        loss = cross_entropy(*_scored(network.run(inputs[rows]).output, target[rows]))
        if names:
            name = names[step % len(names)]
            loss = loss + _swapped(network, pools[name], places[name], rows)
        if not torch.isfinite(loss):
            raise ComputationFailed(f"the loss is {loss.item()} at training step {step + 1}")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return _accuracy(network, task, seed)


def _swapped(network: Network, pairs: Pairs, site: Site, rows: Tensor) -> Tensor:
    """The counterfactual loss on some pairs."""
    stepped = pairs.target.dim() > 1
    there = of_rows(site.at(pairs.source_step), rows) if stepped else site
    here = of_rows(site.at(pairs.base_step), rows) if stepped else site
    donor = network.run(pairs.source[rows], read=[there]).values[there]
    output = network.run(pairs.base[rows], do={here: lambda _: donor}).output
    return cross_entropy(*_scored(output, pairs.target[rows]))


def _scored(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    asked = target != IGNORE
    return output[asked], target[asked]


def _accuracy(network: Network, task: Task, seed: int) -> Evidence:
    inputs = task.sample(2000, _generator(seed + 2), training=False)
    target = task.correct(inputs)
    with torch.no_grad():
        found = network.run(inputs).output.argmax(-1)
    right = ((found == target) | (target == IGNORE)).view(len(target), -1).all(1)
    low, high = wilson(int(right.sum()), len(right))
    return Evidence(f"train.{task.name}.accuracy", float(right.float().mean()), low, high,
                    len(right), "accuracy", seeds=[seed],
                    note="Wilson interval, one seed")  # fmt: skip


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
