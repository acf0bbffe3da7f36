"""The edge view of any decoder whose layout is known: its own forward runs, with hooks.

What each head's queries, keys and values read goes through the norm in front and the head's rows
of the projection, and stands for the projection's output; the sum that the MLP reads stands for
the input of its norm. All else is the model's own: positions, norms of queries and keys, masks.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from symscope.causal_model import Edit
from symscope.evidence import SymscopeError
from symscope.layout import Layout
from symscope.localize.edge_view import EdgeView, Meet
from symscope.localize.places import layout_in
from symscope.network import Network, NothingChanged
from symscope.site import Site


def by_hooks(network: Network) -> EdgeView:
    """Its nodes, and its run. Raises `SymscopeError` where the layout does not say enough.

    "embed" writes what enters the first block, learned positions and scales included. Sums are
    in float32 or finer, whatever the model computes in.
    """
    layout = layout_in(network)
    if not (layout.attention_norm and layout.mlp_norm):
        raise SymscopeError(
            "edges need to know what each input reads: give the layout its attention_norm and"
            " mlp_norm, the modules in front of a block's attention and MLP"
        )
    run = partial(_forward, network, layout)
    joint = bool(layout.post_norm)
    return EdgeView(layout.layers, layout.heads, layout.key_heads, layout.parallel, joint, run)


def _forward(
    network: Network, layout: Layout, tokens: Tensor, meet: Meet, start: Tensor | None = None
) -> tuple[list[Tensor], Tensor]:
    edits = _Edits(network, layout, meet)
    do: dict[Site, Edit] = {Site(layout.norm, "input"): edits.before_logits}
    for layer in range(layout.layers):
        do |= edits.of_block(layer, None if layer else start)
    with warnings.catch_warnings(), _at_the_last_step(network.modules[layout.readout]):
        warnings.simplefilter("ignore", NothingChanged)  # most edits only look
        logits = network.run(tokens, do=do).output
    return edits.written, logits[:, -1]


@contextmanager
def _at_the_last_step(readout: nn.Module) -> Iterator[None]:
    """Logits of the last step alone: at every step a large vocabulary costs as much as blocks."""
    handle = readout.register_forward_pre_hook(lambda _, args: (args[0][:, -1:], *args[1:]))
    try:
        yield
    finally:
        handle.remove()


class _Edits:
    """What is read and replaced in one run, and what was written so far."""

    def __init__(self, network: Network, layout: Layout, meet: Meet):
        self.modules: Mapping[str, Any] = network.modules
        self.layout, self.meet, self.group = layout, meet, 0
        self.written: list[Tensor] = []
        self.new: dict[str, Tensor] = {}  # written since the last group of receivers
        self.projected: dict[str, Tensor] = {}
        self.for_mlp = torch.empty(0)  # what a block's MLP reads, where it reads with the heads

    def of_block(self, layer: int, start: Tensor | None) -> dict[Site, Edit]:
        """Every edit in one block, in the order in which they fire."""
        layout, block = self.layout, f"{self.layout.blocks}.{layer}"
        edits: dict[Site, Edit] = {
            layout.site(layer, "residual"): partial(self._enter, layer, start),
            **{layout.site(layer, part): partial(self._project, part) for part in "qkv"},
            layout.site(layer, "head"): partial(self._heads_write, layer),
            Site(f"{block}.{layout.mlp_norm}", "input"): self._mlp_reads,
            layout.site(layer, "mlp"): self._mlp_writes,
        }
        if layout.post_norm:
            unscaled: list[Tensor] = []
            post = f"{block}.{layout.post_norm}"
            edits[Site(post, "input")] = partial(_keep, unscaled)
            edits[Site(post)] = partial(self._heads_are_scaled, unscaled)
        return edits

    def before_logits(self, x: Tensor) -> Tensor:
        """What the last norm reads."""
        return self._met(x, 1)[:, :, 0].to(x.dtype)

    def _met(self, x: Tensor, receivers: int) -> Tensor:
        """What a group of receivers reads, each its own vector."""
        if not self.written:
            self.new["embed"] = _wide(x)[:, :, None]
        since = [self.new.pop(who) for who in ("embed", "heads", "mlp") if who in self.new]
        self.written.append(since[0] if len(since) == 1 else torch.cat(since, 2))
        read = self.meet(self.group, _wide(x), self.written)
        self.group += 1
        return read.expand(-1, -1, receivers, -1)

    def _enter(self, layer: int, start: Tensor | None, x: Tensor) -> Tensor:
        """At a block's input: its queries, keys and values from what each of them reads."""
        layout = self.layout
        x = x if start is None else start.to(x.dtype)
        counts = [layout.columns(part) for part in "qkv"]
        read = self._met(x, sum(counts) + layout.parallel).to(x.dtype)
        if layout.parallel:
            self.for_mlp = read[:, :, -1]
        norm = self._in_block(layer, layout.attention_norm)
        seen = norm.forward(read[:, :, : sum(counts)])  # no hook of this run fires on it
        for part, vectors in zip("qkv", seen.split(counts, 2), strict=True):
            weight, bias = self._rows(layer, part)
            new = torch.einsum("bthd,hed->bthe", vectors, weight)
            self.projected[part] = (new if bias is None else new + bias).flatten(2)
        return x

    def _project(self, part: str, _: Tensor) -> Tensor:
        return self.projected.pop(part)

    def _heads_write(self, layer: int, mixed: Tensor) -> Tensor:
        """At the input of the output projection: each head's share of it, without the bias."""
        weight, _ = _weight_and_bias(self._in_block(layer, self.layout.mixed[0]))
        weight, parts = (y.unflatten(-1, (self.layout.heads, -1)) for y in (weight, mixed))
        self.new["heads"] = torch.einsum("bthe,dhe->bthd", _wide(parts), _wide(weight))
        return mixed

    def _heads_are_scaled(self, unscaled: list[Tensor], scaled: Tensor) -> Tensor:
        """After a norm of the heads' sum: with its scale in this run, it is linear in each head."""
        before, after = _wide(unscaled.pop()), _wide(scaled)
        scale = torch.where(before == 0, 0, after / before)
        self.new["heads"] = self.new["heads"] * scale[:, :, None]
        return scaled

    def _mlp_reads(self, x: Tensor) -> Tensor:
        """At the input of the MLP's norm.

        In GPT-J the attention has the same norm. What it then sees is not used: its queries, keys
        and values are replaced.
        """
        read = self.for_mlp if self.layout.parallel else self._met(x, 1)[:, :, 0]
        return read.to(x.dtype)

    def _mlp_writes(self, x: Tensor) -> Tensor:
        self.new["mlp"] = _wide(x)[:, :, None]
        return x

    def _rows(self, layer: int, part: str) -> tuple[Tensor, Tensor | None]:
        """One projection's weight (head, head's width, width) and bias (head, head's width)."""
        site, heads = self.layout.site(layer, part), self.layout.columns(part)
        weight, bias = _weight_and_bias(self.modules[site.module])
        if site.units is not None:
            rows = list(site.units)
            weight, bias = weight[rows], None if bias is None else bias[rows]
        bias = None if bias is None else bias.unflatten(0, (heads, -1))
        return weight.unflatten(0, (heads, -1)), bias

    def _in_block(self, layer: int, path: str) -> Any:
        return self.modules[f"{self.layout.blocks}.{layer}.{path}"]


def _keep(where: list[Tensor], value: Tensor) -> Tensor:
    where.append(value)
    return value


def _wide(x: Tensor) -> Tensor:
    """Sums over hundreds of senders are not kept in half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _weight_and_bias(layer: Any) -> tuple[Tensor, Tensor | None]:
    """Weight (out, in) and bias; GPT-2's Conv1D has its weight the other way round."""
    if isinstance(layer, nn.Linear):
        return layer.weight, layer.bias
    if type(layer).__name__ == "Conv1D":
        return layer.weight.T, layer.bias
    raise SymscopeError(
        f"a {type(layer).__name__} does not say which of its weights are which head's;"
        " edges know nn.Linear and transformers' Conv1D"
    )
