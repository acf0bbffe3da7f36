"""An address inside a network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symscope.evidence import SymscopeError

Position = int | tuple[int, ...] | None
"""One position for every sample, one per sample, or None for the value as it is."""


@dataclass(frozen=True)
class Site:
    """Where a value lives: which module, which part of what it computes, which position and units.

    `module` is a path as in `named_modules()`; "" is the network itself. `part` is "output" (the
    default), "input", the index of an element when the module returns a tuple, or, for `nn.GRU`,
    `nn.LSTM`, `nn.RNN` and their cells, "state" (after the update; h and c side by side in an
    LSTM), "h" or "c". `position` is a token position or time step, counted from 0, or from the
    end when negative; it may differ between samples. `units` keeps some of the last axis, `head`
    = (index, number of heads) one equal share of it. Vectors at a site are (batch, width).
    """

    module: str
    part: str | int = "output"
    position: Position = None
    units: tuple[int, ...] | range | None = None
    head: tuple[int, int] | None = None

    def at(self, position: Position | Tensor | Sequence[int]) -> "Site":
        """The same site at another position, or at one position per sample."""
        if isinstance(position, Tensor):
            position = tuple(int(p) for p in position.tolist())
        elif position is not None and not isinstance(position, int):
            position = tuple(int(p) for p in position)
        return replace(self, position=position)

    @property
    def stateful(self) -> bool:
        """Whether this is the carried state of a recurrent module."""
        return self.part in ("state", "h", "c")

    def __str__(self) -> str:
        text = self.module if self.part == "output" else f"{self.module}.{self.part}"
        if self.head is not None:
            text += f" head {self.head[0]}"
        if self.units is not None:
            text += f" units {list(self.units)}"
        if isinstance(self.position, int):
            text += f" @ {self.position}"
        return text

    def selected(self, width: int) -> list[int] | None:
        """Which units of a vector of `width` are meant; None for all. Raises `SymscopeError`."""
        if self.head is not None:
            index, count = self.head
            if not 0 <= index < count or width % count:
                raise SymscopeError(f"no head {index} of {count} in a width of {width} at {self}")
            share = width // count
            return list(range(index * share, (index + 1) * share))
        if self.units is None:
            return None
        if not all(-width <= u < width for u in self.units):
            raise SymscopeError(f"units {list(self.units)} do not all lie in 0..{width - 1}")
        return [u % width for u in self.units]


def positions(position: Position, batch: int, length: int) -> Tensor:
    """`position` as one non-negative index per sample; raises `SymscopeError` when outside."""
    index = torch.as_tensor(position if position is not None else -1)
    index = index.expand(batch).clone() if index.dim() == 0 else index
    if len(index) != batch:
        raise SymscopeError(f"{len(index)} positions were given for {batch} samples")
    if bool(((index < -length) | (index >= length)).any()):
        raise SymscopeError(f"a position is outside the {length} there are (0..{length - 1})")
    return index % length
