"""The top neurons of a network, their maps, and the patterns that they match beside nulls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.localize.heuristics import (
    BUDGET,
    KINDS,
    PUBLISHED,
    Heuristic,
    added_to,
    alike,
    false_share,
    held_out,
    heuristics,
    matches,
    neuron_maps,
    nulls,
    shuffled,
    threshold,
)
from symscope.network import Network
from symscope.studies.heuristics.grids import Grid

SWEEP = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Thresholds that are shown beside the published one."""


@dataclass(frozen=True)
class Listed:
    """The patterns of a grid: which prompts have each, and of which kind and number each is."""

    heuristics: list[Heuristic]
    masks: Tensor
    of_answer: Tensor
    groups: Tensor


def listed(grid: Grid) -> Listed:
    """All patterns that some of the grid's prompts have."""
    named, masks = heuristics(grid.first, grid.second, grid.answer, sets=grid.sign == "/")
    return Listed(named, masks, torch.tensor([h.of == "answer" for h in named]),
                  torch.tensor([KINDS.index(h.kind) for h in named]))  # fmt: skip


@dataclass(frozen=True)
class Matched:
    """Maps and how patterns fit them: `share` and `kappa` (map, heuristic), `best` (map, kind).

    `best` is the kappa of each kind's best pattern, chosen on one half of the prompts and scored on
    the other. `answer_maps` are the maps times what each neuron adds to the right answer's logit.
    """

    maps: Tensor
    answer_maps: Tensor
    share: Tensor
    kappa: Tensor
    best: Tensor

    @property
    def published(self) -> Tensor:
        """The labels that the published threshold gives, (map, heuristic)."""
        return self.share.nan_to_num(0) >= PUBLISHED

    def kept(self, thresholds: Tensor, groups: Tensor) -> Tensor:
        """Patterns above the threshold (kind,) of their kind, where the best held-out one is too.

        (map, heuristic).
        """
        passes = self.best.nan_to_num(-torch.inf) >= thresholds
        return passes[:, groups] & (self.kappa >= thresholds[groups])


def matched(maps: Tensor, answer_maps: Tensor, patterns: Listed, both_ends: bool) -> Matched:
    """How the patterns fit the maps; with `both_ends` the lowest activations count as well."""
    found = _matched(maps, answer_maps, patterns)
    if not both_ends:
        return found
    other = _matched(-maps, answer_maps, patterns)
    return Matched(maps, answer_maps, torch.fmax(found.share, other.share),
                   torch.fmax(found.kappa, other.kappa),
                   torch.fmax(found.best, other.best))  # fmt: skip


def _matched(maps: Tensor, answer_maps: Tensor, patterns: Listed) -> Matched:
    masks, of_answer = patterns.masks, patterns.of_answer
    half = torch.rand(masks.shape[1], generator=torch.Generator().manual_seed(0)) < 0.5
    whole = matches(maps, masks, answer_maps, of_answer)
    best = held_out(maps, masks, half, patterns.groups, answer_maps, of_answer)
    return Matched(maps, answer_maps, whole.share, whole.kappa, best.kappa)


def maps_of(
    network: Network, grid: Grid, neurons: Mapping[int, Tensor], budget: int = BUDGET
) -> dict[int, tuple[Tensor, Tensor]]:
    """Layer → the maps of some neurons, and these times what each adds to the right answer."""
    found: dict[int, list[Tensor]] = {}
    tokens, place = grid.token.unique(return_inverse=True)  # few: all prompts would not fit
    named = {layer: some.tolist() for layer, some in neurons.items()}
    for layer, some, maps in neuron_maps(network, grid.prompts, named, budget):
        added = added_to(network, layer, tokens).cpu()[some][:, place]
        for part, value in enumerate((maps, maps * added)):
            found.setdefault(layer, [torch.empty(0), torch.empty(0)])
            found[layer][part] = torch.cat([found[layer][part], value])
    return {layer: (maps, answers) for layer, (maps, answers) in found.items()}


