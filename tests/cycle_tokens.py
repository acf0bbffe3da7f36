"""A tokenizer of the words of cycles, and small language models that have it."""

from collections.abc import Collection
from functools import cache

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from symscope.features.geometry import circles
from symscope.tasks.cycles import CYCLES, NUMBERS, cycle_prompts

UNKNOWN, BEGIN = "<unk>", "<s>"
TEXT = ("Let", "'s", "Ġdo", "Ġsome", "Ġday", "Ġdays", "Ġof", "Ġthe", "Ġweek", "Ġmath", ".",
        "Ġmonths", "Ġcalendar", "Ġfrom", "Ġis", "ĠLet")  # fmt: skip
VALUES = (*CYCLES["weekdays"].values, *CYCLES["months"].values)
SIZE, WIDTH = 96, 32
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "intermediate_size": 64,
         "max_position_embeddings": 64}  # fmt: skip
CONFIGS = {
    "llama": ("LlamaConfig", SIZES), "mistral": ("MistralConfig", SIZES),
    "gpt2": ("GPT2Config", {"n_embd": WIDTH, "n_layer": 2, "n_head": 4, "n_positions": 64}),
}  # fmt: skip


def tokenizer(
    cut: Collection[str] = (), without: Collection[str] = (), begin: bool = True
) -> transformers.PreTrainedTokenizerFast:
    """A token for each word with its space, and another one for each value without.

    Words in `cut` are two tokens, and those in `without` are unknown; `begin` puts one in front.
    """
    spaced = [f"Ġ{word}" for word in (*NUMBERS, *VALUES) if word not in (*cut, *without)]
    pieces = [piece for word in cut for piece in (f"Ġ{word[0]}", f"##{word[1:]}")]
    named = dict.fromkeys([UNKNOWN, BEGIN, *TEXT, *reversed(VALUES), *spaced, *pieces])
    vocabulary = {word: token for token, word in enumerate(named)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    if begin:
        made.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A", special_tokens=[(BEGIN, vocabulary[BEGIN])]
        )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token=UNKNOWN, bos_token=BEGIN, eos_token=BEGIN
    )


def model(family: str, seed: int = 0) -> torch.nn.Module:
    """Random weights, large enough that everything matters."""
    name, options = CONFIGS[family]
    ends = {"bos_token_id": 1, "eos_token_id": 1}
    config = getattr(transformers, name)(vocab_size=SIZE, **options, **ends)
    torch.manual_seed(seed)
    made = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return made


@cache
def taught(steps: int, cycle: str = "weekdays") -> torch.nn.Module:
    """A llama trained on a cycle in both wordings, whose values lie on a circle from the start."""
    prompts = [cycle_prompts(tokenizer(), cycle, wording) for wording in CYCLES[cycle].wordings]
    tokens = torch.cat([one.tokens for one in prompts])
    answers = torch.cat([one.choices[one.answers] for one in prompts])
    made = model("llama").train()
    table = made.get_input_embeddings().weight.requires_grad_(False)
    plane = torch.linalg.qr(torch.randn(WIDTH, 2, dtype=torch.float64)).Q
    period = CYCLES[cycle].period
    spread = circles(torch.arange(period), period) @ plane.T
    table[prompts[0].choices] = (spread + 0.02 * torch.randn_like(spread)).float()
    optimiser = torch.optim.Adam([w for w in made.parameters() if w.requires_grad], 5e-3)
    for _ in range(steps):
        logits = made(input_ids=tokens).logits[:, -1]
        loss = torch.nn.functional.cross_entropy(logits, answers)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return made.eval()
