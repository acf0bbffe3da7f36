"""Which heads carry the value, which roles they have, and how small a set does it."""

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.localize import (
    above_zero,
    against_patching,
    attention_roles,
    edges_against_patching,
    find_circuit,
    holm,
    logit_shift,
    patched,
    places,
    smallest_set,
    success,
)
from symscope.network import Network
from symscope.site import Site
from symscope.studies.binding.mechanism import usable_pairs
from symscope.task import Pairs
from symscope.tasks.binding import Binding

SURE = 0.01
"""A place counts where its corrected p-value is below."""
INTEGRATED = 10
"""Runs between base and source that a gradient is the mean of."""
NAMED = 8
"""The strongest edges, said in words."""
ONE_BY_ONE = 64
"""Pairs on which each edge is patched by itself: some hundred runs of them."""


@torch.no_grad()
def part_claims(
    network: Network, task: Binding, parts: Mapping[str, Mapping[str, Site]], count: int,
    name: str, seed: int,
) -> list[Evidence]:  # fmt: skip
    """Every head, and every MLP, patched alone at all positions; and the smallest set of them.

    `parts` are the places by what they are called in the claim ("head", "mlp"). For root and
    rebind pairs, the best place is chosen on one half and scored on the other; all places' Δ,
    success and p-values (permutation over pairs, Holm over places) stand in the config.
    """
    records = []
    for kind in ("root", "rebind"):
        pairs = usable_pairs(network, task, kind, task.hops, count, seed + 600)
        for part, at in parts.items():
            claim = f"{name}.{part}.{kind}"
            records.append(_best(network, pairs, at, f"{claim}.best", seed))
            few = smallest_set(network, pairs, at, claim=f"{claim}.smallest_set")
            records.append(replace(few, seeds=[seed]))
    return records


def _best(
    network: Network, pairs: Pairs, at: Mapping[str, Site], claim: str, seed: int
) -> Evidence:
    natural = network.run(pairs.base).output[:, -1]
    expected = pairs.target[:, -1]
    logits = patched(network, pairs.base, pairs.source, list(at.values()))
    other = patched(network, pairs.base, pairs.source.roll(1, 0), list(at.values()))
    shift, won = logit_shift(logits, natural, expected).detach(), success(logits, expected)
    p = holm(above_zero(shift))
    first, second = torch.arange(0, len(pairs), 2), torch.arange(1, len(pairs), 2)
    best = int(shift[:, first].mean(1).argmax())
    low, high = wilson(int(won[best, second].sum()), len(second))
    table = {label: {"shift": float(shift[i].mean()), "success": float(won[i].float().mean()),
                     "p": float(p[i])} for i, label in enumerate(at)}  # fmt: skip
    controls = {
        "nothing patched": float(success(natural, expected)[second].float().mean()),
        "other pair's source": float(success(other, expected)[best, second].float().mean()),
    }
    config = {"place": list(at)[best], "places": table,
              "sure": [label for label, row in table.items() if row["p"] < SURE]}  # fmt: skip
    return Evidence(claim, float(won[best, second].float().mean()), low, high, len(second),
                    "success", controls, [seed], config=config,
                    note="place chosen on the other half; Wilson interval, one seed")  # fmt: skip


def circuit_claims(
    network: Network, task: Binding, count: int, name: str, seed: int
) -> list[Evidence]:
    """The circuit of edges that a changed root goes through; its edges stand in the config."""
    pairs = usable_pairs(network, task, "root", task.hops, count, seed + 900)
    circuit, (faithful, *others) = find_circuit(
        network, pairs.base, pairs.source, f"{name}.circuit.root"
    )
    named = sorted(" → ".join(edge) for edge in circuit)
    faithful = replace(faithful, config={**faithful.config, "circuit": named})
    return [replace(r, seeds=[seed]) for r in (faithful, *others)]


