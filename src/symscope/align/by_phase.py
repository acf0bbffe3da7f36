"""Is a variable kept in coordinates that depend on the phase? One rotation for each phase.

h' = h_base + R_β (R_σᵀ h_source + b_σ − R_βᵀ h_base − b_β), with β the phase of the base and σ that
of the source: what a coordinate says is the same in both phases, where it is kept is not. With
equal rotations and offsets this is plain DAS. It is twice as flexible, so the same search on an
untrained network stands beside it.
"""

import time
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.align.agreement import splits
from symscope.align.controls import floors, permuted
from symscope.align.descend import DEFAULT, Search, descend
from symscope.align.examine import draw
from symscope.align.swap import Swap, swaps
from symscope.evidence import Evidence, wilson
from symscope.featurizer import Rotation
from symscope.network import Network
from symscope.site import Site
from symscope.task import Task


class TwoPhases(nn.Module):
    """Rotations and offsets of phases 0 and 1; `swap` moves `size` coordinates across."""

    def __init__(self, width: int, size: int, seed: int):
        super().__init__()
        self.rotations = nn.ModuleList(Rotation(width, size, seed + 31 * p) for p in (0, 1))
        self.offsets = nn.Parameter(torch.zeros(2, size))

    def swap(self, swap: Swap, rows: Tensor) -> Tensor:
        """The base vectors of `rows` with the source's coordinates, each by its own phase."""
        axes = torch.stack([rotation.axes() for rotation in self.rotations])  # type: ignore[operator]
        base, source = swap.base[rows], swap.source[rows]
        there = swap.pairs.labels["phase.source"][rows]
        here = swap.pairs.labels["phase.base"][rows]
        wanted = torch.einsum("nd,pdk->npk", source, axes) + self.offsets
        found = torch.einsum("nd,pdk->npk", base, axes) + self.offsets
        index = torch.arange(len(rows))
        change = wanted[index, there] - found[index, here]
        return base + torch.einsum("nk,pdk->npd", change, axes)[index, here]


def by_phase(
    network: Network,
    task: Task,
    site: Site,
    untrained: Network | None = None,
    search: Search = DEFAULT,
    seed: int = 0,
) -> Evidence:
    """Count of Up-Down with one rotation per phase; IIA on fresh pairs of all phases."""
    began = time.monotonic()
    pairs = draw(task, "up_down", ("count",), seed)
    ready = swaps(network, site, pairs)
    found = _search(ready.fit, ready.validation, search, seed)
    right = _right(found, ready.test)
    controls = {"no_op": _share(ready.test.right_with(ready.test.base))}
    controls["untrained_rotation"] = _share(_right(_begun(ready.test, seed), ready.test))
    controls |= floors(task.program, pairs["test"])
    if untrained is not None:
        fitted, chosen, test = (
            permuted(s, seed) for s in (ready.fit, ready.validation, ready.test)
        )
        controls["permuted_sources"] = _share(_right(_search(fitted, chosen, search, seed), test))
        blank = swaps(untrained, site, pairs)
        blank_found = _search(blank.fit, blank.validation, search, seed)
        controls["untrained_network"] = _share(_right(blank_found, blank.test))
    low, high = wilson(int(right.sum()), len(right))
    config = splits(right, pairs["test"]) | {"size": ready.test.width // 2, "site": str(site)}
    return Evidence("count_by_phase.iia", _share(right), low, high, len(right), controls=controls,
                    seeds=[seed], seconds=time.monotonic() - began, config=config,
                    note="Wilson interval, one seed")  # fmt: skip


def _search(fit: Swap, validation: Swap, search: Search, seed: int) -> TwoPhases:
    """As `das.fit`, for the two rotations together."""
    found = _begun(fit, seed)

    def loss(rows: Tensor, _: float) -> Tensor:
        answers = fit.down.from_vectors(found.swap(fit, rows), rows)
        return cross_entropy(answers, fit.target[rows][fit.scored[rows]])

    no_longer = replace(search, most=search.steps)
    descend(found, [(len(fit), loss)], lambda: _share(_right(found, validation)), no_longer, seed)
    return found


def _begun(swap: Swap, seed: int) -> TwoPhases:
    return TwoPhases(swap.width, swap.width // 2, seed).to(swap.source)


def _right(found: TwoPhases, swap: Swap) -> Tensor:
    with torch.no_grad():
        return swap.right_with(found.swap(swap, torch.arange(len(swap))))


def _share(right: Tensor) -> float:
    return float(right.float().mean())
