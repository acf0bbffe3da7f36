"""Programs compared on legal sequences only: proofs of them, and counterexamples among them."""

import numpy as np
import pytest

from symscope.evidence import Counterexample, Proof, SymscopeError
from symscope.program import Program, Variable
from symscope.programs.joined import answered
from symscope.tasks.numbers import Counting
from symscope.verify import Domain, equivalent
from symscope.verify.sampling import sequences

TOKEN = (Variable("token", 0, 8),)
UP_AND_DOWN = "count + (token in (3, 4, 5)) - (token == 6)"


def counter(rule: str, output: str, **more: str) -> Program:
    """A program of registers that start at 0."""
    rules = {**more, "count": rule}
    variables = tuple(Variable(name, 0, 64) for name in rules)
    return Program("mine", TOKEN, variables, rules, output, start=dict.fromkeys(rules, 0))


def compared(program: Program, kind: str, anywhere: bool = False):
    task = Counting(kind)
    domain = Domain(TOKEN, legal=None if anywhere else task.legal)
    return equivalent(answered(program, task.asked, -1), task.program, domain, seconds=120)


def test_a_program_is_proved_where_it_only_differs_off_the_grammar():
    program = counter(UP_AND_DOWN, "2 if count < 1 else 6")  # goes on ending below 0
    proof = compared(program, "multi")
    assert isinstance(proof, Proof) and proof.kind == "for all lengths"
    assert "on legal sequences only" in str(proof)
    assert isinstance(compared(program, "multi", anywhere=True), Counterexample)


@pytest.mark.parametrize(
    ("kind", "program", "shortest"),
    [
        ("multi", counter(UP_AND_DOWN, "2 if count == 1 else 6"), [1, 7]),
        ("multi", counter(f"({UP_AND_DOWN}) % 5", "2 if count == 0 else 6"), [5, 7]),
        ("multi", counter("count + (token in (3, 4, 5))", "2 if count == 0 else 6"), [1, 7, 6]),
        ("same", counter("count + (token == 6)", "2 if count == 0 else 6"), [1, 7, 6]),
    ],
    ids=["one too few", "modulo 5", "Up-Up's demo alone", "never down"],
)
def test_a_wrong_program_gets_a_shortest_legal_sequence_that_shows_it(kind, program, shortest):
    found = compared(program, kind)
    assert isinstance(found, Counterexample) and found.shortest
    task = Counting(kind)
    assert all(task.legal.run(found.inputs).output)
    items, *rest = shortest
    assert found.inputs[0] == 1 and found.inputs[1 + items :] == rest
    assert task.program.run(found.inputs).output[-1] == found.expected != found.found


def test_a_difference_that_needs_a_large_count_is_found():
    found = compared(counter(UP_AND_DOWN, "2 if count == 0 or count > 20 else 6"), "single")
    assert isinstance(found, Counterexample)
    assert found.inputs.count(3) == 21 and all(Counting("single").legal.run(found.inputs).output)


def test_legal_sequences_are_sampled_long_and_for_many_counts():
    legal = Counting("multi").legal
    drawn = sequences(Domain(TOKEN, legal=legal), np.random.default_rng(0), 800, 40)[..., 0]
    steps = legal.run(drawn).output.astype(bool)
    assert (steps[:, 1:] <= steps[:, :-1]).all()  # once off the grammar, always
    assert steps.sum(1).min() >= 4 and steps.sum(1).max() > 30
    assert len({int((row == 6).sum()) for row in np.where(steps, drawn, 0)}) > 8


def test_the_length_still_bounds_what_is_compared():
    program = counter(f"({UP_AND_DOWN}) % 5", "2 if count == 0 else 6")
    task = Counting("multi")
    joint = answered(program, task.asked, -1)
    for length, kind in ((6, Proof), (7, Counterexample)):
        assert isinstance(equivalent(joint, task.program, Domain(TOKEN, length, task.legal)), kind)


def test_what_is_legal_is_said_by_a_program_with_a_state():
    with pytest.raises(SymscopeError, match="single steps only"):
        Domain(TOKEN, legal=Program("any", TOKEN, (), {}, "token > 0"))
