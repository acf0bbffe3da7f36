"""Which neurons do the arithmetic, what each fires on, and what is left when others are gone."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize import layout_in, rank_correlation
from symscope.localize.heuristics import (
    BUDGET,
    Bag,
    direct,
    estimated,
    exact,
    means,
    neuron_maps,
    output_rows,
    silenced,
)
from symscope.network import Network
from symscope.studies.heuristics.grids import Grid, said
from symscope.studies.heuristics.patterns import Listed, Matched, maps_of, matched
from symscope.task import Pairs

KEPT = (1, 2, 5, 10, 20, 50, 100, 200)
"""Neurons of each layer, the strongest, that are kept where all others are set to their mean."""
VERIFIED = 500
"""Neurons that are patched by themselves where there are too many to do all."""
ALL = 2_048
SETS = 10

_ESTIMATES = {"attribution": estimated, "direct": direct}
Ranked = dict[int, Tensor]
"""Layer → the effect of each of its neurons, (neuron,)."""


def ranked(
    network: Network, pairs: Pairs, claim: str, seed: int, layers: Sequence[int] | None = None
) -> tuple[Ranked, list[Evidence]]:  # fmt: skip
    """The neurons' effects, exact where there are few enough, and how well estimates rank them.

    Of more than 2,048 neurons the 500 with the largest estimate are patched by themselves, the
    others keep the estimate. The records hold the rank correlation of both estimates with the
    exact effects, with the seconds each took. Controls: the effects on one half of the pairs
    against the other, and the estimates shuffled.
    """
    layout, seconds = layout_in(network), dict[str, float]()
    layers = [k for k in range(layout.layers) if layers is None or k in layers]
    if not layers:
        raise SymscopeError(f"none of the layers asked for is among the {layout.layers} there are")

    def timed(name: str, what: Callable[[], Ranked]) -> Ranked:
        began = time.perf_counter()
        found = what()
        seconds[name] = time.perf_counter() - began
        return found

    guess = {name: {k: v for k, v in timed(name, partial(rank, network, pairs)).items()
                    if k in layers} for name, rank in _ESTIMATES.items()}  # fmt: skip
    asked = _asked(guess["attribution"])
    rows = [torch.arange(i, len(pairs), 2) for i in (0, 1)]
    halves = [timed(f"exact, half {i}", partial(exact, network, pairs[some], asked))
              for i, some in enumerate(rows)]  # fmt: skip
    odd = len(rows[1]) / len(pairs)
    true = {k: (1 - odd) * halves[0][k] + odd * halves[1][k] for k in asked}
    seconds = {"exact": sum(seconds.pop(f"exact, half {i}") for i in (0, 1)), **seconds}
    flat = {k: _flat({n: v[n][asked[n]] for n in asked}) for k, v in guess.items()}
    both, target = _flat(true), [_flat(h) for h in halves]
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(0)
    records = []
    for name, values in flat.items():
        again = [torch.from_numpy(rng.integers(len(both), size=len(both))) for _ in range(100)]
        drawn = [rank_correlation(values[d], both[d]) for d in again]
        score, (low, high) = rank_correlation(values, both), np.percentile(drawn, [2.5, 97.5])
        mixed = values[torch.randperm(len(values), generator=generator)]
        controls = {"shuffled": rank_correlation(mixed, both), "halves": rank_correlation(*target)}
        records.append(Evidence(
            f"{claim}.ranking.{name}", score, min(float(low), score), max(float(high), score),
            len(both), "rank correlation", controls, [seed], seconds=seconds[name],
            config={"seconds": seconds, "pairs": len(pairs)},
        ))  # fmt: skip
    found = {layer: guess["attribution"][layer].clone() for layer in layers}
    for layer, some in asked.items():
        found[layer][some] = true[layer]
    return found, records


def _asked(guess: Ranked) -> dict[int, list[int]]:
    """The neurons to patch by themselves."""
    whole = _flat(guess)
    if len(whole) <= ALL:
        return {layer: list(range(len(v))) for layer, v in guess.items()}
    least = whole.abs().topk(VERIFIED).values[-1]
    found = {layer: (v.abs() >= least).nonzero()[:, 0].tolist() for layer, v in guess.items()}
    return {layer: some for layer, some in found.items() if some}


def _flat(values: Mapping[int, Tensor]) -> Tensor:
    return torch.cat(list(values.values()))


def strongest(effects: Ranked, count: int) -> dict[int, Tensor]:
    """The neurons of each layer that move the answer most, the first the most."""
    return {layer: v.abs().argsort(descending=True)[:count] for layer, v in effects.items()}


def weakest(effects: Ranked, count: int) -> dict[int, Tensor]:
    """As many that move it least, but do something."""
    found = {}
    for layer, v in effects.items():
        order = v.abs().argsort()
        found[layer] = order[v.abs()[order] > 0][:count]
    return found


def at_random(effects: Ranked, count: int, seed: int) -> dict[int, Tensor]:
    """As many of each layer at random."""
    generator = torch.Generator().manual_seed(seed)
    return {k: torch.randperm(len(v), generator=generator)[:count] for k, v in effects.items()}


def shared(
    one: str, other: str, effects: Mapping[str, Ranked], top: int, name: str, seed: int
) -> Evidence:
    """How many of the top neurons of two signs are the same: their intersection over their union.

    Control: as many random neurons of each. Interval by the binomial, over the union.
    """
    some = [strongest(effects[sign], top) for sign in (one, other)]
    generator = torch.Generator().manual_seed(seed)
    mixed = {k: torch.randperm(len(v), generator=generator)[: len(some[1][k])]
             for k, v in effects[other].items()}  # fmt: skip

    def counts(a: Mapping[int, Tensor], b: Mapping[int, Tensor]) -> tuple[int, int]:
        sets = [{(k, n) for k, v in x.items() for n in v.tolist()} for x in (a, b)]
        return len(sets[0] & sets[1]), len(sets[0] | sets[1])

    both, either = counts(*some)
    low, high = wilson(both, either)
    chance = counts(some[0], mixed)
    controls = {"random neurons": chance[0] / chance[1]}
    return Evidence(f"{name}.shared.{one}_{other}", both / either, low, high, either,
                    "share of neurons", controls, [seed])  # fmt: skip


@torch.no_grad()
def maps_speed(network: Network, grid: Grid, name: str, seed: int) -> Evidence:
    """Prompts per second of all neurons' maps, on one core or one device. Control: a plain run."""
    seconds: dict[str, list[float]] = {"maps": [], "plain": []}
    for _ in range(3):
        began = time.perf_counter()
        for _ in neuron_maps(network, grid.prompts):
            pass
        seconds["maps"].append(time.perf_counter() - began)
        began = time.perf_counter()
        for rows in grid.prompts.split(512):
            network.run(rows.to(network.device))
        seconds["plain"].append(time.perf_counter() - began)
    fast = {k: [len(grid) / s for s in v] for k, v in seconds.items()}
    return Evidence(f"{name}.speed.maps", float(np.median(fast["maps"])), min(fast["maps"]),
                    max(fast["maps"]), len(grid), "prompts per second",
                    {"a run without maps": float(np.median(fast["plain"]))}, [seed],
                    note="range of three")  # fmt: skip


