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
    the answer's logit. A map that is constant has no order: its shares are NaN.
    """
    counts = masks.sum(1)
    chance = counts / masks.shape[1]
    share = torch.stack([_share(m, masks, counts) for m in maps])
    if answer_maps is not None and of_answer is not None:
        own = torch.stack([_share(m, masks[of_answer], counts[of_answer]) for m in answer_maps])
        share[:, of_answer] = own
    return Matches(share, (share - chance) / (1 - chance))


def _share(values: Tensor, masks: Tensor, counts: Tensor) -> Tensor:
    """Of the top k of one map, the share that has each pattern; ties count by their share.

    Prompts with the same value as the k-th are no more among the top than the others of that
    value: each counts as the share of them that still fits in.
    """
    if bool(values.max() == values.min()):
        return torch.full((len(masks),), torch.nan)
    order = values.argsort(descending=True)
    ordered = values[order]
    hits = torch.nn.functional.pad(masks[:, order].float().cumsum(1), (1, 0))
    kth = ordered[counts - 1]
    above = torch.searchsorted(-ordered, -kth)  # prompts with a larger value
    upto = torch.searchsorted(-ordered, -kth, right=True)
    rows = torch.arange(len(masks))
    inside = hits[rows, above]
    tied = hits[rows, upto] - inside
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
