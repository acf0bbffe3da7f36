"""What a patching sweep edits, as arrays: which stage of which block, where, with which values."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

Indices = np.ndarray
EVERY = -1
"""In place of a step: all of them."""
AFTER_ATTENTION = ("mixed", "attention", "hidden", "mlp")


@dataclass(frozen=True)
class Swap:
    """One edit of a place: what a block's stage takes instead, and where.

    `steps` (pair,) are where it is put, `source_steps` where its value is found in the table
    called `key`; `EVERY` is all steps. `units` are replaced by the `taken` units of the table's
    vectors, None is all. Of a pattern the only unit is the head. `causal` says that what is
    put is the same site's value at the same step, on which only tokens up to it have a bearing.
    """

    place: int
    block: int
    stage: str
    steps: Indices
    source_steps: Indices
    key: Hashable
    units: tuple[int, ...] | None = None
    taken: tuple[int, ...] | None = None
    causal: bool = True


def _stacked(units: Sequence[tuple[int, ...] | None]) -> Indices | None:
    return None if units[0] is None else np.array(units)


class Edits:
    """All swaps of a call as arrays, one line each."""

    def __init__(self, swaps: Sequence[Swap], places: int):
        self.places = places
        self.place = np.array([s.place for s in swaps])
        self.steps = np.stack([s.steps for s in swaps])
        self.source_steps = np.stack([s.source_steps for s in swaps])
        self.causal = np.array([s.causal for s in swaps])
        self.block = np.array([s.block for s in swaps])
        self.stage = [s.stage for s in swaps]
        self.key = [s.key for s in swaps]
        kinds = [
            (s.block, s.stage, s.key, s.units and len(s.units), s.taken and len(s.taken))
            for s in swaps
        ]
        groups: dict[tuple, list[int]] = {}
        for index, kind in enumerate(kinds):
            groups.setdefault(kind, []).append(index)
        self.group, self.member = (np.zeros(len(swaps), dtype=int) for _ in range(2))
        self.units: list[Indices | None] = []
        self.taken: list[Indices | None] = []
        for number, members in enumerate(groups.values()):
            self.group[members], self.member[members] = number, np.arange(len(members))
            self.units.append(_stacked([swaps[i].units for i in members]))
            self.taken.append(_stacked([swaps[i].taken for i in members]))
        self.first_block = int(self.block.min())
        self.mixing = frozenset(s.block for s in swaps if s.stage in AFTER_ATTENTION)

    def of_pairs(self, pairs: slice) -> "Edits":
        """The same for some of the pairs."""
        few = object.__new__(Edits)
        few.__dict__.update(self.__dict__)
        few.steps, few.source_steps = self.steps[:, pairs], self.source_steps[:, pairs]
        return few

    def starts(self, first: Indices, length: int) -> Indices:
        """The first step that each row's edits can change, (place, pair); `length` for none.

        `first` (pair,) is the first step at which base and source have other tokens: a causal
        value at an earlier one is what it was.
        """
        steps = np.where(self.steps == EVERY, 0, self.steps)
        late = np.where(self.steps == EVERY, np.maximum(steps, first), steps)
        begun = (self.steps == EVERY) | (steps >= first)
        late = np.where(begun, late, length)
        steps = np.where(self.causal[:, None], late, steps)
        found = np.full((self.places, self.steps.shape[1]), length)
        np.minimum.at(found, self.place, steps)
        return found
