"""A small decoder-only transformer, pre-norm or without, with rotary positions, learned or none."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, scaled_dot_product_attention, silu

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.layout import Layout

LAYOUT = Layout(
    blocks="blocks", embed="embed", norm="norm", readout="readout", q="attention.q",
    k="attention.k", v="attention.v", mixed=("attention.out", "input"),
    hidden=("mlp.1", "output"), down="mlp.2", attention=("attention", "output"),
    pattern="attention.pattern", attention_norm="norm1", mlp_norm="norm2",
)  # fmt: skip


def rotate(x: Tensor, at: Tensor, base: float = 10_000.0) -> Tensor:
    """Rotary positions (Su et al., 2021) on (batch, step, head, width), halves paired.

    `at` holds the position of each step, (step,) or (batch, step).
    """
    half = x.shape[-1] // 2
    rates = base ** (-torch.arange(half, device=x.device, dtype=x.dtype) / half)
    angles = (at[..., None] * rates)[..., None, :]
    cos, sin = angles.cos(), angles.sin()
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


class Pattern(nn.Module):
    """How much each step attends to each earlier one: softmax(q·k/√d), causal."""

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        """Queries and keys (batch, head, step, width) → weights (batch, head, step, step)."""
        strength = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        steps = torch.arange(q.shape[2], device=q.device)
        return strength.masked_fill(steps > steps[:, None], -torch.inf).softmax(-1)


class Attention(nn.Module):
    """Causal self-attention; each head's mixture of values is the input of `out`.

    The weights, at the site `pattern`, are computed apart where someone looks at them or edits
    them; torch's own attention, which is faster, does not tell them.
    """

    def __init__(self, width: int, heads: int, rotary: bool):
        super().__init__()
        self.heads, self.rotary = heads, rotary
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.pattern = Pattern()
        self.out = nn.Linear(width, width)

    def project(self, x: Tensor, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of vectors at the positions `at`, (…, head, width)."""
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)) for layer in (self.q, self.k, self.v))
        return (rotate(q, at), rotate(k, at), v) if self.rotary else (q, k, v)

    def forward(self, x: Tensor, at: Tensor | None = None, seen: Tensor | None = None) -> Tensor:
        """(batch, step, width) → the same; `seen` (step, step) says what is attended to."""
        at = torch.arange(x.shape[1], device=x.device) if at is None else at
        q, k, v = (part.transpose(1, 2) for part in self.project(x, at))
        watched = self.pattern._forward_hooks or self.pattern._forward_pre_hooks
        mixed = (
            self.pattern(q, k) @ v if watched
            else scaled_dot_product_attention(q, k, v, seen, is_causal=seen is None)
        )  # fmt: skip
        return self.out(mixed.transpose(1, 2).flatten(2))


def _norm(width: int, norm: bool) -> nn.Module:
    return nn.LayerNorm(width) if norm else nn.Identity()


class Gated(nn.Module):
    """silu(gate) · up, of the two halves of what it is given (Shazeer, 2020)."""

    def forward(self, x: Tensor) -> Tensor:
        """(…, 2 · hidden) → (…, hidden)."""
        gate, up = x.chunk(2, -1)
        return silu(gate) * up


