"""From a network to a program, as published."""

import numpy as np
import pytest

import by_hand
from symscope.evidence import SymscopeError
from symscope.extract.pipeline.coded import Coded, integer_codes, observe
from symscope.extract.pipeline.published import agrees, program_of, published, size
from symscope.extract.pipeline.regression import published_regression
from symscope.extract.pipeline.weights import outputs, sequences, weights_of
from symscope.models.real_rnn import build_real
from symscope.program import Program, Variable

LARGE = (Variable("x", 0, 99),)


@pytest.mark.parametrize("make, inputs, rules, output", [
    ("freebody", by_hand.PUSH, {"z0": "z0 + z1", "z1": "z1 + x"}, "z0 + z1"),
    ("parity", by_hand.BIT, {"q0": "(q0 + x) % 2"}, "q0"),
    ("size_of", by_hand.PUSH, {"z0": "abs(x)"}, "z0"),
])  # fmt: skip
def test_a_network_by_hand_gives_its_program(make, inputs, rules, output):
    best = published(by_hand.hidden(getattr(by_hand, make)(), 1), inputs, 6)[0]
    assert (dict(best.rules), best.output) == (rules, output)


@pytest.mark.parametrize("module, inputs", [
    (by_hand.spring(), by_hand.PUSH), (by_hand.magnetic(), by_hand.PUSHES),
    (by_hand.last(3), LARGE), (by_hand.addition(), by_hand.BITS),
], ids=["spring", "magnetic", "last3", "addition"])  # fmt: skip
def test_programs_answer_as_the_network_does_on_other_lengths_too(module, inputs):
    best = published(by_hand.hidden(module, 3), inputs, 6)[0]
    x = sequences(inputs, 12, 9, 1000)
    assert agrees(best, x, np.round(outputs(weights_of(module), x)))
    assert set(best.start.values()) == {0}


def test_registers_on_which_nothing_depends_are_left_out():
    wider = by_hand.network(([[0, 0, 1], [0, 1, 1]], [0, 0]), g=[([1, 0], 0)])
    best = published(wider, LARGE, 5)[0]
    assert dict(best.rules) == {"z0": "x"} and best.output == "z0"


def test_the_first_state_is_a_state_though_it_never_comes_again():
    # y = 1 at first only: h' = 1, y = 2 - h_before; the register must begin apart
    made = by_hand.network(([[0, 0, 0], [1, 0, 0]], [1, 0]), g=[([0, -1], 1)])
    best = published(made, by_hand.BIT, 5)[0]
    assert best.run([0, 1, 0]).output == [1, 0, 0]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sign", [1, -1])
def test_registers_begin_at_zero_or_have_it_as_their_least_and_grow_with_the_output(sign, seed):
    # h' = ±(|x| - 3.9), y = |x|: the first state, 0, is in the middle of those that come
    to_state = [sign, sign], -3.9 * sign
    made = by_hand.network(([[0, 1], [0, -1]], [0, 0]), to_state, g=[(sign, 3.9)])
    weights = weights_of(made)
    codes = list(integer_codes(weights, observe(weights, by_hand.PUSH, 5, 0), seed))
    assert {(0,), (4,)} <= {code.start for code in codes}
    assert all(np.corrcoef(c.after[:, 0], c.answers[:, 0])[0, 1] > 0.9 for c in codes[:2])


def test_the_formulas_can_come_from_elsewhere():
    asked = []

    def regress(columns, target, *, seconds):
        asked.append((set(columns), seconds))
        return published_regression(columns, target, seconds=seconds)

    assert published(by_hand.parity(), by_hand.BIT, 5, regress=regress, seconds=7)
    assert ({"q0", "x"}, 7) in asked and ({"q0"}, 7) in asked
    wrong = published(by_hand.parity(), by_hand.BIT, 5, regress=lambda *_, **__: "1 - 1")
    assert wrong == []


def test_no_formula_is_asked_for_what_nothing_fixes():
    rows = np.array([[0], [0]])
    coded = Coded("gcd", "z", rows, rows, rows, np.array([[0], [1]]), (0,))

    def regress(columns, target, *, seconds):
        raise AssertionError("asked")

    assert program_of(coded, by_hand.BIT, regress) is None


def test_a_network_that_learned_nothing_has_no_program():
    module = build_real("real_mlp", 1, 3, 1, f=(8, 2), seed=4)
    for layer in (module.rnn.f[0], module.rnn.f[2], module.g[0]):
        layer.weight.data.mul_(3)
    assert published(module, (Variable("x", -9, 9),), 6, seconds=1) == []


def test_programs_keep_clear_of_the_inputs_names():
    best = published(by_hand.freebody(), (Variable("z0", -3, 3),), 5)[0]
    assert set(best.rules) == {"z_0", "z_1"}


def test_the_shortest_program_comes_first():
    found = published(by_hand.hidden(by_hand.freebody()), by_hand.PUSH, 5)
    assert len(found) > 1 and [size(p) for p in found] == sorted(map(size, found))


def test_a_program_agrees_only_if_every_answer_does():
    x = np.array([[[1], [0]], [[1], [1]]])
    program = Program("sum", by_hand.BIT, (Variable("s", 0, 9),), {"s": "s + x"}, "s", {"s": 0})
    right = np.array([[[1], [1]], [[1], [2]]])
    assert agrees(program, x, right)
    right[1, 1, 0] = 3
    assert not agrees(program, x, right)


def test_a_length_of_one_is_refused():
    with pytest.raises(SymscopeError, match="length 1"):
        published(by_hand.parity(), by_hand.BIT, 1)
