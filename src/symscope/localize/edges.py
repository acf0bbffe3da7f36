"""The edge view of a transformer: what each head and MLP hands to each input of a later one.

Nodes are "embed" (token and position), heads "l.h", MLPs "mlp l" and "logits"; an edge goes from a
sender to one input of a receiver: "l.h.q", "l.h.k", "l.h.v", "mlp l" or "logits". The residual
stream is a sum, so what a receiver reads is the sum of its edges, and each can be exchanged apart
(Elhage et al., 2021; Goldowsky-Dill et al., 2023).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from symscope.evidence import SymscopeError
from symscope.models.transformer import Block, Transformer, rotate
from symscope.network import Network

Edge = tuple[str, str]
"""Sender and receiver's input; a circuit is a set of them."""
PAIRS_AT_ONCE = 16
"""What a run holds at once, (pair, step, sender, width), is best when not much above a cache."""
Meet = Callable[[int, Tensor, list[Tensor]], Tensor]
"""What a group of receivers reads, given its number, the residual stream and what was written."""


def transformer_of(network: Network) -> Transformer:
    """The module, if it has edges; raises `SymscopeError` for another than `Transformer`."""
    if not isinstance(network.module, Transformer):
        raise SymscopeError(
            f"a {type(network.module).__name__} has no edges symscope knows;"
            " edges are those of symscope.models.transformer.Transformer"
        )
    return network.module


def blocks_of(model: Transformer) -> list[Block]:
    """The blocks in order."""
    return cast("list[Block]", list(model.blocks))


def senders(model: Transformer) -> list[str]:
    """What writes to the residual stream, in order: "embed", then each block's heads and MLP."""
    found = ["embed"]
    for layer, block in enumerate(blocks_of(model)):
        found += [f"{layer}.{head}" for head in range(block.attention.heads)] + [f"mlp {layer}"]
    return found


def receivers(model: Transformer) -> list[list[str]]:
    """What reads it, in order, grouped by what reads the same sum: heads, MLP, …, logits."""
    found = []
    for layer, block in enumerate(blocks_of(model)):
        heads = range(block.attention.heads)
        found += [[f"{layer}.{head}.{part}" for part in "qkv" for head in heads], [f"mlp {layer}"]]
    return [*found, ["logits"]]


def node(receiver: str) -> str:
    """The node an input belongs to: "1.0" for "1.0.q"."""
    return receiver.rsplit(".", 1)[0] if receiver.count(".") == 2 else receiver


def earlier(model: Transformer) -> list[int]:
    """How many of the senders come before each group of receivers."""
    found, count = [], 1
    for block in blocks_of(model):
        found += [count, count + block.attention.heads]
        count += block.attention.heads + 1
    return [*found, count]


def edges(network: Network) -> list[Edge]:
    """Every edge, in the order of its receivers."""
    model = transformer_of(network)
    names = senders(model)
    return [
        (sender, receiver)
        for group, count in zip(receivers(model), earlier(model), strict=True)
        for receiver in group
        for sender in names[:count]
    ]


