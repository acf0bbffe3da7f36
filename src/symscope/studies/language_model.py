"""What a run of someone else's language model takes, from its description alone."""

import sys
from collections.abc import Mapping
from typing import Any

import torch

from symscope.cost import BYTES, Cost, Decoder, inference
from symscope.evidence import SymscopeError
from symscope.extras import needed
from symscope.room import PROCESS, amount, duration, require_room, room, speed_of

INSTEAD = (
    "take --dtype bfloat16, --device auto to spread the model over all devices, or a larger one"
)


def described(source: str) -> Any:
    """A model's configuration; raises `SymscopeError` where there is none."""
    transformers = needed("transformers", "a language model")
    try:
        return transformers.AutoConfig.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise SymscopeError(f"{source}: {error}") from None


def form_of(config: Any) -> Decoder:
    """Its sizes, counted on a module that has no numbers in it."""
    with torch.device("meta"):
        module = needed("transformers", "a language model").AutoModelForCausalLM.from_config(config)
    whole = float(sum(p.numel() for p in module.parameters()))
    width, tied = int(config.hidden_size), bool(config.tie_word_embeddings)
    inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None)
    weights = whole if tied else whole - config.vocab_size * width
    return Decoder(int(config.num_hidden_layers), width, int(config.num_attention_heads),
                   int(config.vocab_size), int(inner or 4 * width), weights, tied)  # fmt: skip


def runs_cost(  # the model, the prompts, how many of them at a time, and how often the model
    form: Decoder, prompts: float, steps: int, batch: int, dtype: str, models: int = 1
) -> Cost:
    """All runs of one model, and the memory of as many as stand beside each other."""
    size = BYTES[dtype]
    found = inference(form, prompts, steps, batch, size)
    return Cost(found.memory + (models - 1) * size * form.parameters, found.operations,
                found.moved, found.calls)  # fmt: skip


def told(cost: Cost, settings: Mapping[str, Any]) -> str:
    """Time on the device, and what is free there."""
    device = settings["device"]
    speed = speed_of(device, settings["dtype"])
    return (
        f"{duration(speed.seconds(cost))} at the {speed.operations / 1e12:.2f}·10¹² operations and"
        f" {amount(speed.moved)} per second measured on {device}, where {amount(room(device))} are"
        " free"
    )


def announced(
    text: str, cost: Cost, kept: float, settings: Mapping[str, Any], dry_run: bool
) -> bool:
    """Say on stderr what was reckoned; whether it shall be run.

    `kept` are bytes of the main memory beside the device's. Raises `NoRoom` where one of both is
    too small.
    """
    print(text, file=sys.stderr, flush=True)
    device = settings["device"]
    shared = device in ("cpu", "auto")
    what = f"{settings['model']} in {settings['dtype']}"
    require_room(cost.memory + (kept + PROCESS if shared else 0), device, what, INSTEAD)
    if not shared:
        require_room(kept + PROCESS, "cpu", f"what is kept of {settings['model']}",
                     "take fewer layers, or a machine with more memory")  # fmt: skip
    return not dry_run
