"""Proofs are of what holds, counterexamples of what does not; the rest is not called a proof."""

import itertools
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairs import BIT, DIGIT, EQUAL, PARITY, POWERS, SIGNED, UNEQUAL, addition, stepping
from symscope.evidence import Counterexample, Proof, SymscopeError, Unknown
from symscope.program import Program, Variable
from symscope.tasks.numbers import Counting
from symscope.verify import Domain, equivalent
from symscope.verify.pair import Pair

TRITS = (Variable("x", 0, 2),)


def outputs(program, inputs):
    """What a program gives on a counterexample's inputs, by its own `run`."""
    if isinstance(inputs, dict) or program.stepped:
        return program.run(inputs).output
    rows = [row if isinstance(row, tuple) else (row,) for row in inputs]
    names = [v.name for v in program.inputs]
    return [program.run(dict(zip(names, row, strict=True))).output for row in rows]


def refutes(found, program, rule):
    """Whether the two differ there, at the last step and no earlier, and gave what is said."""
    got, expected = outputs(program, found.inputs), outputs(rule, found.inputs)
    if found.step is not None:
        assert found.step == len(found.inputs) - 1 and got[:-1] == expected[:-1]
        got, expected = got[-1], expected[-1]
    assert (got, expected) == (found.found, found.expected)
    return got != expected


@pytest.mark.parametrize("name", EQUAL)
def test_the_same_function_written_differently_is_proved(name):
    program, rule = EQUAL[name]
    proof = equivalent(program, rule, seconds=60)
    assert isinstance(proof, Proof), proof
    stepped = program.stepped or rule.stepped
    assert proof.kind == ("for all lengths" if stepped else "for all inputs")


@pytest.mark.parametrize("name", ["thirds", "spring", "queue", "even integers"])
def test_the_order_of_the_two_does_not_matter_to_a_proof(name):
    assert isinstance(equivalent(*EQUAL[name][::-1], seconds=60), Proof)


@pytest.mark.parametrize("name", UNEQUAL)
def test_different_functions_get_a_shortest_input_that_shows_it(name):
    program, rule, length = UNEQUAL[name]
    for one, other in ((program, rule), (rule, program)):
        found = equivalent(one, other, seconds=60)
        assert isinstance(found, Counterexample), found
        assert refutes(found, one, other) and found.shortest
        assert length == (1 if found.step is None else found.step + 1)


def with_one_constant_changed(program):
    """The program with one of its numbers one larger, for each number of one digit."""
    for name, rule in [*program.rules.items(), (None, program.output)]:
        for at, letter in enumerate(rule):
            alone = not (rule[at - 1 : at].isalnum() or rule[at + 1 : at + 2].isalnum())
            if letter.isdigit() and alone:
                changed = f"{rule[:at]}{int(letter) + 1}{rule[at + 1 :]}"
                rules = dict(program.rules) if name is None else {**program.rules, name: changed}
                output = changed if name is None else program.output
                yield Program("changed", program.inputs, program.variables, rules, output,
                              program.start, program.constants)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["thirds", "balanced, sticky", "majority of 3", "binary addition", "gravity", "sums mod 4",
     "palindromes", "triangular numbers"],
)  # fmt: skip
def test_one_constant_of_a_right_program_changed_is_noticed(name):
    noticed = 0
    right, rule = EQUAL[name]
    for changed in with_one_constant_changed(right):
        answer = equivalent(changed, rule, seconds=60)
        if isinstance(answer, Counterexample):
            noticed += refutes(answer, changed, rule)
        else:  # a change without effect, such as d < 0 for a d that is never 0 there
            assert not told_apart(changed, rule, 6)
    assert noticed > 0


def told_apart(program, rule, length):
    """Whether any sequence of that length shows a difference, by running both on all."""
    ranges = [range(int(v.low), int(v.high) + 1) for v in program.inputs]
    symbols = list(itertools.product(*ranges))
    symbols = [s[0] for s in symbols] if len(ranges) == 1 else symbols
    length = length if len(symbols) <= 3 else 2
    return any(
        outputs(program, list(tokens)) != outputs(rule, list(tokens))
        for tokens in itertools.product(symbols, repeat=length)
    )


def test_published_programs_for_counting_are_one_function_on_all_sequences():
    programs = Counting("multi").programs
    proof = equivalent(programs["up_down"], programs["up_up"])
    assert isinstance(proof, Proof) and proof.kind == "for all lengths"
    assert "program_count - rule_demo + rule_resp == 0" in proof.invariants


def test_sequences_that_are_too_short_to_differ_are_proved_to_that_length_only():
    program, rule, _ = UNEQUAL["at step 40 only"]
    proof = equivalent(program, rule, Domain(DIGIT, 39))
    assert (proof.kind, str(proof)) == (
        "to length 39",
        "proved to length 39: program equals program (x 0..9, up to 39 steps; product machine)",
    )
    assert isinstance(equivalent(program, rule, Domain(DIGIT, 40)), Counterexample)


def test_the_domain_says_which_inputs_count():
    clipped = stepping(SIGNED, "m", {"m": "max(m, x, 0)"})
    plain = stepping(SIGNED, "m", {"m": "max(m, x)"}, {"m": -100})
    assert isinstance(equivalent(clipped, plain), Counterexample)
    assert isinstance(equivalent(clipped, plain, Domain(DIGIT)), Proof)


