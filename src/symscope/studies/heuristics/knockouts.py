"""Does accuracy come from the neurons whose patterns a prompt has? Silencing them, and controls."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize.heuristics import (
    CONTROLS,
    Bag,
    Knocked,
    added_up,
    by_pattern,
    chosen,
    fall,
    silenced,
    widened,
)
from symscope.network import Network
from symscope.studies.heuristics.grids import Grid, said
from symscope.studies.heuristics.patterns import Listed

Bags = Mapping[int, Bag]
FEWEST = 20
"""Prompts answered right, or wrong, below which nothing is said."""
DRAWS = 1_000


@torch.no_grad()
def by_prompt(  # what is silenced, on what, how often, and what stands there instead
    network: Network, grid: Grid, bags: Bags, masks: Tensor, counts: tuple[int, ...], draws: int,
    claim: str, seed: int, instead: Mapping[int, Tensor] | None = None,
) -> list[Evidence]:  # fmt: skip
    """Accuracy with the neurons of each layer silent that fit a prompt best, prompt by prompt.

    `grid` has prompts answered right alone, `masks` (heuristic, prompt) are theirs. Controls: the
    four of `chosen`, the random ones over `draws` sets. `instead` are the neurons' means; without,
    they are set to 0.
    """
    sizes = dict.fromkeys(bags, network.layout.neurons)  # type: ignore[union-attr]
    fits = {layer: bag.fit(masks) for layer, bag in bags.items()}

    def accuracy(count: int, which: str, draw: int = 0) -> tuple[float, float]:
        picked = {k: chosen(bag, fits[k], count, which, draw) for k, bag in bags.items()}
        silent = {k: widened(p, bags[k], sizes[k]) for k, p in picked.items()}
        logits = silenced(network, grid.prompts.to(network.device), silent, instead).cpu()
        number = sum(float(p.sum()) for p in picked.values()) / len(grid)
        return float((logits.argmax(-1) == grid.token).float().mean()), number

    records = []
    for count in counts:
        score, number = accuracy(count, "matching")
        controls = {"nothing silenced": 1.0}
        for which in CONTROLS:
            times = draws if which in ("random", "any") else 1
            controls[which] = float(np.mean([accuracy(count, which, d)[0] for d in range(times)]))
        low, high = wilson(round(score * len(grid)), len(grid))
        records.append(Evidence(f"{claim}.{count}", score, low, high, len(grid), "accuracy",
                                controls, [seed], config={"silenced": number}))  # fmt: skip
    return records


def by_type(
    network: Network, grid: Grid, bags: Bags, patterns: Listed, claim: str, seed: int
) -> Evidence:
    """The mean over patterns of the fall with the pattern less that without, on the grid's prompts.

    Interval over patterns. Control: the same with the labels dealt out anew among the neurons of
    each layer. `config` holds the falls of each pattern with the standard error of the difference.
    """
    found = list(by_pattern(network, grid.prompts, grid.token, bags, patterns.masks))
    if not found:
        raise SymscopeError("no pattern is had by ten neurons or more")
    generator = torch.Generator().manual_seed(seed)
    dealt = {
        layer: Bag(b.neurons, b.share[torch.randperm(len(b.share), generator=generator)], b.active)
        for layer, b in bags.items()
    }
    other = list(by_pattern(network, grid.prompts, grid.token, dealt, patterns.masks))
    values = np.array([k.specificity for k in found])
    drawn = np.random.default_rng(0).choice(values, (DRAWS, len(values))).mean(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    table = {str(patterns.heuristics[k.heuristic]): _row(k) for k in found}
    having, others = (float(np.mean([1 - fall(s) for s in side])) for side in (
        [k.having for k in found], [k.others for k in found]))  # fmt: skip
    return Evidence(
        f"{claim}.by_type", float(values.mean()), float(low), float(high), len(found),
        "difference of accuracy",
        {"labels dealt anew": float(np.mean([k.specificity for k in other]))},
        [seed], config={"patterns": table, "having": having, "others": others},
        note="interval over patterns",
    )  # fmt: skip


def _row(found: Knocked) -> dict[str, float]:
    return {"neurons": found.neurons, "having": fall(found.having), "others": fall(found.others),
            "specificity": found.specificity, "error": found.error}  # fmt: skip


@torch.no_grad()
def failures(
    network: Network, grid: Grid, bags: Bags, maps: Mapping[int, Tensor], masks: Tensor,
    claim: str, seed: int,
) -> list[Evidence]:  # fmt: skip
    """Do right prompts have more matching neurons, and more from them for the right answer, than
    wrong ones? As the area under the ROC curve, 0.5 for no difference.

    `maps` are by layer the bag's activations times what each adds to the right answer. All prompts
    of the grid are asked. Raises `SymscopeError` with fewer than 20 right or wrong.
    """
    from sklearn.metrics import roc_auc_score

    right = (said(network, grid.prompts) == grid.token).numpy()
    if min(right.sum(), (~right).sum()) < FEWEST:
        raise SymscopeError(f"{right.sum()} prompts are right and {(~right).sum()} wrong")
    fits = {layer: bag.fit(masks) > 0 for layer, bag in bags.items()}
    scores = {
        "matching": sum(f.float().sum(0) for f in fits.values()),
        "contribution": sum((f * maps[layer]).sum(0) for layer, f in fits.items()),
    }
    rng, records = np.random.default_rng(0), []
    for name, value in scores.items():
        assert isinstance(value, Tensor)
        x = value.numpy()
        area = float(roc_auc_score(right, x))
        drawn = [_area(right, x, rng.integers(len(x), size=len(x))) for _ in range(200)]
        low, high = np.percentile(drawn, [2.5, 97.5])
        controls = {"shuffled": float(roc_auc_score(right, rng.permutation(x)))}
        config = {"right": float(x[right].mean()), "wrong": float(x[~right].mean()),
                  "wrong_prompts": int((~right).sum())}  # fmt: skip
        records.append(Evidence(f"{claim}.failures.{name}", area, float(low), float(high), len(x),
                                "area under the curve", controls, [seed],
                                config=config))  # fmt: skip
    return records


def _area(right: np.ndarray, x: np.ndarray, rows: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(right[rows], x[rows])) if len(set(right[rows])) == 2 else 0.5


@torch.no_grad()
def alone(
    network: Network, grid: Grid, maps: Mapping[int, Tensor], bags: Bags, claim: str, seed: int
) -> Evidence:
    """What the labelled neurons answer by themselves: their contributions to the answers added up.

    Of the prompts not trained on, of all where that is not known. Controls: the top neurons without
    a label, as many random ones of the top, all of the top; and the commonest answer.
    """
    tokens = grid.token.unique()
    rows = grid.held_out if bool(grid.held_out.any()) else torch.ones_like(grid.held_out)
    wanted = grid.token[rows]
    generator = torch.Generator().manual_seed(seed)
    own = {layer: (bag.share > 0).any(1) for layer, bag in bags.items()}
    masks = {
        "labelled": own,
        "without a label": {k: ~m for k, m in own.items()},
        "random": {k: m[torch.randperm(len(m), generator=generator)] for k, m in own.items()},
        "all of the top": {k: torch.ones_like(m) for k, m in own.items()},
    }

    def accuracy(kept: Mapping[int, Tensor]) -> float:
        some = {k: (bags[k].neurons[m], maps[k][m][:, rows]) for k, m in kept.items()}
        answer = tokens[added_up(network, some, tokens).argmax(1)]
        return float((answer == wanted).float().mean())

    found = {name: accuracy(kept) for name, kept in masks.items()}
    found["commonest answer"] = float((wanted == wanted.mode().values).float().mean())
    score = found.pop("labelled")
    low, high = wilson(round(score * len(wanted)), len(wanted))
    return Evidence(f"{claim}.alone", score, low, high, len(wanted), "accuracy", found, [seed],
                    config={"neurons": sum(int(m.sum()) for m in own.values())})  # fmt: skip
