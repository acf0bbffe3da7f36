"""A bag of patterns or waves? Each neuron rebuilt from a few features of either family.

The same networks, the same number of features a neuron, lists of about the same length. What the
network answers with all its neurons rebuilt says what a family holds; what it answers with that
part taken out says what it needs.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.localize.heuristics import (
    explained,
    heuristics,
    neuron_maps,
    operand_tables,
    pursued,
    waves,
    with_fits,
)
from symscope.network import Network
from symscope.studies.heuristics.grids import Grid


def features_of(grid: Grid, modulus: int | None = None) -> dict[str, Tensor]:
    """The families of features, (prompt, feature) each.

    "patterns" are all of the list; "waves" those of both operands, their sum and their difference,
    with every whole number of periods in twice the operands' range (in the modulus, where there is
    one); "tables" each value of each operand; "random" as many sets of prompts as there are
    patterns, of the same sizes.
    """
    first, second = grid.first, grid.second
    _, masks = heuristics(first, second, grid.answer)
    size = modulus or 2 * (int(max(first.max(), second.max())) + 1)
    periods = [size / k for k in range(1, size // 2 + 1)]
    numbers = (first, second, first + second, first - second)
    generator = torch.Generator().manual_seed(0)
    random = torch.stack([m[torch.randperm(len(m), generator=generator)] for m in masks])
    return {"patterns": masks.T.float(), "waves": waves(numbers, periods),
            "tables": operand_tables(first, second), "random": random.T.float()}  # fmt: skip


@torch.no_grad()
def family_claims(
    network: Network, grid: Grid, features: Mapping[str, Tensor], terms: Sequence[int],
    claim: str, seed: int,
) -> list[Evidence]:  # fmt: skip
    """Accuracy with every neuron rebuilt, and with that part removed, for each family and count.

    Fitted on the prompts trained on, or on half of them where all were; scored on the others.
    Controls: all neurons at their means (0 features), and the network as it is.
    """
    maps = {layer: m for layer, _, m in neuron_maps(network, grid.prompts)}
    sizes = [len(m) for m in maps.values()]
    together = torch.cat(list(maps.values()))
    scored = grid.held_out if bool(grid.held_out.any()) else _half(len(grid))
    on = ~scored
    plain = together[:, on].mean(1, keepdim=True).expand_as(together)

    def accuracy(fits: Tensor) -> float:
        by_layer = dict(zip(maps, fits.split(sizes), strict=True))
        rows = scored
        logits = with_fits(
            network, grid.prompts[rows], {k: f[:, rows] for k, f in by_layer.items()}
        )
        return float((logits.argmax(-1).cpu() == grid.token[rows]).float().mean())

    controls = {"0 features": accuracy(plain), "the network": accuracy(together)}
    count = int(scored.sum())

    def record(what: str, score: float, config: Mapping[str, float]) -> Evidence:
        low, high = wilson(round(score * count), count)
        return Evidence(f"{claim}.{what}", score, low, high, count, "accuracy", controls, [seed],
                        config=config)  # fmt: skip

    records = []
    for family, columns in features.items():
        for number, fits, _ in pursued(together, columns, on, terms):
            r2 = explained(together, fits, scored).nan_to_num(0)
            config = {"r2": float(r2.clamp(min=0).mean())}
            records.append(record(f"rebuilt.{family}.{number}", accuracy(fits), config))
            rest = together - fits + plain
            records.append(record(f"removed.{family}.{number}", accuracy(rest), config))
    return [*records, *_decision(records, terms, claim, seed)]


def _half(count: int) -> Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(0)) < 0.5


def _decision(
    records: Sequence[Evidence], terms: Sequence[int], claim: str, seed: int
) -> Iterator[Evidence]:
    """How much more waves hold than patterns: the mean over the counts of features."""
    scores = {r.claim.removeprefix(f"{claim}."): float(r.score or 0) for r in records}
    for what in ("rebuilt", "removed"):
        gaps = [scores[f"{what}.waves.{n}"] - scores[f"{what}.patterns.{n}"] for n in terms]
        other = [scores[f"{what}.random.{n}"] - scores[f"{what}.patterns.{n}"] for n in terms]
        mean = sum(gaps) / len(gaps)
        yield Evidence(
            f"{claim}.{what}.waves_less_patterns", mean, mean, mean, len(terms),
            "difference of accuracy", {"random sets less patterns": sum(other) / len(other)},
            [seed], config={"gaps": dict(zip(map(str, terms), gaps, strict=True))},
            note="one network: no interval",
        )  # fmt: skip
