"""Each route alone: what it proves, what it leaves to the others, and that it counts exactly."""

import math
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairs import BIT, BITS, DIGIT, EQUAL, FREEBODY, PALINDROME, PARITY, SIGNED, UNEQUAL, stepping
from symscope.evidence import Counterexample, Proof, SymscopeError, Unknown
from symscope.expression import evaluate, parse
from symscope.program import Variable
from symscope.verify import Domain, solver
from symscope.verify.affine import affine
from symscope.verify.bounded import bounded
from symscope.verify.exhaustive import exhaustive
from symscope.verify.induction import induction
from symscope.verify.magnitude import largest
from symscope.verify.pair import Pair
from symscope.verify.product import product, small_product
from symscope.verify.relations import guessed, kernel, nullspace, reached
from symscope.verify.sampling import constant, sampled, sequences
from symscope.verify.shortest import shortest

LATER = math.inf
ROUTES = (affine, sampled, product, exhaustive, induction, bounded)


def pair(name, length=None):
    program, rule = (EQUAL.get(name) or UNEQUAL[name])[:2]
    return Pair(program, rule, Domain(rule.inputs, length))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", ["palindromes to 10 only", "balanced, never dead"])
def test_no_route_proves_what_is_false(route, name):
    length = UNEQUAL[name][2]
    soon = time.monotonic() + 1
    assert not isinstance(route(pair(name, length), soon), Proof)
    if route in (product, exhaustive, bounded):
        below = route(pair(name, length - 1), LATER)
        assert isinstance(below, Proof) and below.kind == f"to length {length - 1}"
        found = route(pair(name, length), LATER)
        assert isinstance(found, Counterexample) and len(found.inputs) == length and found.shortest


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_refutes_what_is_true(route):
    for name in ("thirds", "free body", "exclusive or", "binary addition"):
        assert not isinstance(route(pair(name, 4), LATER), Counterexample)


def test_exhaustive_runs_every_input_once():
    proof = exhaustive(pair("thirds", 10), LATER)
    assert (proof.cases, proof.kind, proof.method) == (1024, "to length 10", "exhaustive")
    answer = exhaustive(pair("thirds", 21), LATER)
    assert isinstance(answer, Unknown) and "more than 1048576 inputs" in answer.tried[0]
    assert isinstance(exhaustive(pair("thirds"), LATER), Unknown)
    alone = pair("squares")
    assert exhaustive(alone, LATER).cases == 20


def test_exhaustive_finds_the_one_input_that_differs():
    only = "h3 == 9 and h2 == 0 and h1 == 7 and h0 == 9"
    last = {"h0": "x", "h1": "h0", "h2": "h1", "h3": "h2"}
    rare = Pair(stepping(DIGIT, only, last), stepping(DIGIT, "0"), Domain(DIGIT, 4))
    found = exhaustive(rare, LATER)
    assert (found.inputs, found.expected, found.found) == ([9, 0, 7, 9], 0, 1)


def test_the_product_machine_closes_where_states_are_few():
    proof = product(pair("sevenths"), LATER)
    assert (proof.cases, proof.kind) == (28, "for all lengths")
    answer = product(pair("dithering"), LATER, most=100)
    assert isinstance(answer, Unknown) and answer.length == 6
    assert isinstance(small_product(pair("an idle counter"), LATER), Unknown)
    assert isinstance(product(pair("max of any integers"), LATER), Unknown)


def test_exhaustive_gives_the_shortest_though_a_later_one():
    early = stepping(BIT, "x or k > 3", {"k": "k + 1"})  # all that begin with 1 come in batch two
    found = exhaustive(Pair(early, stepping(BIT, "0 * total(x)"), Domain(BIT, 17)), LATER)
    assert found.inputs == [1]


def test_an_integer_and_the_float_equal_to_it_are_two_states():
    large = stepping(BIT, "y", {"a": "a * 1.0"}, {"a": 2**53}, y="a + 1 == a")
    found = product(Pair(large, stepping(BIT, "0 * x"), Domain(BIT)), LATER)
    assert isinstance(found, Counterexample) and len(found.inputs) == 2


def test_bounded_proves_no_more_than_the_steps_it_took():
    assert isinstance(bounded(pair("thirds"), LATER, most=3), Unknown)
    answer = bounded(pair("thirds", 9), LATER, most=3)
    assert isinstance(answer, Unknown) and answer.length == 3
    assert bounded(pair("thirds", 3), LATER).kind == "to length 3"


def test_a_model_in_which_division_by_zero_is_something_else_is_no_counterexample():
    guarded, bare = stepping(BITS, "0 if t == 0 else s // t"), stepping(BITS, "s // t")
    answer = bounded(Pair(bare, guarded, Domain(BITS)), LATER)
    assert isinstance(answer, Unknown) and "that is none" in answer.tried[0]


