"""A printed program is read back as it was; anything else is refused with its line."""

import subprocess
import sys

import pytest

from symscope.evidence import SymscopeError
from symscope.program import Program, Variable
from symscope.programs.printing import python_source
from symscope.programs.reading import program_in, read_program
from symscope.tasks import ALGORITHMS, Counting, algorithm

PROGRAMS = {name: algorithm(name).program for name in ALGORITHMS} | dict(Counting().programs)
SOURCE = python_source(algorithm("div_3").program)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_printed_program_is_read_back(name):
    program = PROGRAMS[name]
    again = program_in(python_source(program, {"x": "a note"}))
    assert python_source(again) == python_source(program)
    assert again.start == dict(program.start) and again.inputs == program.inputs
    assert again.names == program.names


def test_a_printed_program_runs_on_its_own(tmp_path):
    path = tmp_path / "program.py"
    for name, given, said in (("sum_last2", ["3", "4", "5"], "[3, 7, 9]"),
                              ("bitwise_xor", ["1,0", "1,1"], "[1, 0]"),
                              ("newton_magnetic", ["1,0"], "[(1, 0)]")):  # fmt: skip
        path.write_text(python_source(algorithm(name).program))
        ran = subprocess.run([sys.executable, "-I", path, *given], capture_output=True, text=True)
        assert ran.stdout.strip() == said, ran.stderr


def test_a_register_called_state_does_not_hide_the_others(tmp_path):
    names = ("state", "answer")
    late = Program(
        "late",
        (Variable("x", 0, 9),),
        tuple(Variable(n, 0, 9) for n in names),
        {"state": "x", "answer": "state"},
        "answer",
        {"state": 0, "answer": 0},
    )
    path = tmp_path / "program.py"
    path.write_text(python_source(late))
    ran = subprocess.run([sys.executable, "-I", path, "4", "5"], capture_output=True, text=True)
    assert ran.stdout.strip() == "[0, 4]", ran.stderr
    assert program_in(python_source(late)).names == names


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("    remainder = state['remainder']", "    import os", "line .*import os.*only assign"),
        ("    dividend = 2 * remainder + x", "    dividend = open('x')", "line .*open"),
        (
            "def run(sequence):",
            "print(1)\n\n\ndef run(sequence):",
            r"line .*print\(1\).*only const",
        ),
        ("        outputs.append(output)", "        outputs.append(exit())", "run steps through"),
        ("import sys", "import os", "only constants, step and run"),
        ("INPUTS = {", "INPUTS = dict(a=1) or {", "INPUTS gives each name"),
        ("    output = late", "    result = late", "step has no output"),
        ("    remainder = state['remainder']", "    remainder = state['other']", "is read as name"),
    ],
)
def test_anything_else_is_refused_and_nothing_is_run(before, after, said):
    assert before in SOURCE
    with pytest.raises(SymscopeError, match=said):
        program_in(SOURCE.replace(before, after, 1))


def test_a_file_that_is_no_program_is_named(tmp_path):
    path = tmp_path / "program.py"
    with pytest.raises(SymscopeError, match="no file"):
        read_program(path)
    path.write_text("def step(:")
    with pytest.raises(SymscopeError, match=r"program\.py is no Python source"):
        read_program(path)


def test_real_numbers_stay_real():
    x, y = (Variable("x", 0.0, 1.5, "real"),), (Variable("y", 0.0, 99.0, "real"),)
    program = Program("sum", x, y, {"y": "y + x"}, "y", start={"y": 0.5})
    assert program_in(python_source(program)) == program
