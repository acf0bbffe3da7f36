"""A full disk: exit code 3 in one line, whole files, and the same end when there is room."""

import pytest

from reliability.disk import no_room, on_a_small_disk, possible
from symscope.evidence import write_whole


@pytest.mark.parametrize(
    ("name", "kind", "write"),
    [("train", "no room", 3), ("report", "no file", 1), ("unit", "no room", 2),
     ("cell", "no room", 2)],
)  # fmt: skip
def test_a_full_disk_is_said_and_costs_nothing_that_was_written(
    name, kind, write, tmp_path, networks
):
    (found,) = no_room(tmp_path, (name,), (kind,), (write,), networks)
    assert found.n == 1 and found.score == 1, found.note
    assert found.controls["in place"] == 0, "a file that was cut must be seen"


def test_a_disk_that_is_really_full_is_no_other(tmp_path):
    if not possible(tmp_path):
        pytest.skip("no file system in memory can be mounted here")
    (found,) = on_a_small_disk(tmp_path, ("align",), (0,))
    assert found.n == 1 and found.score == 1, found.note


def test_what_could_not_be_written_is_named_and_not_its_temporary_file(tmp_path):
    with pytest.raises(OSError) as raised:
        write_whole(tmp_path / "big", lambda p: p.unlink() or p.symlink_to("/dev/full")
                    or p.write_text("a" * 10))  # fmt: skip
    assert raised.value.filename == str(tmp_path / "big")
    assert not list(tmp_path.iterdir())
