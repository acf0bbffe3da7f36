"""A tiny random language model of every family that is known, saved as a folder."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import torch
import transformers

SIZES = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 50,
    "intermediate_size": 24, "max_position_embeddings": 64,
}  # fmt: skip
OLD = {"n_embd": 16, "n_layer": 2, "n_head": 4, "vocab_size": 50, "n_positions": 64}
CONFIGS = {
    "llama": ("LlamaConfig", {**SIZES, "num_key_value_heads": 2}),
    "mistral": ("MistralConfig", {**SIZES, "num_key_value_heads": 2, "sliding_window": 3}),
    "qwen2": ("Qwen2Config", {**SIZES, "num_key_value_heads": 2}),
    "qwen3": ("Qwen3Config", {**SIZES, "num_key_value_heads": 2, "head_dim": 8}),
    "gemma": ("GemmaConfig", {**SIZES, "num_key_value_heads": 1, "head_dim": 8}),
    "gemma2": ("Gemma2Config", {**SIZES, "num_key_value_heads": 2, "head_dim": 8}),
    "gemma3_text": ("Gemma3TextConfig", {**SIZES, "num_key_value_heads": 2, "head_dim": 8}),
    "gpt2": ("GPT2Config", {**OLD, "bos_token_id": 0, "eos_token_id": 0}),
    "gptj": ("GPTJConfig", {**OLD, "rotary_dim": 2, "bos_token_id": 0, "eos_token_id": 0}),
    "gpt_neox": ("GPTNeoXConfig", SIZES),
}


@cache
def folder(family: str) -> Path:
    """Where the model is saved, with weights large enough that everything matters."""
    name, options = CONFIGS[family]
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, name)(**options))
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    place = Path(mkdtemp()) / family
    model.save_pretrained(place)
    return place
