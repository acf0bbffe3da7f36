"""The loop that every search shares: Adam on losses in turn, and the best state met is kept."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from symscope.evidence import ComputationFailed

Loss = Callable[[Tensor, float], Tensor]
"""The loss on some rows, at a share of the way from 0 to 1."""


@dataclass(frozen=True)
class Search:
    """How long to search: `steps`, then 500 more as long as validation IIA gains 0.002."""

    steps: int = 1000
    more: int = 500
    gain: float = 0.002
    most: int = 5000
    batch: int = 512
    rate: float = 3e-3


DEFAULT = Search()


def descend(
    module: nn.Module,
    losses: Sequence[tuple[int, Loss]],
    score: Callable[[], float],
    search: Search = DEFAULT,
    seed: int = 0,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> float:
    """Leave `module` in the state, of those looked at, with the highest `score`; returns that.

    `losses` are pairs of how many rows there are and the loss on some of them; at every step each
    has its turn. Raises `ComputationFailed` on NaN.
    """
    optimiser = torch.optim.Adam(module.parameters(), lr=search.rate)
    generator = torch.Generator().manual_seed(seed)
    best, best_state = -math.inf, copy.deepcopy(module.state_dict())
    best_at: dict[int, float] = {}
    step, until = 0, search.steps
    while step < until:
        for count, loss_of in losses:
            rows = torch.randint(count, (min(search.batch, count),), generator=generator)
            loss = loss_of(rows, step / until)
            if not torch.isfinite(loss):
                raise ComputationFailed(f"the loss is {loss.item()} at alignment step {step + 1}")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        step += 1
        if step % max(1, search.more // 2) and step != until:
            continue
        found = score()
        progress(step, until, f"loss {loss.item():.4f}, validation IIA {found:.3f}")
        if found > best:
            best, best_state = found, copy.deepcopy(module.state_dict())
        best_at[step] = best
        gained = best - best_at.get(step - search.more, -1.0)
        if step == until and gained >= search.gain and until < search.most:
            until += search.more
    module.load_state_dict(best_state)
    return best
