"""Neither the clock nor the order, the place nor the number of processes is in a result."""

import subprocess
import sys
from io import BytesIO, TextIOWrapper

import pytest

from reliability.order import order
from symscope.commands.terminal import printable
from symscope.jobs import commit


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("train", ("clock_ahead",)),
        ("align", ("clock_backwards", "elsewhere")),
        ("extract", ("clock_ahead",)),
        ("unit", ("last_first",)),
        ("cell", ("last_first",)),
    ],
)
def test_neither_clock_nor_order_nor_place_is_in_a_result(name, ways, tmp_path, networks):
    for found in order(tmp_path, (name,), ways, networks):
        assert found.score == 1, (found.claim, found.note)
        assert found.controls["seconds kept"] < 1, "a record that does depend must be seen"


def test_the_commit_behind_a_record_is_that_of_the_code_wherever_it_is_run(tmp_path, monkeypatch):
    here = commit()
    monkeypatch.chdir(tmp_path)
    assert commit() == here
    subprocess.run(["git", "init", "-q"], check=True)
    assert commit() == here


def test_what_a_terminal_cannot_show_is_an_escape_and_no_failure(monkeypatch):
    shown = TextIOWrapper(BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", shown)
    printable()
    print("R² 0.9–1.0", flush=True)
    assert shown.buffer.getvalue() == b"R\\xb2 0.9\\u20131.0\n"
