"""Where a decoder keeps its parts: one table of module paths for the families that are known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from symscope.evidence import SymscopeError
from symscope.site import Site

End = tuple[str, str]
"""A module's path below a block, and which part of it: "output" or "input"."""


@dataclass(frozen=True)
class Layout:
    """The module paths of a decoder of blocks that read from and add to one residual stream.

    `blocks` is the list of blocks; `embed`, `norm` and `readout` stand outside of them. Within a
    block `attention` and `mlp` are what is added to the stream, `mixed` the heads' mixtures of
    values side by side, `hidden` the MLP's neurons and `down` the layer that reads them, where it
    is not the one whose input they are. `q`, `k` and `v` are the projections, before
    positions are put in; where one module makes all three, `fused` says how they lie in it:
    "thirds" (all queries, all keys, all values) or "heads" (query, key and value of each head in
    turn). `pattern` is a module that returns the attention's weights, if there is one.
    `attention_norm` and `mlp_norm` stand in front of the two; `post_norm`, if there is one, scales
    what the heads write together before it is added. In `parallel` blocks the MLP reads what the
    attention reads instead of what it adds to.

    `heads`, `key_heads` (fewer where several queries share a key), `head_width` and `neurons` are
    numbers of the network at hand; `layout_of` fills them in.
    """

    blocks: str
    embed: str
    norm: str
    readout: str
    q: str
    k: str
    v: str
    mixed: End
    hidden: End
    attention: End = ("self_attn", "output")
    mlp: End = ("mlp", "output")
    down: str = ""
    fused: str = ""
    pattern: str = ""
    attention_norm: str = ""
    mlp_norm: str = ""
    post_norm: str = ""
    parallel: bool = False
    layers: int = 0
    heads: int = 0
    key_heads: int = 0
    head_width: int = 0
    neurons: int = 0

    def sized(self, module: nn.Module) -> "Layout":
        """The same with the numbers of a Hugging Face model, where they are not given.

        Raises `SymscopeError` naming the first path that the module does not have.
        """
        first = f"{self.blocks}.0."
        inside = (self.q, self.k, self.v, *(e[0] for e in (self.mixed, self.hidden)),
                  *(e[0] for e in (self.attention, self.mlp)),
                  *filter(None, (self.attention_norm, self.mlp_norm, self.post_norm)))  # fmt: skip
        outside = (self.blocks, self.embed, self.norm, self.readout)
        for path in (*outside, *(first + p for p in inside)):
            try:
                module.get_submodule(path)
            except AttributeError:
                raise SymscopeError(
                    f"the layout says {path!r} and a {type(module).__name__} has no such module"
                ) from None
        config: Any = getattr(module, "config", None)
        heads = self.heads or int(config.num_attention_heads)
        keys = self.key_heads or int(getattr(config, "num_key_value_heads", None) or heads)
        width = self.head_width or int(
            getattr(config, "head_dim", None) or config.hidden_size // heads
        )
        down: Any = module.get_submodule(first + self.hidden[0])
        neurons = self.neurons or int(getattr(down, "in_features", 0) or down.weight.shape[0])
        layers = len(list(module.get_submodule(self.blocks).children()))
        parallel = bool(getattr(config, "use_parallel_residual", self.parallel))
        return replace(self, layers=layers, heads=heads, key_heads=keys, head_width=width,
                       neurons=neurons, parallel=parallel)  # fmt: skip

    def site(self, layer: int, kind: str, column: int | None = None) -> Site:
        """The place of a kind in one block; `column` is the head, or the neuron.

        Raises `SymscopeError` for a kind that this layout does not have.
        """
        block = f"{self.blocks}.{layer}"
        if kind == "residual":
            return Site(block, "input")
        if kind in ("q", "k", "v"):
            return self._projected(block, kind, column)
        if kind == "pattern" and not self.pattern:
            raise SymscopeError("this network does not tell its attention weights: no 'pattern'")
        path, part = {"attention": self.attention, "head": self.mixed, "mlp": self.mlp,
                      "neuron": self.hidden, "pattern": (self.pattern, "output")}[kind]  # fmt: skip
        module = f"{block}.{path}"
        if column is None:
            return Site(module, part)
        if kind == "neuron":
            return Site(module, part, units=(column,))
        return Site(module, part, head=(column, self.heads))

    def columns(self, kind: str) -> int:
        """How many heads or neurons of a kind there are in a block; 0 where it has none."""
        return {"head": self.heads, "pattern": self.heads, "q": self.heads, "k": self.key_heads,
                "v": self.key_heads, "neuron": self.neurons}.get(kind, 0)  # fmt: skip

    def _projected(self, block: str, kind: str, column: int | None) -> Site:
        module, count = f"{block}.{getattr(self, kind)}", self.columns(kind)
        if not self.fused:
            return Site(module, head=None if column is None else (column, count))
        width, which = self.head_width, "qkv".index(kind)
        heads = range(count) if column is None else [column]
        start = [
            which * self.heads * width + h * width if self.fused == "thirds"
            else (3 * h + which) * width
            for h in heads
        ]  # fmt: skip
        return Site(module, units=tuple(s + i for s in start for i in range(width)))