def test_inputs_are_matched_by_position_and_a_rule_without_state_holds_at_each_step():
    stateless = Program("not", (Variable("bit", 0, 1),), (), {}, "not bit")
    stepped = stepping(BIT, "y", {"y": "1 - x"})
    assert isinstance(equivalent(stepped, stateless), Proof)
    late = stepping(BIT, "y", {"y": "1 - old", "old": "x"})
    found = equivalent(late, stateless)
    assert isinstance(found, Counterexample) and refutes(found, late, stateless)


def test_division_by_zero_gives_zero_as_in_a_batch():
    two = (Variable("s", -3, 3), Variable("t", -3, 3))
    guarded = Program("guarded", two, (), {}, "0 if t == 0 else s // t")
    assert isinstance(equivalent(Program("bare", two, (), {}, "s // t"), guarded), Proof)
    other = Program("other", two, (), {}, "1 if t == 0 else s // t")
    assert isinstance(equivalent(other, guarded), Counterexample)


def test_floats_are_run_and_never_proved_by_algebra():
    halves = stepping(BIT, "h", {"h": "h + x / 2"})
    found = equivalent(halves, stepping(BIT, "h / 4", {"h": "h + 2 * x"}), seconds=1)
    assert isinstance(found, Unknown)
    assert isinstance(equivalent(halves, halves, Domain(BIT, 6)), Proof)
    tenths = stepping(BIT, "h == 3 / 10", {"h": "h + x / 10"})
    tens = stepping(BIT, "h == 3", {"h": "h + x"})
    found = equivalent(tenths, tens)  # 0.1 + 0.1 + 0.1 is not 0.3 in floating point
    assert isinstance(found, Counterexample) and refutes(found, tenths, tens)


def test_what_is_not_found_out_in_time_is_unknown_with_what_was_tried():
    answer = equivalent(addition(10), POWERS, seconds=1)
    assert isinstance(answer, Unknown)
    assert answer.cases > 1000 and answer.length >= 1
    assert {told.split(":")[0] for told in answer.tried} >= {"sampling", "induction", "bounded"}
    assert str(answer).startswith("undecided: program equals program")


@pytest.mark.parametrize("name", ["balanced, sticky", "sums mod 7", "max of any integers"])
def test_without_time_there_is_no_proof(name):
    assert isinstance(equivalent(*EQUAL[name], seconds=0), Unknown)


def test_without_z3_the_other_routes_work_and_the_rest_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    for name in ("thirds", "free body", "squares"):
        assert isinstance(equivalent(*EQUAL[name]), Proof)
    assert isinstance(equivalent(*UNEQUAL["palindromes to 10 only"][:2]), Counterexample)
    with pytest.raises(SymscopeError, match=r"pip install 'symscope\[prove\]'"):
        equivalent(*EQUAL["majority of 2"])


@pytest.mark.parametrize(
    ("program", "rule", "domain", "told"),
    [
        (PARITY, addition(2), None, r"program takes \['x'\], the domain is about \['s', 't'\]"),
        (PARITY, PARITY, ((Variable("x", 0, 1, "real"),), None), "input x is real"),
        (PARITY, PARITY, ((Variable("x", 1, 0),), None), "input x has no value: 1 to 0"),
        (PARITY, PARITY, ((Variable("x", 0, 1.5),), None), "0 to 1.5 is not"),
        (PARITY, PARITY, (BIT, 0), "length 0 leaves no sequence"),
    ],
)
def test_what_cannot_be_compared_is_refused(program, rule, domain, told):
    with pytest.raises(SymscopeError, match=told):
        equivalent(program, rule, domain and Domain(*domain))


def test_registers_that_no_output_depends_on_are_left_out():
    idle, rule = EQUAL["an idle counter"]
    assert set(Pair(idle, rule, Domain(BIT)).registers) == {"program_b", "rule_c", "rule_total"}
    assert set(Pair(idle, idle, Domain(BIT)).registers) == {"program_b", "rule_b"}


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "x", "0", "1", "2"]),
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("({} * x)".format, inner),
        st.builds("({} % 3)".format, inner),
        st.builds("({} // 2)".format, inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("min({}, 4)".format, inner),
        st.builds("({} if {} > {} else {})".format, inner, inner, inner, inner),
        st.builds("(({} % 2) ^ ({} == 1))".format, inner, inner),
        st.builds("({} ^ {})".format, inner, inner),
    ),
    max_leaves=4,
)
SMALL = st.builds(
    lambda a, b, output: stepping(TRITS, output, {"a": a, "b": b}),
    EXPRESSIONS, EXPRESSIONS, st.sampled_from(["a", "b", "a + b", "a % 2", "max(a, b)", "a == b"]),
)  # fmt: skip


@settings(max_examples=10)
@given(SMALL, SMALL, st.booleans())
def test_no_proof_is_given_for_programs_that_all_short_sequences_tell_apart(one, other, alike):
    if alike:  # the same with another output, so that many are equal
        other = stepping(TRITS, f"{one.output} + 0 * b", dict(one.rules))
    answers = [equivalent(one, other, seconds=2), equivalent(other, one, seconds=2)]
    if any(isinstance(answer, Proof) for answer in answers):
        assert not told_apart(one, other, 5)
        assert not any(isinstance(answer, Counterexample) for answer in answers)
    for answer, sides in zip(answers, ((one, other), (other, one)), strict=True):
        assert not isinstance(answer, Counterexample) or refutes(answer, *sides)
