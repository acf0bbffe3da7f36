"""Which features of a dictionary are said to be a variable, when the dictionary was not told it.

Features are ranked by what their activity says of the variable on the fit pairs' sources, in two
ways; of each ranking the first 1, 2, 4, 8 … are swapped on the validation pairs, and the ranking
and the number with the highest IIA are taken, of equal ones the fewest features.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.align.swap import Swap
from symscope.features.dictionaries import Dictionary

DRAWS = 3
"""Random sets of features; their mean is the control."""


def informative(codes: Tensor, values: Tensor) -> Tensor:
    """The correlation ratio η² of each feature, (feature,): what share of its variance is between
    the variable's `values` (sample,). 0 for a feature that never changes.
    """
    codes = codes.double()
    total = codes.var(0, correction=0)
    places = values.unique(return_inverse=True)[1]
    seen = torch.nn.functional.one_hot(places).double()
    means = (seen.T @ codes) / seen.sum(0)[:, None]
    between = (seen.mean(0)[:, None] * (means - codes.mean(0)).square()).sum(0)
    return torch.where(total > 1e-12, between / total.clamp(min=1e-12), 0.0)


def probe_weight(codes: Tensor, values: Tensor) -> Tensor:
    """The length of each feature's weights, (feature,), in a ridge regression of the value.

    Of each value's indicator on all standardised features together: a feature that says nothing
    which others do not say has a small one.
    """
    from sklearn.linear_model import Ridge

    codes = codes.double()
    scaled = (codes - codes.mean(0)) / codes.std(0).clamp(min=1e-6)
    targets = (values[:, None] == values.unique()).double()
    ridge = Ridge(alpha=1.0).fit(scaled.cpu().numpy(), targets.cpu().numpy())
    return torch.as_tensor(ridge.coef_).reshape(targets.shape[1], -1).norm(dim=0)


RANKINGS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "informative": informative, "probe": probe_weight,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Chosen:
    """The first `count` features of one dictionary's `order`, and their IIA on validation pairs."""

    dictionary: Dictionary
    order: tuple[int, ...]
    count: int
    ranking: str
    score: float

    @property
    def coordinates(self) -> tuple[int, ...]:
        """The features that are said to be the variable."""
        return self.order[: self.count]


def choose(candidates: Sequence[Dictionary], fit: Swap, validation: Swap, values: Tensor) -> Chosen:
    """The best features of all candidates for a variable with these `values` at the fit's sources.

    With shuffled `values` the same choice is a control: what validation alone can make of it.
    """
    best: Chosen | None = None
    for one in candidates:
        with torch.no_grad():
            codes = one.encode(fit.source)
        for name, by in RANKINGS.items():
            order = tuple(by(codes, values).argsort(descending=True, stable=True).tolist())
            for count in counts(one.size):
                score = iia(one, order[:count], validation)
                if best is None or (score, -count) > (best.score, -best.count):
                    best = Chosen(one, order, count, name, score)
    assert best is not None, "there is a candidate, and it has a feature"
    return best


def by_count(found: Chosen, test: Swap) -> dict[str, float]:
    """The IIA of the first 1, 2, 4, 8 … features of the ranking."""
    return {str(n): iia(found.dictionary, found.order[:n], test)
            for n in counts(found.dictionary.size)}  # fmt: skip


def iia(one: Dictionary, coordinates: Sequence[int], swap: Swap) -> float:
    """The share of pairs that a swap of these features answers as the program does."""
    return float(swap.right(one, coordinates).float().mean())


def counts(size: int) -> list[int]:
    """1, 2, 4, 8 … below `size`: all features together are the whole site, and no choice."""
    return [1, *(2**power for power in range(1, size.bit_length()) if 2**power < size)]


def random_features(one: Dictionary, fit: Swap, test: Swap, count: int, seed: int) -> float:
    """The mean IIA of as many random features of the same dictionary, among those that change."""
    with torch.no_grad():
        changing = (one.encode(fit.source).std(0) > 1e-6).nonzero()[:, 0]
    generator, right = torch.Generator().manual_seed(seed), list[Tensor]()
    for _ in range(DRAWS):
        some = changing[torch.randperm(len(changing), generator=generator)[:count]]
        right.append(test.right(one, some.tolist()))
    return float(torch.cat(right).float().mean())
