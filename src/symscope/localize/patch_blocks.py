"""Edited runs of a `models.transformer.Transformer`, computed from the first step that differs.

What to compute is said by `patch_plan`; here are the tensors. Steps of many runs lie side by side
as (step, width), so that no layer computes padding; attention alone sees them run by run.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from symscope.localize.patch_plan import BlockPlan, Change, Chunk, Move
from symscope.models.transformer import Attention, Block, Transformer, rotate
from symscope.network import Network
from symscope.site import Site

HIDDEN = 512, 2**17
"""Steps that go through a block's hidden layer at a time, at least; more where it is narrow."""
Tables = Mapping[Hashable, Tensor]
"""Where edits find their values: (pair, step, width), of a pattern (pair, step, head, step)."""


@dataclass(frozen=True)
class Natural:
    """One block's natural runs, (base · step, width) each; queries and keys are rotated."""

    x: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    mixed: Tensor | None


class NaturalRuns:
    """The natural run on some bases, from block `begin` on, and its last step's logits.

    `mixing` are the blocks in which something after the attention's mixture is edited.
    """

    def __init__(self, network: Network, tokens: Tensor, begin: int, mixing: frozenset[int]):
        self.model = cast(Transformer, network.module)
        self.layers = cast("list[Block]", list(self.model.blocks))
        self.length, self.blocks = tokens.shape[1], {}
        count = len(self.layers)
        steps = torch.arange(self.length, device=tokens.device)
        self.turn = _Turn(self.layers[0].attention, steps, self.model.readout.weight.dtype)
        paths = {b: f"blocks.{b}" for b in range(begin, count)}
        sites = {(b, "x"): Site(path, "input") for b, path in paths.items()}
        sites[count, "x"] = Site(f"blocks.{count - 1}")
        for part in "qkv":
            sites |= {(b, part): Site(f"{path}.attention.{part}") for b, path in paths.items()}
        sites |= {(b, "mixed"): Site(f"{paths[b]}.attention.out", "input") for b in mixing}
        run = network.run(tokens, read=list(sites.values()))
        found = {name: run.values[site] for name, site in sites.items()}
        self.logits = run.output if run.output.dim() == 2 else run.output[:, -1].clone()
        self.last = found[count, "x"].flatten(0, 1)
        for b in paths:
            q, k = (self.turn(found.pop((b, part)), steps).flatten(0, 1) for part in "qk")
            x, v = (found.pop((b, part)).flatten(0, 1) for part in "xv")
            mixed = found[b, "mixed"].flatten(0, 1) if b in mixing else None
            self.blocks[b] = Natural(x, q, k, v, mixed)


class _Turn:
    """Rotary positions from a table of angles; nothing in a network without them."""

    def __init__(self, attention: Attention, steps: Tensor, dtype: torch.dtype):
        self.rotary, self.heads = attention.rotary, attention.heads
        if self.rotary:
            half = attention.q.out_features // attention.heads // 2
            along = torch.cat([steps.new_ones(half), steps.new_zeros(half)]).to(dtype)
            turned = rotate(along.expand(len(steps), 1, 2 * half), steps)
            self.cos, self.sin = turned[..., :half].contiguous(), turned[..., half:].contiguous()

    def __call__(self, x: Tensor, steps: Tensor) -> Tensor:
        """(…, step, width) turned by its steps' angles."""
        if not self.rotary:
            return x
        first, second = x.unflatten(-1, (self.heads, 2, -1)).unbind(-2)
        cos, sin = self.cos[steps], self.sin[steps]
        turned = torch.stack([first * cos - second * sin, first * sin + second * cos], -2)
        return turned.flatten(-3)


