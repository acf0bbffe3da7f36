"""Which steps of which runs a patching sweep must compute, block by block: indices, no network.

A row is one edited run: one place on one pair. In a causal transformer an edit at a step changes
that step, until an attention layer passes it on to all later ones. So per block, stage by stage,
the steps that may differ from the natural run are a set that follows from the edits alone; nothing
else is computed, and in the last block only what the last step reads.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True)
class Change:
    """Values that a stage takes at `slots` of its steps: `table[pairs, steps, taken]`."""

    slots: Indices
    units: Indices | None
    key: Hashable
    pairs: Indices
    steps: Indices
    taken: Indices | None


@dataclass(frozen=True)
class Move:
    """Vectors brought from one set of steps to another, which may hold steps that had none.

    `at` (None: all) of the new set come from `taken` (None: all) of the old; `natural` says where
    the natural run has the new set's vectors.
    """

    taken: Indices | None
    at: Indices | None
    natural: Indices


@dataclass(frozen=True)
class BlockPlan:
    """One block: `entered` are the steps whose input differs, `projected` those whose queries,
    keys and values are computed, `asked` those that attend, `left` those whose output differs.

    `queried` are the projected that attend. `pairs` are the rows that attend, as pairs, `keyed`
    where their keys go among the steps of those rows, `column` and `row` where their queries do.
    """

    enter: Move
    project: Move
    query: Move
    mix: Move
    add: Move
    queried: Indices | None
    pairs: Indices
    keyed: Indices
    row: Indices
    column: Indices
    projected_step: Indices
    asked_step: Indices
    changes: dict[str, list[Change]]


@dataclass(frozen=True)
class Chunk:
    """Edited runs that are computed together: `place` and `pair` of each that has an answer."""

    place: Indices
    pair: Indices
    blocks: dict[int, BlockPlan]
    finish: Move
    last_changes: list[Change]


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
        self.units, self.taken = [s.units for s in swaps], [s.taken for s in swaps]
        kinds = [
            (s.block, s.stage, s.key, s.units and len(s.units), s.taken and len(s.taken))
            for s in swaps
        ]
        order: dict[tuple, int] = {}
        self.group = np.array([order.setdefault(kind, len(order)) for kind in kinds])
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


def chunks(edits: Edits, first: Indices, layers: int, length: int, most: int) -> Iterator[Chunk]:
    """The edited runs of all places on all pairs, those that change nothing left out.

    Runs that start at about the same step are computed together, as many as make about `most`
    steps, of which each run counts a few even if its edit is late.
    """
    starts = edits.starts(first, length)
    place, pair = np.nonzero(starts < length)
    order = np.argsort(starts[place, pair], kind="stable")
    place, pair = place[order], pair[order]
    costs = np.cumsum(length - starts[place, pair] + length // 8)
    full = np.flatnonzero(np.diff(costs // most)) + 1
    for rows in np.split(np.arange(len(place)), full):
        if len(rows):
            yield _chunk(edits, place[rows], pair[rows], first, layers, length)


def _chunk(
    edits: Edits, place: Indices, pair: Indices, first: Indices, layers: int, length: int
) -> Chunk:
    """The plan of these rows, block by block from the first that an edit changes."""
    found = _Located(edits, place, pair, first, length)
    changed = np.zeros((len(place), length), dtype=bool)
    blocks: dict[int, BlockPlan] = {}
    for block in range(edits.first_block, layers):
        entered = changed | found.at(block, "input")
        keyed = entered | found.at(block, "k") | found.at(block, "v")
        asked = np.logical_or.accumulate(keyed, axis=1)
        asked |= found.at(block, "q") | found.at(block, "pattern")
        left = asked.copy()
        for stage in AFTER_ATTENTION:
            left |= found.at(block, stage)
        if block == layers - 1:
            asked[:, :-1] = left[:, :-1] = False
        projected = keyed | (found.at(block, "q") & asked)
        if left.any():
            sets = tuple(map(np.flatnonzero, (changed, entered, projected, asked, left)))
            blocks[block] = _block(found, block, sets)
        changed = left
    ends = changed | found.at(layers, "input")
    ends[:, :-1] = False
    finished = np.flatnonzero(ends)
    rows = finished // length
    return Chunk(
        place[rows], pair[rows], blocks, found.move(np.flatnonzero(changed), finished),
        found.changes(layers, "input", finished),
    )  # fmt: skip


class _Located:
    """The edits of some rows, as steps among theirs: row · length + step."""

    def __init__(self, edits: Edits, place: Indices, pair: Indices, first: Indices, length: int):
        self.edits, self.pair, self.length = edits, pair, length
        self.shape = (len(place), length)
        row_of = np.full((edits.places, edits.steps.shape[1]), -1)
        row_of[place, pair] = np.arange(len(place))
        here = row_of[edits.place]
        edit, of = np.nonzero(here >= 0)
        row, step = here[edit, of], edits.steps[edit, of]
        source = edits.source_steps[edit, of]
        many = np.where(step == EVERY, length, 1)
        again = np.repeat(np.arange(len(edit)), many)
        within = np.arange(len(again)) - np.repeat(np.cumsum(many) - many, many)
        edit, of, row = edit[again], of[again], row[again]
        step = np.where(step[again] == EVERY, within, step[again])
        source = np.where(source[again] == EVERY, within, source[again])
        kept = ~edits.causal[edit] | (step >= first[of])
        order = np.flatnonzero(kept)
        order = order[np.argsort(edits.group[edit[order]], kind="stable")]
        self.edit, self.token = edit[order], (row * length + step)[order]
        self.of, self.source = of[order], source[order]
        groups = edits.group[self.edit]
        cuts = [0, *(np.flatnonzero(np.diff(groups)) + 1), len(groups)]
        self.spans: dict[tuple[int, str], list[slice]] = {}
        for begin, end in pairwise(cuts):
            if begin < end:
                one = self.edit[begin]
                where = (int(edits.block[one]), edits.stage[one])
                self.spans.setdefault(where, []).append(slice(begin, end))

    def at(self, block: int, stage: str) -> np.ndarray:
        """Where a stage is edited, (row, step)."""
        mask = np.zeros(self.shape, dtype=bool)
        for span in self.spans.get((block, stage), ()):
            mask.reshape(-1)[self.token[span]] = True
        return mask

    def changes(self, block: int, stage: str, among: Indices) -> list[Change]:
        """The edits of a stage, at the steps that are computed."""
        made = []
        for span in self.spans.get((block, stage), ()):
            read = np.isin(self.token[span], among)
            edit, token = self.edit[span][read], self.token[span][read]
            if not len(edit):
                continue
            units, taken = (self._stacked(side, edit) for side in ("units", "taken"))
            of, source = self.of[span][read], self.source[span][read]
            slots = np.searchsorted(among, token)
            made.append(Change(slots, units, self.edits.key[edit[0]], of, source, taken))
        return made

    def _stacked(self, side: str, edit: Indices) -> Indices | None:
        values = getattr(self.edits, side)
        return None if values[edit[0]] is None else np.array([values[e] for e in edit])

    def natural(self, tokens: Indices) -> Indices:
        """Where the natural run has these steps: pair · length + step."""
        return self.pair[tokens // self.length] * self.length + tokens % self.length

    def move(self, old: Indices, new: Indices) -> Move:
        """From the steps in `old` to those in `new`."""
        if len(old) == len(new) and np.array_equal(old, new):
            return Move(None, None, new)
        shared = np.isin(old, new)
        at = np.searchsorted(new, old[shared])
        return Move(
            None if shared.all() else np.flatnonzero(shared),
            None if len(at) == len(new) else at,
            self.natural(new),
        )


def _block(found: _Located, block: int, sets: tuple[Indices, ...]) -> BlockPlan:
    before, entered, projected, asked, left = sets
    length = found.length
    queried = projected[np.isin(projected, asked)]
    row, slot_of = asked // length, np.full(found.shape[0], -1)
    attending, count = np.unique(row, return_counts=True)
    slot_of[attending] = np.arange(len(attending))
    column = np.arange(len(asked)) - np.repeat(np.cumsum(count) - count, count)
    stages = {
        "input": entered, "k": projected, "v": projected, "q": queried, "pattern": asked,
        **dict.fromkeys(AFTER_ATTENTION, left),
    }  # fmt: skip
    return BlockPlan(
        enter=found.move(before, entered),
        project=found.move(entered, projected),
        query=found.move(queried, asked),
        mix=found.move(asked, left),
        add=found.move(entered, left),
        queried=None if len(queried) == len(projected) else np.searchsorted(projected, queried),
        pairs=found.pair[attending],
        keyed=slot_of[projected // length] * length + projected % length,
        row=slot_of[row],
        column=column,
        projected_step=projected % length,
        asked_step=asked % length,
        changes={s: c for s, among in stages.items() if (c := found.changes(block, s, among))},
    )