def estimate_claims(
    network: Network, task: Binding, count: int, most: int, name: str, seed: int
) -> list[Evidence]:
    """How well the fast estimates rank places and edges beside exact patching.

    Places: the residual stream at every block and step, and all heads and MLPs; by the gradient
    on the base run, and integrated. Edges: EAP and EAP-IG beside each edge patched by itself.
    """
    pairs = usable_pairs(network, task, "root", task.hops, count, seed + 950)
    base, source = pairs.base, pairs.source
    stream = places(network, "residual", range(base.shape[1]))
    inside = places(network, "head") | places(network, "mlp")
    records = []
    for word, steps in (("gradient", 0), ("integrated", INTEGRATED)):
        for part, at in (("residual", stream), ("heads_and_mlps", inside)):
            claim = f"{name}.estimate.{part}.{word}"
            records.append(
                against_patching(network, base, source, list(at.values()), claim, steps=steps)
            )
        few, claim = slice(ONE_BY_ONE), f"{name}.estimate.edges.{word}"
        found = edges_against_patching(
            network, base[few], source[few], claim, steps=steps, most=most
        )
        shares = list(found.config["shares"].items())[:NAMED]
        named = ", ".join(f"{counted_from_1(edge)} ({share:.2f})" for edge, share in shares)
        records.append(replace(found, config={**found.config, "strongest": named}))
    return [replace(r, seeds=[seed]) for r in records]


def counted_from_1(edge: str) -> str:
    """An edge, or a head, as people count, who say head 1 of block 1.

    >>> counted_from_1("mlp 0 → 1.2.v"), counted_from_1("3.3")
    ('MLP 1 → 2.3 v', '4.4')
    """

    def head(found: re.Match[str]) -> str:
        return f"{int(found[1]) + 1}.{int(found[2]) + 1}" + (f" {found[3]}" if found[3] else "")

    edge = re.sub(r"mlp (\d+)", lambda found: f"MLP {int(found[1]) + 1}", edge)
    return re.sub(r"\b(\d+)\.(\d+)(?:\.([qkv]))?", head, edge)


def role_claims(
    network: Network, task: Binding, count: int, name: str, seed: int
) -> list[Evidence]:
    """Attention in the roles of a chain: by head, the strongest of each role with its control.

    "own line": from a right-hand token to the letter of its line; "previous hop": from a letter on
    the right to what stands on the right in the line that binds it; "dereference": the same from
    the query's letter, and "gather" from the colon; "same name": from a letter on the right to the
    same letter on the left where it was bound.
    """
    tokens = task.drawn(count, torch.Generator().manual_seed(700 + seed), "test")
    records = []
    roles = attention_positions(task, tokens)
    every = attention_roles(network, tokens, roles, f"{name}.head.attends")
    for role in roles:
        mine = [e for e in every if f".{role}." in f"{e.claim}." and e.score is not None]
        best = max(mine, key=lambda e: float(e.score or 0.0))
        scores = {e.claim.rsplit(f"{role}.", 1)[1]: e.score for e in mine}
        records.append(
            replace(best, claim=f"{name}.head.attends.{role}", seeds=[seed],
                    config={**best.config, "heads": scores, "counted": "from 0",
                            "place": counted_from_1(best.claim.rsplit(f"{role}.", 1)[1])})
        )  # fmt: skip
    return records


def attention_positions(task: Binding, tokens: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Role → (from, to), (sample, line) or (sample, 1) each, -1 where a line has none."""
    run, lines = task.trace(tokens), torch.arange(task.lines)
    right = (4 * lines + 2).expand_as(run.left)
    bound = run.parent >= 0
    at_parent = torch.where(bound, 4 * run.parent + 2, -1)
    reads = torch.where(bound, right, -1)
    last = tokens.shape[1]
    answer = (4 * run.asked + 2)[:, None]
    return {
        "own_line": (right, (4 * lines).expand_as(run.left)),
        "previous_hop": (reads, at_parent),
        "same_name": (reads, torch.where(bound, 4 * run.parent, -1)),
        "dereference": (torch.full_like(answer, last - 2), answer),
        "gather": (torch.full_like(answer, last - 1), answer),
        "colon_to_query": (torch.full_like(answer, last - 1), torch.full_like(answer, last - 2)),
        "colon_to_line_1": (torch.full_like(answer, last - 1), torch.full_like(answer, 2)),
    }
