"""The edge view of symscope's own transformer, computed directly: the fast form of the hooks'."""

from functools import partial
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from symscope.evidence import SymscopeError
from symscope.localize.edge_view import EdgeView, Meet
from symscope.models.transformer import Block, Transformer, rotate
from symscope.network import Network


def transformer_of(network: Network) -> Transformer:
    """The module, if it is a `Transformer`; raises `SymscopeError` for another."""
    if not isinstance(network.module, Transformer):
        raise SymscopeError(
            f"a {type(network.module).__name__} is no symscope.models.transformer.Transformer,"
            " and this reads the parts of one"
        )
    return network.module


def blocks_of(model: Transformer) -> list[Block]:
    """The blocks in order."""
    return cast("list[Block]", list(model.blocks))


def of_transformer(model: Transformer) -> EdgeView:
    """Its nodes, and its run."""
    layout = model.layout
    return EdgeView(
        layout.layers, layout.heads, layout.key_heads, False, False, partial(_forward, model)
    )


def _forward(
    model: Transformer, tokens: Tensor, meet: Meet, start: Tensor | None = None
) -> tuple[list[Tensor], Tensor]:
    x = _embedded(model, tokens) if start is None else start
    written = [x[:, :, None]]
    for layer, block in enumerate(blocks_of(model)):
        written.append(_heads(block, meet(2 * layer, x, written)))
        x = x + written[-1].sum(2) + block.attention.out.bias
        written.append(block.mlp(block.norm2(meet(2 * layer + 1, x, written))))
        x = x + written[-1][:, :, 0]
    final = meet(2 * len(model.blocks), x, written)[:, -1, 0]
    return written, model.readout(model.norm(final))


def _embedded(model: Transformer, tokens: Tensor) -> Tensor:
    """What "embed" writes, (pair, step, width): the token's vector and its position's."""
    x = model.embed(tokens)
    return x if model.place is None else x + model.place.weight[: tokens.shape[1]]


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
