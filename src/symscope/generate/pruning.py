"""Pruning: a trained network loses its least weights, as long as it keeps the loss asked for.

Our choice of a baseline: magnitude pruning with training in between, and cuts that are undone.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.generate.baselines import (
    BATCH,
    Inputs,
    Plan,
    Progress,
    Regression,
    Trained,
    descended,
    loss_of,
    nonzero,
)
from symscope.models.perceptron import Weights

PRUNED, TUNED, MISSED = 0.1, 500, 5
"""The share of the weights that goes at first, the steps after each cut, and when it ends."""


def pruned_to(
    # the eighth is for a progress bar only
    weights: Weights, task: Regression, loss: float, seed: int = 0, steps: int = TUNED,
    activation: str = "silu", batch: int = BATCH, progress: Progress = lambda *_: None,
) -> Trained:  # fmt: skip
    """The sparsest network met whose loss is not above the asked one.

    Again and again the least tenth of the weights left is set to 0 for good and the rest is trained
    on; where the loss ends above the asked one, the cut is undone and half as many are tried, then
    single ones, until five in turn were missed. The least are those with the smallest |w| · |v|, v
    the weights on the unit's other side. A unit that reads nothing or is not read goes altogether.
    Raises `SymscopeError` where the loss is above the asked one before anything is cut.
    """
    best = Trained(weights, float(loss_of(weights, task, activation)), 0.0, nonzero(weights), loss)
    if best.loss > loss:
        raise SymscopeError(f"the network's loss is {best.loss:.3g} before it is pruned: ask for at"
                            f" least that, not {loss:g}")  # fmt: skip
    masks = tuple(m != 0 for m in weights.matrices)
    cut, tries, missed = PRUNED, 0, 0
    while missed < MISSED and best.kept > missed:
        number = max(1, int(cut * best.kept))
        less = least_cut(best.weights, masks, number, missed)
        stream = Inputs(task, [seed + 1000 * tries], batch)
        one = Weights(*(tuple(part[None] for part in parts) for parts in best.weights))
        plan = Plan(steps, batch)
        tuned = descended(one, stream, torch.zeros(1), plan, activation, masks=less).of(0)
        found, tries = float(loss_of(tuned, task, activation)), tries + 1
        progress(tries, tries + 1, f"{best.kept} weights, loss {best.loss:.4f}")
        if found <= loss:
            masks, missed = less, 0
            best = Trained(tuned, found, 0.0, sum(int(m.sum()) for m in masks), loss)
        elif number == 1:
            missed += 1
        cut = cut if found <= loss else cut / 2
    return best


def least_cut(
    weights: Weights, masks: Sequence[Tensor], number: int, passed: int = 0
) -> tuple[Tensor, ...]:
    """The masks without the `number` least weights after the first `passed`, nor what is idle."""
    worth = torch.cat([m.where(k, torch.inf).flatten()
                       for m, k in zip(_worth(weights), masks, strict=True)])  # fmt: skip
    kept = torch.cat([mask.flatten() for mask in masks])
    kept[worth.argsort(stable=True)[passed : passed + number]] = False
    parts = kept.split([mask.numel() for mask in masks])
    less = [part.view_as(mask) for part, mask in zip(parts, masks, strict=True)]
    for _ in less:  # what one layer loses may leave a unit of the next one idle
        for into, out in pairwise(less):
            used = into.any(0) & out.any(1)
            into &= used
            out &= used[:, None]
    return tuple(less)


def _worth(weights: Weights) -> list[Tensor]:
    """|w| · |v| of each weight: v are those that the unit it enters is read with, and so back."""
    sizes = [m.abs() for m in weights.matrices]
    after = [*(m.norm(dim=1) for m in sizes[1:]), torch.ones(sizes[-1].shape[1])]
    before = [torch.ones(len(sizes[0])), *(m.norm(dim=0) for m in sizes[:-1])]
    return [m * b[:, None] * a for m, b, a in zip(sizes, before, after, strict=True)]
