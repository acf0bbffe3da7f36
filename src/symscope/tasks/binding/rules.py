"""What shallow rules would answer: the floors of every accuracy on these programs."""

import torch
from torch import Tensor

from symscope.tasks.binding.alphabet import Alphabet
from symscope.tasks.binding.trace import NONE, trace


def shallow(tokens: Tensor, alphabet: Alphabet) -> dict[str, Tensor]:
    """Rule → its answer on each program, (sample,); `NONE` where it has none.

    Digit of line 1 and of line 2 (which may hold a letter), the commonest digit (of equals the one
    that comes first), the last digit.
    """
    run = trace(tokens, alphabet)
    constant = run.parent == NONE
    bound = (run.right[:, :, None] == torch.arange(alphabet.digits)) & constant[:, :, None]
    lines = torch.arange(run.right.shape[1])
    first = torch.where(bound, lines[:, None], len(lines)).amin(1)
    commonest = (bound.sum(1) * (len(lines) + 1) - first).argmax(1)
    last = torch.where(constant, lines, NONE).amax(1)
    second = min(1, run.right.shape[1] - 1)
    return {
        "digit of line 1": run.right[:, 0],
        "digit of line 2": torch.where(constant[:, second], run.right[:, second], NONE),
        "commonest digit": commonest,
        "last digit": run.right.gather(1, last[:, None])[:, 0],
    }


def floors(tokens: Tensor, alphabet: Alphabet) -> dict[str, float]:
    """The accuracy of each shallow rule, of line 1's or line 2's digit, and of chance."""
    run, found = trace(tokens, alphabet), shallow(tokens, alphabet)
    right = {name: answer == run.answer for name, answer in found.items()}
    right["either of lines 1 and 2"] = right["digit of line 1"] | right["digit of line 2"]
    scores = {name: float(value.float().mean()) for name, value in right.items()}
    constant = run.parent == NONE
    hit = (run.right == run.answer[:, None]) & constant
    scores["random digit of the program"] = float((hit.sum(1) / constant.sum(1)).mean())
    return scores | {"any digit": 1 / alphabet.digits}