def run_edges(
    network: Network, base: Tensor, source: Tensor, patched: Iterable[Edge],
    steps: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Logits at the last step (pair, vocabulary) of the base, `patched` edges from the source.

    Each receiver reads the sum of what its senders hand it: in this run, or, over a patched edge,
    in the natural run on `source`. LayerNorm is computed anew on the sum; the output projection's
    bias belongs to no head and is counted once. With `steps` (pair, step) an edge is patched where
    they are true alone. With no edge patched this is the run on `base`, with all on `source`.
    Raises `UnknownName` for an edge that is not there.
    """
    return edge_runs(network, base, source, steps)(patched)


def edge_runs(
    network: Network, base: Tensor, source: Tensor, steps: Tensor | None = None
) -> Callable[[Iterable[Edge]], Tensor]:
    """`run_edges` for several sets of edges: what the source hands over is computed once."""
    model = transformer_of(network)
    require_aligned(base, source)
    chunks = torch.arange(len(base)).split(PAIRS_AT_ONCE)
    given = [contributions(model, source[rows]) for rows in chunks]

    @torch.no_grad()
    def run(patched: Iterable[Edge]) -> Tensor:
        masks = _masks(model, frozenset(patched))
        found = []
        for rows, other in zip(chunks, given, strict=True):
            where = None if steps is None else steps[rows]
            found.append(_run(model, base[rows], other, masks, where))
        return torch.cat(found)

    return run


def path_patched(
    network: Network, base: Tensor, source: Tensor, sender: str, receivers: Sequence[str]
) -> Tensor:
    """Logits at the last step when `receivers` read `sender` as it is on the source.

    Path patching (Wang et al., 2023) of direct edges only: the receivers, and all that follows
    them, are computed anew. Departure: there, a path may also lead through the MLPs between the
    two; name these edges too in `run_edges` where that is meant.
    """
    return run_edges(network, base, source, [(sender, receiver) for receiver in receivers])


def require_aligned(base: Tensor, source: Tensor) -> None:
    """Raise `SymscopeError` unless the pairs are inputs of the same shape."""
    if base.shape != source.shape:
        raise SymscopeError(
            f"base is {tuple(base.shape)} and source {tuple(source.shape)}:"
            " an edge joins the same steps of both, give inputs of one length"
        )


@torch.no_grad()
def contributions(model: Transformer, tokens: Tensor) -> Tensor:
    """What each sender writes in the natural run, (pair, step, sender, width)."""
    written, _ = forward(model, embedded(model, tokens), lambda _, x, __: x[:, :, None])
    return torch.cat(written, 2)


def embedded(model: Transformer, tokens: Tensor) -> Tensor:
    """What "embed" writes, (pair, step, width): the token's vector and its position's."""
    x = model.embed(tokens)
    return x if model.place is None else x + model.place.weight[: tokens.shape[1]]


def forward(model: Transformer, x: Tensor, meet: Meet) -> tuple[list[Tensor], Tensor]:
    """What the senders write, (pair, step, sender, width) per group, and the last step's logits.

    `meet(group, x, written)` says what each receiver of a group reads, (pair, step, receiver,
    width); one vector is enough where all read the same.
    """
    written = [x[:, :, None]]
    for layer, block in enumerate(blocks_of(model)):
        written.append(_heads(block, meet(2 * layer, x, written)))
        x = x + written[-1].sum(2) + block.attention.out.bias
        written.append(block.mlp(block.norm2(meet(2 * layer + 1, x, written))))
        x = x + written[-1][:, :, 0]
    final = meet(2 * len(model.blocks), x, written)[:, -1, 0]
    return written, model.readout(model.norm(final))


def _heads(block: Block, read: Tensor) -> Tensor:
    """What each head writes, (pair, step, head, width), from what its inputs read."""
    attention = block.attention
    heads, seen = attention.heads, block.norm1(read)
    seen = seen.expand(-1, -1, 3 * heads, -1) if seen.shape[2] == 1 else seen
    layers = (attention.q, attention.k, attention.v)
    q, k, v = (
        torch.einsum("bthd,hed->bthe", part, layer.weight.unflatten(0, (heads, -1)))
        + layer.bias.unflatten(0, (heads, -1))
        for part, layer in zip(seen.split(heads, 2), layers, strict=True)
    )
    if attention.rotary:
        at = torch.arange(read.shape[1], device=read.device)
        q, k = rotate(q, at), rotate(k, at)
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    mixed = scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
    return torch.einsum("bthe,dhe->bthd", mixed, attention.out.weight.unflatten(1, (heads, -1)))


def _masks(model: Transformer, patched: frozenset[Edge]) -> list[Tensor]:
    """Which edges are patched, (receiver, sender) per group; raises for one that is not there."""
    names, groups = senders(model), receivers(model)
    masks = [
        torch.tensor([[float((s, r) in patched) for s in names[:count]] for r in group])
        for group, count in zip(groups, earlier(model), strict=True)
    ]
    if sum(int(mask.sum()) for mask in masks) < len(patched):
        known = {(s, r) for g, c in zip(groups, earlier(model), strict=True)
                 for r in g for s in names[:c]}  # fmt: skip
        raise SymscopeError(
            f"no edge {next(iter(patched - known))}: an edge goes from one of {', '.join(names)}"
            f" to a later one of {', '.join(r for g in groups for r in g)}"
        )
    return masks


def _run(
    model: Transformer, base: Tensor, given: Tensor, masks: list[Tensor], steps: Tensor | None
) -> Tensor:
    """Logits of a run in which masked edges hand over what is `given` (pair, step, sender, …)."""

    change, counts = given.clone(), [0, *earlier(model)]
    if steps is not None:
        change *= steps[:, :, None, None]

    def meet(group: int, x: Tensor, written: list[Tensor]) -> Tensor:
        start, stop = counts[group : group + 2]
        new = written[-1] if steps is None else written[-1] * steps[:, :, None, None]
        change[:, :, start:stop] -= new  # in place: a copy per group costs more than all else
        mask = masks[group].to(x)
        if not mask.any():
            return x[:, :, None]
        return x[:, :, None] + mask @ change[:, :, :stop]

    return forward(model, embedded(model, base), meet)[1]
