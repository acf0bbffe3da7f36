"""What becomes of features that no vector has any more."""

from collections.abc import Sequence

import torch
from torch import Tensor

from symscope.features.dictionaries.dictionary import Dictionary
from symscope.features.dictionaries.few import of_each, read, summed

WEIGHT = 1 / 32


def auxiliary(dictionary: Dictionary, raw: Tensor, error: Tensor, dead: Tensor) -> Tensor:
    """The error that dead features leave of `error` (sample, width), by 1/32 (Gao et al., 2024).

    Each vector uses its largest projections `raw` on them, half as many as there are units. 0 where
    no feature is dead.
    """
    count = min(int(dead.sum()), max(1, error.shape[1] // 2))
    if count == 0:
        return error.new_zeros(())
    values, places = raw.masked_fill(~dead, -torch.inf).topk(count, 1)
    codes = torch.zeros_like(raw).scatter(1, places, values.relu())
    left = error.detach() - codes @ dictionary.decoder
    return WEIGHT * left.square().sum(1).mean()


def spare(raw: Tensor, dead: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The largest projections `raw` on dead features that `auxiliary` uses, and their places."""
    places = dead.nonzero()[:, 0]
    values, order = raw[:, places].topk(min(len(places), max(1, width // 2)), 1, sorted=False)
    return values, places[order]


def spared(
    dictionary: Dictionary, vectors: Tensor, portions: Sequence[tuple[Tensor, Tensor]],
    error: Tensor,
) -> Tensor:  # fmt: skip
    """`auxiliary` from what `spare` found, portion by portion, on these features alone."""
    values, places = (torch.cat(parts) for parts in zip(*portions, strict=True))
    if not values.numel():
        return error.new_zeros(())
    pairs = of_each(places, dictionary.size)
    found = read(dictionary, vectors, values.flatten(), pairs).relu()
    left = error.detach() - summed(dictionary, found, pairs)
    return WEIGHT * left.square().sum(1).mean()


@torch.no_grad()
def resample(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, dead: Tensor, seed: int
) -> None:
    """Start dead features anew at vectors that are explained badly (Bricken et al., 2023).

    A vector is drawn with a probability that grows with the square of its loss; its direction is
    the feature, and a fifth of the mean encoder length the encoder's. Biases of the feature are 0.
    """
    error = targets - dictionary.decode(dictionary.encode(vectors))
    chances = error.square().sum(1).square()
    count = int(dead.sum())
    if not bool(chances.sum() > 0):
        return  # everything is explained: nothing to look for
    generator = torch.Generator().manual_seed(seed)
    rows = torch.multinomial(chances.double().cpu(), count, True, generator=generator)
    directions = (targets - dictionary.bias)[rows.to(vectors.device)]
    dictionary.decoder[dead] = torch.nn.functional.normalize(directions, dim=1)
    if "encoder" in dictionary.method.parts:
        sources = dictionary.without_bias(vectors)[rows.to(vectors.device)]
        alive = dictionary.encoder[:, ~dead].norm(dim=0)
        length = 0.2 * (alive.mean() if len(alive) else 1.0)
        dictionary.encoder[:, dead] = (torch.nn.functional.normalize(sources, dim=1) * length).T
    for part in dictionary.method.parts:
        if part != "encoder":
            getattr(dictionary, part)[dead] = 0
