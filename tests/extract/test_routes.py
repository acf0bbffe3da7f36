"""Machines whose program is known give it back, and those that a route is not for give nothing."""

import sys

import numpy as np
import pytest
import torch

import by_hand
from symscope.evidence import SymscopeError
from symscope.extract import angluin, registers
from symscope.extract.angluin import learned
from symscope.extract.as_published import as_published
from symscope.extract.automaton import automaton, minimised, reached, symbols_of
from symscope.extract.cost import length as description
from symscope.extract.extract import ROUTES, extract, fidelity
from symscope.extract.feedback import fed_back
from symscope.extract.formula.synthesise import synthesise
from symscope.extract.grounded import Grounding, grounding
from symscope.extract.labelled import labelled
from symscope.extract.machine import Machine, machine_of
from symscope.extract.questions import questioned
from symscope.extract.recurrence import impulse, predicted, recurrent
from symscope.extract.registers import registered
from symscope.extract.rows import Rows, watched
from symscope.extract.undecided import undecided
from symscope.extract.window import memory, windowed
from symscope.models.real_rnn import build_real
from symscope.program import Program, Variable
from symscope.tasks import algorithm


def played(name: str) -> Machine:
    """The task's own rule as a machine of which only the answers can be seen."""
    task = algorithm(name)

    def answers(x: torch.Tensor) -> torch.Tensor:
        given = x if x.shape[-1] > 1 else x[..., 0]
        return task.answers(given).view(*x.shape[:2], -1)

    return Machine(task.program.inputs, task.length, answers)


def stated(following: list[list[int]], answering: list[list[int]], jitter: float = 0.0) -> Machine:
    """An automaton as a network: state i lies at the unit vector i, moved by where it came from."""
    places, symbols = torch.tensor(following), torch.tensor(answering)
    places_now = torch.eye(len(following)).double()

    def step(h: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        now = h.argmax(1)
        return places_now[places[now, x[:, 0]]] + jitter * torch.roll(h, 1, 1)

    def read(h: torch.Tensor) -> torch.Tensor:
        return symbols.flatten()[h.argmax(1)][:, None]

    def answers(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([read(h) for h in machine.states(x).unbind(1)], 1)

    bit = (Variable("x", 0, 1),)
    machine = Machine(bit, 8, answers, places_now[0], step, read)
    return machine


FLIP = [[0, 1], [1, 0]], [[0], [1]]  # parity; the answer is the state
LONG_FLIP = [[2, 1], [3, 0], [0, 3], [1, 2]], [[0], [1], [0], [1]]  # the same in four states


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("sum_last3", recurrent), ("newton_gravity", recurrent), ("newton_magnetic", recurrent),
        ("prev4", recurrent), ("alternating_last3", windowed), ("diff_abs_values", windowed),
        ("min_seen", fed_back), ("add_mod_5", fed_back), ("bit_dot_prod_mod2", fed_back),
        ("balanced_parenthesis", registered), ("div_3", registered),
        ("base_3_addition", registered),
    ],
)  # fmt: skip
def test_a_rule_is_found_from_its_answers_alone(name, route):
    machine, rows = played(name), watched(played(name), 3000)
    candidate = route(machine, rows, synthesise)
    assert candidate is not None
    assert fidelity(candidate.program, watched(machine, 3000, seed=9)) == 1


@pytest.mark.parametrize(
    ("name", "route"),
    [("parity_all", windowed), ("abs_current", recurrent), ("parity_last3", fed_back)],
)
def test_a_route_that_is_not_for_a_machine_gives_nothing(name, route):
    machine = played(name)
    assert route(machine, watched(machine, 2000), synthesise) is None


def test_a_window_is_as_long_as_it_has_to_be():
    assert [memory(played(n)) for n in ("bitwise_not", "bit_shift_right", "parity_last4")] == [
        1, 2, 4,
    ]  # fmt: skip
    assert memory(played("parity_all")) is None


