"""Is a real variable there? Interchange on networks whose answers are numbers, not classes.

As in distributed alignment search (Geiger et al., 2023), coordinates of a site are fitted so that
swapping them does to the network's output what swapping the variable does to the program's. Our
choice for real outputs: the loss is their mean squared error, and the score the *interchange R²*,

    1 − Σ |network after the swap − target|² / Σ |network on the base as it was − target|²,

with the program's output after the swap as the target: 0 for no swap, 1 if all is as the program
says. A network that answers with an error cannot reach 1, so the *effect R²* stands beside it, of
the change in the network's output against the change in the program's.

Where the answer is linear in the site, as after the last hidden layer, a swap adds w·P(h' − h) to
it. Of one output only the vector v = P w counts then, and every v with |v|² = w·v is one for some
P: so one dimension can do what more can, though a search finds it more surely with two. With
sources permuted the best such swap is half a swap, which takes away ¼ of the error.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from symscope.align.chosen import neurons, probe_axes
from symscope.align.controls import permuted
from symscope.align.das import coordinates, fit, iia
from symscope.align.descend import DEFAULT, Search
from symscope.align.examine import draw
from symscope.align.swap import scoring
from symscope.alignment import Alignment
from symscope.evidence import Evidence, SymscopeError
from symscope.featurizer import Featurizer, Identity, Rotation
from symscope.intervention.downstream import downstream, natural_vectors
from symscope.network import Network
from symscope.site import Site
from symscope.task import Pairs, Task

COUNTS = {"fit": 10_000, "validation": 2_000, "test": 2_000}
_CHUNK, _DRAWS = 2048, 1000


class RealSwap:
    """The interchange of a site's coordinates on all `pairs` with targets (pair, outputs).

    `base` and `source` are the natural vectors, (pair, width); `natural` is the network's output
    on the bases. It is to `fit` what `Swap` is for classes. Numbers are given to the network in the
    precision of its weights.
    """

    def __init__(self, network: Network, site: Site, pairs: Pairs):
        if not pairs.target.is_floating_point() or pairs.target.dim() != 2:
            raise SymscopeError(
                "real swaps need targets that are numbers, (pair, outputs); for classes use Swap"
            )
        self.pairs, like = pairs, next(network.module.parameters(), pairs.target)
        self.target = pairs.target.to(like)
        everywhere = torch.ones(len(pairs), dtype=torch.bool, device=like.device)
        base, source = (_as(x, like) for x in (pairs.base, pairs.source))
        self.down = downstream(network, base, site, everywhere)
        self.base = self.down.natural
        self.source = natural_vectors(network, source, site)
        self.natural = self.answers(self.base)
        if self.natural.shape != self.target.shape:
            raise SymscopeError(
                f"the network has {self.natural.shape[1]} outputs, the program"
                f" {self.target.shape[1]}"
            )

    def __len__(self) -> int:
        return len(self.base)

    @property
    def width(self) -> int:
        """The width of the site."""
        return self.base.shape[1]

    def loss(self, featurizer: Featurizer, coordinates: Sequence[int], rows: Tensor) -> Tensor:
        """The mean squared error of the outputs after the swap, on the pairs in `rows`."""
        edited = featurizer.swap(self.base[rows], self.source[rows], coordinates)
        return mse_loss(self.down.from_vectors(edited, rows), self.target[rows])

    def score(self, featurizer: Featurizer, coordinates: Sequence[int]) -> float:
        """The interchange R² on all pairs."""
        return self.explained(self.swapped(featurizer, coordinates))

    def swapped(self, featurizer: Featurizer, coordinates: Sequence[int]) -> Tensor:
        """The network's outputs after the swap, (pair, outputs)."""
        with torch.no_grad():
            return self.answers(featurizer.swap(self.base, self.source, coordinates))

    def answers(self, vectors: Tensor) -> Tensor:
        """The network's outputs with these vectors at the site, (pair, outputs)."""
        with scoring():
            rows = torch.arange(len(vectors)).split(_CHUNK)
            return torch.cat([self.down.from_vectors(vectors[r], r) for r in rows])

    def explained(self, outputs: Tensor) -> float:
        """The interchange R² of these outputs."""
        lost, least = (_squares(found - self.target) for found in (outputs, self.natural))
        return 1 - float(lost.sum() / least.sum())


