"""The study of number variables: its units, its tables, and what it does beyond the paper."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from oracles import UP_DOWN, WIDTH, axes_of
from symscope.align.by_phase import TwoPhases
from symscope.align.together import flipped
from symscope.alignment import blocks
from symscope.evidence import Evidence, read_evidence
from symscope.featurizer import Rotation
from symscope.models.load import build
from symscope.site import Site
from symscope.studies.numbers.__main__ import PRESETS, WORK, units
from symscope.studies.numbers.published import FIGURE_3_LEFT, PUBLISHED
from symscope.studies.numbers.tables import TABLES
from symscope.tasks import Counting

AXES = axes_of(UP_DOWN)
STATE = Site("rnn", "state")


def oracle(count: int, phase: int):
    """Count and Phase on two of the axes, and the network whose first two hold them."""
    columns = AXES[:, [count, phase]]
    return blocks("up_down", STATE, Rotation(WIDTH, 2, start=columns), {"count": 1, "phase": 1})


@pytest.mark.parametrize("times", [2, 4])
def test_a_true_phase_can_be_flipped_again_and_again(times):
    network, task = UP_DOWN.network, Counting("multi")
    found = flipped(network, task, oracle(0, 1), times)
    assert found.score == 1.0 and found.controls["no_op"] < 0.6
    assert flipped(network, task, oracle(0, 4), times).score < 0.6  # an axis that holds nothing


def vectors(base, source, base_phase, source_phase):
    labels = {"phase.base": torch.tensor(base_phase), "phase.source": torch.tensor(source_phase)}
    return SimpleNamespace(base=base, source=source, pairs=SimpleNamespace(labels=labels))


def test_equal_rotations_for_both_phases_are_plain_alignment():
    base, source = torch.randn(2, 6, WIDTH, generator=torch.Generator().manual_seed(0))
    both, plain = TwoPhases(WIDTH, 3, seed=0), Rotation(WIDTH, 3, seed=0)
    both.rotations[1].load_state_dict(both.rotations[0].state_dict())
    plain.load_state_dict(both.rotations[0].state_dict())
    swap = vectors(base, source, [0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1])
    expected = plain.swap(base, source, [0, 1, 2])
    assert torch.allclose(both.swap(swap, torch.arange(6)), expected, atol=1e-5)


def test_a_count_that_lies_elsewhere_in_each_phase_is_carried_across():
    """Phase 0 keeps the count on the first axis, phase 1 on the second, with 3 added."""
    both = TwoPhases(WIDTH, 1, seed=0)
    both.rotations[0] = Rotation(WIDTH, 1, start=AXES[:, :1])
    both.rotations[1] = Rotation(WIDTH, 1, start=AXES[:, 1:2])
    both.offsets.data[1] = -3.0
    one, other = (rotation.axes()[:, 0].detach() for rotation in both.rotations)
    seven = torch.stack([7 * one, (7 + 3) * other])  # in phase 0, in phase 1
    two = torch.stack([2 * one, (2 + 3) * other])
    base, source = two[[0, 0, 1, 1]], seven[[0, 1, 0, 1]]
    swapped = both.swap(vectors(base, source, [0, 0, 1, 1], [0, 1, 0, 1]), torch.arange(4))
    assert torch.allclose(swapped, seven[[0, 0, 1, 1]], atol=1e-5)


def test_every_preset_names_each_unit_once_and_all_work_is_known():
    for preset in PRESETS.values():
        named = units(preset)
        assert len(set(named)) == len(named) and {u[0] for u in named} <= set(WORK)
    assert {u[0] for u in units(PRESETS["published"])} == set(WORK)
    assert sum(u[0] == "main" for u in units(PRESETS["published"])) == 54


def test_a_study_keeps_what_is_done_and_joins_it(tmp_path):
    def run() -> list[Evidence]:
        asked = ["--preset", "tiny", "--only", "main-multi-transformer", "--out", str(tmp_path)]
        module = [sys.executable, "-m", "symscope.studies.numbers"]
        subprocess.run([*module, *asked, "--jobs", "1"], check=True)
        return read_evidence(tmp_path / "tiny.json")

    first = run()
    assert [e.claim for e in first] == ["numbers.multi.transformer.accuracy"]
    assert first[0].score is None and "seed 0 not analysed (accuracy 0.000)" in first[0].note
    assert first[0].config["command"] == "symscope study numbers --preset tiny"
    unit = tmp_path / "tiny" / "units" / "main-multi-transformer-0.json"
    kept = unit.stat().st_mtime_ns
    assert run() == first
    assert unit.stat().st_mtime_ns == kept
    assert json.loads(unit.read_text())[0]["config"]["made"]["torch"] == torch.__version__


def test_workers_end_with_the_process_that_started_them(tmp_path):
    script = tmp_path / "forever.py"
    script.write_text(
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from symscope.engines import local\n"
        "from symscope.jobs import run_units\n"
        "def forever(unit, settings, folder):\n"
        "    (folder / 'pid').write_text(str(os.getpid()))\n"
        "    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    list(run_units({'a': forever}, [('a', '0')], {}, Path(sys.argv[1]), local(1)))\n"
    )
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
    pid = tmp_path / "pid"
    _wait(lambda: pid.exists() and pid.read_text())
    worker = int(pid.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait(lambda: not _runs(worker))


def _wait(until) -> None:
    for _ in range(600):
        if until():
            return
        time.sleep(0.1)
    raise AssertionError("waited a minute")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


@pytest.mark.parametrize(("cell", "norm"), [("gru", True), ("lstm", False)])
def test_the_head_has_a_norm_in_grus_alone_unless_it_is_said(cell, norm):
    assert isinstance(build(cell, 9, 8).readout[0], torch.nn.LayerNorm) == norm
    other = build(cell, 9, 8, head_norm=not norm)
    assert isinstance(other.readout[0], torch.nn.LayerNorm) != norm


def test_every_published_value_belongs_to_a_claim_that_a_unit_makes():
    assert PUBLISHED["numbers.multi.gru.up_down.count.iia"]["value"] == 0.955
    assert PUBLISHED["numbers.size.96.count.iia"]["value"] == FIGURE_3_LEFT[96]
    assert all(claim.startswith("numbers.") for claim in PUBLISHED)


def test_the_tables_hold_score_published_value_and_floor():
    claim = "numbers.multi.gru.up_down.count.iia"
    record = Evidence(
        claim, 0.97, 0.95, 0.98, 3000, controls={"no_op": 0.05, "random_subspace": 0.11},
        seeds=[0, 1, 2], config={"phase": {"0:0": [9, 10]}}, source=PUBLISHED[claim],
    )  # fmt: skip
    for name, make in TABLES.items():
        lines = make({claim: record}).splitlines()
        assert len({line.count(" | ") for line in lines}) == 1, name
    short = TABLES["short"]({claim: record}).splitlines()[2]
    assert "gru | multi | 3 | **0.970** (0.950–0.980) *found* | 0.955 | 0.110" in short
    assert "| 0.900 |" in TABLES["phases"]({claim: record})