def test_an_affine_machine_is_its_impulse_response():
    machine = played("newton_spring")
    x = machine.sample(50, seed=1)
    response = impulse(machine)
    assert response[:3, 0, 0].tolist() == [1, 1, 0]  # x'' = −x
    assert torch.equal(predicted(response, x), machine.answers(x))
    assert impulse(played("max_seen")) is None


def test_the_number_before_the_first_step_is_found():
    machine = played("min_seen")
    program = fed_back(machine, watched(machine, 2000), synthesise).program
    assert program.start == {"answer": 9}


@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_states_that_behave_alike_are_one(jitter):
    for described in (FLIP, LONG_FLIP):
        found, _ = automaton(stated(*described, jitter=jitter))
        assert found.following.tolist() == [[0, 1], [1, 0]]
        assert found.answering[..., 0].tolist() == [[0, 1], [1, 0]]


def test_all_reachable_states_are_met_before_they_are_merged():
    whole = reached(stated(*LONG_FLIP), radius=0.5)
    assert len(whole) == 4 and len(minimised(whole)) == 2


def test_an_automaton_is_numbered_so_that_a_formula_fits():
    machine = stated(*FLIP)
    candidate = labelled(machine, watched(machine, 100), synthesise)
    assert candidate.route == "automaton"
    assert candidate.program.run(np.array([[1, 1, 0, 1]])).output.astype(int).tolist() == [
        [1, 0, 0, 1]
    ]


def test_an_automaton_without_a_formula_is_a_table_and_says_so():
    machine = stated([[1, 2], [2, 0], [0, 0]], [[0], [1], [0]])
    candidate = labelled(machine, watched(machine, 100), lambda *_: None)
    assert candidate.route == "table"
    assert fidelity(candidate.program, watched(machine, 100)) == 1


def test_registers_that_are_in_the_states_are_told_from_others():
    machine = stated(*FLIP, jitter=0.05)
    bit, odd = (Variable("x", 0, 1),), (Variable("odd", 0, 1),)
    right = Program("odd", bit, odd, {"odd": "odd ^ x"}, "odd", start={"odd": 0})
    last = Program("last", bit, odd, {"odd": "x"}, "odd", start={"odd": 0})
    assert grounding(machine, right).grounded
    wrong = grounding(machine, last)
    assert not wrong.grounded and wrong.variance > 0.5 and wrong.different < 0.6
    assert Grounding(0.001, 1.0, 1.0, 0.995).grounded
    for weak in ((0.5, 1.0, 1.0, 1.0), (0.0, 1.0, 0.9, 1.0), (0.0, 1.0, 1.0, 0.9)):
        assert not Grounding(*weak).grounded
    assert grounding(played("parity_all"), right) is None  # there are no states to look into


def test_the_shortest_of_the_programs_that_fit_is_chosen():
    found = extract(played("bit_shift_right"), seconds=2.0)
    assert set(found.tried) == set(ROUTES)
    assert found.chosen.route in ("recurrence", "window")
    assert description(found.chosen.program) <= 8
    assert "nothing" in found.tried["feedback"] and "program of" in found.tried["window"]


def test_a_network_that_always_says_the_same_is_a_constant():
    bit = (Variable("x", 0, 1),)
    machine = Machine(bit, 6, lambda x: torch.zeros(*x.shape[:2], 1, dtype=torch.long))
    assert extract(machine, seconds=5).chosen.program.output == "0"


@pytest.mark.parametrize(
    ("inputs", "length", "said"),
    [((), 10, "inputs"), ((Variable("x", 0, 1),), 1, "length 1"),
     ((Variable("x", 2, 1),), 10, "no integers"), ((Variable("x", 0, 0.5),), 10, "no integers")],
)  # fmt: skip
def test_a_machine_that_cannot_be_is_refused(inputs, length, said):
    with pytest.raises(SymscopeError, match=said):
        Machine(inputs, length, lambda x: x)


