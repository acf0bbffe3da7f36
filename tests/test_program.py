"""Programs as causal models, and as Python that runs without symscope."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from laws import EACH, LENGTH, PROGRAMS, SAMPLES
from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.program import Program, Variable
from symscope.programs.printing import python_source
from symscope.tasks import Counting

BIT = (Variable("bit", 0, 1),)
PAIR = (Variable("x", 0, 9), Variable("y", 0, 9))
FIBONACCI = Program(
    "fibonacci",
    BIT,
    (Variable("old", 0, 99), Variable("new", 0, 99)),
    {"old": "new", "new": "old + new if bit else new"},
    "new",
    start={"old": 0, "new": 1},
)
NEAREST = Program(
    "nearest",
    PAIR,
    (Variable("gap", 0, 9),),
    {"gap": "abs(x - y)"},
    "gap < LIMIT",
    {},
    {"LIMIT": 2},
)
NARROW = Program(
    "narrow majority",
    BIT,
    (Variable("vote", -1, 1),),
    {"vote": "1 if bit else -1"},
    "total(vote) > 0 and total(vote) < 3",
)
ALONE = {"fibonacci": FIBONACCI, "narrow majority": NARROW}


def test_all_state_changes_together():
    assert FIBONACCI.run([1] * 7).output == [1, 2, 3, 5, 8, 13, 21]


def test_several_inputs_and_outputs_run_alike_on_lists_and_batches():
    carried = Program("carry", (Variable("s", 0, 1), Variable("t", 0, 1)),
                      (Variable("carry", 0, 1),), {"carry": "s + t + carry > 1"},
                      "(s + t, s == t)", start={"carry": 0})  # fmt: skip
    batch = torch.tensor([[[0, 1], [1, 1], [1, 0]], [[0, 0], [1, 0], [1, 1]]])
    expected = [[[1, 0], [2, 1], [1, 0]], [[0, 1], [1, 0], [2, 1]]]
    assert carried.run(batch).output.tolist() == expected
    assert carried.run(batch.numpy()).output.tolist() == expected
    assert carried.run([(0, 1), (1, 1), (1, 0)]).output == [tuple(r) for r in expected[0]]
    edited = carried.run(batch, read=[("carry", 1)], do={("carry", 0): lambda c: 1 - c * 1})
    assert edited.values["carry", 1].tolist() == [1, 1]
    with pytest.raises(SymscopeError, match=r"takes \['s', 't'\] at each step, not 1"):
        carried.run([(0,)])


def test_total_sums_over_all_steps_so_far():
    assert NARROW.run([0, 0, 1, 1, 1]).output == [False, False, False, False, True]
    batch = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 0, 0, 0]])
    assert NARROW.run(batch).output.int().tolist() == [[0, 0, 0, 0, 1], [1, 1, 1, 0, 0]]


def test_a_set_variable_is_what_total_sums():
    output = NARROW.run([0, 0, 1], do={("vote", 0): lambda _: 3}).output
    assert output == [False, True, False]


@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_arrays_and_tensors_give_the_same_run(name):
    ruled = PROGRAMS[name]
    read = [(v, 3) for v in ruled.program.names]
    rows = [ruled.program.run(row.tolist(), read=read) for row in ruled.base]
    for batch in (ruled.base, ruled.base.numpy()):
        run = ruled.program.run(batch, read=read)
        assert run.output.tolist() == [pytest.approx(r.output) for r in rows]
        assert isinstance(run.output, type(batch))
        for key in read:
            assert run.values[key].tolist() == pytest.approx([r.values[key] for r in rows])


@settings(max_examples=12)
@given(st.sampled_from([n for n in PROGRAMS if "progress" not in n]), st.integers(0, SAMPLES - 1))
def test_a_run_on_terms_is_the_run_on_numbers(name, row):
    program, tokens = PROGRAMS[name].program, PROGRAMS[name].base[row].tolist()
    symbols = [z3.Int(f"t{i}") for i in range(LENGTH)]
    known = [s == t for s, t in zip(symbols, tokens, strict=True)]
    outputs = program.run(symbols).output
    expected = program.run(tokens).output
    differs = z3.Or([o != e for o, e in zip(outputs, expected, strict=True)])
    assert _check(*known, differs) == z3.unsat
    assert _check(*known) == z3.sat


def _check(*facts):
    solver = z3.Solver()
    solver.add(*facts)
    return solver.check()


def test_an_interval_of_terms_is_decided():
    x, y = z3.Ints("x y")
    output = NEAREST.run({"x": x, "y": y}).output
    assert _check(output, x >= y + 2) == z3.unsat
    assert _check(output, x == y + 1) == z3.sat


def test_each_sample_is_edited_at_its_own_step():
    tokens = torch.zeros(SAMPLES, LENGTH, dtype=torch.long)
    run = FIBONACCI.run(tokens, do={("new", EACH): lambda v: v + 41}, read=[("new", EACH)])
    assert run.values["new", EACH].tolist() == [42] * SAMPLES
    for outputs, step in zip(run.output.tolist(), EACH, strict=True):
        assert outputs == [1] * step + [42] * (LENGTH - step)


def test_a_negative_step_counts_from_the_end():
    assert FIBONACCI.run([1, 1, 1], read=[("new", -1)]).values["new", -1] == 3
    edited = FIBONACCI.run(np.ones((2, 3), int), do={("new", -1): lambda v: 0 * v}).output
    assert edited.tolist() == [[1, 2, 0]] * 2


def test_two_edits_of_one_run_are_both_made():
    edits = {("new", 0): lambda _: 10, ("new", 2): lambda _: 5, ("old", 2): lambda _: 1}
    assert FIBONACCI.run([1, 1, 1, 1], do=edits).output == [10, 11, 5, 6]


def test_an_expression_program_takes_names_or_a_last_axis():
    x, y = torch.tensor([1, 5, 9]), torch.tensor([2, 2, 8])
    expected = [True, False, True]
    assert NEAREST.run({"x": x, "y": y}).output.tolist() == expected
    assert NEAREST.run(torch.stack([x, y], -1)).output.tolist() == expected
    assert NEAREST.run({"x": 1, "y": 2}, read=["gap"]).values == {"gap": 1}
    assert interchange(NEAREST, {"x": 1, "y": 2}, {"x": 9, "y": 2}, ["gap"]) is False


@pytest.mark.parametrize("step", [LENGTH, -LENGTH - 1, (0,) * (SAMPLES - 1) + (LENGTH,)])
def test_a_step_outside_the_sequence_is_refused(step):
    with pytest.raises(SymscopeError, match=f"outside the {LENGTH} steps"):
        PROGRAMS["parity"].program.run(PROGRAMS["parity"].base, read=[("odd", step)])


def test_an_unknown_variable_is_refused_with_those_there_are():
    with pytest.raises(UnknownName, match=r"'cuont'; there is 'old', 'new'"):
        FIBONACCI.run([1], read=[("cuont", 0)])
    with pytest.raises(UnknownName, match="'cuont'; there is 'gap'"):
        NEAREST.run({"x": 1, "y": 2}, do={"cuont": lambda _: 0})


@pytest.mark.parametrize(
    ("rules", "output", "told"),
    [
        ({"odd": "odd ^ bti"}, "odd", "name in odd: 'bti'"),
        ({"odd": "odd ^ bit"}, "even", "name in the output: 'even'"),
        ({"odd": "odd ^ bit.real"}, "odd", "Attribute is not allowed"),
        ({"even": "bit"}, "odd", "need one rule each"),
    ],
)
def test_a_rule_is_checked_when_the_program_is_made(rules, output, told):
    with pytest.raises(SymscopeError, match=told):
        Program("parity", BIT, (Variable("odd", 0, 1),), rules, output, start={"odd": 0})


def test_a_computed_variable_reads_only_those_above_it():
    variables = (Variable("first", 0, 1), Variable("second", 0, 1))
    rules = {"first": "second", "second": "bit"}
    with pytest.raises(UnknownName, match="name in first: 'second'"):
        Program("upside_down", BIT, variables, rules, "first")


def test_printed_programs_run_alone_and_agree():
    programs = {**{name: r.program for name, r in PROGRAMS.items()}, **ALONE}
    inputs = {name: r.base.tolist() for name, r in PROGRAMS.items()}
    inputs |= {name: PROGRAMS["parity"].base.tolist() for name in ALONE}
    sources = {name: python_source(p) for name, p in programs.items()}
    assert not any("symscope" in source for source in sources.values())
    child = (
        "import json, sys\n"
        "sources, inputs = json.load(sys.stdin)\n"
        "found = {}\n"
        "for name, source in sources.items():\n"
        "    space = {}\n"
        "    exec(source, space)\n"
        "    found[name] = [space['run'](row) for row in inputs[name]]\n"
        "assert not any(m.startswith(('symscope', 'torch')) for m in sys.modules)\n"
        "print(json.dumps(found))\n"
    )
    alone = subprocess.run(  # -S: without site-packages nothing but the standard library is there
        [sys.executable, "-I", "-S", "-c", child],
        input=json.dumps([sources, inputs]), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(alone.stdout)
    for name, program in programs.items():
        expected = [program.run(row).output for row in inputs[name]]
        assert found[name] == [pytest.approx(outputs) for outputs in expected]


def test_a_printed_expression_program_takes_its_inputs_one_by_one():
    space: dict = {}
    exec(python_source(NEAREST), space)
    assert space["run"]([(1, 2), (1, 5)]) == [True, False]


def test_edits_of_one_variable_meet_at_a_step_of_different_rows():
    program, tokens = Counting("single").program, torch.tensor([[1, 3, 3, 3], [1, 3, 3, 3]])
    edits = {("count", (1, 2)): lambda _: 5, ("count", (2, 3)): lambda _: 9}
    read = [("count", step) for step in (1, 2, 3)]
    values = program.run(tokens, read=read, do=edits).values
    assert [values[name].tolist() for name in read] == [[5, 1], [9, 5], [10, 9]]
    network = {("count", (1, 2)): edits["count", (1, 2)]}
    assert program.run(tokens, read=read, do=network).values["count", 3].tolist() == [7, 6]
