"""Where does the value travel? The residual stream patched by role, and heads, pair by pair."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize import logit_shift, patched, places, success
from symscope.network import Network
from symscope.site import Site
from symscope.task import Pairs, joined
from symscope.tasks.binding import KINDS, Binding
from symscope.train_answers import answers

LATER_ROOT = 2
"""Roots on the first two lines, which the shallow rules answer, are left out."""
_ROUNDS = 60


def usable_pairs(  # eight: which pairs, all of it
    network: Network, task: Binding, kind: str, hops: int, count: int, seed: int,
    split: str = "test", earliest_root: int = LATER_ROOT,
) -> Pairs:  # fmt: skip
    """Up to `count` pairs with a chain of that many hops that the network answers right, both.

    `labels["tried"]` counts the pairs looked at. Raises `SymscopeError` where there are not two: a
    place is chosen on one half and scored on the other.
    """
    found: list[Pairs] = []
    tried = kept = 0
    for round_ in range(_ROUNDS):
        drawn = task.counterfactuals(kind, count, seed * 1_009 + round_, earliest_root, split)
        drawn = drawn[drawn.labels["hops"] == hops]
        tried += len(drawn)
        drawn = drawn[answers(network.module, drawn.base) == drawn.labels["answer.base"]]
        drawn = drawn[answers(network.module, drawn.source) == drawn.labels["answer.source"]]
        found.append(drawn)
        kept += len(drawn)
        if kept >= count:
            break
    if kept < 2:
        raise SymscopeError(
            f"{kept or 'no'} pair is left: of {tried} pairs {kind!r} with {hops} hops and a root on"
            f" line {earliest_root + 1} or later the network answers {kept or 'none'} right"
        )
    whole = joined(found, padding=0)
    whole.labels["tried"] = torch.full((len(whole),), tried)  # type: ignore[index]
    return whole[torch.arange(min(count, kept))]


def roles_of(task: Binding, tokens: Tensor, hops: int) -> dict[str, Tensor]:
    """The chain's right-hand tokens by depth, the query's letter and the colon."""
    roles = task.roles(tokens)
    names = [*(f"right {d}" for d in range(1, hops + 1)), "query", "colon"]
    return {name: roles[name] for name in names}


@dataclass(frozen=True)
class RoleMap:
    """By role and block (what enters it): per pair whether the patch moved the answer, and Δ.

    `right` and `shift` are (block, pair) for each role; `expected` the digit that counts as moved.
    """

    right: Mapping[str, Tensor]
    shift: Mapping[str, Tensor]
    expected: Tensor

    def success(self, role: str) -> list[float]:
        """The share of pairs that a patch at the role moves, by block."""
        return self.right[role].float().mean(1).tolist()


@torch.no_grad()
def role_map(
    network: Network, pairs: Pairs, roles: Mapping[str, Tensor], layers: int,
    source: Tensor | None = None,
) -> RoleMap:  # fmt: skip
    """The residual stream entering each block, patched at each role, from the pairs' sources."""
    source = pairs.source if source is None else source
    expected = pairs.target[:, -1]
    at = {name: tuple(steps.tolist()) for name, steps in roles.items()}
    sites = places(network, "residual", at)
    logits = patched(network, pairs.base, source, list(sites.values()))
    natural = network.run(pairs.base).output[:, -1]
    right: dict[str, list[Tensor]] = {name: [] for name in roles}
    shift: dict[str, list[Tensor]] = {name: [] for name in roles}
    for (_, role), one in zip(sites, logits, strict=True):
        right[role].append(success(one, expected))
        shift[role].append(logit_shift(one, natural, expected))
    return RoleMap({r: torch.stack(v) for r, v in right.items()},
                   {r: torch.stack(v).detach() for r, v in shift.items()}, expected)  # fmt: skip


@torch.no_grad()
def residual_claims(
    network: Network, untrained: Network, task: Binding, kind: str, hops: int, count: int,
    layers: int, name: str, seed: int,
) -> list[Evidence]:  # fmt: skip  # nine: one call for each cell of a table
    """Per role the success at the block that is best on one half of the pairs, on the other half.

    Controls: nothing patched, the source of another pair, the same token in the nearest line
    off the chain, an untrained network, and everything patched.
    """
    pairs = usable_pairs(network, task, kind, hops, count, seed)
    roles = roles_of(task, pairs.base, hops)
    found = role_map(network, pairs, roles, layers)
    shuffled = role_map(network, pairs, roles, layers, pairs.source.roll(1, 0))
    away = {r: _off_the_chain(steps, pairs.base, task) for r, steps in roles.items()}
    beside = role_map(network, pairs, away, layers)
    blank = role_map(untrained, pairs, roles, layers)
    natural = success(network.run(pairs.base).output[:, -1], found.expected)
    whole = success(network.run(pairs.source).output[:, -1], found.expected)
    first, second = torch.arange(0, len(pairs), 2), torch.arange(1, len(pairs), 2)
    records = []
    for role in roles:
        block = int(found.right[role][:, first].float().mean(1).argmax())
        scored = found.right[role][block, second]
        low, high = wilson(int(scored.sum()), len(scored))
        others = {
            "other pair's source": shuffled,
            "a line off the chain": beside,
            "untrained": blank,
        }
        controls = {k: float(m.right[role][block, second].float().mean())
                    for k, m in others.items()}  # fmt: skip
        controls |= {"nothing patched": float(natural[second].float().mean()),
                     "everything patched": float(whole[second].float().mean())}  # fmt: skip
        shift = found.shift[role].mean(1)
        config = {"block": block + 1, "success": found.success(role), "shift": shift.tolist(),
                  "tried": int(pairs.labels["tried"][0]), "kept": len(pairs)}  # fmt: skip
        records.append(
            Evidence(f"{name}.residual.{kind}.hops{hops}.{role.replace(' ', '_')}",
                     float(scored.float().mean()), low, high, len(scored),
                     "success" if KINDS[kind][1] else "unmoved", controls, [seed], config=config,
                     note="block chosen on the other half; Wilson interval, one seed")
        )  # fmt: skip
    return records


def _off_the_chain(steps: Tensor, tokens: Tensor, task: Binding) -> Tensor:
    """The same place in the nearest line that is not on the chain; of the query, in the last."""
    run, last = task.trace(tokens), 4 * task.lines - 1
    asks = steps > last
    line = torch.where(asks, task.lines - 1, steps // 4)
    distance = (torch.arange(task.lines) - line[:, None]).abs()
    nearest = distance.masked_fill(run.on_chain, task.lines + 1).argmin(1)
    place = torch.where(asks, 3 * (steps == last + 3), steps % 4)  # query: letter; colon: newline
    return 4 * nearest + place


def carried(found: RoleMap, role: str) -> tuple[int | None, int | None]:
    """The first and the last block (from 1) that the value enters at this role, above half."""
    blocks = [i + 1 for i, share in enumerate(found.success(role)) if share >= 0.5]
    return (blocks[0], blocks[-1]) if blocks else (None, None)


def numbered(network: Network, kind: str) -> dict[str, Site]:
    """The heads ("head") or MLPs ("mlp") at all steps, as people count: "4.4", or "4", from 1."""
    return {
        ".".join(str(i + 1) for i in key if i is not None): site
        for key, site in places(network, kind).items()
    }  # fmt: skip
