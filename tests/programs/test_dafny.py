"""Programs as Dafny: the parts that a verifier needs are there, and one accepts them if it can."""

import re
import shutil
import subprocess

import pytest

from pairs import BIT, EQUAL, SIGNED, UNEQUAL, stepping
from symscope.evidence import SymscopeError
from symscope.program import Program
from symscope.programs.dafny import dafny_source
from symscope.verify import equivalent

DAFNY = shutil.which("dafny")
CHECKED = ("balanced, by the lowest", "majority of 3", "dithering", "sums mod 4")


def test_a_method_states_its_alphabet_and_the_rule_as_a_function_of_prefixes():
    program, rule = EQUAL["balanced, by the lowest"]
    source = dafny_source(program, rule, ["program_d == rule_total", "rule_low <= 0"])
    assert "ensures forall i :: 0 <= i < |xs| ==> ys[i] == Rule(xs[..i + 1])" in source
    assert "forall i :: 0 <= i < |xs| ==> 0 <= xs[i] && xs[i] <= 1" in source
    assert "datatype RuleState = RuleState(rule_low: int, rule_total: int)" in source
    assert "RuleStep(RuleAfter(xs[..|xs| - 1]), xs[|xs| - 1])" in source
    assert "invariant (program_d == rule.rule_total)" in source
    assert "invariant (rule.rule_low <= 0)" in source
    assert source.count("{") == source.count("}") and source.count("(") == source.count(")")


def test_without_a_rule_there_is_a_method_and_nothing_to_follow():
    source = dafny_source(EQUAL["thirds"][0])
    assert "method Run(xs: seq<int>) returns (ys: seq<int>)" in source and "Rule" not in source
    assert "program_r := p_r;" in source and "var program_r := 0;" in source


def test_several_inputs_and_outputs_are_tuples():
    source = dafny_source(*EQUAL["magnetic"])
    assert "method Run(xs: seq<(int, int)>) returns (ys: seq<(int, int)>)" in source
    assert "-10 <= xs[i].1 && xs[i].1 <= 10" in source and "ys := ys + [(p_px, p_py)];" in source


@pytest.mark.parametrize(
    ("text", "told", "helper"),
    [
        ("x // 3", "(xs[i] / 3)", None),
        ("x % 3", "(xs[i] % 3)", None),
        ("x // SIX", "(xs[i] / (6))", None),
        ("x // -3", "FloorDiv(xs[i], (-3))", "FloorDiv"),
        ("x % (x + 1)", "FloorMod(xs[i], (xs[i] + 1))", "FloorMod"),
        ("max(x, 2, 3)", "Max(Max(xs[i], 2), 3)", "Max"),
        ("abs(x) ^ 1", "Xor(Abs(xs[i]), 1)", "Xor"),
        ("x in ODD", "(if ((xs[i] == 1 || xs[i] == 3)) then 1 else 0)", None),
        ("x not in (4, 5)", "(if (!(xs[i] == 4 || xs[i] == 5)) then 1 else 0)", None),
        ("0 < x < 5 and x != 2", "((0 < xs[i] && xs[i] < 5) && (xs[i] != 2))", None),
        ("x and 7", "(if (xs[i] != 0) then 7 else xs[i])", None),
        ("x or 7", "(if (xs[i] != 0) then xs[i] else 7)", None),
        ("not x", "(if !(xs[i] != 0) then 1 else 0)", None),
        ("x == 1 or x if x > 0 else True", "then (if (xs[i] == 1) then (if (xs[i] == 1)", None),
    ],
)
def test_python_arithmetic_is_kept(text, told, helper):
    constants = {"SIX": 6, "ODD": (1, 3)}
    source = dafny_source(Program("p", SIGNED, (), {}, text, {}, constants))
    assert told in source
    helpers = set(re.findall(r"^function (\w+)", source, re.M))
    assert (helper in helpers) if helper else not helpers
    used = {name for name in ("FloorDiv", "FloorMod", "Min", "Max", "Abs", "Xor", "Size")
            if f"{name}(" in source}  # fmt: skip
    assert used == helpers


@pytest.mark.parametrize("text", ["x / 2", "x + 0.5"])
def test_what_is_no_integer_is_refused(text):
    with pytest.raises(SymscopeError, match="Dafny source is of integers only"):
        dafny_source(Program("p", BIT, (), {}, text))


def test_no_name_of_a_program_can_be_a_word_of_dafny():
    source = dafny_source(stepping(BIT, "old + method", {"old": "method", "method": "old + x"}))
    assert not re.search(r"\b(var|:=) (old|method)\b", source)


def verifies(source, folder):
    """Whether Dafny accepts it."""
    (folder / "run.dfy").write_text(source)
    ran = subprocess.run([DAFNY, "verify", "run.dfy"], cwd=folder, capture_output=True, text=True)
    assert "0 resolution/type errors" in ran.stdout or "verified" in ran.stdout, ran.stdout
    return ran.returncode == 0


@pytest.mark.skipif(DAFNY is None, reason="no dafny on the path")
@pytest.mark.parametrize("name", CHECKED)
def test_dafny_accepts_a_right_program_with_its_invariants(name, tmp_path):
    proof = equivalent(*EQUAL[name])
    assert verifies(dafny_source(*EQUAL[name], proof.invariants), tmp_path)


@pytest.mark.skipif(DAFNY is None, reason="no dafny on the path")
def test_dafny_refuses_a_wrong_program(tmp_path):
    assert not verifies(dafny_source(*UNEQUAL["balanced, never dead"][:2]), tmp_path)