def test_a_network_that_does_not_fit_its_inputs_is_refused():
    module = build_real("real_mlp", 2, 3, 1, f=(4, 2))
    with pytest.raises(SymscopeError, match="reads 2 at a step, not 1"):
        machine_of(module, (Variable("x", 0, 1),), 10)
    with torch.no_grad():
        module.g[0].bias[0] = float("nan")
    with pytest.raises(SymscopeError, match=r"g\.0\.bias has values that are not finite"):
        machine_of(module, (Variable("s", 0, 1), Variable("t", 0, 1)), 10)


@pytest.mark.parametrize("architecture", ["real_mlp", "real_gru", "real_elman"])
def test_stepping_a_network_gives_the_answers_it_gives_at_once(architecture):
    shape = {"f": (6, 2)} if architecture == "real_mlp" else {}
    module = build_real(architecture, 1, 3, 1, seed=2, **shape)
    machine = machine_of(module, (Variable("x", 0, 9),), 6)
    x = machine.sample(20, seed=0)
    states = machine.states(x)
    stepped = torch.stack([machine.read(h) for h in states.unbind(1)], 1)
    assert torch.equal(stepped, machine.answers(x))
    assert torch.allclose(states[:, -1].float(), module.rnn(x.float())[1][0], atol=1e-5)


@pytest.mark.parametrize(("name", "states"), [("div_3", 6), ("parity_all", 2), ("max_seen", 10)])
def test_an_automaton_is_learned_from_answers_alone(name, states):
    machine = played(name)
    rows = watched(machine, 2000)
    found = learned(machine, rows)
    assert len(found) == states
    candidate = questioned(machine, rows, synthesise)
    assert candidate.route == "questions" and f"{states} states" in candidate.why
    assert fidelity(candidate.program, watched(machine, 2000, seed=3)) == 1


def test_questions_end_at_their_limits(monkeypatch):
    machine = played("newton_spring")  # no finite automaton, 21 symbols
    rows = watched(machine, 200)
    assert "the time was over" in learned(machine, rows, seconds=0.2).why
    monkeypatch.setattr(angluin, "LONGER", 0.3)
    monkeypatch.setattr(angluin, "SECONDS", 1.0)
    assert (
        "more than 3.0 steps"
        in questioned(played("div_7"), watched(played("div_7"), 999), None).why
    )
    monkeypatch.undo()
    monkeypatch.setattr(angluin, "MOST_STATES", 4)
    div = played("div_3")
    assert "more than 4 states" in learned(div, watched(div, 999)).why


def test_questions_are_asked_where_the_states_say_nothing(monkeypatch):
    flip = stated(*FLIP)
    rows = watched(flip, 100)
    assert questioned(flip, rows, synthesise).why.startswith("not asked")
    blurred = stated(*FLIP, jitter=0.05)
    monkeypatch.setattr("symscope.extract.automaton.RADII", (1e-9,))  # no state is met twice
    assert "more than 50 states at 1 of 1 radii" in automaton(blurred, most=50).why
    assert len(learned(blurred, rows)) == 2
    assert questioned(blurred, rows, synthesise).route == "questions"
    wide = played("sum_all")
    assert "100 symbols" in questioned(wide, watched(wide, 50), synthesise).why


def test_without_the_extra_the_route_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aalpy", None)
    machine = played("parity_all")
    said = questioned(machine, watched(machine, 50), synthesise).why
    assert "pip install 'symscope[automata]'" in said


def test_a_closure_that_fails_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr("symscope.extract.automaton.RADII", (0.5,))
    assert "at best 2 states, at radius 0.50, that answer 100.00%" in automaton(stated(*FLIP)).why


def test_the_published_pipeline_is_a_route_for_recurrent_mlps(monkeypatch):
    module, inputs = by_hand.parity(), (Variable("x", 0, 1),)
    machine = machine_of(module, inputs, 6)
    rows = watched(machine, 100)
    candidate = as_published(machine, rows, synthesise)
    assert candidate.route == "published" and fidelity(candidate.program, rows) == 1
    gru = machine_of(build_real("real_gru", 1, 3, 1), inputs, 6)
    assert "recurrent MLPs" in as_published(gru, rows, synthesise).why
    assert "recurrent MLPs" in as_published(stated(*FLIP), rows, synthesise).why
    monkeypatch.setattr("symscope.extract.as_published.SECONDS", 0.0)
    assert "in 0 seconds" in as_published(machine, rows, synthesise).why


