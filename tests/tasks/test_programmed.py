"""Any program as a task: inputs in its ranges, its answers, and pairs that mean something."""

import pytest
import torch

from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.program import Program, Variable
from symscope.task import IGNORE
from symscope.tasks.programmed import Programmed

BIT = (Variable("bit", 0, 1),)
PARITY = Program("parity", BIT, (Variable("odd", 0, 1),), {"odd": "odd ^ bit"}, "odd",
                 start={"odd": 0})  # fmt: skip
INPUTS = tuple(Variable(name, 1, 3) for name in "abc")
RARE = Program("rare", INPUTS, (Variable("all", 0, 1), Variable("a2", 0, 1)),
               {"all": "1 if a == 3 and b == 3 and c == 3 else 0", "a2": "1 if a == 2 else 0"},
               "-1 if a == 1 and b == 2 else all")  # fmt: skip


def generator():
    return torch.Generator().manual_seed(0)


def test_inputs_lie_in_the_programs_ranges():
    steps, once = Programmed(PARITY, length=6), Programmed(RARE)
    assert steps.sample(50, generator()).shape == (50, 6)
    drawn = once.sample(200, generator())
    assert drawn.shape == (200, 3) and drawn.unique().tolist() == [1, 2, 3]
    assert len(once.enumerate()) == len(once.gate(generator())) == 27
    assert len(steps.enumerate()) == 64
    assert once.vocabulary == ("0", "1", "2", "3")


def test_an_output_of_minus_one_asks_for_nothing():
    task = Programmed(RARE)
    correct = task.correct(torch.tensor([[1, 2, 3], [3, 3, 3], [2, 2, 2]]))
    assert correct.tolist() == [IGNORE, 1, 0]
    pairs = task.pairs(RARE, ("all",), 100, 0, "fit")
    assert bool(pairs.scored.all())


def test_targets_are_the_programs_own_interchange_from_the_base_step_on():
    task = Programmed(PARITY, length=5)
    pairs = task.pairs(PARITY, ("odd",), 100, 0, "fit")
    for row in range(100):
        t, u = int(pairs.base_step[row]), int(pairs.source_step[row])
        base, source = pairs.base[row].tolist(), pairs.source[row].tolist()
        expected = interchange(PARITY, base, source, {("odd", t): ("odd", u)})
        assert pairs.target[row].tolist() == [IGNORE] * t + expected[t:]
        assert int(pairs.labels["odd.base"][row]) == sum(base[: t + 1]) % 2
        assert int(pairs.labels["odd.source"][row]) == sum(source[: u + 1]) % 2


def test_in_half_of_the_pairs_the_swap_changes_an_answer_where_it_can():
    task = Programmed(RARE)
    often = task.pairs(RARE, ("all",), 400, 0, "fit").labels["changes"]
    assert float(often.float().mean()) == pytest.approx(0.5, abs=0.01)
    never = task.pairs(RARE, ("a2",), 400, 0, "fit").labels["changes"]
    assert not bool(never.any())
    assert not bool(task.pairs(RARE, (), 400, 0, "fit").labels["changes"].any())


def test_splits_are_disjoint_and_a_seed_gives_the_same_pairs_again():
    task = Programmed(PARITY, length=5)

    def keys(split, seed=0):
        p = task.pairs(PARITY, ("odd",), 300, seed, split)
        rows = torch.cat([p.base, p.base_step[:, None], p.source, p.source_step[:, None]], 1)
        return [tuple(row) for row in rows.tolist()]

    fit, validation, test = (set(keys(s)) for s in ("fit", "validation", "test"))
    assert not fit & test and not fit & validation and not validation & test
    assert keys("fit") == keys("fit") and keys("fit") != keys("fit", seed=1)


def test_inputs_can_be_drawn_by_a_rule_of_ones_own():
    def threes(count, generator):
        return torch.full((count, 3), 3)

    task = Programmed(RARE, draw=threes)
    assert task.sample(2, generator()).tolist() == [[3, 3, 3]] * 2
    with pytest.raises(SymscopeError, match="cannot list its inputs; sample them"):
        task.enumerate()


@pytest.mark.parametrize(
    ("variables", "split", "same_phase", "told"),
    [
        (("even",), "fit", False, "unknown variable 'even'; there is 'odd'"),
        (("odd",), "train", False, "unknown split 'train'; there is 'fit', 'validation', 'test'"),
        (("odd",), "fit", True, "parity has no phases"),
    ],
)
def test_what_is_not_there_is_refused(variables, split, same_phase, told):
    with pytest.raises((UnknownName, SymscopeError), match=told):
        Programmed(PARITY).pairs(PARITY, variables, 10, 0, split, same_phase)