class Patcher:
    """Computes chunks; `changed` says whether any edit so far put another value than was there."""

    def __init__(self, natural: NaturalRuns, tables: Tables):
        self.natural, self.tables, self.changed = natural, tables, False
        self.device = natural.last.device

    def __call__(self, chunk: Chunk) -> Tensor:
        """The last step's logits of the chunk's runs, (run, vocabulary)."""
        runs = self.natural
        x = runs.last[:0]
        for b, plan in chunk.blocks.items():
            x = self._block(runs.layers[b], plan, x, runs.blocks[b])
        x = self._moved(chunk.finish, x, runs.last)
        x = self._edited(x, chunk.last_changes)
        return runs.model.readout(runs.model.norm(x))

    def _block(self, block: Block, plan: BlockPlan, x: Tensor, natural: Natural) -> Tensor:
        """What leaves the block at the steps where it differs, of what entered likewise."""
        changes = lambda stage: plan.changes.get(stage, [])  # noqa: E731
        x = self._edited(self._moved(plan.enter, x, natural.x), changes("input"))
        mixed = self._attention(block, plan, x, natural)
        if natural.mixed is not None:
            mixed = self._moved(plan.mix, mixed, natural.mixed)
        added = self._edited(block.attention.out(self._edited(mixed, changes("mixed"))),
                             changes("attention"))  # fmt: skip
        x = self._moved(plan.add, x, natural.x) + added
        if not changes("hidden") and not changes("mlp"):
            steps, numbers = HIDDEN
            for part in x.split(max(steps, numbers // x.shape[1])):
                part += block.mlp(block.norm2(part))
            return x
        first, activation, *others = block.mlp
        hidden = self._edited(activation(first(block.norm2(x))), changes("hidden"))
        for layer in others:
            hidden = layer(hidden)
        return x + self._edited(hidden, changes("mlp"))

    def _attention(self, block: Block, plan: BlockPlan, x: Tensor, natural: Natural) -> Tensor:
        """Mixtures of values at the steps that attend, (step, width)."""
        if not len(plan.asked_step):
            return x[:0]
        attention, length, turn = block.attention, self.natural.length, self.natural.turn
        changes = lambda stage: plan.changes.get(stage, [])  # noqa: E731
        normed = block.norm1(self._moved(plan.project, x, natural.x))
        steps = self._on(plan.projected_step)
        keys = turn(self._edited(attention.k(normed), changes("k")), steps)
        values = self._edited(attention.v(normed), changes("v"))
        if plan.queried is not None:
            some = self._on(plan.queried)
            normed, steps = normed.index_select(0, some), steps[some]
        queries = turn(self._edited(attention.q(normed), changes("q")), steps)
        queries = self._moved(plan.query, queries, natural.q)
        bases, keyed = self._on(plan.bases), self._on(plan.keyed)
        kept = (
            part.view(-1, length * x.shape[-1]).index_select(0, bases).view(-1, x.shape[-1])
            for part in (natural.k, natural.v)
        )
        k, v = (
            part.index_copy_(0, keyed, new).view(-1, length, x.shape[-1])
            for part, new in zip(kept, (keys, values), strict=True)
        )
        return self._other_weights(self._attended(queries, k, v, plan), v, plan)

    def _attended(self, queries: Tensor, keys: Tensor, values: Tensor, plan: BlockPlan) -> Tensor:
        """Mixtures for queries (step, width) over keys and values (run, step, width)."""
        runs, most = len(keys), int(plan.column.max()) + 1
        width, steps, ragged = queries.shape[1], self._on(plan.asked_step), None
        if runs * most > len(queries):  # runs with fewer queries are filled up: step 0 is asked
            ragged = self._on(plan.row * most + plan.column)
            queries = queries.new_zeros(runs * most, width).index_copy_(0, ragged, queries)
            steps = steps.new_zeros(runs * most).index_copy_(0, ragged, steps)
        reach = torch.arange(keys.shape[1], device=self.device) <= steps.view(runs, 1, most, 1)
        q, k, v = (
            part.view(runs, -1, self.natural.turn.heads, width // self.natural.turn.heads)
            for part in (queries, keys, values)
        )
        mixed = scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=reach
        )
        mixed = mixed.transpose(1, 2).reshape(-1, width)
        return mixed if ragged is None else mixed.index_select(0, ragged)

    def _other_weights(self, mixed: Tensor, values: Tensor, plan: BlockPlan) -> Tensor:
        """`mixed` where heads attend with the weights that edits give them."""
        for change in plan.changes.get("pattern", []):
            assert change.units is not None
            slots, heads = self._on(change.slots), self._on(change.units)[:, 0]
            runs = self._on(plan.row)[slots]
            count = self.natural.turn.heads
            own = values.unflatten(-1, (count, -1))[runs, :, heads]
            new = (self._taken(change)[:, None] @ own)[:, 0]
            parts = mixed.view(len(mixed), count, -1)
            self.changed = self.changed or not torch.allclose(parts[slots, heads], new, atol=1e-6)
            parts[slots, heads] = new
        return mixed

    def _edited(self, values: Tensor, changes: list[Change]) -> Tensor:
        """`values` (step, width), changed in place as the edits say."""
        for change in changes:
            slots, new = self._on(change.slots), self._taken(change)
            at = (slots,) if change.units is None else (slots[:, None], self._on(change.units))
            self.changed = self.changed or not torch.equal(values[at], new)
            values[at] = new
        return values

    def _taken(self, change: Change) -> Tensor:
        """The values of an edit, (step, unit), or the weights (step, step) of one head each."""
        table = self.tables[change.key]
        pairs, steps = self._on(change.pairs), self._on(change.steps)
        if change.taken is None:
            return table.flatten(0, 1).index_select(0, pairs * table.shape[1] + steps)
        if table.dim() == 4:
            return table[pairs, steps, self._on(change.taken)[:, 0]]
        return table[pairs[:, None], steps[:, None], self._on(change.taken)]

    def _moved(self, move: Move, values: Tensor, natural: Tensor) -> Tensor:
        """`values` (step, width) on the new steps, those of the natural run where it has none."""
        if move.taken is not None:
            values = values.index_select(0, self._on(move.taken))
        if move.at is None:
            return values
        kept = natural.index_select(0, self._on(move.natural))
        return kept.index_copy_(0, self._on(move.at), values)

    def _on(self, indices: np.ndarray) -> Tensor:
        return torch.from_numpy(indices).to(self.device)
