"""Counterfactual pairs on one network at one site, with everything constant computed once."""

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from symscope.featurizer import Featurizer
from symscope.intervention.downstream import downstream, natural_vectors
from symscope.network import Network, NothingChanged
from symscope.site import Site
from symscope.task import Pairs

_CHUNK = 2048


def placed(site: Site, pairs: Pairs) -> tuple[Site, Site]:
    """The site at the steps of the bases and of the sources, where the site has steps at all."""
    if pairs.base.dim() < 2 or not (site.stateful or pairs.target.dim() > 1):
        return site, site
    return site.at(pairs.base_step), site.at(pairs.source_step)


class Interchange(Protocol):
    """What `fit` needs of pairs on a network: a `Swap`, or a `RealSwap` where answers are numbers.

    `loss` falls and `score` rises, up to 1, as the network does what the program says.
    """

    pairs: Pairs
    source: Tensor

    def __len__(self) -> int: ...

    @property
    def width(self) -> int:
        """The width of the site."""
        ...

    def loss(self, featurizer: Featurizer, coordinates: Sequence[int], rows: Tensor) -> Tensor:
        """On the pairs in `rows`, after the swap of the coordinates."""
        ...

    def score(self, featurizer: Featurizer, coordinates: Sequence[int]) -> float:
        """On all pairs."""
        ...


class Swap:
    """The interchange of a site's coordinates on all `pairs`, ready to be run many times.

    `base` and `source` are the natural vectors, (pair, width), float32 or more. Positions come from
    the pairs; a site without steps, as in a network that sees each input once, keeps its own.
    """

    def __init__(self, network: Network, site: Site, pairs: Pairs):
        self.pairs = pairs
        at_base, at_source = placed(site, pairs)
        device = network.device
        self.scored = pairs.scored.to(device)
        self.target = pairs.target.to(device)
        self.down = downstream(network, pairs.base.to(device), at_base, self.scored)
        self.base = _precise(self.down.natural)
        self.source = _precise(natural_vectors(network, pairs.source.to(device), at_source))

    def __len__(self) -> int:
        return len(self.base)

    def only(self, rows: Tensor) -> "Swap":
        """The same swap on some of the pairs; nothing is computed again."""
        part = copy.copy(self)
        part.pairs, part.down = self.pairs[rows], self.down.only(rows)
        part.scored, part.target = self.scored[rows], self.target[rows]
        part.base, part.source = self.base[rows], self.source[rows]
        return part

    def unchanged(self) -> "Swap":
        """The same pairs with the network's own answers as targets: nothing shall change."""
        same = copy.copy(self)
        with scoring():
            natural = self.down.from_vectors(self.base, torch.arange(len(self))).argmax(-1)
        same.target = self.target.clone()
        same.target[self.scored] = natural
        return same

    @property
    def width(self) -> int:
        """The width of the site."""
        return self.base.shape[1]

    def loss(self, featurizer: Featurizer, coordinates: Sequence[int], rows: Tensor) -> Tensor:
        """Mean cross-entropy on the scored answers of the pairs in `rows` after the swap."""
        edited = featurizer.swap(self.base[rows], self.source[rows], coordinates)
        return cross_entropy(self.down.from_vectors(edited, rows), self._targets(rows))

    def edited(self, featurizer: Featurizer, coordinates: Sequence[int]) -> Tensor:
        """The vectors after the swap, (pair, width)."""
        with torch.no_grad():
            return featurizer.swap(self.base, self.source, coordinates)

    def right(self, featurizer: Featurizer, coordinates: Sequence[int]) -> Tensor:
        """Per pair, whether every scored answer after the swap is the program's, (pair,)."""
        return self.right_with(self.edited(featurizer, coordinates))

    def score(self, featurizer: Featurizer, coordinates: Sequence[int]) -> float:
        """The IIA: the share of pairs for which every scored answer after the swap is right."""
        return float(self.right(featurizer, coordinates).float().mean())

    def right_with(self, vectors: Tensor) -> Tensor:
        """Per pair, whether every scored answer is the program's with these vectors put in."""
        parts = []
        with scoring():
            for rows in torch.arange(len(self)).split(_CHUNK):
                found = self.down.from_vectors(vectors[rows], rows).argmax(-1)
                wrong = (found != self._targets(rows)).long()
                scored = self.scored[rows]
                of = (
                    scored.flatten(1).nonzero()[:, 0]
                    if scored.dim() > 1
                    else scored.nonzero()[:, 0]
                )
                count = wrong.new_zeros(len(rows)).index_add(0, of, wrong)
                parts.append(count == 0)
        return torch.cat(parts).cpu()

    def _targets(self, rows: Tensor) -> Tensor:
        return self.target[rows][self.scored[rows]]


def _precise(vectors: Tensor) -> Tensor:
    """Vectors of a network in half precision in float32: an axis is fitted in no less."""
    return vectors.float() if vectors.element_size() < 4 else vectors


@contextmanager
def scoring() -> Iterator[None]:
    """No gradients; and natural vectors may be put back, which changes nothing."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)
        yield


@dataclass(frozen=True)
class Swaps:
    """One set of variables on one network: pairs to fit, to choose by and to score with."""

    fit: Swap
    validation: Swap
    test: Swap


def swaps(network: Network, site: Site, pairs: Mapping[str, Pairs]) -> Swaps:
    """The pairs of the three splits, prepared at `site`."""
    splits = ("fit", "validation", "test")
    return Swaps(**{split: Swap(network, site, pairs[split]) for split in splits})
