"""Runs that are killed, interrupted, or out of room: what was whole stays whole, and goes on."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symscope.cli import main
from symscope.evidence import write_whole

TRAIN = ["train", "multi", "--width", "6", "--highest", "3", "--no-own-answers", "--epochs", "50"]


def started(*arguments: str) -> subprocess.Popen:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "symscope", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                            env=environment)  # fmt: skip


def appears(path: Path, process: subprocess.Popen) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until and process.poll() is None, f"{path} did not appear"
        time.sleep(0.005)


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main([*TRAIN, "--out", str(whole)]) == 0
    process = started(*TRAIN, "--out", str(killed))
    appears(killed / "training.safetensors", process)
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    assert not (killed / "network.safetensors").exists(), "killed too late to test anything"
    assert main([*TRAIN, "--out", str(killed), "--resume"]) == 0
    found = [(run / "network.safetensors").read_bytes() for run in (whole, killed)]
    assert found[0] == found[1]


def test_an_interrupt_is_one_line_and_leaves_a_run_to_go_on_with(tmp_path):
    longer = [*TRAIN[:-1], "5000", "--out", str(tmp_path / "run")]
    process = started(*longer)
    appears(tmp_path / "run" / "training.safetensors", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err and "--resume" in err


def test_a_kill_in_the_middle_of_writing_leaves_the_earlier_file(tmp_path):
    target = tmp_path / "evidence.json"
    target.write_text("earlier")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from symscope.evidence import write_whole\n"
        "def half(path):\n"
        "    path.write_text('half of'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(Path(sys.argv[1]), half)"
    )
    found = subprocess.run([sys.executable, "-c", code, str(target)])
    assert found.returncode == -signal.SIGKILL
    assert target.read_text() == "earlier"


@pytest.fixture
def little_room():
    """No file of this process can grow beyond 8 KiB, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_ends_the_run_and_leaves_the_earlier_files(trained, refused, little_room):
    before = {p.name: p.read_bytes() for p in trained.iterdir() if p.is_file()}
    options = ("--width", "32", "--highest", "4", "--hold-out", "", "--epochs", "31")
    line = refused("train", "multi", *options, "--out", trained, "--resume", code=3)
    assert "whole" in line
    assert {p.name: p.read_bytes() for p in trained.iterdir() if p.is_file()} == before


def test_a_file_that_could_not_be_written_leaves_no_part_behind(tmp_path, little_room):
    with pytest.raises(OSError):
        write_whole(tmp_path / "big", lambda p: p.write_bytes(bytes(100_000)))
    assert not list(tmp_path.iterdir())
