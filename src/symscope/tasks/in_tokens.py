"""A language model as a network over a task's own tokens, `226+68=` for example.

Numbers and signs of `Arithmetic` become the model's tokens on the way in, and its vocabulary is
put in the task's order on the way out, the task's tokens first and then all others: nothing is
lost, and whatever runs on the task's own networks runs on the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.network import Network
from symscope.tasks.arithmetic import SIGNS, Arithmetic

HIGHEST = 1_000
"""Up to here it is asked whether a number is one token."""


@dataclass(frozen=True)
class Spoken:
    """The network over the task's tokens, the task, and what was left out and why, counted."""

    network: Network
    task: Arithmetic
    dropped: Mapping[str, int]


def in_tokens(network: Network, signs: str = "+-*/", operands: int = 300) -> Spoken:
    """A pretrained model over `Arithmetic` with the numbers that are one token each.

    All whole numbers from 0 on, up to the first that is several tokens or unknown, and at most
    1,000, can be operands (below `operands`) and answers. Prompts begin with the tokenizer's own
    first token, if it has one; positions are best counted from the end. Raises `SymscopeError`
    without a tokenizer, where hardly any number is one token, and where a prompt's text is not
    made of the tokens of its parts.
    """
    tokenizer = network.tokenizer
    if tokenizer is None:
        raise SymscopeError("this network has no tokenizer: give a folder that has its files")
    numbers = _numbers(tokenizer)
    if len(numbers) < 10:
        raise SymscopeError(
            f"{len(numbers)} is {len(_plain(tokenizer, str(len(numbers))))} tokens, so that only"
            f" {len(numbers)} numbers are one token each; a task of digits is LongAddition"
        )
    marks = [_plain(tokenizer, mark) for mark in (*SIGNS, "=")]
    for mark, found in zip((*SIGNS, "="), marks, strict=True):
        if len(found) != 1:
            raise SymscopeError(f"{mark!r} is {len(found)} tokens, and is to be one")
    task = Arithmetic(signs, min(operands, len(numbers)), len(numbers), share=1.0)
    ids = torch.tensor([*numbers, *(found[0] for found in marks)])
    _require_same_text(tokenizer, task, ids)
    whole = list(tokenizer("0")["input_ids"])
    first = whole[: whole.index(int(ids[0]))]
    dropped = {
        f"operands from {len(numbers)} on, of several tokens": max(0, operands - len(numbers)),
        **{f"prompts with {sign}": operands**2 - len(task.prompts("all", sign)) for sign in signs},
    }
    return Spoken(_over(network, ids, torch.tensor(first, dtype=torch.long)), task, dropped)


def _numbers(tokenizer: Any) -> list[int]:
    """The tokens of 0, 1, 2 … as far as each is one."""
    found: list[int] = []
    while len(found) <= HIGHEST and len(token := _plain(tokenizer, str(len(found)))) == 1:
        found += token
    return found


def _plain(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text, none where one is unknown: all unknown words have the same."""
    found = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    return [] if tokenizer.unk_token_id in found else found


def _require_same_text(tokenizer: Any, task: Arithmetic, ids: Tensor) -> None:
    """Raise where tokens would be drawn together in the text of a prompt: all of 100 are asked."""
    prompts = task.prompts()
    for row in prompts[:: max(1, len(prompts) // 100)]:
        text = task.text(row).replace(" ", "")
        found, wanted = _plain(tokenizer, text), ids[row].tolist()
        if found != wanted:
            raise SymscopeError(f"{text!r} is the tokens {found}, not those of its parts, {wanted}")


def _over(network: Network, ids: Tensor, first: Tensor) -> Network:
    """The network with the task's tokens on the way in, and in front on the way out."""
    enter, answer, device = network.enter, network.answer, network.device
    ids, first = ids.to(device), first.to(device)
    order: list[Tensor] = []

    def entered(module: nn.Module, tokens: Tensor) -> Any:
        begin = first.expand(len(tokens), -1)
        return enter(module, torch.cat([begin, ids[tokens.to(device)]], 1))

    def answered(output: Any) -> Tensor:
        logits = answer(output)
        if not order:
            order.append(_in_front(ids, logits.shape[-1]))
        return logits[..., order[0].to(logits.device)]

    return replace(network, enter=entered, answer=answered)


def _in_front(ids: Tensor, size: int) -> Tensor:
    """Every token of a vocabulary, `ids` first."""
    others = torch.ones(size, dtype=torch.bool, device=ids.device)
    others[ids] = False
    return torch.cat([ids, others.nonzero()[:, 0]])