def test_affine_needs_as_many_terms_as_there_are_registers():
    chain = {f"h{i}": f"h{i - 1}" if i else "x" for i in range(6)}
    last = stepping(BIT, "y", chain, y="h5")
    found = affine(Pair(last, stepping(BIT, "0 * x"), Domain(BIT)), LATER)
    assert found.inputs == [1, 0, 0, 0, 0, 0, 0]
    delay = {f"h{i}": f"h{i - 1}" if i else "x" for i in range(6)}
    late = stepping(BIT, "h5", delay)
    found = affine(Pair(late, stepping(BIT, "0 * total(x)"), Domain(BIT)), LATER)
    assert found.inputs == [1, 0, 0, 0, 0, 0]
    never = affine(Pair(late, stepping(BIT, "0 * total(x)"), Domain(BIT, 5)), LATER)
    assert isinstance(never, Proof) and never.kind == "to length 5"
    wide = Domain((Variable("x", -math.inf, math.inf),))
    assert affine(Pair(FREEBODY, FREEBODY, wide), LATER).kind == "for all lengths"


def test_affine_looks_at_the_domain_only():
    shifted = stepping(DIGIT, "s", {"s": "s + x - 3"})
    zero = stepping(DIGIT, "0 * total(x)")
    three = Domain((Variable("x", 3, 3),))
    assert isinstance(affine(Pair(shifted, zero, three), LATER), Proof)
    found = affine(Pair(shifted, zero, Domain((Variable("x", 3, 5),))), LATER)
    assert found.inputs == [4]


@pytest.mark.parametrize("output", ["s * s", "s if x else 0", "s // 2", "max(s, x)", "s == 0"])
def test_affine_leaves_the_rest_alone(output):
    other = stepping(BIT, output, {"s": "s + x"})
    assert isinstance(affine(Pair(other, other, Domain(BIT)), LATER), Unknown)


def test_an_inductive_relation_holds_on_runs():
    for name in ("balanced, by the lowest", "majority of 3", "dithering"):
        two = pair(name)
        proof = induction(two, LATER)
        assert proof.method == "1-induction" and proof.invariants
        rng = np.random.default_rng(5)
        for state, _ in two.walk(sequences(two.domain, rng, 60, 40)):
            for relation in proof.invariants:
                assert np.all(evaluate(parse(relation), state)), relation


def test_outputs_that_differ_in_the_first_steps_are_no_base_of_an_induction():
    early = stepping(BIT, "y", {"y": "0 if k == 0 else x", "k": "1"}, {"k": 0})
    always = stepping(BIT, "x + 0 * total(x)")
    assert isinstance(induction(Pair(early, always, Domain(BIT)), LATER), Unknown)


def test_what_held_on_all_runs_and_not_for_ever_proves_nothing():
    late = stepping(BIT, "k == 300", {"k": "k + 1"})  # on all runs seen, k <= 200
    answer = induction(Pair(late, stepping(BIT, "0 * total(x)"), Domain(BIT)), LATER)
    assert isinstance(answer, Unknown)


def test_a_relation_that_does_not_hold_at_the_start_proves_nothing(monkeypatch):
    output = "x if k > 10 and a == 0 else 0"
    late = stepping(BIT, output, {"a": "a", "k": "k + 1"})
    monkeypatch.setattr("symscope.verify.induction.guessed", lambda *_: ["program_a == 1"])
    answer = induction(Pair(late, stepping(BIT, "0 * total(x)"), Domain(BIT)), LATER)
    assert isinstance(answer, Unknown)


def test_relations_far_from_the_start_are_seen():
    on = stepping(BIT, "on", {"c": "c + x", "on": "on or c + x >= 40"})
    full = stepping(BIT, "c >= 40", {"c": "min(c + x, 40)"})
    assert isinstance(induction(Pair(on, full, Domain(BIT)), LATER), Proof)


def test_a_register_may_follow_another_through_its_remainder():
    swinging = stepping(DIGIT, "s", {"s": "s + x * g", "g": "-g"}, {"g": 1})
    even = {"k": "k + 1", "a": "a + x if k % 2 == 0 else a", "b": "b if k % 2 == 0 else b + x"}
    proof = induction(Pair(swinging, stepping(DIGIT, "a - b", even), Domain(DIGIT)), LATER)
    assert isinstance(proof, Proof)


def test_a_question_without_time_is_not_answered():
    assert solver.check([], time.monotonic() - 1) == "unknown"
    assert solver.check([], LATER) not in (None, "unknown")


def test_a_found_difference_is_cut_down_to_a_shortest_one():
    two = pair("palindromes to 10 only")
    tokens = np.ones((40, 1), dtype=int)
    step = two.first_difference(tokens[None])[1]
    long = replace(two.counterexample(tokens[: step + 1], "by hand"), shortest=False)
    wide = two.counterexample(np.array([[1]] * 13 + [[0]] * 7 + [[1]] * 13), "by hand")
    for found in (long, wide):
        cut = shortest(two, found, LATER)
        assert len(cut.inputs) == 12 and cut.shortest