def agreement_real(
    alignment: Alignment, swap: RealSwap, claim: str = "", controls: Mapping[str, float] = {},
    seed: int = 0,
) -> Evidence:  # fmt: skip
    """The interchange R² on the pairs; its interval draws pairs again, 1,000 times."""
    featurizer = next(iter(alignment.handles.values())).featurizer
    after = swap.swapped(featurizer, coordinates(alignment, swap))
    lost, least = (_squares(o - swap.target).numpy() for o in (after, swap.natural))
    rows = np.random.default_rng(seed).integers(len(swap), size=(_DRAWS, len(swap)))
    drawn = 1 - lost[rows].sum(1) / least[rows].sum(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    claim = claim or f"{alignment.program}.{'_'.join(swap.pairs.variables)}.interchange_r2"
    return Evidence(
        claim, swap.explained(after), float(low), float(high), len(swap), "interchange R²",
        dict(controls), [seed], note="bootstrap interval over pairs, one seed",
    )  # fmt: skip


def effect_r2(alignment: Alignment, swap: RealSwap, still: Tensor) -> float:
    """How much of the change in the program's output the change in the network's is.

    `still` (pair, outputs) is the program's output on the bases, in the units of the targets.
    """
    featurizer = next(iter(alignment.handles.values())).featurizer
    after = swap.swapped(featurizer, coordinates(alignment, swap))
    asked = swap.target - still.to(swap.target)
    return 1 - float(_squares(after - swap.natural - asked).sum() / _squares(asked).sum())


def examine_real(
    # the eighth, the wrong variable, is a control that only the asker can choose
    network: Network, task: Task, start: Alignment, untrained: Network | None = None,
    search: Search = DEFAULT, seed: int = 0, counts: Mapping[str, int] = COUNTS,
    wrong: str | None = None,
) -> tuple[Alignment, Evidence]:  # fmt: skip
    """Fit `start`, which claims one variable, and score it with every control.

    All are interchange R²s on the test pairs: no swap, the whole vector, random subspaces of the
    same size, the units that correlate best with the variable, the axes of a linear probe, the
    search on permuted sources and on an `untrained` network; and the swap found, where the program
    swaps `wrong` instead, another of its variables.
    """
    (variable, handle), *others = start.handles.items()
    if others:
        raise SymscopeError("examine one variable at a time; fit() takes several")
    began, site = time.monotonic(), handle.site
    pairs = draw(task, start.program, (variable,), seed, counts)
    ready = {split: RealSwap(network, site, part) for split, part in pairs.items()}
    found = fit(start, [ready["fit"]], [ready["validation"]], search, seed)
    controls = _unfitted(ready["fit"], ready["test"], len(handle.coordinates), seed)
    for name, blank in _nothing_to_find(ready, untrained, site, seed).items():
        searched = fit(start, [blank["fit"]], [blank["validation"]], search, seed)
        controls[name] = iia(searched, blank["test"])
    rule, count = task.hypothesis(start.program), counts["test"]
    if wrong is not None:
        other = RealSwap(network, site, task.pairs(rule, (wrong,), count, seed, "test"))
        controls["wrong_variable"] = other.score(found[variable].featurizer, handle.coordinates)
    scored = agreement_real(found, ready["test"], "", controls, seed)
    still = task.pairs(rule, (), count, seed, "test").target
    config = {
        "effect_r2": effect_r2(found, ready["test"], still),
        "size": len(handle.coordinates), "width": ready["test"].width, "site": str(site),
        "featurizer": type(handle.featurizer).__name__, "wrong": wrong,
        "how": ready["test"].down.how,
    }  # fmt: skip
    return found, replace(scored, config=config, seconds=time.monotonic() - began)


def _nothing_to_find(
    ready: Mapping[str, RealSwap], untrained: Network | None, site: Site, seed: int
) -> dict[str, dict[str, RealSwap]]:
    """Control → pairs on which a search can find no variable, split by split."""
    made = {"permuted_sources": {split: permuted(swap, seed) for split, swap in ready.items()}}
    if untrained is not None:
        made["untrained_network"] = {
            split: RealSwap(untrained, site, swap.pairs) for split, swap in ready.items()
        }
    return made


def _unfitted(fit: RealSwap, test: RealSwap, size: int, seed: int) -> dict[str, float]:
    """Interchange R²s that need no search."""
    width, chosen, like = test.width, list(range(size)), test.base
    random = [Rotation(width, size, seed=104_729 * (seed + 1) + i).to(like) for i in range(3)]
    scores = {
        "no_op": test.explained(test.answers(test.base)),
        "full_swap": test.score(Identity(width), list(range(width))),
        "random_subspace": sum(test.score(one, chosen) for one in random) / len(random),
    }
    if (values := _values(fit)) is not None:
        scores["neurons"] = test.score(neurons(fit.source, values, size).to(like), chosen)
        probe = probe_axes(fit.source, values, 1).to(like)
        scores["probe_direction"] = test.score(probe, [0])
    return scores


def _values(swap: RealSwap) -> Tensor | None:
    """The swapped variable's value at the source, if it is one and varies."""
    if len(swap.pairs.variables) != 1:
        return None
    values = swap.pairs.labels[f"{swap.pairs.variables[0]}.source"].double()
    return values if len(values.unique()) > 1 else None


def _as(inputs: Tensor, like: Tensor) -> Tensor:
    """The inputs where the weights are; numbers in their precision, tokens as they are."""
    return inputs.to(like) if inputs.is_floating_point() else inputs.to(like.device)


def _squares(errors: Tensor) -> Tensor:
    """The squared error of each pair, (pair,)."""
    return errors.double().square().sum(1).cpu()
