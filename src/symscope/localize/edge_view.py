"""A decoder as an edge view needs it: who writes to the residual stream and who reads it, in order.

Where several queries share a key, "l.g.k" and "l.g.v" are inputs of key head g, which all heads of
its group use. In parallel blocks the MLP reads what the heads read, so that no edge joins them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Meet = Callable[[int, Tensor, list[Tensor]], Tensor]
"""What a group of receivers reads, given its number, the residual stream and what was written."""


class Forward(Protocol):
    """A run in which `meet` says what is read.

    Takes tokens (pair, step). Returns what the senders write, (pair, step, sender, width) per
    group of them, and the last step's logits, (pair, vocabulary).

    `meet(group, x, written)` is called once for each of `receivers`, in order, with the residual
    stream (pair, step, width) and all groups that were written so far, the last of them since the
    call before. It says what each receiver reads, (pair, step, receiver, width); one vector is
    enough where all read the same. `start` (pair, step, width) stands for what "embed" writes.
    """

    def __call__(
        self, tokens: Tensor, meet: Meet, start: Tensor | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """The run."""
        ...


@dataclass(frozen=True)
class EdgeView:
    """The numbers that the nodes follow from, and the run.

    `parallel` says that heads and MLP of a block read the same sum, and `joint` that a norm scales
    what the heads of a block write together, so that what one of them reads moves all.
    """

    layers: int
    heads: int
    key_heads: int
    parallel: bool
    joint: bool
    forward: Forward


def senders(view: EdgeView) -> list[str]:
    """What writes to the residual stream, in order: "embed", then each block's heads and MLP."""
    found = ["embed"]
    for layer in range(view.layers):
        found += [f"{layer}.{head}" for head in range(view.heads)] + [f"mlp {layer}"]
    return found


def receivers(view: EdgeView) -> list[list[str]]:
    """What reads it, in order, grouped by what reads the same sum: heads, MLP, …, logits."""
    found = []
    counts = {"q": view.heads, "k": view.key_heads, "v": view.key_heads}
    for layer in range(view.layers):
        inputs = [f"{layer}.{head}.{part}" for part in "qkv" for head in range(counts[part])]
        mlp = [f"mlp {layer}"]
        found += [inputs + mlp] if view.parallel else [inputs, mlp]
    return [*found, ["logits"]]


def earlier(view: EdgeView) -> list[int]:
    """How many of the senders come before each group of receivers."""
    found, count = [], 1
    for _ in range(view.layers):
        found += [count] if view.parallel else [count, count + view.heads]
        count += view.heads + 1
    return [*found, count]


def moved(view: EdgeView) -> dict[str, frozenset[str]]:
    """Input → the nodes whose writing depends on it: one head, or a group, or all of a block."""
    found = {"logits": frozenset({"logits"})}
    shared = view.heads // view.key_heads
    for layer in range(view.layers):
        found[f"mlp {layer}"] = frozenset({f"mlp {layer}"})
        heads = [f"{layer}.{head}" for head in range(view.heads)]
        for index, head in enumerate(heads):
            found[f"{head}.q"] = frozenset(heads if view.joint else [head])
            if index < view.key_heads:
                group = heads if view.joint else heads[index * shared : (index + 1) * shared]
                found[f"{head}.k"] = found[f"{head}.v"] = frozenset(group)
    return found
