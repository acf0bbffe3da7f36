"""From logits to one score per pair: pure functions, (…, pair, vocabulary) → (…, pair)."""

import torch
from torch import Tensor

LEAST = 1e-3
"""A logit difference that changes by less is taken for no effect."""


def _of(logits: Tensor, tokens: Tensor) -> Tensor:
    """Each pair's value for its own token."""
    index = tokens.to(logits.device)[..., None].expand(*logits.shape[:-1], 1)
    return logits.gather(-1, index)[..., 0]


def logit_shift(patched: Tensor, base: Tensor, answer: Tensor) -> Tensor:
    """Δ: by how much a patch raises the logit of `answer` (pair,) over that of the base run.

    It is not normalised; see `normalised`.
    """
    return _of(patched, answer) - _of(base, answer)


def logit_difference(logits: Tensor, answer: Tensor, other: Tensor) -> Tensor:
    """The logit of `answer` minus that of `other`, (pair,) tokens each."""
    return _of(logits, answer) - _of(logits, other)


def probability(logits: Tensor, answer: Tensor) -> Tensor:
    """The probability of `answer` among the whole vocabulary."""
    return _of(logits.log_softmax(-1), answer).exp()


def success(logits: Tensor, answer: Tensor) -> Tensor:
    """Whether `answer` is the first choice among the whole vocabulary, as booleans."""
    return logits.argmax(-1) == answer.to(logits.device)


def recovery(
    patched: Tensor, base: Tensor, source: Tensor, answer: Tensor, other: Tensor
) -> Tensor:
    """The share of the way from base to source that a patch goes, (…): 0 none of it, 1 all.

    (patched − base) / (source − base), each the mean logit difference of `answer` and `other` over
    the pairs. NaN everywhere where source and base differ by less than `LEAST`: there is no effect
    to recover, and a quotient would be noise. It may be below 0 or above 1.
    """
    here, there = (logit_difference(x, answer, other).mean(-1) for x in (base, source))
    whole = there - here
    moved = logit_difference(patched, answer, other).mean(-1) - here
    return torch.where(whole.abs() < LEAST, torch.nan, moved / whole)


def normalised(shifts: Tensor) -> tuple[Tensor, bool]:
    """A map of Δ divided by its largest, and whether it was.

    A map without a positive Δ comes back as it is, with False: there is no effect, and a division
    would turn it over. Noise reaches 1 as well, so print the map itself beside it.
    """
    most = float(shifts.max())
    return (shifts / most, True) if most > 0 else (shifts, False)
