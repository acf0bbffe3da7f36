"""Addition digit by digit: what is written, what is scored, what a carry does."""

import pytest
import torch

from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.task import IGNORE
from symscope.tasks.long_addition import LongAddition

FIRST, LAST = LongAddition(3), LongAddition(3, units_first=False)
BOTH = pytest.mark.parametrize("task", [FIRST, LAST], ids=["units first", "units last"])


def number(digits, units_first: bool) -> int:
    return int("".join(map(str, reversed(digits) if units_first else digits)))


@BOTH
def test_a_sequence_says_both_numbers_and_their_sum(task):
    sequences = task.sample(200, torch.Generator().manual_seed(0))
    assert sequences.shape == (200, 12)
    for row in sequences.tolist():
        a, b = (int("".join(map(str, row[i : i + 3]))) for i in (0, 4))
        assert row[3] == 10 and row[7] == 11
        assert number(row[8:], task.units_first) == a + b


@BOTH
def test_what_is_scored_is_the_answer_one_step_ahead(task):
    sequences = task.sample(50, torch.Generator().manual_seed(1))
    target = task.correct(sequences[:, :-1])
    assert bool((target[:, :7] == IGNORE).all()) and torch.equal(target[:, 7:], sequences[:, 8:])
    assert torch.equal(task.correct(sequences[:, :8])[:, 7], sequences[:, 8])
    for place in range(1, 5):
        a, b = task.numbers(sequences)
        assert torch.equal(target[:, task.step_of(place)], (a + b) // 10 ** (place - 1) % 10)


@BOTH
def test_the_program_writes_the_answer_and_the_one_without_carries_does_not(task):
    sequences = task.sample(300, torch.Generator().manual_seed(2))
    found = torch.stack(task.program.run(sequences[:, :8]).output, 1)
    assert torch.equal(found, sequences[:, 8:])
    plain = torch.stack(task.programs["no_carry"].run(sequences[:, :8]).output, 1)
    assert 0.02 < float((plain == found).all(1).float().mean()) < 0.4


def test_what_is_trained_on_is_never_tested():
    seen, other = (
        {tuple(x.tolist()) for x in torch.stack(FIRST.numbers(FIRST.sample(3_000, g, t)), 1)}
        for g, t in ((torch.Generator().manual_seed(3), True), (torch.Generator(), False))
    )
    assert not seen & other
    gate = FIRST.numbers(FIRST.gate(torch.Generator().manual_seed(4)))
    assert not seen & {tuple(x.tolist()) for x in torch.stack(gate, 1)}


@BOTH
@pytest.mark.parametrize("variable", ["carry_2", "carry_3", "digit_1", "digit_4"])
def test_a_swap_changes_the_digit_of_its_place_and_that_alone_is_scored(task, variable):
    pairs = task.pairs(task.program, (variable,), 60, 0, "fit")
    place = int(variable[-1])
    step = task.step_of(place)
    assert bool((pairs.scored.nonzero()[:, 1] == step).all()) and int(pairs.scored.sum()) == 60
    swapped = interchange(task.program, pairs.base[:, :8], pairs.source[:, :8], (variable,))
    column = step - 7
    assert torch.equal(pairs.target[:, step], swapped[column])
    assert bool((pairs.target[:, step] != task.correct(pairs.base)[:, step]).all())
    if variable.startswith("carry"):
        a, b = task.numbers(pairs.base)
        into = pairs.labels[f"{variable}.source"]
        digit = (a // 10 ** (place - 1) % 10 + b // 10 ** (place - 1) % 10 + into) % 10
        assert torch.equal(pairs.target[:, step], digit)
    assert pairs.base.shape == (60, 11) and len(pairs.labels) == 2


def test_splits_share_no_pair_of_numbers():
    sides = [
        {tuple(x.tolist()) for x in FIRST.pairs(FIRST.program, ("carry_2",), 100, 0, split).base}
        for split in ("fit", "test")
    ]
    assert not sides[0] & sides[1]


def test_what_cannot_be_is_said():
    with pytest.raises(SymscopeError, match="0 digits"):
        LongAddition(0)
    with pytest.raises(UnknownName, match="variable"):
        FIRST.pairs(FIRST.program, ("carry_9",), 1, 0, "fit")
    with pytest.raises(SymscopeError, match="one variable at a time"):
        FIRST.pairs(FIRST.program, ("carry_2", "carry_3"), 1, 0, "fit")
    with pytest.raises(SymscopeError, match="let a swap of carry_1 change it"):
        FIRST.pairs(FIRST.program, ("carry_1",), 1, 0, "fit")
