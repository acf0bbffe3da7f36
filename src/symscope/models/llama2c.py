"""Llama checkpoints in the file format of llama2.c (Karpathy, 2023), as transformers' own class.

A file is seven int32 (width, hidden, layers, heads, key heads, vocabulary, context), then float32:
the embedding; of all layers each of attention norm, q, k, v, out, MLP norm, gate, down, up; the
last norm; two tables of rotary positions, which are not read. The readout is the embedding.
"""

import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.extras import needed
from symscope.files import regular

HEADER = struct.Struct("7i")


def load_llama2c(path: Path) -> nn.Module:
    """A `LlamaForCausalLM` in evaluation mode; raises `SymscopeError` for a file that is cut off.

    llama2.c rotates adjacent pairs of a head's units, transformers the two halves: rows of q and k
    are put in that order.
    """
    transformers = needed("transformers", "a llama2.c checkpoint")
    regular(path, "checkpoint")
    data = Path(path).read_bytes()
    if len(data) < HEADER.size:
        raise SymscopeError(f"{path} is no llama2.c checkpoint: {len(data)} bytes")
    header = width, hidden, layers, heads, key_heads, vocabulary, context = HEADER.unpack_from(data)
    if min(*header[:5], abs(vocabulary), context) < 1 or width % heads or heads % key_heads:
        raise SymscopeError(f"{path} is no llama2.c checkpoint: its header says {header}")
    config = transformers.LlamaConfig(
        hidden_size=width, intermediate_size=hidden, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=key_heads, vocab_size=abs(vocabulary),
        max_position_embeddings=context, rms_norm_eps=1e-5, tie_word_embeddings=vocabulary > 0,
        bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    whole = (len(data) - HEADER.size) // 4
    values = torch.from_numpy(np.frombuffer(data, np.float32, whole, HEADER.size).copy())
    given = _named(values, config, path)  # before memory is taken for what the header says
    module: nn.Module = transformers.LlamaForCausalLM(config)
    missing, extra = module.load_state_dict(given, strict=False)
    assert not extra and set(missing) <= {"lm_head.weight"}, (missing, extra)
    return module.eval()


def _named(values: Tensor, config: object, path: Path) -> dict[str, Tensor]:
    """The file's numbers under the names of transformers."""
    c, at = vars(config), 0
    width, layers = c["hidden_size"], c["num_hidden_layers"]
    each = width // c["num_attention_heads"]
    keys = each * c["num_key_value_heads"]

    def take(*shape: int) -> Tensor:
        nonlocal at
        size = int(np.prod(shape))
        if at + size > len(values):
            raise SymscopeError(f"{path} is cut off: it has {len(values)} numbers and needs more")
        at += size
        return values[at - size : at].view(shape)

    found = {"model.embed_tokens.weight": take(c["vocab_size"], width)}
    shapes = {
        "input_layernorm": (width,), "self_attn.q_proj": (width, width),
        "self_attn.k_proj": (keys, width), "self_attn.v_proj": (keys, width),
        "self_attn.o_proj": (width, width), "post_attention_layernorm": (width,),
        "mlp.gate_proj": (c["intermediate_size"], width),
        "mlp.down_proj": (width, c["intermediate_size"]),
        "mlp.up_proj": (c["intermediate_size"], width),
    }  # fmt: skip
    for name, shape in shapes.items():
        for layer, weight in enumerate(take(layers, *shape)):
            if name.endswith(("q_proj", "k_proj")):
                weight = weight.view(-1, each // 2, 2, width).transpose(1, 2).reshape(shape)
            found[f"model.layers.{layer}.{name}.weight"] = weight
    found["model.norm.weight"] = take(width)
    return found


def vocabulary(path: Path) -> list[bytes]:
    """The tokens of a llama2.c tokenizer file: the longest's length, then score, length, bytes."""
    regular(path)
    data, at, found = Path(path).read_bytes(), 4, []
    while at < len(data):
        length = struct.unpack_from("i", data, at + 4)[0] if at + 8 <= len(data) else -1
        if not 0 <= length <= len(data) - at - 8:
            raise SymscopeError(f"{path} is no llama2.c tokenizer, or is cut off: at byte {at}")
        found.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    return found
