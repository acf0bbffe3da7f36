"""Which steps of which runs a patching sweep must compute, block by block: indices, no network.

A row is one edited run: one place on one pair. In a causal transformer an edit at a step changes
that step, until an attention layer passes it on to all later ones. So per block, stage by stage,
the steps that may differ from the natural run are a set that follows from the edits alone; nothing
else is computed, and in the last block only what the last step reads.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from symscope.localize.patch_edits import AFTER_ATTENTION, EVERY, Edits, Indices


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

    `queried` are the projected that attend. `bases` are the natural runs of the rows that attend,
    `keyed` where their keys go among those rows' steps, `column` and `row` where their queries do.
    """

    enter: Move
    project: Move
    query: Move
    mix: Move
    add: Move
    queried: Indices | None
    bases: Indices
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


class Steps:
    """A set of steps of a chunk's rows: `mask` (row · length + step), and their `index`."""

    def __init__(self, mask: np.ndarray):
        self.mask = mask.reshape(-1)
        self.index = np.flatnonzero(self.mask)

    @cached_property
    def order(self) -> Indices:
        """Which of the set's steps each one is."""
        return np.cumsum(self.mask) - 1


def chunks(
    edits: Edits, first: Indices, bases: Indices, length: int, layers: int, most: int
) -> Iterator[Chunk]:
    """The edited runs of all places on all pairs, those that change nothing left out.

    `first` says from which step on base and source differ, `bases` which natural run is the
    pair's base, (pair,) each. Runs that start at about the same step are computed together, as
    many as make about `most` steps, of which each run counts a few even if its edit is late.
    """
    starts = edits.starts(first, length)
    place, pair = np.nonzero(starts < length)
    order = np.argsort(starts[place, pair], kind="stable")
    place, pair = place[order], pair[order]
    costs = np.cumsum(length - starts[place, pair] + length // 4)
    full = np.flatnonzero(np.diff(costs // most)) + 1
    for rows in np.split(np.arange(len(place)), full):
        if len(rows):
            yield _chunk(_Located(edits, place[rows], pair[rows], first, bases, length), layers)


def _chunk(found: "_Located", layers: int) -> Chunk:
    """The plan of these rows, block by block from the first that an edit changes."""
    changed = np.zeros(found.shape, dtype=bool)
    blocks: dict[int, BlockPlan] = {}
    for block in range(found.edits.first_block, layers):
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
            sets = tuple(map(Steps, (changed, entered, projected, asked, left)))
            blocks[block] = _block(found, block, sets)
        changed = left
    ends = changed | found.at(layers, "input")
    ends[:, :-1] = False
    finished = Steps(ends)
    rows = finished.index // found.length
    return Chunk(
        found.place[rows], found.pair[rows], blocks, found.move(Steps(changed), finished),
        found.changes(layers, "input", finished),
    )  # fmt: skip


class _Located:
    """The edits of some rows, as steps among theirs: row · length + step."""

    def __init__(
        self, edits: Edits, place: Indices, pair: Indices, first: Indices, bases: Indices,
        length: int,
    ):  # fmt: skip
        self.edits, self.place, self.pair, self.length = edits, place, pair, length
        self.base = bases[pair]
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

    def changes(self, block: int, stage: str, among: Steps) -> list[Change]:
        """The edits of a stage, at the steps that are computed."""
        made = []
        for span in self.spans.get((block, stage), ()):
            read = among.mask[self.token[span]]
            if not read.any():
                continue
            edit, of, source = (x[span][read] for x in (self.edit, self.of, self.source))
            group, member = self.edits.group[edit[0]], self.edits.member[edit]
            units, taken = (
                side[group] if side[group] is None else side[group][member]
                for side in (self.edits.units, self.edits.taken)
            )
            slots = among.order[self.token[span][read]]
            made.append(Change(slots, units, self.edits.key[edit[0]], of, source, taken))
        return made

    def natural(self, tokens: Indices) -> Indices:
        """Where the natural runs have these steps: base · length + step."""
        return self.base[tokens // self.length] * self.length + tokens % self.length

    def move(self, old: Steps, new: Steps) -> Move:
        """From the steps in `old` to those in `new`."""
        shared = new.mask[old.index]
        if shared.all() and len(old.index) == len(new.index):
            return Move(None, None, new.index)
        at = new.order[old.index[shared]]
        return Move(
            None if shared.all() else np.flatnonzero(shared),
            None if len(at) == len(new.index) else at,
            self.natural(new.index),
        )


def _block(found: _Located, block: int, sets: tuple[Steps, ...]) -> BlockPlan:
    before, entered, projected, asked, left = sets
    length = found.length
    queried = Steps(projected.mask & asked.mask)
    all_queried = len(queried.index) == len(projected.index)
    count = asked.mask.reshape(found.shape).sum(1)
    attending, count = np.flatnonzero(count), count[count > 0]
    slot_of = np.full(found.shape[0], -1)
    slot_of[attending] = np.arange(len(attending))
    column = np.arange(len(asked.index)) - np.repeat(np.cumsum(count) - count, count)
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
        queried=None if all_queried else projected.order[queried.index],
        bases=found.base[attending],
        keyed=slot_of[projected.index // length] * length + projected.index % length,
        row=slot_of[asked.index // length],
        column=column,
        projected_step=projected.index % length,
        asked_step=asked.index % length,
        changes={s: c for s, among in stages.items() if (c := found.changes(block, s, among))},
    )