@torch.no_grad()
def kept_claims(
    network: Network, grid: Grid, effects: Ranked, claim: str, seed: int
) -> list[Evidence]:
    """Accuracy with the strongest neurons of each layer alone, all others at their means.

    At the last position, on prompts answered right. Control: as many random neurons.
    """
    layout = layout_in(network)
    sites = {layer: layout.site(layer, "neuron").at(-1) for layer in effects}
    average = means(network, grid.prompts, sites.values())
    instead = {layer: average[site] for layer, site in sites.items()}
    generator = torch.Generator().manual_seed(seed)

    def accuracy(kept: Mapping[int, Tensor]) -> float:
        silent = {}
        for layer, some in kept.items():
            mask = torch.ones(layout.neurons, dtype=torch.bool)
            mask[some] = False
            silent[layer] = mask.expand(len(grid), -1)
        logits = silenced(network, grid.prompts.to(network.device), silent, instead)
        return float((logits.argmax(-1).cpu() == grid.token).float().mean())

    def random(count: int) -> dict[int, Tensor]:
        return {layer: torch.randperm(layout.neurons, generator=generator)[:count]
                for layer in effects}  # fmt: skip

    records, none = [], accuracy({layer: torch.empty(0, dtype=torch.long) for layer in effects})
    for count in (k for k in KEPT if k < layout.neurons):
        score = accuracy(strongest(effects, count))
        controls = {"random": float(np.mean([accuracy(random(count)) for _ in range(SETS)])),
                    "no neuron": none}  # fmt: skip
        low, high = wilson(round(score * len(grid)), len(grid))
        records.append(Evidence(f"{claim}.kept.{count}", score, low, high, len(grid), "accuracy",
                                controls, [seed]))  # fmt: skip
    return records


@dataclass(frozen=True)
class Tops:
    """The top neurons of every layer, one after the other: where each is, and what it matches."""

    neurons: Mapping[int, Tensor]
    matched: Matched

    def layers(self, values: Tensor) -> dict[int, Tensor]:
        """Values of all neurons, (neuron, …), layer by layer."""
        parts = values.split([len(some) for some in self.neurons.values()])
        return dict(zip(self.neurons, parts, strict=True))

    def bags(self, network: Network, labels: Tensor, rows: Tensor) -> dict[int, Bag]:
        """The neurons with what they are labelled with, (neuron, heuristic), on some prompts."""
        share = self.layers(torch.where(labels, self.matched.share.nan_to_num(0), 0))
        active = self.layers(self.matched.maps[:, rows].abs())
        return {layer: Bag(some, share[layer], active[layer] * _length(network, layer, some))
                for layer, some in self.neurons.items()}  # fmt: skip


def _length(network: Network, layer: int, some: Tensor) -> Tensor:
    """How long the output row of each neuron is, (neuron, 1)."""
    rows = output_rows(network, layer)
    return rows[some.to(rows.device)].norm(dim=1, keepdim=True).cpu()


def tops(
    network: Network, grid: Grid, neurons: Mapping[int, Tensor], patterns: Listed,
    budget: int = BUDGET,
) -> Tops:  # fmt: skip
    """Maps of some neurons, `budget` bytes of them at a time, and the patterns that fit them.

    Where activations can be negative, as gated ones, the lowest count as well.
    """
    maps = maps_of(network, grid, neurons, budget)
    together, answers = (torch.cat([maps[layer][i] for layer in neurons]) for i in (0, 1))
    return Tops(neurons, matched(together, answers, patterns, bool((together < -0.5).any())))


def right_prompts(network: Network, grid: Grid) -> Tensor:
    """Which prompts are answered right, (prompt,); raises `SymscopeError` for fewer than 20."""
    right = said(network, grid.prompts) == grid.token
    if int(right.sum()) < 20:
        raise SymscopeError(
            f"{grid.sign}: {int(right.sum())} of {len(grid)} prompts are answered right, and 20 are"
            " needed: accuracy is too low to say how the network does it"
        )
    return right
