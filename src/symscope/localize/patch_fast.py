"""Patching in a `models.transformer.Transformer`: natural runs once, then what differs of each."""

from collections.abc import Hashable, Sequence
from functools import cache
from typing import cast

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.localize.patch_blocks import NaturalRuns, Patcher
from symscope.localize.patch_edits import EVERY, Edits, Swap
from symscope.localize.patch_plan import chunks
from symscope.localize.places import head_of, stage_of
from symscope.models.compiled.heads import last
from symscope.models.transformer import Attention, Block, Transformer
from symscope.network import Network, call, logits
from symscope.site import Position, Site, positions

Exchange = tuple[Site, Site | Tensor]
"""A site of the base, and the site of the source whose value it takes, or the value itself."""
STEPS, FLOATS = 4096, 2**19
"""So many steps of edited runs are computed together, fewer where vectors are wide."""
KEPT, FEW = 2**21, 8
"""So many numbers of the residual stream, in all blocks, are kept of natural runs at a time; no
more than a few runs where those already have many edited ones."""


def readable(network: Network) -> bool:
    """Whether blocks can be run one by one: a plain Transformer, read plainly, unobserved."""
    model = network.module
    if type(model) is not Transformer or network.enter is not call:
        return False
    plain = all(type(b) is Block and type(b.attention) is Attention for b in model.blocks)
    observed = any(
        part._forward_hooks or part._forward_pre_hooks or "forward" in part.__dict__
        for part in network.modules.values()
    )
    return plain and not observed and network.answer in (logits, last)


def understood(exchange: Exchange) -> bool:
    """Whether a site and what it takes are stages of blocks."""
    site, source = exchange
    here = stage_of(site)
    if here is None or isinstance(source, Tensor):
        return here is not None
    there = stage_of(source)
    return there is not None and (here[1] == "pattern") == (there[1] == "pattern")


def fast_logits(
    network: Network, base: Tensor, source: Tensor | None, wanted: Sequence[Sequence[Exchange]]
) -> tuple[Tensor, bool]:
    """Last logits (place, pair, vocabulary), and whether any edit put another value than was."""
    model = cast(Transformer, network.module)
    count, length = base.shape
    layers, width = len(model.blocks), model.embed.embedding_dim
    edits = Edits(_swaps(network, wanted, count, length), len(wanted))
    first = _first_difference(base, source)
    most = max(length, min(STEPS, FLOATS // width))
    enough = max(FEW, 4 * most // (len(wanted) * length))
    together = max(1, min(enough, KEPT // (layers * length * width)))
    found, changed = None, False
    for rows in torch.arange(count).split(together):
        some = slice(int(rows[0]), int(rows[-1]) + 1)
        distinct, same = torch.unique(base[some], dim=0, return_inverse=True)
        at_base = same.cpu().numpy()
        runs = NaturalRuns(network, distinct, edits.first_block, edits.mixing)
        patcher = Patcher(runs, _tables(network, source, wanted, some))
        if found is None:
            found = runs.logits.new_empty(len(wanted), count, runs.logits.shape[-1])
        found[:, some] = runs.logits[same]
        for chunk in chunks(edits.of_pairs(some), first[some], at_base, length, layers, most):
            place, pair = torch.from_numpy(chunk.place), torch.from_numpy(chunk.pair + some.start)
            found[place.to(found.device), pair.to(found.device)] = patcher(chunk)
        changed = changed or patcher.changed
    assert found is not None
    return found, changed


def _first_difference(base: Tensor, source: Tensor | None) -> np.ndarray:
    """The first step at which the tokens differ, (pair,); their number if they do not."""
    if source is None:
        return np.zeros(len(base), dtype=int)
    other = (base != source).cpu().numpy()
    return np.where(other.any(1), other.argmax(1), other.shape[1])


def _tables(
    network: Network, source: Tensor | None, wanted: Sequence[Sequence[Exchange]], some: slice
) -> dict[Hashable, Tensor]:
    """The values that edits take, of some of the pairs."""
    exchanges = [one for place in wanted for one in place]
    whole = dict.fromkeys(_whole(value) for _, value in exchanges if isinstance(value, Site))
    tables: dict[Hashable, Tensor] = {}
    if source is not None:
        found = network.run(source[some], read=whole).values
        tables |= {s: v.transpose(1, 2) if v.dim() == 4 else v for s, v in found.items()}
    for number, (site, value) in enumerate(exchanges):
        if isinstance(value, Tensor):
            tables[number] = _as_table(site, value[some])
    return tables


def _whole(site: Site) -> Site:
    return Site(site.module, site.part)


def _as_table(site: Site, value: Tensor) -> Tensor:
    """A given value as what a table holds: (pair, step, width), or (pair, step, head, step)."""
    if stage_of(site) is not None and cast(tuple, stage_of(site))[1] == "pattern":
        value = value if site.head is None else value.unsqueeze(1)
        return value.unsqueeze(1) if site.position is not None else value.transpose(1, 2)
    return value if site.position is None else value.unsqueeze(1)


def _swaps(
    network: Network, wanted: Sequence[Sequence[Exchange]], count: int, length: int
) -> list[Swap]:
    """Every exchange as a swap; of a pattern without a head, one swap per head."""
    model, swaps, number = cast(Transformer, network.module), [], 0
    steps_of = cache(lambda position: _steps(position, count, length))
    for place, exchanges in enumerate(wanted):
        for site, value in exchanges:
            block, stage = cast("tuple[int, str]", stage_of(site))
            given = isinstance(value, Tensor)
            other = site if isinstance(value, Tensor) else value
            steps, source_steps = steps_of(site.position), steps_of(other.position)
            causal = site == value
            if given and site.position is not None:
                source_steps = np.zeros_like(steps)
            key = number if given else _whole(other)
            for units, taken in _parts(model, site, other, stage, given):
                swaps.append(
                    Swap(place, block, stage, steps, source_steps, key, units, taken, causal)
                )
            number += 1
    return swaps


def _steps(position: Position, count: int, length: int) -> np.ndarray:
    if position is None:
        return np.full(count, EVERY)
    return positions(position, count, length).numpy()


def _parts(
    model: Transformer, site: Site, other: Site, stage: str, given: bool
) -> list[tuple[tuple[int, ...] | None, tuple[int, ...] | None]]:
    """Which units are replaced, by which of the table's; once, or once per head of a pattern."""
    if stage == "pattern":
        heads = range(cast(Block, model.blocks[0]).attention.heads)
        own, theirs = ([head_of(s, len(heads))] if s.head else list(heads) for s in (site, other))
        theirs = list(range(len(own))) if given else theirs
        return [((a,), (b,)) for a, b in zip(own, theirs, strict=True)]
    width = model.embed.embedding_dim * (4 if stage == "hidden" else 1)
    units, taken = (s.selected(width) for s in (site, other))
    if given:
        taken = None if units is None else list(range(len(units)))
    elif len(units or range(width)) != len(taken or range(width)):
        raise SymscopeError(f"{site} and {other} are not of the same width")
    return [(None if units is None else tuple(units), None if taken is None else tuple(taken))]
