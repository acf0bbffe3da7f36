"""Which heads and MLPs do the arithmetic, at which position, whether they suffice, and probes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.features import read_out
from symscope.localize import find_circuit, layout_in, places
from symscope.localize.heuristics import effects, means, suffices
from symscope.network import Network
from symscope.site import Site
from symscope.studies.heuristics.grids import Grid
from symscope.task import Pairs

ROLES = {"first operand": -4, "sign": -3, "second operand": -2, "equals": -1}
"""Position → step from the end of a prompt."""
TARGET = 0.9
EDGE_PAIRS = 200
PROBED = 5_000
Places = dict[tuple[str, str], Site]
"""Under (head or MLP, position)."""


def parts(network: Network) -> Places:
    """Every head and MLP at every position, heads as "layer.head"."""
    layout, found = layout_in(network), Places()
    for role, step in ROLES.items():
        for (layer, head, _), site in places(network, "head", [step]).items():
            found[f"{layer}.{head}", role] = site
        for layer in range(layout.layers):
            found[f"mlp {layer}", role] = layout.site(layer, "mlp").at(step)
    return found


def place_claims(
    network: Network, untrained: Network | None, pairs: Mapping[str, Pairs], claim: str, seed: int
) -> list[Evidence]:
    """What patching each head and MLP does to logit(r′) − logit(r), by what the prompts differ in.

    The score is the best place's share of what exchanging the whole prompt does, the place chosen
    on every second pair and scored on the others. Controls: what it does in an untrained network,
    as a share of the trained one's, and the mean of all places. `config` has the table of all, with
    the median of the published effect beside it.
    """
    at, records = parts(network), []
    for change, some in pairs.items():
        shift, published, full = _effects(network, some, at)
        best = int(shift[:, ::2].mean(1).argmax())
        mine = shift[best, 1::2]
        scale = float(full[1::2].mean())
        drawn = np.random.default_rng(0).choice(mine.numpy(), (1_000, len(mine))).mean(1) / scale
        low, high = np.percentile(drawn, [2.5, 97.5])
        table = {" @ ".join(key): [float(shift[i].mean()) / float(full.mean()),
                                   float(published[i].median())]
                 for i, key in enumerate(at)}  # fmt: skip
        controls = {"mean of all places": float(shift[:, 1::2].mean()) / scale}
        if untrained is not None:
            other = effects(untrained, some, {0: list(at.values())[best]})["shift"]
            controls["untrained"] = float(other.mean()) / scale
        records.append(Evidence(
            f"{claim}.place.{change}", float(mine.mean()) / scale, float(low), float(high),
            len(mine), "share of the full effect", controls, [seed],
            config={"place": " @ ".join(list(at)[best]), "table": table},
        ))  # fmt: skip
    return records


@torch.no_grad()
def _effects(
    network: Network, pairs: Pairs, at: Mapping[Any, Site]
) -> tuple[Tensor, Tensor, Tensor]:
    """Shift and published effect of each place, (place, pair), and the shift of everything."""
    found = effects(network, pairs, at)
    rows, old, new = torch.arange(len(pairs)), pairs.labels["answer.base"], pairs.target[:, -1]
    end, start = (network.run(x).output[:, -1].cpu() for x in (pairs.source, pairs.base))
    full = (end[rows, new] - end[rows, old]) - (start[rows, new] - start[rows, old])
    return found["shift"], found["published"], full


def faithful(network: Network, grid: Grid, pairs: Pairs, claim: str, seed: int) -> list[Evidence]:
    """The fewest places, the strongest first, with a faithfulness of 0.9 on half of the prompts.

    Scored on the other half; everything else is set to its mean over all prompts.
    """
    at = parts(network)
    shift, _, _ = _effects(network, pairs, at)
    order = [list(at)[i] for i in shift.mean(1).abs().argsort(descending=True).tolist()]
    instead = means(network, grid.prompts, at.values())
    chosen = grid.some(2_000, seed).chunk(2)
    for size in range(1, len(order) + 1):
        on = grid[chosen[0]]
        found = suffices(network, on.prompts, on.token, order[:size], at, instead, claim)
        if found.score is not None and found.score >= TARGET:
            break
    on = grid[chosen[1]]
    found = suffices(network, on.prompts, on.token, order[:size], at, instead, f"{claim}.circuit")
    config = {**found.config, "places": [" @ ".join(key) for key in order[:size]]}
    return [replace(found, seeds=[seed], config=config)]


def edge_claims(network: Network, pairs: Pairs, claim: str, seed: int) -> list[Evidence]:
    """The circuit of edges between prompts with other answers; its edges stand in the config."""
    few = pairs[torch.arange(min(EDGE_PAIRS, len(pairs)))]
    circuit, records = find_circuit(network, few.base, few.source, f"{claim}.edges")
    named = {"circuit": sorted(" → ".join(edge) for edge in circuit)}
    records[0] = replace(records[0], config={**records[0].config, **named})
    return [replace(r, seeds=[seed]) for r in records]


def probe_claims(
    network: Network, grid: Grid, epochs: int, claim: str, seed: int
) -> list[Evidence]:
    """Can the answer be read from the residual stream, after each layer and at each position?

    On pairs of operands, and on answers, of which none was fitted on; an unseen answer can only be
    read digit by digit. Control: labels shuffled, at the last position after the last layer, and
    the commonest answer.
    """
    layout, some = layout_in(network), grid[grid.some(PROBED, seed)]
    layers = range(layout.layers + 1)
    sites = {(layer, role): _after(network, layer).at(step)
             for layer in layers for role, step in ROLES.items()}  # fmt: skip
    with torch.no_grad():
        values = network.run(some.prompts.to(network.device), read=sites.values()).values
    generator = torch.Generator().manual_seed(seed)
    known = torch.rand(1 + int(some.answer.max()), generator=generator) < 0.8
    digits = torch.stack([some.answer // 10**k % 10 for k in range(3)], 1)
    splits = {
        "unseen_pairs": (torch.rand(len(some), generator=generator) < 0.8, some.answer),
        "unseen_answers": (known[some.answer], digits),
    }
    records = []
    for split, (fitted, labels) in splits.items():
        right = {key: read_out(values[site].float().cpu(), labels, fitted, seed, epochs)
                 for key, site in sites.items()}  # fmt: skip
        last = values[sites[layout.layers, "equals"]].float().cpu()
        mixed = labels[torch.randperm(len(labels), generator=generator)]
        chance = read_out(last, mixed, fitted, seed, epochs).float().mean()
        common = some.answer[~fitted]
        table = {f"{layer} @ {role}": float(r.float().mean()) for (layer, role), r in right.items()}
        mine = right[layout.layers, "equals"]
        low, high = wilson(int(mine.sum()), len(mine))
        controls = {"labels shuffled": float(chance),
                    "commonest answer": float((common == common.mode().values).float().mean()),
                    "at second operand": table[f"{layout.layers} @ second operand"]}  # fmt: skip
        records.append(Evidence(
            f"{claim}.probe.{split}", float(mine.float().mean()), low, high, len(mine), "accuracy",
            controls, [seed], config={"table": table},
        ))  # fmt: skip
    return records


def _after(network: Network, layer: int) -> Site:
    """The residual stream after so many layers."""
    layout = layout_in(network)
    if layer < layout.layers:
        return layout.site(layer, "residual")
    return Site(layout.norm, "input")
