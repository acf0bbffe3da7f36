"""Activation patching: run on a base, with a place as it is in the run on a source.

Which way round is the caller's: with the clean input as base and the corrupted one as source, a
place whose patch breaks the answer is needed for it (noising); with the roles exchanged, a place
whose patch restores the answer is enough for it (denoising). Both are the same call.

`literal_patched` makes one run per place, with hooks, and defines what is meant. `patched` gives
the same numbers; in a `models.transformer.Transformer` it computes natural runs once, and of each
edited run only what can differ from them (`patch_plan`, `patch_blocks`).
"""

import warnings
from collections.abc import Iterable, Sequence
from itertools import combinations, compress
from typing import Any

import torch
from torch import Tensor

from symscope.causal_model import Edit, UnknownName
from symscope.evidence import SymscopeError
from symscope.localize.patch_fast import Exchange, fast_logits, readable, understood
from symscope.localize.places import Place, head_of, stage_of
from symscope.models.transformer import Pattern, Transformer
from symscope.network import Network, NothingChanged
from symscope.site import Site, positions


@torch.no_grad()
def patched(
    network: Network, base: Tensor, source: Tensor, places: Sequence[Place],
    at_source: Sequence[Place] | None = None,
) -> Tensor:  # fmt: skip
    """Logits at the last step, (place, pair, vocabulary), each place as it is on the source.

    `base` and `source` are tokens (pair, step). A place is a site, or a tuple of sites edited
    together; `at_source` are the sites to read instead of the same ones, place by place. A
    `Pattern`'s site is the weights of its head (of all heads without one) in the row of its
    position. Raises `UnknownName` for a site or position that is not there, and `SymscopeError`
    where what is exchanged does not fit or sites of one place overlap; warns `NothingChanged` when
    no edit of any place put another value than was there. What a Transformer's blocks compute is
    patched fast, anything else as by `literal_patched`.
    """
    wanted = _exchanges(network, base, source, places, at_source)
    return _by_the_faster(network, base, source, wanted)


@torch.no_grad()
def literal_patched(
    network: Network, base: Any, source: Any, places: Sequence[Place],
    at_source: Sequence[Place] | None = None,
) -> Tensor:  # fmt: skip
    """The same as `patched`, by hooks and one run per place, in any network on any inputs."""
    wanted = _exchanges(network, base, source, places, at_source)
    return _answers(*_literal(network, base, source, wanted))


@torch.no_grad()
def patched_with(
    network: Network, base: Tensor, places: Sequence[Place],
    values: Sequence[Tensor | Sequence[Tensor]],
) -> Tensor:  # fmt: skip
    """The same with given values, for ablations: zeros, means, other inputs' values.

    `values` has what `places` has: one value per site, which is broadcast to what stands there,
    (pair, width), or (pair, step, width) where the site has no position.
    """
    sites = [_sites(place) for place in places]
    flat = [v for value in values for v in ([value] if isinstance(value, Tensor) else value)]
    if len(flat) != sum(map(len, sites)):
        raise SymscopeError(f"{len(flat)} values were given for {sum(map(len, sites))} sites")
    _checked(network, base, sites)
    natural = _donated(network, base, {s for place in sites for s in place})
    given = iter(flat)
    wanted: list[list[Exchange]] = [
        [(s, next(given).to(natural[s]).expand_as(natural[s])) for s in place] for place in sites
    ]
    return _by_the_faster(network, base, None, wanted)


def _sites(place: Place) -> tuple[Site, ...]:
    return (place,) if isinstance(place, Site) else tuple(place)


def _exchanges(
    network: Network, base: Any, source: Any, places: Sequence[Place],
    at_source: Sequence[Place] | None,
) -> list[list[Exchange]]:  # fmt: skip
    """Each place as pairs of sites, the base's and the source's, found to be there and to fit."""
    if isinstance(base, Tensor) and base.shape != source.shape:
        shapes = f"{tuple(base.shape)} and {tuple(source.shape)}"
        raise SymscopeError(f"base and source are {shapes}; they must have the same shape")
    own = [_sites(place) for place in places]
    theirs = own if at_source is None else [_sites(place) for place in at_source]
    if list(map(len, own)) != list(map(len, theirs)):
        raise SymscopeError("at_source needs the places' own structure, one site for each")
    _checked(network, base, own)
    _checked(network, source, theirs)
    wanted = [list(zip(p, q, strict=True)) for p, q in zip(own, theirs, strict=True)]
    for site, other in (pair for place in wanted for pair in place):
        if (site.position is None) != (other.position is None):
            raise SymscopeError(f"{site} and {other}: give both a position, or neither")
        if isinstance(network.at(site), Pattern) != isinstance(network.at(other), Pattern):
            raise SymscopeError(f"{site} and {other}: weights and vectors cannot be exchanged")
    if at_source is not None:
        for place in own:
            _apart(place)
    return [[*place] for place in wanted]


