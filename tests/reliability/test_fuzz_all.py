"""Generated input of every kind ends in an answer or in one line, and nothing of it is run."""

import pytest

from reliability.fuzz_arguments import commands, of_arguments, valid
from reliability.fuzz_documents import of_documents
from reliability.fuzz_folders import of_folders
from reliability.fuzz_programs import evaluated, of_programs
from reliability.fuzz_watch import of_reader
from reliability.fuzz_weights import of_weights

COUNT = 150
ALL = {
    of_arguments: 200,
    of_documents: 60,
    of_weights: COUNT,
    of_folders: COUNT,
    of_programs: COUNT,
}


@pytest.mark.parametrize("fuzz", ALL, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("default")  # what a command warns of is part of what it says
def test_generated_input_is_answered_or_refused_in_one_line(fuzz, tmp_path):
    for evidence in fuzz(ALL[fuzz], tmp_path):
        assert evidence.score == 1, f"{evidence.claim}: {evidence.note}"
        assert evidence.n >= ALL[fuzz] // 3, "few inputs are different"
        assert all(score < 0.7 for score in evidence.controls.values()), evidence.controls


def test_every_command_is_among_those_that_get_arguments(tmp_path):
    assert {words[0] for words in valid(tmp_path)} == set(commands())


def test_the_ears_hear_code_a_file_elsewhere_and_a_process(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    assert "was run" in (evaluated("x + 1", inside) or "")
    assert "os.mkdir" in of_reader((tmp_path / "outside").mkdir, inside)
    assert "open" in of_reader(lambda: (tmp_path / "outside.txt").write_text("a"), inside)
    assert of_reader(lambda: (inside / "own.txt").write_text("a"), inside) == ""


def test_the_clock_sees_a_loop_and_a_wait(tmp_path):
    def loop() -> None:
        while True:
            pass

    assert "hang" in of_reader(loop, tmp_path, seconds=0.2)