def null_maps(real: Matched, grid: Grid, count: int, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Maps that are no heuristic, under their names: activations, and times the answer's part.

    As smooth as each of the neurons' own; `count` of the others.
    """
    first, second, found = grid.first, grid.second, {}
    pick = torch.randperm(len(real.maps), generator=torch.Generator().manual_seed(seed))[:count]
    found["as smooth"] = tuple(alike(x, first, second, seed) for x in (real.maps, real.answer_maps))
    found["operands shuffled"] = tuple(
        shuffled(x[pick], first, second, seed) for x in (real.maps, real.answer_maps)
    )
    for kind in ("noise", "linear", "rectified"):
        maps = nulls(first, second, count, kind, seed=seed)
        found[kind] = (maps, nulls(first, second, count, kind, seed=seed + 1))
    return found  # type: ignore[return-value]


def label_claims(
    real: Matched, others: Mapping[str, Matched], patterns: Listed, claim: str, seed: int
) -> tuple[list[Evidence], Tensor]:
    """The share of neurons with a label, by both thresholds; and the thresholds found, (kind,).

    `others` are maps without a claim to a label, under their names; "as smooth" is the null that
    thresholds are chosen by. They are those of the neurons' own smoothness, so that what smoother
    maps make of them stands there for comparison alone.
    """
    null = others["as smooth"]
    thresholds = torch.tensor([threshold(real.best[:, k], null.best[:, k])
                               for k in range(real.best.shape[1])])  # fmt: skip
    kinds = KINDS[: real.best.shape[1]]
    rules: dict[str, Callable[[Matched], Tensor]] = {
        "published": lambda m: m.published.any(1),
        "fdr": lambda m: (m.best.nan_to_num(-torch.inf) >= thresholds).any(1),
    }
    records = []
    for rule, passes in rules.items():
        mine = passes(real)
        low, high = wilson(int(mine.sum()), len(mine))
        controls = {name: float(passes(m).float().mean()) for name, m in others.items()}
        config = _sweep(real, others) if rule == "published" else {
            "thresholds": {k: t for k, t in zip(kinds, thresholds.tolist(), strict=True)
                           if t != float("inf")},
            "by_kind": {k: int((real.best[:, i].nan_to_num(-torch.inf) >= thresholds[i]).sum())
                        for i, k in enumerate(kinds)},
        }  # fmt: skip
        records.append(Evidence(f"{claim}.labelled.{rule}", float(mine.float().mean()), low, high,
                                len(mine), "share of neurons", controls, [seed],
                                config=config))  # fmt: skip
    return [*records, _precision(real, others, claim, seed)], thresholds


def _precision(real: Matched, others: Mapping[str, Matched], claim: str, seed: int) -> Evidence:
    """Of the neurons that pass the published threshold, the share that is no false discovery.

    What it would be if other maps than those as smooth were the null stands in the controls.
    """
    best = real.share.nan_to_num(-1).amax(1)
    true = {name: 1 - false_share(best, m.share.nan_to_num(-1).amax(1), PUBLISHED)
            for name, m in others.items()}  # fmt: skip
    passing, score = int((best >= PUBLISHED).sum()), true.pop("as smooth")
    if not passing:
        return Evidence(f"{claim}.precision.published", None, None, None, 0, "precision",
                        seeds=[seed], note="no neuron passes")  # fmt: skip
    low, high = wilson(round(score * passing), passing)
    return Evidence(f"{claim}.precision.published", score, low, high, passing, "precision",
                    {f"null: {name}": value for name, value in true.items()}, [seed])  # fmt: skip


def _sweep(real: Matched, others: Mapping[str, Matched]) -> dict[str, dict[str, list[float]]]:
    named = {"neurons": real, **others}
    return {"sweep": {name: [float((m.share.nan_to_num(-1).amax(1) >= t).float().mean())
                             for t in SWEEP] for name, m in named.items()}}  # fmt: skip
