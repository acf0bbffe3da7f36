"""A program that answers only where another one says so."""

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.program import Program, Variable
from symscope.programs.joined import answered

BIT = (Variable("bit", 0, 1),)
ODD = Program("odd", BIT, (Variable("s", 0, 1),), {"s": "s ^ bit"}, "s", start={"s": 0})
LATE = Program("late", (Variable("x", 0, 1),), (Variable("s", 0, 9),), {"s": "s + 1"}, "s > LIMIT",
               start={"s": 0}, constants={"LIMIT": 2, "UNUSED": 7})  # fmt: skip


def test_outside_the_other_number_is_given_and_inside_nothing_changes():
    tokens = torch.randint(2, (50, 6))
    expected = ODD.run(tokens).output
    expected[:, :2] = -5
    assert torch.equal(answered(ODD, LATE, -5).run(tokens).output, expected)


def test_names_that_both_have_are_told_apart_and_unused_constants_left_out():
    joint = answered(ODD, LATE, 0)
    assert joint.names == ("s", "late_s") and joint.constants == {"LIMIT": 2}
    assert joint.name == "odd"


def test_a_constant_that_both_have_with_one_value_is_shared_and_with_two_is_not():
    for value, names in ((2, {"LIMIT"}), (3, {"LIMIT", "late_LIMIT"})):
        own = Program("own", BIT, (), {}, "total(bit) + LIMIT", constants={"LIMIT": value})
        joint = answered(own, LATE, 0)
        assert set(joint.constants) == names
        assert joint.run([1, 1, 1]).output == [0, 0, 3 + value]


def test_every_one_of_several_outputs_is_replaced():
    both = Program("both", BIT, (), {}, "bit, total(bit)")
    assert answered(both, LATE, -1).run([1, 1, 1]).output == [(-1, -1), (-1, -1), (1, 3)]


def test_programs_of_unlike_inputs_are_refused():
    two = (*BIT, Variable("other", 0, 1))
    with pytest.raises(SymscopeError, match="late speaks of 1 inputs, two takes 2"):
        answered(Program("two", two, (), {}, "bit + total(other)"), LATE, 0)
