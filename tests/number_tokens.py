"""A tokenizer of numbers and signs, and tiny random language models that have it."""

from collections.abc import Sequence
from pathlib import Path

import torch
import transformers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

UNKNOWN, BEGIN = "<unk>", "<s>"
SPECIAL = (UNKNOWN, BEGIN)
MARKS = ("=", "+", "-", "*", "/")
SIZE = 50
"""Of the vocabulary of a model, a few of whose tokens stand for nothing."""


def words(numbers: int = 40) -> dict[str, int]:
    """Text → token: the numbers come last to first, so that no token is its number."""
    named = [*SPECIAL, *MARKS, *map(str, reversed(range(numbers)))]
    return {word: token for token, word in enumerate(named)}


def tokenizer(
    vocabulary: dict[str, int], begin: bool = False, parts: str = r"\d+|[^\d\s]"
) -> transformers.PreTrainedTokenizerFast:
    """One token for each run of digits and for each sign; `begin` puts one in front."""
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(parts), "isolated")
    if begin:
        made.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A", special_tokens=[(BEGIN, vocabulary[BEGIN])]
        )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token=UNKNOWN, bos_token=BEGIN, eos_token=BEGIN
    )


CONFIGS = {
    "llama": ("LlamaConfig", {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64}),
    "gpt2": ("GPT2Config", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}),
    "gptj": ("GPTJConfig", {
        "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "rotary_dim": 4}),
    "gpt_neox": ("GPTNeoXConfig", {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "max_position_embeddings": 64}),
}  # fmt: skip


def model(family: str, seed: int = 0) -> torch.nn.Module:
    """Random weights, large enough that everything matters."""
    name, options = CONFIGS[family]
    ends = {"bos_token_id": 1, "eos_token_id": 1}
    config = getattr(transformers, name)(vocab_size=SIZE, **options, **ends)
    torch.manual_seed(seed)
    made = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return made


def saved(folder: Path, made: torch.nn.Module, speaks: Sequence = ()) -> Path:
    """The folder with the model in it, and its tokenizer if it has one."""
    made.save_pretrained(folder)  # type: ignore[operator]
    for one in speaks:
        one.save_pretrained(folder)
    return folder