_LLAMA = Layout(
    blocks="model.layers", embed="model.embed_tokens", norm="model.norm", readout="lm_head",
    q="self_attn.q_proj", k="self_attn.k_proj", v="self_attn.v_proj",
    mixed=("self_attn.o_proj", "input"), attention=("self_attn.o_proj", "output"),
    hidden=("mlp.down_proj", "input"),
    attention_norm="input_layernorm", mlp_norm="post_attention_layernorm",
)  # fmt: skip
_GEMMA_2 = replace(
    _LLAMA, attention=("post_attention_layernorm", "output"),
    mlp=("post_feedforward_layernorm", "output"), mlp_norm="pre_feedforward_layernorm",
    post_norm="post_attention_layernorm",
)  # fmt: skip
_GPT2 = Layout(
    blocks="transformer.h", embed="transformer.wte", norm="transformer.ln_f", readout="lm_head",
    q="attn.c_attn", k="attn.c_attn", v="attn.c_attn", fused="thirds",
    mixed=("attn.c_proj", "input"), attention=("attn.c_proj", "output"),
    hidden=("mlp.c_proj", "input"), attention_norm="ln_1", mlp_norm="ln_2",
)  # fmt: skip
FAMILIES: Mapping[str, Layout] = {
    "llama": _LLAMA, "mistral": _LLAMA, "qwen2": _LLAMA, "qwen3": _LLAMA, "gemma": _LLAMA,
    "gemma2": _GEMMA_2, "gemma3_text": _GEMMA_2,
    "gpt2": _GPT2,
    "gptj": replace(
        _GPT2, q="attn.q_proj", k="attn.k_proj", v="attn.v_proj", fused="",
        mixed=("attn.out_proj", "input"), attention=("attn.out_proj", "output"),
        hidden=("mlp.fc_out", "input"), mlp_norm="ln_1", parallel=True,
    ),
    "gpt_neox": Layout(
        blocks="gpt_neox.layers", embed="gpt_neox.embed_in", norm="gpt_neox.final_layer_norm",
        readout="lm_head", q="attention.query_key_value", k="attention.query_key_value",
        v="attention.query_key_value", fused="heads", mixed=("attention.dense", "input"),
        attention=("attention.dense", "output"), hidden=("mlp.dense_4h_to_h", "input"),
        attention_norm="input_layernorm", mlp_norm="post_attention_layernorm", parallel=True,
    ),
}  # fmt: skip
"""Hugging Face's `model_type` → module paths of its own classes."""


def layout_of(module: nn.Module) -> Layout | None:
    """The layout of a module that says its own, or of one of the `FAMILIES`; else None."""
    own = getattr(module, "layout", None)
    if isinstance(own, Layout):
        return own
    config = getattr(module, "config", None)
    known = FAMILIES.get(getattr(config, "model_type", ""))
    return None if known is None else known.sized(module)
