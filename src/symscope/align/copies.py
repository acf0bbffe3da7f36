"""A variable kept at several places: editing one of them does nothing, editing all of them does.

A search at one place finds nothing there and would report an absence. So all places are swapped at
once, in coordinates fitted together by the same loss as in `das.py`, and each place is searched
alone as well: redundant is what works together where nothing alone does.
"""

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.align.controls import floors
from symscope.align.das import fit, iia
from symscope.align.descend import DEFAULT, Search, descend
from symscope.align.swap import placed, swaps
from symscope.alignment import Alignment, Handle
from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.intervention.natural import natural_vectors, of_rows
from symscope.network import Network
from symscope.program import Program
from symscope.site import Site
from symscope.task import Pairs


@dataclass(frozen=True, eq=False)
class Joint:
    """The interchange of one variable's coordinates at several sites at once.

    `bases` and `sources` are the natural vectors, (pair, width), site by site.
    """

    network: Network
    pairs: Pairs
    sites: Sequence[Site]
    bases: Sequence[Tensor]
    sources: Sequence[Tensor]

    def answers(self, handles: Sequence[Handle], rows: Tensor) -> Tensor:
        """The network's answers on the bases in `rows` after the swap."""
        do = {}
        for site, handle, base, source in zip(
            self.sites, handles, self.bases, self.sources, strict=True
        ):
            edited = handle.featurizer.swap(base[rows], source[rows], list(handle.coordinates))
            do[of_rows(site, rows)] = lambda _, v=edited: v
        return self.network.run(self.pairs.base[rows], do=do).output

    def loss(self, handles: Sequence[Handle], rows: Tensor) -> Tensor:
        """Mean cross-entropy on the scored answers of the pairs in `rows` after the swap."""
        asked = self.pairs.scored[rows]
        return cross_entropy(self.answers(handles, rows)[asked], self.pairs.target[rows][asked])

    def right(self, handles: Sequence[Handle]) -> Tensor:
        """Per pair, whether every scored answer after the swap is the program's, (pair,)."""
        with torch.no_grad():
            found = self.answers(handles, torch.arange(len(self.pairs))).argmax(-1)
        right = (found == self.pairs.target) | ~self.pairs.scored
        return right.view(len(right), -1).all(1)


def joint(network: Network, sites: Sequence[Site], pairs: Pairs) -> Joint:
    """The pairs prepared at all sites."""
    at = [placed(site, pairs) for site in sites]
    bases = [natural_vectors(network, pairs.base, base) for base, _ in at]
    sources = [natural_vectors(network, pairs.source, source) for _, source in at]
    return Joint(network, pairs, [base for base, _ in at], bases, sources)


def copies(
    network: Network, starts: Sequence[Alignment], pairs: Mapping[str, Pairs], rule: Program,
    search: Search = DEFAULT, seed: int = 0,
) -> tuple[list[Alignment], Evidence]:  # fmt: skip
    """Whether one variable is kept at all the sites of `starts` together, and at none alone.

    Each start claims the same variable of the same program at a site of its own. Among the floors
    are what each site scores alone, after a search of its own, and the joint search with permuted
    sources; `rule` is the task's program. Raises `SymscopeError` for claims that do not match.
    """
    variable, sites = _claimed(starts)
    began = time.monotonic()
    controls = floors(rule, pairs["test"])
    for start, site in zip(starts, sites, strict=True):
        ready = swaps(network, site, pairs)
        alone = fit(start, [ready.fit], [ready.validation], search, seed)
        controls[f"alone {site}"] = iia(alone, ready.test)
    made = {split: joint(network, sites, pairs[split]) for split in pairs}
    mixed = {split: _permuted(swap, seed) for split, swap in made.items()}
    controls["permuted_sources"] = _share(mixed["test"], _fitted(starts, mixed, search, seed))
    found = _fitted(starts, made, search, seed)
    right = made["test"].right(_handles(found))
    low, high = wilson(int(right.sum()), len(right))
    return found, Evidence(
        f"{starts[0].program}.{variable}.copies.iia", float(right.float().mean()), low, high,
        len(right), controls=controls, seeds=[seed], seconds=time.monotonic() - began,
        config={"sites": [str(site) for site in sites]}, note="Wilson interval, one seed",
    )  # fmt: skip


def _fitted(
    starts: Sequence[Alignment], made: Mapping[str, Joint], search: Search, seed: int
) -> list[Alignment]:
    """The starts after a search at all sites at once."""
    found = [copy.deepcopy(start) for start in starts]
    featurizers = nn.ModuleList(handle.featurizer for handle in _handles(found))
    featurizers.to(made["fit"].sources[0])

    def loss(rows: Tensor, _: float) -> Tensor:
        return made["fit"].loss(_handles(found), rows)

    losses = [(len(made["fit"].pairs), loss)]
    descend(featurizers, losses, lambda: _share(made["validation"], found), search, seed)
    return found


def _share(made: Joint, found: Sequence[Alignment]) -> float:
    return float(made.right(_handles(found)).float().mean())


def _permuted(made: Joint, seed: int) -> Joint:
    """The same with sources that belong to other pairs."""
    order = torch.randperm(len(made.pairs), generator=torch.Generator().manual_seed(seed))
    return replace(made, sources=[source[order] for source in made.sources])


def _handles(alignments: Sequence[Alignment]) -> list[Handle]:
    return [next(iter(a.handles.values())) for a in alignments]


def _claimed(starts: Sequence[Alignment]) -> tuple[str, list[Site]]:
    """The one variable, and the sites it is claimed to be at."""
    named = {(start.program, *start.handles) for start in starts}
    sites = [handle.site for handle in _handles(starts)]
    if len(starts) < 2 or len(named) != 1 or len(next(iter(named))) != 2:
        raise SymscopeError("copies are two or more claims about one variable of one program")
    if len(set(sites)) < len(sites):
        raise SymscopeError("two copies at one site are one subspace: claim more dimensions there")
    return next(iter(named))[1], sites
