"""Programs written as a person would: the same function, tidy formulas, telling names, places."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from symscope.expression import evaluate, number, parse
from symscope.extract import machine_of
from symscope.extract.located import _place, located
from symscope.extract.readable import meanings, readable, tidy
from symscope.models.real_rnn import build_real
from symscope.program import Program, Variable

BIT = (Variable("x", 0, 1),)

_numbers = st.recursive(
    st.sampled_from(["r", "x", "q", "1", "3"]),
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from(["+", "-", "*", "%", "//"]), part).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(part, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), part).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(part, part, part).map(lambda t: f"({t[0]} if {t[1]} == 1 else {t[2]})"),
        st.tuples(st.sampled_from(["max", "min"]), part, part).map(
            lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        part.map(lambda t: f"(not {t})"), part.map(lambda t: f"(-{t})"),
        st.tuples(part, part).map(lambda t: f"(({t[0]} == 1) and ({t[1]} < 2))"),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(_numbers)
def test_a_tidy_formula_has_the_same_value_everywhere(text):
    grid = torch.tensor(list(itertools.product(range(-2, 4), repeat=3)))
    names = dict(zip("rxq", grid.unbind(1), strict=True))
    before, after = (number(evaluate(parse(t), names)) for t in (text, tidy(text, {"x"})))
    assert torch.equal(*(torch.as_tensor(v).expand(len(grid)).long() for v in (before, after)))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2 < x + r", "r + x > 2"),
        ("r + r + x", "2 * r + x"),
        ("not x % 2", "x % 2 == 0"),
        ("max(x, r)", "max(r, x)"),
        ("x ^ r", "r ^ x"),
        ("r + (1 - 2 * x)", "r + 1 - 2 * x"),
        ("-x + r", "r - x"),
        ("(1 if r < 2 else 0) if x == 1 else 4", "4 if x != 1 else 1 if r < 2 else 0"),
    ],
)
def test_formulas_are_written_as_a_person_would(text, written):
    assert tidy(text, {"x"}) == written


def test_registers_are_named_for_what_they_hold():
    rules = {"r1": "r1 + (x == 0)", "register2": "x", "register3": "register2", "r9": "r9 * r9"}
    made = Program("p", BIT, tuple(Variable(n, 0, 9) for n in rules), rules,
                   "r1 + register2 + register3 + r9", start=dict.fromkeys(rules, 0))  # fmt: skip
    found = readable(made)
    assert found.names == ("count_0", "x_0", "x_1", "register1")
    assert found.output == "count_0 + x_0 + x_1 + register1"
    said = meanings(found)
    assert said["count_0"].startswith("how often x was 0 so far")
    assert said["x_1"].startswith("x one step before")


def test_each_part_of_an_answer_of_several_is_told():
    rules = {"px": "px + x", "py": "py - x"}
    made = Program("p", BIT, tuple(Variable(n, 0, 9) for n in rules), rules, "px, py",
                   start=dict.fromkeys(rules, 0))  # fmt: skip
    assert meanings(made)["py"].startswith("answer 2 of 2")


def test_a_name_that_is_an_inputs_is_not_given_again():
    inputs = (Variable("x", 0, 1), Variable("x_0", 0, 1))
    made = Program("p", inputs, (Variable("r1", 0, 1),), {"r1": "x"}, "r1", start={"r1": 0})
    assert readable(made).names == ("x_0_",)


def _memory():
    """A network whose state is the last input and, beside it, the sum of all."""
    module = build_real("real_mlp", 1, 2, 1, (1, 1), (1, 1))
    f, g = module.rnn.f[0], module.g[0]
    with torch.no_grad():
        f.weight.copy_(torch.tensor([[0.0, 0, 1], [0, 1, 1]]))
        g.weight.copy_(torch.tensor([[0.0, 1]]))
        f.bias.zero_(), g.bias.zero_()
    return machine_of(module, BIT, 6)


def test_a_register_is_located_along_the_direction_that_holds_it():
    rules = {"sum": "sum + x", "last": "x", "before": "last"}
    made = Program("p", BIT, tuple(Variable(n, 0, 9) for n in rules), rules, "sum + last + before",
                   start=dict.fromkeys(rules, 0))  # fmt: skip
    places = located(_memory(), made)
    assert places["sum"].linear > 0.999 and abs(places["sum"].direction[1]) > 0.999
    assert places["last"].linear > 0.999 and abs(places["last"].direction[0]) > 0.999
    assert places["before"].linear < 0.5 and places["before"].told < 0.9
    assert "not told by the state" in str(places["before"])
    assert "along" in str(places["sum"])


@pytest.mark.parametrize(("size", "kept"), [(1.0, True), (1e-3, False)])
def test_what_differs_by_less_than_a_little_is_no_place_to_keep_a_symbol_in(size, kept):
    bits = torch.randint(0, 2, (500, 4, 3), generator=torch.Generator().manual_seed(0)).double()
    jitter = 1e-6 * torch.rand(bits.shape, generator=torch.Generator().manual_seed(1))
    states = bits * torch.tensor([1.0, size, size]) + jitter
    place = _place(states, (bits[..., 1] != bits[..., 2]).double())
    assert place.linear < 0.1 and place.found == kept
