"""Which patterns a neuron fires on: of its k strongest prompts, how many have the pattern?

k is the number of prompts that have it. Published: a neuron has a pattern where the share is 0.6
or more. But half of all prompts are even, so that 0.5 is chance there: kappa = (share − chance) /
(1 − chance) says how far the share is above it. And a smooth map always has its strongest prompts
together, in some range: what maps that are no heuristic score has to be asked of such maps
(`nulls`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.causal_model import UnknownName

PUBLISHED = 0.6


@dataclass(frozen=True)
class Matches:
    """Of each map and pattern, (map, heuristic): the `share` of the top k, and `kappa`."""

    share: Tensor
    kappa: Tensor

    def labelled(self, threshold: float = PUBLISHED, by: str = "share") -> Tensor:
        """Whether each map has some pattern above the threshold, (map,)."""
        return (getattr(self, by) >= threshold).any(1)


def matches(
    maps: Tensor, masks: Tensor, answer_maps: Tensor | None = None, of_answer: Tensor | None = None
) -> Matches:
    """How well every pattern fits every map.

    `maps` (map, prompt) are activations, `masks` (heuristic, prompt). For the patterns in
    `of_answer` (heuristic,), `answer_maps` are used instead: the activation times what it adds to
    the answer's logit. A map that is constant has no order, and a pattern that no prompt has no
    top: their shares are NaN.
    """
    share = _shares(maps, masks)
    if answer_maps is not None and of_answer is not None:
        share[:, of_answer] = _shares(answer_maps, masks[of_answer])
    chance = masks.sum(1) / masks.shape[1]
    return Matches(share, (share - chance) / (1 - chance))


@dataclass(frozen=True)
class HeldOut:
    """Of each map and group of patterns, (map, group): which fits best, and its kappa elsewhere."""

    which: Tensor
    kappa: Tensor


def held_out(
    maps: Tensor, masks: Tensor, half: Tensor, groups: Tensor,
    answer_maps: Tensor | None = None, of_answer: Tensor | None = None,
) -> HeldOut:  # fmt: skip
    """The pattern of each group that fits best on `half` of the prompts, scored on the other half.

    `half` (prompt,) is a mask, `groups` (heuristic,) the number of each pattern's group. The kappa
    is NaN for a map without an order, and in a group without a pattern.
    """

    def on(rows: Tensor) -> Tensor:
        own = None if answer_maps is None else answer_maps[:, rows]
        return matches(maps[:, rows], masks[:, rows], own, of_answer).kappa

    chosen, scored = on(half).nan_to_num(-torch.inf), on(~half)
    numbers = range(int(groups.max()) + 1)
    best = torch.stack([chosen.masked_fill(groups != g, -torch.inf).argmax(1) for g in numbers], 1)
    empty = torch.tensor([not bool((groups == g).any()) for g in numbers])
    return HeldOut(best, scored.gather(1, best).masked_fill(empty, torch.nan))


def _shares(maps: Tensor, masks: Tensor) -> Tensor:
    """Of the top k of each map, the share that has each pattern; ties count by their share.

    Prompts with the same value as the k-th are no more among the top than the others of that
    value: each counts as the share of them that still fits in.
    """
    counts = masks.sum(1)
    rows, members = masks.nonzero().unbind(1)
    return torch.stack([_share(values, counts, rows, members) for values in maps])


def _share(values: Tensor, counts: Tensor, rows: Tensor, members: Tensor) -> Tensor:
    if bool(values.max() == values.min()):
        return torch.full((len(counts),), torch.nan)
    falling = -values
    ordered = falling.sort().values
    kth = ordered[(counts - 1).clamp(min=0)]
    above = torch.searchsorted(ordered, kth)  # prompts with a larger value
    upto = torch.searchsorted(ordered, kth, right=True)
    there, limit = falling[members], kth[rows]
    ends = counts.cumsum(0)

    def counted(which: Tensor) -> Tensor:  # members lie pattern by pattern: sums between ends
        upto = torch.nn.functional.pad(which.cumsum(0), (1, 0))
        return (upto[ends] - upto[ends - counts]).float()

    inside, tied = counted(there < limit), counted(there == limit)
    return (inside + tied * (counts - above) / (upto - above)) / counts


def nulls(
    first: Tensor, second: Tensor, count: int, kind: str, length: float = 20.0, seed: int = 0
) -> Tensor:
    """Maps that are no heuristic, (map, prompt), to ask what the matching makes of them.

    "noise" is white; "operands" the sum of a random number for each value of each operand;
    "linear" a random linear function of both, "rectified" its ReLU; "smooth" a random field whose
    neighbours are alike within `length`, the scale of an unknown smooth function.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    a, b = first.float(), second.float()
    if kind == "noise":
        return normal(count, len(first))
    if kind == "operands":
        size = int(max(first.max(), second.max())) + 1
        return normal(count, size)[:, first] + normal(count, size)[:, second]
    scale = float(max(a.max(), b.max()))
    if kind in ("linear", "rectified"):
        slope = normal(count, 2)
        found = slope[:, :1] * (a / scale) + slope[:, 1:] * (b / scale)
        offset = found.gather(1, torch.randint(len(a), (count, 1), generator=generator))
        return found - offset if kind == "linear" else (found - offset).relu()
    if kind != "smooth":
        raise UnknownName("null", kind, ("noise", "operands", "linear", "rectified", "smooth"))
    waves = 200  # random Fourier features of a Gaussian field
    frequency = normal(count, waves, 2) / length
    phase = 2 * torch.pi * torch.rand(count, waves, generator=generator)
    found = torch.zeros(count, len(a))
    for w in range(waves):
        angle = frequency[:, w, :1] * a + frequency[:, w, 1:] * b + phase[:, w, None]
        found += angle.cos()
    return found * (2 / waves) ** 0.5
