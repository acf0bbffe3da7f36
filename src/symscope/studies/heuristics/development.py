"""When did the bag come to be? Checkpoints beside the end of the training."""

from collections.abc import Mapping

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.localize.heuristics import chosen, silenced, widened
from symscope.network import Network
from symscope.studies.heuristics.grids import Grid, said
from symscope.studies.heuristics.neurons import Tops, tops
from symscope.studies.heuristics.patterns import Listed

SILENCED = 10


@torch.no_grad()
def development(
    past: Mapping[int, torch.nn.Module], end: Tops, grid: Grid, patterns: Listed, claim: str,
    seed: int,
) -> list[Evidence]:  # fmt: skip
    """How many of the final labels, a neuron and its pattern, are there at each checkpoint.

    The score of `overlap` is that half-way through the training, of all final published labels.
    Control: final labels dealt out anew among the neurons. `config` follows it, the accuracy, and
    the accuracy after the ten best-matching neurons of each layer are silenced, with the labels of
    that time and, as the control, random neurons, on prompts answered right at that time.
    """
    final = end.matched.published
    order = torch.randperm(len(final), generator=torch.Generator().manual_seed(seed))
    course: dict[str, list[float]] = {k: [] for k in (
        "step", "overlap", "dealt_anew", "labels", "accuracy", "matching", "random")}  # fmt: skip
    for step, module in past.items():
        network = Network(module)
        now = tops(network, grid, end.neurons, patterns)
        there = now.matched.published
        values = {"step": step, "overlap": _part(there, final),
                  "dealt_anew": _part(there, final[order]),
                  "labels": float(there.any(1).float().mean()),
                  **_knocked(network, grid, now, patterns, seed)}  # fmt: skip
        for key, value in values.items():
            course[key].append(value)
    middle = len(course["step"]) // 2
    count = int(final.sum())
    score = course["overlap"][middle]
    low, high = wilson(round(score * count), count)
    return [Evidence(f"{claim}.development.overlap", score, low, high, count, "share of labels",
                     {"labels dealt anew": course["dealt_anew"][middle]}, [seed],
                     config={"course": course, "step": course["step"][middle]})]  # fmt: skip


def _part(there: Tensor, final: Tensor) -> float:
    return float((there & final).sum()) / max(1, int(final.sum()))


def _knocked(
    network: Network, grid: Grid, now: Tops, patterns: Listed, seed: int
) -> dict[str, float]:
    right = (said(network, grid.prompts) == grid.token).nonzero()[:, 0]
    found = {"accuracy": len(right) / len(grid), "matching": 0.0, "random": 0.0}
    if len(right) < 20:
        return found
    rows = right[torch.randperm(len(right), generator=torch.Generator().manual_seed(seed))[:1_000]]
    bags = now.bags(network, now.matched.published, rows)
    fits = {layer: bag.fit(patterns.masks[:, rows]) for layer, bag in bags.items()}
    for which in ("matching", "random"):
        silent = {layer: widened(chosen(bag, fits[layer], SILENCED, which, seed), bag,
                                 network.layout.neurons)  # type: ignore[union-attr]
                  for layer, bag in bags.items()}  # fmt: skip
        logits = silenced(network, grid.prompts[rows], silent)
        found[which] = float((logits.argmax(-1) == grid.token[rows]).float().mean())
    return found
