"""The circuit that the atlas draws, and what each head and MLP does at each position."""

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

from symscope.localize import edge_scores, edges, find_circuit, layout_in, places
from symscope.localize.heuristics import effects
from symscope.network import Network
from symscope.site import Site
from symscope.studies.heuristics.circuit import ROLES, parts
from symscope.task import Pairs


def circuit_view(network: Network, pairs: Pairs, name: str) -> dict[str, Any]:
    """The circuit of edges, as nodes and arrows."""
    layout = layout_in(network)
    circuit, (faithful, *_) = find_circuit(network, pairs.base, pairs.source, name)
    scores = edge_scores(network, pairs.base, pairs.source, steps=5).mean(1)
    full = _full(network, pairs)
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for edge, value in zip(edges(network), scores.tolist(), strict=True):
        if edge in circuit:
            read = edge[1].removesuffix(".q").removesuffix(".k").removesuffix(".v")
            weights[edge[0], read] += value / full
    whole = {str(k): v for k, v in _named(network).items()}
    shift = effects(network, pairs, whole)["shift"].mean(1) / full
    effect = dict(zip(whole, shift.tolist(), strict=True))
    looks = _attends(network, pairs.base)
    nodes = [{"name": "embed", "layer": -1, "kind": "embed", "effect": None, "attends": None}]
    for key, value in effect.items():
        layer = int(key.split()[-1].split(".")[0])
        kind = "mlp" if key.startswith("mlp") else "head"
        nodes.append({"name": key, "layer": layer, "kind": kind, "effect": value,
                      "attends": looks.get(key)})  # fmt: skip
    nodes.append({"name": "logits", "layer": layout.layers, "kind": "logits", "effect": None,
                  "attends": None})  # fmt: skip
    return {"nodes": nodes, "edges": [[a, b, w] for (a, b), w in weights.items()],
            "faithfulness": faithful.score, "size": len(circuit), "of": len(edges(network)),
            "unit": "edges",
            "note": "Numbers are shares of what exchanging the whole prompt does."}  # fmt: skip


def _full(network: Network, pairs: Pairs) -> float:
    """The mean change of logit(r') − logit(r) from the base to the source."""
    with torch.no_grad():
        end, start = (network.run(x).output[:, -1] for x in (pairs.source, pairs.base))
    rows, old, new = torch.arange(len(pairs)), pairs.labels["answer.base"], pairs.target[:, -1]
    return float(((end[rows, new] - end[rows, old]) - (start[rows, new] - start[rows, old])).mean())


def _named(network: Network) -> dict[str, Site]:
    """Every head and MLP at all positions together, in the order of the layers."""
    found = {}
    for layer in range(layout_in(network).layers):
        for (_, head), site in places(network, "head", blocks=[layer]).items():
            found[f"{layer}.{head}"] = site
        found[f"mlp {layer}"] = layout_in(network).site(layer, "mlp")
    return found


def _attends(network: Network, prompts: Tensor) -> dict[str, str]:
    """Where each head looks most from the last position, and how much."""
    layout, found = layout_in(network), {}
    sites = {layer: layout.site(layer, "pattern") for layer in range(layout.layers)}
    with torch.no_grad():
        values = network.run(prompts, read=sites.values()).values
    for layer, site in sites.items():
        for head, weights in enumerate(values[site][:, :, -1].mean(0)):
            best = int(weights.argmax())
            found[f"{layer}.{head}"] = f"= → {list(ROLES)[best]} ({float(weights[best]):.2f})"
    return found


def places_view(network: Network, pairs: Pairs) -> dict[str, Any]:
    """What patching each head and MLP does, position by position."""
    at = parts(network)
    shift = effects(network, pairs, at)["shift"].mean(1) / _full(network, pairs)
    values = dict(zip(at, shift.tolist(), strict=True))
    rows = list(_named(network))
    return {"positions": list(ROLES), "rows": rows,
            "values": [[values[row, role] for role in ROLES] for row in rows],
            "note": "Shares of what exchanging the whole prompt does."}  # fmt: skip
