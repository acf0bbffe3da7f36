"""The same network for TransformerLens, which reads one from Hugging Face's files only."""

import tempfile
from typing import Any, cast

import torch
from torch import nn

from symscope.models.transformer import Block, Transformer


def bridged(model: Any) -> Any:
    """A Hugging Face model as a `TransformerBridge`; tokens are numbers and need no words."""
    from tokenizers import Tokenizer, models
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedTokenizerFast

    words = {str(i): i for i in range(model.config.vocab_size)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="0")),
        bos_token="0", eos_token="0", pad_token="0",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return TransformerBridge.boot_transformers(folder, device="cpu").eval()


def gpt2(model: Transformer) -> Any:
    """Hugging Face's GPT-2 class with exact GELU and a head of its own, and the model's weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    blocks = cast("list[Block]", list(model.blocks))
    assert model.place is not None
    config = GPT2Config(
        vocab_size=model.embed.num_embeddings, n_positions=model.place.num_embeddings,
        n_embd=model.embed.embedding_dim, n_layer=len(blocks), n_head=blocks[0].attention.heads,
        activation_function="gelu", tie_word_embeddings=False, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    there = GPT2LMHeadModel(config)
    copies = [(there.transformer.wte, model.embed), (there.transformer.wpe, model.place),
              (there.transformer.ln_f, model.norm), (there.lm_head, model.readout)]  # fmt: skip
    for theirs, block in zip(there.transformer.h, blocks, strict=True):
        a, mlp = block.attention, block.mlp
        qkv = nn.Module()
        for name in ("weight", "bias"):
            qkv.register_buffer(name, torch.cat([getattr(m, name) for m in (a.q, a.k, a.v)]))
        copies += [(theirs.ln_1, block.norm1), (theirs.ln_2, block.norm2),
                   (theirs.attn.c_attn, qkv), (theirs.attn.c_proj, a.out),
                   (theirs.mlp.c_fc, mlp[0]), (theirs.mlp.c_proj, mlp[2])]  # fmt: skip
    with torch.no_grad():
        for theirs, own in copies:
            turned = type(theirs).__name__ == "Conv1D"  # GPT-2 keeps these (in, out)
            theirs.weight.copy_(own.weight.T if turned else own.weight)
            if getattr(theirs, "bias", None) is not None:
                theirs.bias.copy_(own.bias)
    return there.requires_grad_(False)