def test_when_the_time_is_over_no_route_is_begun():
    found = extract(stated(*FLIP), within=0.0)
    assert found.chosen is None
    assert set(found.tried.values()) == {"not tried, the time was over"}


def test_answers_that_rounding_decides_by_a_toss_are_listed():
    module = build_real("real_mlp", 1, 1, 1, f=(1, 1))
    with torch.no_grad():
        for layer, weight in ((module.rnn.f[0], [[0.0, 1.0]]), (module.g[0], [[0.5]])):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.fill_(0.01 if layer is module.g[0] else 0.0)
    machine = machine_of(module, (Variable("x", 0, 1),), 2)
    found = undecided(machine, machine.observed(100))
    assert (found.count, found.of) == (4, 8)  # one bit in two is 1, and is read as 0.51
    assert found.inputs == ((1,), (0, 1), (1, 1))
    assert "4 of 8 answers" in str(found) and "[0, 1]" in str(found)
    with torch.no_grad():
        module.g[0].bias.fill_(0.03)
    machine = machine_of(module, (Variable("x", 0, 1),), 2)
    assert undecided(machine, machine.observed(100)) is None
    assert undecided(played("parity_all"), machine.observed(100)) is None


def test_symbols_outside_the_alphabet_are_refused_and_no_symbols_have_no_answers():
    machine = machine_of(build_real("real_elman", 1, 3, 2), (Variable("x", 1, 4),), 6)
    assert symbols_of(machine, torch.tensor([[[1], [4]]])).tolist() == [[0, 3]]
    for symbol in (0, 5):
        with pytest.raises(SymscopeError, match=f"{symbol} is none of x's, 1 to 4"):
            symbols_of(machine, torch.tensor([[[1], [symbol]]]))
    assert machine.answers(torch.zeros(3, 0, 1)).shape == (3, 0, 2)
    program = algorithm("parity_all").program
    assert program.run([]).output == []
    assert program.run(torch.zeros(3, 0, dtype=torch.long)).output.shape == (3, 0)


def test_without_the_extra_the_published_route_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    machine = machine_of(by_hand.parity(), (Variable("x", 0, 1),), 6)
    said = as_published(machine, watched(machine, 100), synthesise).why
    assert "pip install 'symscope[extract]'" in said


def test_a_window_of_absolute_values_keeps_these_and_no_signs():
    machine = played("diff_abs_values")
    found = windowed(machine, watched(machine, 2000), synthesise).program
    assert dict(found.rules) == {"abs_x_0": "abs(x)", "abs_x_1": "abs_x_0"}


def test_three_counts_are_sooner_said_than_a_sum_and_a_remainder_sooner_than_all_of_it():
    rows = watched(played("majority_0_2"), 500)

    def made(*rules):
        texts = {f"r{i}": rule.replace("_", f"r{i}") for i, rule in enumerate(rules)}
        return [registers.traced({n: t}, {n: 0}, rows) for n, t in texts.items()]

    counts = made("_ + (x == 0)", "_ + (x == 1)", "_ + (x == 2)")
    sums = made("_ + 1", "_ + x", "_ + (x == 0)")
    assert registers._told(counts) < registers._told(sums)
    assert registers._families([*counts, *sums]) == [(0, 1, 2, 5), (3,), (4,)]
    grey = Rows(rows.inputs, 7 * rows.x, rows.y)
    whole = [registers.traced({"r": "r + x"}, {"r": 0}, grey)]
    rest = [registers.traced({"r": "(r + x) % 15"}, {"r": 0}, grey)]
    assert registers._told(rest) < registers._told(whole)
