"""The places of a transformer at which a value can be patched, listed for a sweep."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.layout import Layout
from symscope.network import Network
from symscope.site import Position, Site

Place = Site | tuple[Site, ...]
"""What is edited in one run: a site, or several together."""

KINDS = ("residual", "attention", "head", "pattern", "q", "k", "v", "mlp", "neuron")
"""What can be patched in a block."""
PER_HEAD = ("head", "pattern", "q", "k", "v")


def layout_in(network: Network) -> Layout:
    """Where the network's parts are; raises `SymscopeError` where that is not known."""
    if network.layout is None:
        raise SymscopeError(
            f"the layout of a {type(network.module).__name__} is not known: give"
            f" Network(…, layout=Layout(…)), or write Site(…) with one of {network.sites}"
        )
    return network.layout


def places(
    network: Network,
    kind: str,
    positions: Sequence[int] | Mapping[Any, Position] | None = None,
    blocks: Iterable[int] | None = None,
    columns: Iterable[int] | None = None,
    length: int | None = None,
) -> dict[tuple, Site]:
    """All sites of one kind in a decoder whose `layout` is known, under (block, column).

    `kind` is "residual" (the stream entering a block), "attention" and "mlp" (what they add to
    it), "head" (its mixture of values, before the output projection), "pattern" (its weights),
    "q", "k", "v" (before rotary positions) or "neuron". The column is the head or neuron where the
    kind has some, else the position. `positions` are steps, or steps under labels, one per sample
    where they are tuples (the roles of tokens); where there are columns too, the position's label
    becomes the third element of the key. Without `positions` all steps are meant together, which
    the label None says. `blocks` and `columns` keep some; `length` is the number of steps, against
    which positions are checked. Raises `UnknownName` saying what there is.
    """
    layout = layout_in(network)
    if kind not in KINDS:
        raise UnknownName("kind of place", kind, KINDS)
    rows, count = _known("block", blocks, layout.layers), layout.columns(kind)
    labelled = _labelled(positions, length)
    found: dict[tuple, Site] = {}
    for row in rows:
        for label, position in labelled.items():
            if not count:
                found[row, label] = layout.site(row, kind).at(position)
                continue
            for column in _known("unit" if kind == "neuron" else "head", columns, count):
                key = (row, column) if positions is None else (row, column, label)
                found[key] = layout.site(row, kind, column).at(position)
    return found


def _known(name: str, chosen: Iterable[int] | None, count: int) -> list[int]:
    """The chosen ones of `count`, all of them by default."""
    wanted = list(range(count) if chosen is None else chosen)
    for one in wanted:
        if one not in range(count):
            raise UnknownName(name, one, range(count))
    return wanted


def _labelled(
    positions: Sequence[int] | Mapping[Any, Position] | None, length: int | None
) -> dict[Any, Position]:
    if positions is None:
        return {None: None}
    named = positions if isinstance(positions, Mapping) else {p: p for p in positions}
    placed = {label: Site("").at(position).position for label, position in named.items()}
    if length is not None:
        for position in placed.values():
            for step in (position,) if isinstance(position, int) else position or ():
                if not -length <= step < length:
                    raise UnknownName("position", step, range(length))
    return placed


_STAGES = {
    ("", "input"): ("input", 0),
    ("", "output"): ("input", 1),
    (".attention.q", "output"): ("q", 0),
    (".attention.k", "output"): ("k", 0),
    (".attention.v", "output"): ("v", 0),
    (".attention.pattern", "output"): ("pattern", 0),
    (".attention.out", "input"): ("mixed", 0),
    (".attention.out", "output"): ("attention", 0),
    (".attention", "output"): ("attention", 0),
    (".mlp.1", "output"): ("hidden", 0),
    (".mlp", "output"): ("mlp", 0),
}


def stage_of(site: Site) -> tuple[int, str] | None:
    """The block of a transformer that a site belongs to, and which stage of its computation.

    What leaves a block is what enters the next. None for what is no stage of a block.
    """
    return _stage_of(site.module, site.part)


@cache
def _stage_of(module: str, part: str | int) -> tuple[int, str] | None:
    match = re.fullmatch(r"blocks\.(\d+)(.*)", module)
    if match is None or (match[2], part) not in _STAGES:
        return None
    stage, further = _STAGES[match[2], str(part)]
    return int(match[1]) + further, stage


def head_of(site: Site, heads: int) -> int:
    """Which head of `heads` a site names; raises `UnknownName`."""
    index, count = cast("tuple[int, int]", site.head)
    if count != heads or index not in range(heads):
        raise UnknownName("head", site.head, [(h, heads) for h in range(heads)])
    return index
