"""The same program with one thing changed: what each kind of pair can tell apart.

A kind is a function from programs to changed programs and which rows it could change; the answer
moves or stays as the kind says, or the pair is refused.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.tasks.binding.alphabet import Alphabet, right_at
from symscope.tasks.binding.trace import Trace, trace

Changed = tuple[Tensor, Tensor, Tensor]
"""Tokens (sample, step), the position that was changed first (sample,), and where it was done."""
Change = Callable[[Tensor, Trace, Alphabet, torch.Generator], Changed]


class NoPair(SymscopeError):
    """No pair is left; says how many each filter refused."""


def root(tokens: Tensor, run: Trace, alphabet: Alphabet, generator: torch.Generator) -> Changed:
    """The digit of the queried chain is another one: the answer moves with it."""
    return _with_digit(tokens, run.root_line, alphabet, generator)


def distractor(
    tokens: Tensor, run: Trace, alphabet: Alphabet, generator: torch.Generator
) -> Changed:
    """A digit off the queried chain is another one: the answer stays. A control."""
    digits = (run.parent < 0) & ~run.on_chain
    line, there = _chosen(digits, generator)
    changed, at, _ = _with_digit(tokens, line, alphabet, generator)
    return changed, at, there


def rebind(tokens: Tensor, run: Trace, alphabet: Alphabet, generator: torch.Generator) -> Changed:
    """A letter on the right of the queried chain points to another that has a value there."""
    links = run.on_chain & (run.parent >= 0)
    line, there = _chosen(links, generator)
    names = torch.arange(alphabet.letters) + alphabet.digits
    earlier = torch.arange(run.left.shape[1])[None] < line[:, None]
    bound = ((run.left[:, :, None] == names) & earlier[:, :, None]).any(1)
    now = run.right.gather(1, line[:, None])
    name, other = _chosen(bound & (names != now), generator)
    return _put(tokens, right_at(line), name + alphabet.digits, there & other)


def query(tokens: Tensor, run: Trace, alphabet: Alphabet, generator: torch.Generator) -> Changed:
    """Another letter is asked for, one that has another value."""
    names = torch.arange(alphabet.letters) + alphabet.digits
    bound = (run.left[:, :, None] == names).any(1)
    name, there = _chosen(bound & (names != run.query[:, None]), generator)
    at = torch.full_like(name, tokens.shape[1] - 2)
    return _put(tokens, at, name + alphabet.digits, there)


def values(tokens: Tensor, run: Trace, alphabet: Alphabet, generator: torch.Generator) -> Changed:
    """The digits of the queried chain and of another one are exchanged."""
    digits = (run.parent < 0) & ~run.on_chain
    line, there = _chosen(digits, generator)
    rows, mine, theirs = torch.arange(len(tokens)), right_at(run.root_line), right_at(line)
    changed = tokens.clone()
    changed[rows, mine], changed[rows, theirs] = tokens[rows, theirs], tokens[rows, mine]
    changed[~there] = tokens[~there]
    return changed, torch.as_tensor(mine), there


def rename(tokens: Tensor, run: Trace, alphabet: Alphabet, generator: torch.Generator) -> Changed:
    """All letters are permuted throughout: the answer stays. A control."""
    order = torch.rand(len(tokens), alphabet.letters, generator=generator).argsort(1)
    letter = (tokens >= alphabet.digits) & (tokens < alphabet.digits + alphabet.letters)
    index = (tokens - alphabet.digits).clamp(0, alphabet.letters - 1)
    changed = torch.where(letter, order.gather(1, index) + alphabet.digits, tokens)
    moved = changed != tokens
    return changed, moved.int().argmax(1), moved.any(1)


def order(tokens: Tensor, run: Trace, alphabet: Alphabet, generator: torch.Generator) -> Changed:
    """Two neighbouring lines that do not read or bind what the other binds are exchanged."""
    lines = run.left.shape[1]
    first, second = slice(0, lines - 1), slice(1, lines)
    apart = (run.left[:, first] != run.left[:, second]) & (
        run.right[:, second] != run.left[:, first]
    )
    apart &= run.right[:, first] != run.left[:, second]
    line, there = _chosen(apart, generator)
    changed = tokens.clone()
    for offset in (0, 2):
        here = 4 * line[:, None] + offset
        changed.scatter_(1, here, tokens.gather(1, (here + 4).clamp(max=tokens.shape[1] - 1)))
        changed.scatter_(1, (here + 4).clamp(max=tokens.shape[1] - 1), tokens.gather(1, here))
    changed[~there] = tokens[~there]
    return changed, 4 * line, there


KINDS: dict[str, tuple[Change, bool]] = {
    "root": (root, True), "rebind": (rebind, True), "query": (query, True),
    "values": (values, True), "distractor": (distractor, False), "rename": (rename, False),
    "order": (order, False),
}  # fmt: skip
"""Kind → how programs are changed, and whether the answer has to move (else it has to stay)."""


def counterfactual(
    tokens: Tensor, kind: str, alphabet: Alphabet, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Changed programs, the position of the change, and which pairs hold, (sample,).

    A pair holds where the change could be made and the answer moved, or stayed, as it must.
    """
    if kind not in KINDS:
        raise SymscopeError(f"no counterfactual {kind!r}; there is {', '.join(KINDS)}")
    change, moves = KINDS[kind]
    before = trace(tokens, alphabet)
    changed, at, there = change(tokens, before, alphabet, generator)
    after = trace(changed, alphabet).answer
    there = there & (after >= 0) & ((after != before.answer) == moves)
    return changed, at, there & (changed != tokens).any(1)


def _chosen(options: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """One option of each row, at random, and which rows have any."""
    there = options.any(1)
    weights = torch.where(there[:, None], options, True).float()
    return torch.multinomial(weights, 1, generator=generator)[:, 0], there


def _with_digit(
    tokens: Tensor, line: Tensor, alphabet: Alphabet, generator: torch.Generator
) -> Changed:
    at = right_at(line)
    shift = torch.randint(1, alphabet.digits, (len(tokens),), generator=generator)
    now = tokens.gather(1, torch.as_tensor(at)[:, None])[:, 0]
    there = now < alphabet.digits
    return _put(tokens, at, (now + shift) % alphabet.digits, there)


def _put(tokens: Tensor, at: int | Tensor, value: Tensor, there: Tensor) -> Changed:
    at = torch.as_tensor(at)
    changed = tokens.scatter(1, at[:, None], value[:, None])
    return torch.where(there[:, None], changed, tokens), at, there