@pytest.mark.parametrize("installed", [True, False])
def test_without_time_to_look_below_it_none_is_called_the_shortest(installed, monkeypatch):
    if not installed:
        monkeypatch.setitem(sys.modules, "z3", None)
    two = pair("palindromes to 10 only")
    long = two.counterexample(np.array([[1]] * 13 + [[0]] * 7 + [[1]] * 13), "by hand")
    cut = shortest(two, long, time.monotonic())
    assert len(cut.inputs) == 33 and not cut.shortest


def test_numbers_beyond_64_bits_are_exact():
    powers = stepping(BIT, "p", {"p": "2 * p"}, {"p": 1})
    tokens = np.zeros((3, 200, 1), dtype=int)
    *_, (_, last) = Pair(powers, powers, Domain(BIT)).walk(tokens)
    assert last.found[0].tolist() == [2**200] * 3
    wrapped = stepping(BIT, "0 * p", {"p": "2 * p"}, {"p": 1})
    vanishing = stepping(BIT, "p == 0", {"p": "2 * p"}, {"p": 1})
    one = Domain((Variable("x", 1, 1),), 200)
    assert isinstance(exhaustive(Pair(vanishing, wrapped, one), LATER), Proof)


TERMS = st.recursive(
    st.sampled_from(["a", "b", "x", "7", "-2"]),
    lambda inner: st.one_of(
        *(st.builds(f"({{}} {op} {{}})".format, inner, inner) for op in ("+", "-", "*", "//", "^")),
        st.builds("({} % {})".format, inner, st.sampled_from([3, -4, "x"])),
        st.builds("({} if {} < {} else abs({}))".format, inner, inner, inner, inner),
        st.builds("max({}, -{})".format, inner, inner),
        st.builds("({} and not {})".format, inner, inner),
    ),
    max_leaves=7,
)


@settings(max_examples=60)
@given(TERMS, st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9))
def test_no_number_is_larger_than_its_bound(text, a, b, x):
    program = stepping(SIGNED, "a + total(a)", {"a": text, "b": "total(x)"}, y="2 * b")
    state = {"a": a, "b": b, "total(x)": 5, "total(a)": -5}
    batch = {name: np.array([value]) for name, value in state.items()}
    after, output = program.step(batch, {"x": np.array([x])})
    sizes = {name: abs(value) for name, value in state.items()}
    most = max(abs(np.asarray(v)).max() for v in (*after.values(), output))
    assert most <= largest(program, sizes, {"x": abs(x)})


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.integers(-5, 5)] * 3), min_size=1, max_size=5), st.integers(2, 6))
def test_the_kernel_modulo_m_generates_all_weights_and_no_others(rows, modulus):
    table = np.array(rows, dtype=object)
    basis = kernel(table, modulus)
    cube = np.stack(np.meshgrid(*[range(modulus)] * 3), -1).reshape(-1, 3)
    solutions = {tuple(w) for w in cube.tolist() if not (np.array(rows) @ w % modulus).any()}
    spanned = {(0, 0, 0)}
    for b in basis:
        spanned = {
            tuple((s + k * v) % modulus for s, v in zip(w, b, strict=True))
            for w in spanned for k in range(modulus)
        }  # fmt: skip
    assert spanned == solutions


def test_the_nullspace_is_exact_however_large_the_numbers():
    column = np.array([3**k for k in range(60)], dtype=object)
    table = np.stack([column, 3 * column, column + 1, np.ones(60, dtype=int).astype(object)], 1)
    basis = nullspace(table)
    assert len(basis) == 2
    assert all((table @ np.array(w, dtype=object) == 0).all() for w in basis)
    assert nullspace(np.eye(3, dtype=int).astype(object)) == []


def test_every_guess_holds_on_what_it_was_guessed_from():
    for name in ("balanced, sticky", "sums mod 6", "palindromes"):
        two = pair(name)
        rows = reached(two, seed=0)
        for relation in guessed(two, rows, rich=True):
            assert np.all(evaluate(parse(relation), rows)), relation


def test_samples_stay_in_the_domain_and_are_repeatable():
    domain = Domain((Variable("a", 3, 7), Variable("b", -math.inf, -4)))
    one, again = (sequences(domain, np.random.default_rng(3), 60, 9) for _ in range(2))
    assert one.shape == (60, 9, 2) and (one == again).all()
    assert one[..., 0].min() == 3 and one[..., 0].max() == 7 and one[..., 1].max() == -4
    assert constant(Domain(BITS), 3).shape == (4, 3, 2)


def test_a_division_by_zero_of_floats_is_an_error_of_the_program():
    bad = stepping(BIT, "1 / x")
    with pytest.raises(SymscopeError, match="program divides by zero within the domain"):
        sampled(Pair(bad, bad, Domain(BIT)), LATER)


def test_registers_have_names_of_their_own():
    program = stepping(BIT, "total_ + total(x) + total(2 * x)", {"total_": "total_ + x"})
    two = Pair(program, PARITY, Domain(BIT))
    assert list(two.registers) == ["program_total_", "program_total", "program_total__", "rule_odd"]
    assert Pair(PALINDROME, PARITY, Domain(BIT)).registers["program_f"] == (0, "f")
