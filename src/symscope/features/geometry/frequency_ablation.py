"""Do a few frequencies of the embedding suffice for the answer, and is it lost without them?"""

import time
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.features.geometry.spectrum import with_frequencies
from symscope.network import Network, NothingChanged
from symscope.site import Site

BATCH, DRAWS = 1024, 3
EMBEDDING = Site("embed")


def frequency_ablation(
    network: Network, pairs: Tensor, answers: Tensor, frequencies: Sequence[int],
    site: Site = EMBEDDING, claim: str = "geometry.frequencies", seed: int = 0,
) -> Evidence:  # fmt: skip
    """Accuracy when both numbers' vectors keep these frequencies alone.

    `pairs` (n, 2 or more) are the network's inputs, two numbers from 0 to p − 1, each of which
    occurs in both places, and what follows them; the vectors (n, step, width) stand at `site`, and
    those of the numbers depend on the number and its place alone.
    Controls: "without" (all other frequencies), "random" (as many random ones, three draws),
    "untouched" and "chance". Accuracies on n pairs, with Wilson's interval.
    """
    began = time.monotonic()
    tables = _tables(network, pairs, site)
    size = len(tables[0])
    rng = np.random.default_rng(seed)

    def accuracy(chosen: Sequence[int], keep: bool) -> float:
        kept = [with_frequencies(table, chosen, keep) for table in tables]
        return _accuracy(network, pairs, answers, site, kept)

    random = [
        accuracy((1 + rng.permutation(size // 2)[: len(frequencies)]).tolist(), True)
        for _ in range(DRAWS)
    ]
    score = accuracy(frequencies, True)
    low, high = wilson(round(score * len(pairs)), len(pairs))
    return Evidence(
        f"{claim}.accuracy", score, low, high, len(pairs), "accuracy",
        {"without": accuracy(frequencies, False), "random": float(np.mean(random)),
         "untouched": _accuracy(network, pairs, answers, site, tables), "chance": 1 / size},
        seeds=[seed], seconds=time.monotonic() - began,
        config={"frequencies": list(frequencies), "of": size // 2},
    )  # fmt: skip


@torch.no_grad()
def _tables(network: Network, pairs: Tensor, site: Site) -> list[Tensor]:
    """The vectors of each number at the site, (p, width) for each of both places."""
    found = torch.cat([network.run(p.to(network.device), read=[site]).values[site].cpu()
                       for p in pairs.split(BATCH)])  # fmt: skip
    if found.dim() != 3 or found.shape[1] != pairs.shape[1]:
        raise SymscopeError(f"vectors at {site} are (n, step, width), not {tuple(found.shape)}")
    size, tables = int(pairs[:, :2].max()) + 1, []
    for place in (0, 1):
        numbers = pairs[:, place]
        table = found.new_zeros(size, found.shape[2])
        table[numbers] = found[:, place]
        if len(numbers.unique()) < size or not torch.allclose(table[numbers], found[:, place]):
            raise SymscopeError(
                f"vectors at {site} are not one for each number from 0 to {size - 1}: use the"
                " embedding, and pairs in which every number occurs in both places"
            )
        tables.append(table)
    return tables


@torch.no_grad()
def _accuracy(
    network: Network, pairs: Tensor, answers: Tensor, site: Site, tables: Sequence[Tensor]
) -> float:
    right = 0
    for rows in torch.arange(len(pairs)).split(BATCH):
        put = torch.stack([tables[i][pairs[rows, i]] for i in (0, 1)], 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NothingChanged)  # untouched is one of the controls
            run = network.run(pairs[rows].to(network.device), do={site: _put(put)})
        output = run.output if run.output.dim() == 2 else run.output[:, -1]
        right += int((output.argmax(-1).cpu() == answers[rows]).sum())
    return right / len(pairs)


def _put(value: Tensor) -> Edit:
    return lambda old: torch.cat([value.to(old), old[:, 2:]], 1)
