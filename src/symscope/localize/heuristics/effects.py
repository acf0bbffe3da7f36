"""Which heads and MLPs do the arithmetic, at which position, and do they suffice?

After Nikankin et al. (2025), §3: places are patched from a prompt with another answer; a circuit is
a set of places, and everything outside of it is set to its mean over prompts, position by position.
Departures: places are ranked by the mean change of a difference of logits, as the published effect
divides by probabilities and has no bound; faithfulness is a ratio of means, of centred logits.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.evidence import Evidence, SymscopeError
from symscope.localize.patching import patched
from symscope.network import Network
from symscope.site import Site
from symscope.task import Pairs

RANDOM_CIRCUITS, DRAWS, BATCH = 10, 1_000, 512
HELD = 2**25
"""Logits of patched runs that are held at once: of a language model those of a place are many."""


@torch.no_grad()
def effects(network: Network, pairs: Pairs, places: Mapping[Any, Site]) -> dict[str, Tensor]:
    """What patching each place does, (place, pair).

    "shift" is the change of logit(r') − logit(r), r the answer on the base and r' the one on the
    source; "published" is ½ [(P*(r') − P(r')) / P(r') + (P(r) − P*(r)) / P*(r)], P* patched.
    """
    old, new = pairs.labels["answer.base"], pairs.target[:, -1]
    natural = network.run(pairs.base).output[:, -1].cpu()
    sites, rows = list(places.values()), torch.arange(len(old))
    before = natural.double().softmax(-1)

    def of(values: Tensor, answer: Tensor) -> Tensor:
        return values[..., rows, answer]

    shift, published = [], []
    for some in at_once(natural, sites):
        logits = patched(network, pairs.base, pairs.source, some).cpu()
        shift.append((of(logits, new) - of(logits, old)) - (of(natural, new) - of(natural, old)))
        after = logits.double().softmax(-1)
        gained = (of(after, new) - of(before, new)) / of(before, new)
        lost = (of(before, old) - of(after, old)) / of(after, old)
        published.append((gained + lost) / 2)
    return {"shift": torch.cat(shift), "published": torch.cat(published)}


def at_once(logits: Tensor, sites: Sequence[Site]) -> Iterator[Sequence[Site]]:
    """The sites in groups whose patched logits, each as many as these, are held together."""
    size = max(1, HELD // logits.numel())
    for start in range(0, len(sites), size):
        yield sites[start : start + size]


@torch.no_grad()
def means(network: Network, prompts: Tensor, sites: Iterable[Site]) -> dict[Site, Tensor]:
    """The mean of each site over the prompts, (step, width)."""
    wanted = list(sites)
    total: dict[Site, Tensor] = {}
    for rows in prompts.split(BATCH):
        values = network.run(rows.to(network.device), read=wanted).values
        for site in wanted:
            total[site] = total.get(site, 0) + values[site].double().sum(0)
    return {site: (value / len(prompts)).float() for site, value in total.items()}


@torch.no_grad()
def ablated(
    network: Network, prompts: Tensor, sites: Iterable[Site], instead: Mapping[Site, Tensor]
) -> Tensor:
    """Logits at the last step, (prompt, vocabulary), with the sites set to what is given."""
    do: dict[Site, Edit] = {site: _put(instead[site]) for site in sites}
    parts = [network.run(rows.to(network.device), do=do).output[:, -1].cpu()
             for rows in prompts.split(BATCH)]  # fmt: skip
    return torch.cat(parts)


def _put(value: Tensor) -> Edit:
    return lambda old: value.to(old).expand_as(old)


def suffices(
    network: Network, prompts: Tensor, answers: Tensor, circuit: Iterable[Any],
    places: Mapping[Any, Site], instead: Mapping[Site, Tensor], claim: str,
) -> Evidence:  # fmt: skip
    """How faithful a circuit is, a set of `places`' keys, when all others are mean-ablated.

    F = (NL(circuit) − NL(nothing)) / (NL(all) − NL(nothing)), where NL is the mean of the right
    answer's logit over the largest one, both less the mean of all logits. Controls: random circuits
    of the same size, their mean and the best of ten. `config` holds the accuracy of each and the
    divergence KL(network ‖ circuit) of its answers. Raises `SymscopeError` for a key that is not
    there, or where ablating everything does not matter.
    """
    began, kept = time.monotonic(), set(circuit)
    unknown = kept - set(places)
    if unknown:
        raise SymscopeError(f"no place {next(iter(unknown))!r} among the {len(places)} there are")

    def run(keys: set[Any]) -> Tensor:
        return ablated(network, prompts, [s for k, s in places.items() if k not in keys], instead)

    order = np.random.default_rng(0)
    keys = list(places)
    rivals = [
        {keys[i] for i in order.choice(len(keys), len(kept), replace=False)}
        for _ in range(RANDOM_CIRCUITS)
    ]
    logits = {"all": run(set(keys)), "nothing": run(set()), "circuit": run(kept)}
    share = {name: normalised_logit(x, answers) for name, x in logits.items()}
    none, full = share["nothing"], share["all"]
    if abs(float(full.mean() - none.mean())) < 1e-6:
        raise SymscopeError("ablating every place changes no answer: nothing can be faithful")

    def faithful(part: Tensor, rows: Any = slice(None)) -> float:
        return float((part[rows].mean() - none[rows].mean())
                     / (full[rows].mean() - none[rows].mean()))  # fmt: skip

    random = [faithful(normalised_logit(run(r), answers)) for r in rivals]
    drawn = [
        faithful(share["circuit"], order.integers(len(prompts), size=len(prompts)))
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    right = {k: float((x.argmax(-1) == answers).float().mean()) for k, x in logits.items()}
    kl = torch.nn.functional.kl_div(
        logits["circuit"].log_softmax(-1), logits["all"].log_softmax(-1), log_target=True,
        reduction="batchmean",
    )  # fmt: skip
    return Evidence(
        f"{claim}.faithfulness", faithful(share["circuit"]), float(low), float(high), len(prompts),
        "faithfulness", {"random_circuits": float(np.mean(random)),
                         "best_random_circuit": max(random, key=lambda f: -abs(1 - f))},
        seconds=time.monotonic() - began,
        config={"size": len(kept), "of": len(places), "accuracy": right, "kl": float(kl)},
    )  # fmt: skip


def normalised_logit(logits: Tensor, answers: Tensor) -> Tensor:
    """The right answer's logit over the largest one, both less the mean of all, (prompt,)."""
    centred = logits - logits.mean(-1, keepdim=True)
    return centred.gather(1, answers[:, None])[:, 0] / centred.amax(-1)
