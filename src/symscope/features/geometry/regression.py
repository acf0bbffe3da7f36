"""Explanation by regression: of which functions of the operands are the states made?

Engels, Liao et al. (ICLR 2025, section 6): the states' principal components Y are regressed on
groups of functions F of the operands, r² = 1 − |Y − F F⁺ Y|² / |Y|², and groups are added while
the residual shows structure. They choose by eye from the first three residual components as
colours; here the next group is the one that gains most per column on prompts left out.
"""

import time
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.candidates import random_functions
from symscope.features.geometry.cloud import finite
from symscope.features.geometry.reconstruction import in_components

COMPONENTS, FOLDS, NULLS, LEAST_EIGENVALUE = 20, 5, 5, 1e-5


def explained_by(
    states: Tensor, groups: Mapping[str, Tensor], number: Tensor | None = None,
    claim: str = "geometry.explained", components: int = COMPONENTS, seed: int = 0,
) -> Evidence:  # fmt: skip
    """r² of all groups together, on prompts left out (five folds), of states (prompt, width).

    Controls: "in_sample", and "random", the mean r² of as many random functions, of `number`
    (prompt,), the answer for example, or of the prompt where it is not given. The interval draws
    prompts again. `config["alone"]` has each group by itself.
    """
    began, y = time.monotonic(), _components(states, components)
    design = _joined(groups, len(y))
    left, whole = _left_out(y, design, seed)
    score = 1 - float(left.sum() / whole.sum())
    number = torch.arange(len(y)) if number is None else number
    random = [random_functions(number, design.shape[1], NULLS * seed + i) for i in range(NULLS)]
    rows = np.random.default_rng(seed).integers(len(y), size=(1000, len(y)))
    drawn = 1 - left.numpy()[rows].sum(1) / whole.numpy()[rows].sum(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Evidence(
        claim, score, float(low), float(high), len(y), "held-out r²",
        {"in_sample": in_sample(y, design),
         "random": float(np.mean([held_out(y, one, seed) for one in random]))},
        seeds=[seed], seconds=time.monotonic() - began,
        config={"groups": list(groups), "columns": design.shape[1], "components": y.shape[1],
                "alone": {name: held_out(y, one, seed) for name, one in groups.items()}},
    )  # fmt: skip


def explanation(
    states: Tensor, groups: Mapping[str, Tensor], number: Tensor | None = None,
    least: float = 0.01, most: int = 10, components: int = COMPONENTS, seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """Groups added one by one, each with the held-out r² of all up to it.

    The next one gains most per column; where the best gains less than `least`, or than as many
    random functions of the prompt, there is none. Controls: "random", the gain of as many random
    functions of `number` added to what was there instead (the best of five), "before", r² without
    it. `config` has the group and its gain.
    """
    y, chosen, found = _components(states, components), dict[str, Tensor](), list[Evidence]()
    before = 0.0
    while len(found) < most:
        began = time.monotonic()
        gains = {
            name: held_out(y, _joined({**chosen, name: one}, len(y)), seed) - before
            for name, one in groups.items()
            if name not in chosen
        }
        able = {name: gain for name, gain in gains.items() if gain >= least}
        if not able:
            break
        name = max(able, key=lambda n: able[n] / groups[n].shape[1])
        size = groups[name].shape[1]
        prompt = _random_gain(y, chosen, torch.arange(len(y)), size, seed) - before
        if able[name] <= prompt:
            break
        null = prompt if number is None else _random_gain(y, chosen, number, size, seed) - before
        chosen[name] = groups[name]
        told = explained_by(states, chosen, number, f"geometry.explanation.{len(found)}",
                            components, seed)  # fmt: skip
        assert told.score is not None
        config = {"group": name, "gain": able[name], "columns": size, "with": list(chosen)}
        found.append(Evidence(
            told.claim, told.score, told.low, told.high, told.n, told.unit,
            {"before": before, "random_gain": null, "in_sample": told.controls["in_sample"]},
            seeds=[seed], seconds=time.monotonic() - began, config=config,
        ))  # fmt: skip
        before = told.score
    return found


def in_sample(y: Tensor, design: Tensor) -> float:
    """r² = 1 − |Y − F F⁺ Y|² / |Y|², with nothing left out; a constant is part of F."""
    y = y - y.mean(0)
    return 1 - float((y - _projected(design - design.mean(0), y)).square().sum() / y.square().sum())


def held_out(y: Tensor, design: Tensor, seed: int = 0) -> float:
    """r² on each fifth of the prompts by a fit on the others."""
    left, whole = _left_out(y, design, seed)
    return 1 - float(left.sum() / whole.sum())


def residual_colours(
    states: Tensor, groups: Mapping[str, Tensor], first: Tensor, second: Tensor,
    components: int = COMPONENTS,
) -> Tensor:  # fmt: skip
    """The residual's first three components as red, green and blue, (a, b, 3), from 0 to 1.

    Each is scaled from its least to its largest; missing components are ½, and pairs of operands
    without a prompt NaN. What the groups leave unexplained shows as a pattern.
    """
    y = _components(states, components)
    design = _joined(groups, len(y))
    rest = y - y.mean(0) - _projected(design - design.mean(0), y - y.mean(0))
    colours = torch.full((len(y), 3), 0.5, dtype=y.dtype)
    if float(rest.square().sum()) > 1e-12 * float(y.square().sum()):
        parts = in_components(rest, 3)
        low, high = parts.amin(0), parts.amax(0)
        colours[:, : parts.shape[1]] = (parts - low) / (high - low).clamp(min=1e-300)
    grid = torch.full((int(first.max()) + 1, int(second.max()) + 1, 3), torch.nan).to(y)
    grid[first, second] = colours
    return grid


def _components(states: Tensor, count: int) -> Tensor:
    y = in_components(torch.from_numpy(finite(states)), count)
    if not y.shape[1]:
        raise SymscopeError("all states are the same: there is nothing to explain")
    return y


def _joined(groups: Mapping[str, Tensor], n: int) -> Tensor:
    for name, one in groups.items():
        if one.dim() != 2 or len(one) != n:
            raise SymscopeError(f"{name!r} has the shape {tuple(one.shape)}, for {n} prompts")
    return (
        torch.cat([one.double() for one in groups.values()], 1)
        if groups
        else torch.zeros(n, 1).double()
    )


def _slopes(design: Tensor, y: Tensor) -> Tensor:
    """F⁺ Y, without the directions of FᵀF / n whose eigenvalue is below 1e-5."""
    size, axes = torch.linalg.eigh(design.T @ design / len(design))
    kept = axes[:, size >= LEAST_EIGENVALUE]
    return kept @ ((kept.T @ (design.T @ y)) / (size[size >= LEAST_EIGENVALUE] * len(y))[:, None])


def _projected(design: Tensor, y: Tensor) -> Tensor:
    return design @ _slopes(design, y)


def _left_out(y: Tensor, design: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """For each prompt, the square of what a fit on other folds misses, and their mean."""
    fold = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed)) % FOLDS
    left, whole = y.new_zeros(len(y)), y.new_zeros(len(y))
    for f in range(FOLDS):
        asked, others = fold == f, fold != f
        mean, middle = y[others].mean(0), design[others].mean(0)
        slopes = _slopes(design[others] - middle, y[others] - mean)
        left[asked] = (y[asked] - mean - (design[asked] - middle) @ slopes).square().sum(1)
        whole[asked] = (y[asked] - mean).square().sum(1)
    return left, whole


def _random_gain(
    y: Tensor, chosen: Mapping[str, Tensor], number: Tensor, size: int, seed: int
) -> float:
    """The best held-out r² of five, with random functions beside what was chosen."""
    return max(
        held_out(
            y,
            _joined({**chosen, "": random_functions(number, size, NULLS * seed + i)}, len(y)),
            seed,
        )
        for i in range(NULLS)
    )
