"""What each head does: where it looks from where, and whether the answer moves with its output.

A role is a pair of positions in every sample: from the query letter to the line that binds it, for
example. Positions are tensors (sample, entry), filled with -1 where a sample has fewer, so that
nothing here depends on a task.
"""

import time
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError
from symscope.localize.attribution import Metric, towards_source
from symscope.localize.edges_of_transformer import blocks_of, transformer_of
from symscope.localize.patching import patched
from symscope.localize.permutation import above_zero, holm
from symscope.network import Network
from symscope.site import Site

Role = tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor]
"""From, to, and perhaps what else of the same kind could be looked at, (sample, entry, other)."""
SAMPLES_AT_ONCE = 64


def attends(
    network: Network, inputs: Tensor, from_positions: Tensor, to_positions: Tensor,
    others: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Each head's attention in a role, and its control, both (block, head, sample).

    The mean over a sample's entries of the weight at the step `from_positions` on the step
    `to_positions`; NaN where a sample has no entry. The control is the mean weight on `others`
    (sample, entry, other), the wrong ones of the same kind, or, without them, the expected weight
    on another step drawn at random from those that can be seen: (1 − weight) / their number.
    """
    model = transformer_of(network)
    sites = [Site(f"blocks.{i}.attention.pattern") for i in range(len(model.blocks))]
    start, stop = (_columns(p).to(inputs.device) for p in (from_positions, to_positions))
    _require_in_sight(start, stop, inputs.shape[1])
    wrong = None if others is None else others.view(*start.shape, -1).to(inputs.device)
    found = []
    for rows in torch.arange(len(inputs), device=inputs.device).split(SAMPLES_AT_ONCE):
        with torch.no_grad():
            weights = network.run(inputs[rows], read=sites).values
        few = None if wrong is None else wrong[rows]
        found.append(torch.stack(
            [_in_role(weights[site], start[rows], stop[rows], few) for site in sites]
        ))  # fmt: skip
    scores, controls = torch.cat(found, 3).unbind(1)
    return scores, controls


def _columns(positions: Tensor) -> Tensor:
    return positions[:, None] if positions.dim() == 1 else positions


def _require_in_sight(start: Tensor, stop: Tensor, length: int) -> None:
    if start.shape != stop.shape:
        raise SymscopeError(
            f"from_positions are {tuple(start.shape)} and to_positions {tuple(stop.shape)};"
            " each entry is one step looking at one other"
        )
    if ((start >= length) | (stop > start))[(start >= 0) & (stop >= 0)].any():
        raise SymscopeError(
            f"a step looks at itself and earlier ones among {length}; to_positions must not"
            " exceed from_positions"
        )


def _in_role(weights: Tensor, start: Tensor, stop: Tensor, wrong: Tensor | None) -> Tensor:
    """Score and control, (2, head, sample), from weights (sample, head, step, step)."""
    there = (start >= 0) & (stop >= 0)
    rows = torch.arange(len(weights), device=weights.device)[:, None]
    lines = weights.transpose(1, 2)[rows, start.clamp(min=0)]  # (sample, entry, head, step)
    hit = lines.gather(3, stop.clamp(min=0)[:, :, None, None].expand(*lines.shape[:3], 1))[..., 0]
    if wrong is None:
        miss = (1 - hit) / start.clamp(min=1)[:, :, None]
    else:
        index = wrong.clamp(min=0)[:, :, None].expand(*lines.shape[:3], -1)
        seen = ((wrong >= 0) & (wrong <= start[:, :, None]))[:, :, None]
        miss = (lines.gather(3, index) * seen).sum(3) / seen.sum(3).clamp(min=1)
    both = torch.stack([hit, miss]).masked_fill(~there[:, :, None], torch.nan)
    return both.nanmean(2).transpose(1, 2)


def attention_roles(
    network: Network, inputs: Tensor, roles: Mapping[str, Role], claim: str
) -> list[Evidence]:
    """Evidence per role and head: mean attention, with what else it could attend to as control.

    `config["p"]` is that of a permutation test over samples (attention above its control), Holm's
    correction over all heads and roles; `claim` is followed by the role's name and the head's.
    The interval is 1.96 standard errors over samples.
    """
    started = time.monotonic()
    found = {name: attends(network, inputs, *role) for name, role in roles.items()}
    p = {name: _above_control(*scores) for name, scores in found.items()}
    corrected = holm(torch.stack(list(p.values())))
    seconds = (time.monotonic() - started) / corrected.numel()
    return [
        _evidence(f"{claim}.{name}", found[name], corrected[i], block, head, seconds)
        for i, name in enumerate(roles)
        for block in range(corrected.shape[1])
        for head in range(corrected.shape[2])
    ]


def _above_control(scores: Tensor, controls: Tensor) -> Tensor:
    there = ~scores[0, 0].isnan()
    if not there.any():
        return torch.ones(scores.shape[:2], dtype=torch.double)
    return above_zero((scores - controls)[..., there])


def _evidence(
    claim: str, found: tuple[Tensor, Tensor], p: Tensor, block: int, head: int, seconds: float
) -> Evidence:  # fmt: skip
    score, control = (part[block, head] for part in found)
    score, control = score[~score.isnan()], control[~score.isnan()]
    if not len(score):
        note = "no sample has this role"
        return Evidence(f"{claim}.{block}.{head}", None, None, None, 0, "attention", note=note)
    mean, half = float(score.mean()), 1.96 * float(score.std(correction=0)) / len(score) ** 0.5
    return Evidence(
        f"{claim}.{block}.{head}", mean, mean - half, mean + half, len(score), "attention",
        {"elsewhere": float(control.mean())}, seconds=seconds, config={"p": float(p[block, head])},
    )  # fmt: skip


def head_sites(network: Network, steps: Tensor | None = None) -> list[Site]:
    """Each head's mixture of values, before the output projection, block by block."""
    return [
        Site(f"blocks.{i}.attention.out", "input", head=(head, block.attention.heads)).at(steps)
        for i, block in enumerate(blocks_of(transformer_of(network)))
        for head in range(block.attention.heads)
    ]


def moves_value(
    network: Network, base: Tensor, source: Tensor, claim: str, steps: Tensor | None = None,
    metric: Metric | None = None,
) -> list[Evidence]:  # fmt: skip
    """Evidence per head: what patching its output (at `steps`, or at all) adds to the metric.

    An interchange intervention on one head (Vig et al., 2020). Control: the same from the source
    of another pair, drawn at random. `config["p"]` as for attention; it is the effect that is
    tested, not its difference from the control.
    """
    started = time.monotonic()
    metric = metric or towards_source(network, base, source)
    sites = head_sites(network, steps)
    order = torch.randperm(len(base), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        natural = metric(network.run(base).output[:, -1])
        effects, other = (
            torch.stack([metric(x) - natural for x in patched(network, base, donor, sites)])
            for donor in (source, source[order])
        )
    p = holm(above_zero(effects))
    seconds = (time.monotonic() - started) / len(sites)
    return [
        _effect(f"{claim}.{name}", effects[i], {"other_source": float(other[i].mean())},
                float(p[i]), seconds)
        for i, name in enumerate(head_names(sites))
    ]  # fmt: skip


def head_names(sites: Sequence[Site]) -> list[str]:
    """ "block.head" of each head's site."""
    return [f"{s.module.split('.')[1]}.{s.head[0]}" for s in sites if s.head is not None]


def _effect(
    claim: str, effects: Tensor, controls: Mapping[str, float], p: float, seconds: float
) -> Evidence:
    mean, half = (
        float(effects.mean()),
        1.96 * float(effects.std(correction=0)) / len(effects) ** 0.5,
    )
    return Evidence(
        claim, mean, mean - half, mean + half, len(effects), "logits", controls,
        seconds=seconds, config={"p": p},
    )  # fmt: skip


def chain_roles(
    chain: Tensor, left: Tensor, right: Tensor, query: int, end: int
) -> dict[str, Role]:
    """The roles in which a head can follow a chain of assignments, from the lines it goes through.

    `chain` (sample, depth) holds line numbers, root first, then -1; line i binds the name at step
    `left[i]` to what stands at `right[i]`; the name at step `query` is asked for, and the answer
    is due at step `end`. "previous hop": from a line's right-hand name to the right-hand token of
    the line that binds it. "name matching": from such a name, or the queried one, to the same name
    on the left of that line. "dereference query" and "dereference end": from these steps to the
    right-hand token of the line that binds the queried name. The control is the same token of all
    other lines in sight.
    """
    parent, child = chain[:, :-1], chain[:, 1:]
    last = chain.gather(1, ((chain >= 0).sum(1, keepdim=True) - 1).clamp(min=0))
    at_child = _steps(right, child)
    asked, ended = (torch.where(last >= 0, step, -1) for step in (query, end))
    parent = torch.where(child >= 0, parent, -1)
    return {
        "previous hop": _role(at_child, right, parent),
        "name matching": _role(torch.cat([at_child, asked], 1), left,
                               torch.cat([parent, last], 1)),
        "dereference query": _role(asked, right, last),
        "dereference end": _role(ended, right, last),
    }  # fmt: skip


def _steps(steps: Tensor, lines: Tensor) -> Tensor:
    return torch.where(lines >= 0, steps[lines.clamp(min=0)], -1)


def _role(start: Tensor, steps: Tensor, lines: Tensor) -> Role:
    """From `start` to the step of each line, beside the steps of all other lines in sight."""
    own = torch.arange(len(steps), device=lines.device) == lines[:, :, None]
    hidden = own | (steps > start[:, :, None])
    return start, _steps(steps, lines), torch.where(hidden, -1, steps.expand(hidden.shape))
