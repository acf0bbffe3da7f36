"""Programs as another model's tokens: each sign has to be one token of its own."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.tasks.binding.alphabet import Alphabet


def token_numbers(encode: Callable[[str], Sequence[int]], alphabet: Alphabet) -> Tensor:
    """The other model's number of each of the alphabet's tokens, (token,).

    `encode` gives the numbers of a text, without special tokens. Raises `SymscopeError` where a
    sign is split, or where programs are not read sign by sign: roles would not align.
    """
    numbers = []
    for sign in alphabet.tokens:
        found = list(encode(sign))
        if len(found) != 1:
            raise SymscopeError(
                f"this model's tokenizer reads {sign!r} as {len(found)} tokens; programs need a"
                " tokenizer that has each digit, letter and sign as one token"
            )
        numbers.append(found[0])
    letter = alphabet.tokens[alphabet.digits]
    text = f"{letter}={alphabet.tokens[1]}\n#{letter}:"
    expected = [numbers[alphabet.tokens.index(sign)] for sign in text]
    if list(encode(text)) != expected:
        raise SymscopeError(
            f"this model's tokenizer joins signs of {text!r} into one token; programs need a"
            " tokenizer that reads them sign by sign"
        )
    return torch.tensor(numbers)
