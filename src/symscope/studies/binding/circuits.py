"""Which heads carry the value, which roles they have, and how small a set does it."""

from dataclasses import replace

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.localize import logit_shift, patched, smallest_set, success
from symscope.localize.head_roles import attention_roles
from symscope.localize.permutation import above_zero, holm
from symscope.network import Network
from symscope.studies.binding.mechanism import head_places, usable_pairs
from symscope.tasks.binding import Binding

SURE = 0.01
"""A head counts where its corrected p-value is below."""


@torch.no_grad()
def head_claims(
    network: Network, task: Binding, count: int, layers: int, heads: int, name: str, seed: int
) -> list[Evidence]:  # seven: what is asked of one network
    """Every head patched alone at all positions, root and rebind pairs; and the smallest set.

    Per kind the best head, chosen on one half and scored on the other; all heads' Δ, success and
    p-values (permutation over pairs, Holm over heads) stand in the config.
    """
    records = []
    for kind in ("root", "rebind"):
        pairs = usable_pairs(network, task, kind, task.hops, count, seed + 600)
        places = head_places(layers, heads)
        natural = network.run(pairs.base).output[:, -1]
        expected = pairs.target[:, -1]
        logits = patched(network, pairs.base, pairs.source, list(places.values()))
        other = patched(network, pairs.base, pairs.source.roll(1, 0), list(places.values()))
        shift, won = logit_shift(logits, natural, expected).detach(), success(logits, expected)
        p = holm(above_zero(shift))
        first, second = torch.arange(0, len(pairs), 2), torch.arange(1, len(pairs), 2)
        best = int(shift[:, first].mean(1).argmax())
        low, high = wilson(int(won[best, second].sum()), len(second))
        table = {label: {"shift": float(shift[i].mean()), "success": float(won[i].float().mean()),
                         "p": float(p[i])} for i, label in enumerate(places)}  # fmt: skip
        sure = [label for label, row in table.items() if row["p"] < SURE]
        unpatched = success(natural, expected)[second].float().mean()
        controls = {
            "nothing patched": float(unpatched),
            "other pair's source": float(success(other, expected)[best, second].float().mean()),
        }
        records.append(
            Evidence(f"{name}.head.{kind}.best", float(won[best, second].float().mean()), low, high,
                     len(second), "success", controls, [seed],
                     config={"head": list(places)[best], "heads": table, "sure": sure},
                     note="head chosen on the other half; Wilson interval, one seed")
        )  # fmt: skip
        few = smallest_set(network, pairs, places, claim=f"{name}.head.{kind}.smallest_set")
        records.append(replace(few, seeds=[seed]))
    return records


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
                    config={**best.config, "head": best.claim.rsplit(f"{role}.", 1)[1],
                            "heads": scores, "counted": "from 0"})
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