def _checked(network: Network, inputs: Any, places: Sequence[tuple[Site, ...]]) -> None:
    """Raise where there is no place, or a position is not in the inputs."""
    if not places:
        raise SymscopeError("there is no place to patch")
    for site in dict.fromkeys(site for place in places for site in place):
        if isinstance(network.module, Transformer) and site.position is not None:
            length = inputs.shape[1]
            steps = (site.position,) if isinstance(site.position, int) else site.position
            for step in steps:
                if not -length <= step < length:
                    raise UnknownName("position", step, range(length))


def _apart(place: tuple[Site, ...]) -> None:
    """Raise if two sites of a place are the same values: each would take another source's."""
    for site, other in combinations(place, 2):
        same = (stage_of(site) or (site.module, site.part)) == (
            stage_of(other) or (other.module, other.part)
        )
        heads = site.head is None or other.head is None or site.head == other.head
        units = site.units is None or other.units is None or {*site.units} & {*other.units}
        steps = None in (site.position, other.position) or not (
            isinstance(site.position, int) and isinstance(other.position, int)
        ) or site.position == other.position  # fmt: skip
        if same and heads and units and steps:
            raise SymscopeError(f"{site} and {other} overlap, so that the place is not one edit")


def _by_the_faster(
    network: Network, base: Tensor, source: Tensor | None, wanted: list[list[Exchange]]
) -> Tensor:
    """Places in a Transformer's blocks fast, the others literally."""
    plain = readable(network) and base.dim() == 2 and any(wanted)
    fast = [plain and all(map(understood, place)) for place in wanted]
    if all(fast):
        return _answers(*fast_logits(network, base, source, wanted))
    if not any(fast):
        return _answers(*_literal(network, base, source, wanted))
    literal, slow = _literal(network, base, source, list(compress(wanted, (not f for f in fast))))
    quick, moved = fast_logits(network, base, source, list(compress(wanted, fast)))
    found = quick.new_empty(len(wanted), *quick.shape[1:])
    chosen = torch.tensor(fast, device=quick.device)
    found[chosen], found[~chosen] = quick, literal
    return _answers(found, slow or moved)


def _answers(found: Tensor, changed: bool) -> Tensor:
    if not changed:
        warnings.warn("no edit of any place changed anything", NothingChanged, 3)
    return found


def _literal(
    network: Network, base: Any, source: Any, wanted: Sequence[Sequence[Exchange]]
) -> tuple[Tensor, bool]:
    """Last logits, and whether any edit changed anything; one run per place."""
    taken = {v for place in wanted for _, v in place if isinstance(v, Site)}
    donated = _donated(network, source, taken) if taken else {}
    found, changed = [], False
    for place in wanted:
        do: dict[Site, Edit] = {}
        for site, value in place:
            new = donated[value] if isinstance(value, Site) else value
            if isinstance(network.at(site), Pattern):
                whole = Site(site.module)
                do[whole] = _reweighted(site, new, do.get(whole))
            else:
                do[site] = _constant(new)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            output = network.run(base, do=do).output
        found.append(output if output.dim() == 2 else output[:, -1])
        unmoved = [w for w in told if issubclass(w.category, NothingChanged)]
        changed = changed or not do or len(unmoved) < len(do)
        for other in told:
            if other not in unmoved:
                warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return torch.stack(found), changed


def _donated(network: Network, inputs: Any, sites: Iterable[Site]) -> dict[Site, Tensor]:
    """The natural values at sites, of a pattern the weights that the site means."""
    read = {s: Site(s.module) if isinstance(network.at(s), Pattern) else s for s in sites}
    values = network.run(inputs, read=read.values()).values
    return {
        site: values[whole] if whole is site else values[whole][_rows(site, values[whole])]
        for site, whole in read.items()
    }  # fmt: skip


def _rows(site: Site, weights: Tensor) -> tuple:
    """Which of the weights (batch, head, step, step) a site means."""
    heads = slice(None) if site.head is None else head_of(site, weights.shape[1])
    if site.position is None:
        return slice(None), heads
    steps = positions(site.position, len(weights), weights.shape[2]).to(weights.device)
    return torch.arange(len(weights), device=weights.device), heads, steps


def _constant(value: Tensor) -> Edit:
    return lambda _: value


def _reweighted(site: Site, value: Tensor, before: Edit | None) -> Edit:
    """Puts the weights that a site means, after another edit of the same pattern."""

    def edit(weights: Tensor) -> Tensor:
        weights = weights.clone() if before is None else before(weights)
        weights[_rows(site, weights)] = value
        return weights

    return edit