ACTIVATIONS = {"gelu": nn.GELU, "relu": nn.ReLU, "gated": Gated}


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)) with a hidden width of four times the width."""

    def __init__(  # the form of a block, all of it
        self, width: int, heads: int, rotary: bool, norm: bool = True, dropout: float = 0.0,
        activation: str = "gelu",
    ):  # fmt: skip
        super().__init__()
        self.dropout = dropout
        self.norm1, self.norm2 = _norm(width, norm), _norm(width, norm)
        self.attention = Attention(width, heads, rotary)
        inner = 4 * width
        first = nn.Linear(width, inner * (2 if activation == "gated" else 1))
        self.mlp = nn.Sequential(first, ACTIVATIONS[activation](), nn.Linear(inner, width))

    def forward(self, x: Tensor, at: Tensor | None = None, seen: Tensor | None = None) -> Tensor:
        """(batch, step, width) → the same."""
        x = x + self._dropped(self.attention(self.norm1(x), at, seen))
        return x + self._dropped(self.mlp(self.norm2(x)))

    def _dropped(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, self.training) if self.dropout else x


class Transformer(nn.Module):
    """Next-token logits, (batch, step) → (batch, step, vocabulary).

    `positions` is "rope", "none", or "learned" for up to `length` of them; without `norm` there is
    no LayerNorm. Layer l's output, the residual stream, is at `Site("blocks.l")`, counted from 0.
    Sequences are padded on the right only. In training, `dropout` is the share of each block's two
    additions that is set to 0. `activation` is "gelu", "relu" or "gated" (SwiGLU).
    """

    def __init__(  # nine parameters: the form of the network, all of it
        self, vocabulary: int, width: int, layers: int = 2, heads: int = 1,
        positions: str = "rope", norm: bool = True, length: int = 0, dropout: float = 0.0,
        activation: str = "gelu",
    ):  # fmt: skip
        super().__init__()
        if activation not in ACTIVATIONS:
            raise UnknownName("activation", activation, ACTIVATIONS)
        rotary = {"rope": True, "none": False, "learned": False}.get(positions)
        if rotary is None:
            raise SymscopeError(f"positions {positions!r}: there is 'rope', 'learned' and 'none'")
        if (positions == "learned") != (length > 0):
            raise SymscopeError("learned positions need a length, the most there can be")
        if width % heads or (rotary and width // heads % 2):
            raise SymscopeError(f"width {width} does not make {heads} heads of an even width")
        self.embed = nn.Embedding(vocabulary, width)
        self.place = nn.Embedding(length, width) if length else None
        self.blocks = nn.ModuleList(
            Block(width, heads, rotary, norm, dropout, activation) for _ in range(layers)
        )
        self.norm = _norm(width, norm)
        self.readout = nn.Linear(width, vocabulary)

    @property
    def layout(self) -> Layout:
        """Where its parts are."""
        attention = cast(Block, self.blocks[0]).attention
        width = self.embed.embedding_dim
        return replace(LAYOUT, layers=len(self.blocks), heads=attention.heads,
                       key_heads=attention.heads, head_width=width // attention.heads,
                       neurons=4 * width)  # fmt: skip

    def hidden(self, tokens: Tensor) -> Tensor:
        """What `readout` reads, step by step, (batch, step, width)."""
        x = self.embed(tokens)
        if self.place is not None:
            x = x + self.place.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits at every step."""
        return self.readout(self.hidden(tokens))

    def branched(self, trunk: Tensor, branches: Tensor) -> tuple[Tensor, Tensor]:
        """What `readout` reads, on a trunk (batch, step) and after it on each of its branches.

        `branches` (batch, branch, step) are continuations that do not see each other; each comes
        out as if it stood alone after the trunk: (batch, branch, step, width). The trunk is run
        once. Not for learned positions.
        """
        assert self.place is None
        length, (count, each) = trunk.shape[1], branches.shape[1:]
        device = trunk.device
        at = torch.cat([torch.arange(length), length + torch.arange(each).repeat(count)])
        owner = torch.cat([torch.full((length,), -1), torch.arange(count).repeat_interleave(each)])
        seen = (at[:, None] >= at) & ((owner == -1) | (owner[:, None] == owner))
        at, seen = at.to(device), seen.to(device)
        x = self.embed(torch.cat([trunk, branches.flatten(1)], 1))
        for block in self.blocks:
            x = block(x, at, seen)
        x = self.norm(x)
        return x[:, :length], x[:, length:].unflatten(1, (count, each))

    def resumed(
        self, block: int, natural: Tensor, steps: Tensor, scored: Tensor
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """What follows when `block`'s output at one step of each sample is replaced.

        `natural` (sample, step, width) is that output as it was, `steps` (sample,) say where it
        is replaced, `scored` (sample, step) where logits are wanted. The function returned takes
        the new vectors and the samples they belong to, and gives logits (scored steps,
        vocabulary). Only steps from the replaced one on are computed; keys and values of earlier
        ones are kept from the natural run.
        """
        following = cast("list[Block]", list(self.blocks)[block + 1 :])
        return _Tail(self, following, natural, steps, scored)


class _Tail:
    """The steps from a replaced one on, aligned on the left, through the blocks that follow."""

    def __init__(
        self, model: Transformer, blocks: list[Block], natural: Tensor, steps: Tensor,
        scored: Tensor,
    ):  # fmt: skip
        self.model, self.blocks, self.steps = model, blocks, steps
        length = natural.shape[1]
        order = torch.arange(length, device=natural.device)
        last = torch.maximum((scored * order).amax(1), steps)
        self.at = (steps[:, None] + order).clamp(max=length - 1)
        self.used = steps[:, None] + order <= last[:, None]
        self.scored = scored.gather(1, self.at) & self.used
        self.vectors = natural.gather(1, self.at[..., None].expand_as(natural))
        self.kept = []
        with torch.no_grad():
            for block in blocks:
                _, keys, values = block.attention.project(block.norm1(natural), order)
                self.kept.append((keys, values))
                natural = block(natural)

    def __call__(self, vectors: Tensor, rows: Tensor) -> Tensor:
        used = self.used[rows]
        most = int(used.sum(1).max())
        used, at = used[:, :most], self.at[rows, :most]
        x = torch.cat([vectors[:, None], self.vectors[rows, 1:most]], dim=1)[used]
        for block, (keys, values) in zip(self.blocks, self.kept, strict=True):
            mixed = self._attend(block, x, used, at, keys[rows], values[rows])
            x = x + block.attention.out(mixed)
            x = x + block.mlp(block.norm2(x))
        return self.model.readout(self.model.norm(x[self.scored[rows, :most][used]]))

    def _attend(
        self, block: Block, x: Tensor, used: Tensor, at: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Mixtures of values for the used steps, (used steps, width)."""
        row, column = used.nonzero(as_tuple=True)
        q, k, v = block.attention.project(block.norm1(x)[:, None], at[used][:, None])
        keys = keys.index_put((row, at[used]), k[:, 0])
        values = values.index_put((row, at[used]), v[:, 0])
        queries = q.new_zeros(*used.shape, *q.shape[2:]).index_put((row, column), q[:, 0])
        reach = torch.arange(keys.shape[1], device=x.device) <= at[..., None]
        mixed = scaled_dot_product_attention(
            queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2),
            attn_mask=reach[:, None],
        )  # fmt: skip
        return mixed.transpose(1, 2)[row, column].flatten(1)
