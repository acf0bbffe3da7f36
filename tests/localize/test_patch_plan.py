"""What a sweep computes, and what it does not: plans are indices, no network is needed."""

import numpy as np
import pytest

from symscope.localize.patch_edits import EVERY, Edits, Swap
from symscope.localize.patch_plan import chunks

LENGTH, LAYERS = 8, 4
FIRST = np.zeros(1, dtype=int)


def swap(block, stage, step, place=0, causal=True, pairs=1):
    steps = np.full(pairs, step)
    units = (0,) if stage == "pattern" else None
    return Swap(place, block, stage, steps, steps, "table", units, units, causal)


def computed(*swaps, first=FIRST, layers=LAYERS):
    """Per block, how many steps are projected, attend, and leave it changed, in one chunk."""
    edits = Edits(swaps, 1 + max(s.place for s in swaps))
    found = list(chunks(edits, first, np.arange(len(first)), LENGTH, layers, 10**6))
    return {
        block: (len(plan.projected_step), plan.asked_step.tolist(), len(plan.add.natural))
        for chunk in found for block, plan in chunk.blocks.items()
    }  # fmt: skip


def after(step):
    return list(range(step, LENGTH))


def test_a_run_starts_at_the_block_and_step_of_its_edit():
    assert computed(swap(1, "input", 5)) == {
        1: (1, after(5), 3),  # one step has another key; three see it
        2: (3, after(5), 3),
        3: (3, [LENGTH - 1], 1),  # of the last block only the last step is read
    }


@pytest.mark.parametrize("stage", ["mixed", "attention", "hidden", "mlp"])
def test_what_comes_after_attention_changes_one_step_until_the_next_block(stage):
    assert computed(swap(1, stage, 5)) == {
        1: (0, [], 1), 2: (1, after(5), 3), 3: (3, [LENGTH - 1], 1),
    }  # fmt: skip


@pytest.mark.parametrize(("stage", "projected"), [("q", 1), ("pattern", 0)])
def test_another_query_or_row_of_weights_is_asked_alone(stage, projected):
    assert computed(swap(2, stage, 5))[2] == (projected, [5], 1)


@pytest.mark.parametrize("stage", ["k", "v"])
def test_another_key_or_value_is_seen_from_its_step_on(stage):
    assert computed(swap(2, stage, 5))[2] == (1, after(5), 3)


def test_what_leaves_the_last_block_needs_no_block():
    assert computed(swap(LAYERS, "input", LENGTH - 1)) == {}


@pytest.mark.parametrize("stage", ["q", "mixed", "mlp"])
def test_what_the_last_step_does_not_read_is_not_computed(stage):
    assert computed(swap(LAYERS - 1, stage, 3)) == {}
    assert computed(swap(LAYERS - 1, stage, LENGTH - 1))[LAYERS - 1][2] == 1


def test_steps_before_base_and_source_differ_are_what_they_were():
    everywhere = swap(0, "input", EVERY)
    assert computed(everywhere, first=np.array([6]))[0] == (2, after(6), 2)
    assert computed(swap(0, "input", 4), first=np.array([6])) == {}
    assert computed(swap(0, "input", 4, causal=False), first=np.array([6]))[0][1] == after(4)
    assert computed(everywhere, first=np.array([LENGTH])) == {}


def test_places_join_one_another_block_by_block():
    found = computed(swap(0, "input", 6), swap(2, "input", 6, place=1), swap(1, "mlp", 6, place=2))
    assert {block: left for block, (_, _, left) in found.items()} == {0: 2, 1: 3, 2: 6, 3: 3}


def test_several_sites_of_a_place_are_one_run_from_the_earliest():
    found = computed(swap(2, "mixed", 7), swap(1, "input", 3))
    assert {block: left for block, (_, _, left) in found.items()} == {1: 5, 2: 5, 3: 1}


def test_every_run_is_in_one_chunk_and_chunks_hold_runs_of_about_the_same_length():
    pairs, places = 5, LENGTH
    mixed = [3 * step % places for step in range(places)]
    swaps = [swap(0, "input", step, place, pairs=pairs) for place, step in enumerate(mixed)]
    first, bases = np.zeros(pairs, dtype=int), np.arange(pairs)
    found = list(chunks(Edits(swaps, places), first, bases, LENGTH, LAYERS, 12))
    runs = [(p, q) for chunk in found for p, q in zip(chunk.place, chunk.pair, strict=True)]
    assert sorted(runs) == [(p, q) for p in range(places) for q in range(pairs)]
    assert len(found) > 10
    for chunk in found:
        assert np.ptp(np.array(mixed)[chunk.place]) <= 1


def test_pairs_with_the_same_base_read_the_same_natural_run():
    edits = Edits([swap(0, "input", 5, pairs=3)], 1)
    (chunk,) = chunks(edits, np.zeros(3, dtype=int), np.array([1, 0, 1]), LENGTH, LAYERS, 10**6)
    assert chunk.blocks[1].bases.tolist() == [1, 0, 1] and chunk.pair.tolist() == [0, 1, 2]


def test_edits_of_a_stage_that_take_as_many_units_are_one_change():
    swaps = [swap(block, "input", step, place=4 * block + step)
             for step in range(4) for block in (0, 1)]  # fmt: skip
    (chunk,) = chunks(Edits(swaps, 8), FIRST, FIRST, LENGTH, LAYERS, 10**6)
    for block in (0, 1):
        (change,) = chunk.blocks[block].changes["input"]
        assert len(change.slots) == 4
