"""A grid is computed once, whatever happens meanwhile, and read back as a table."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

import small_stages
from small_stages import KILLED, break_, draw, power, refuse
from symscope import sweep as sweeping
from symscope.causal_model import UnknownName
from symscope.engines import local
from symscope.engines.engine import done
from symscope.evidence import SymscopeError, read_evidence
from symscope.studies.sweeps import UNITS
from symscope.sweep import cells, failure, grid, place, run_sweep, table, write_table

BOTH = (draw, power)


def here(jobs):
    """An engine of no processes."""
    for job in jobs:
        yield done(job)


def chosen(**over):
    return grid(BOTH, {name: [str(v) for v in values] for name, values in over.items()})


def scores(folder: Path) -> dict[str, float]:
    return {p.name: read_evidence(p / "evidence.json")[0].score
            for p in (folder / "jobs").iterdir()}  # fmt: skip


def test_every_combination_is_a_cell_and_what_they_share_is_computed_once(tmp_path):
    wanted = chosen(seed=range(3), exponent=(1.0, 2.0))
    first, second = cells(BOTH, wanted)
    assert (len(wanted), len(first), len(second)) == (6, 3, 6)
    found = list(run_sweep(BOTH, wanted, tmp_path, here))
    assert [c.stage for c in found] == [draw] * 3 + [power] * 6
    assert not list((tmp_path / "jobs").glob(".*")) and not list(
        (tmp_path / "unfinished").iterdir()
    )
    assert list(run_sweep(BOTH, wanted, tmp_path, here)) == []
    more = chosen(seed=range(4), exponent=(1.0, 2.0))
    assert len(list(run_sweep(BOTH, more, tmp_path, here))) == 3


def test_the_order_of_a_grid_and_the_engine_change_nothing(tmp_path):
    list(run_sweep(BOTH, chosen(seed=range(4), exponent=(1.0, 2.0)), tmp_path / "a", here))
    turned = list(reversed(chosen(exponent=(2.0, 1.0), seed=range(4))))
    list(run_sweep(BOTH, turned, tmp_path / "b", local(2)))
    assert scores(tmp_path / "a") == scores(tmp_path / "b")


def test_a_cell_is_known_by_its_settings_and_the_version(monkeypatch):
    keys = [c.key for c in cells(BOTH, chosen(seed=(0, 1), width=(2, 3)))[1]]
    assert len(set(keys)) == 4
    (same,) = cells(BOTH, chosen(width=(2,)))[1]
    assert same.key == keys[0], "what is not asked for is the default"
    monkeypatch.setattr(sweeping.symscope, "__version__", "other")
    assert same.key not in keys


def test_a_sweep_that_was_interrupted_goes_on(tmp_path):
    wanted = chosen(seed=range(4))
    running = run_sweep(BOTH, wanted, tmp_path / "a", here)
    [next(running) for _ in range(5)]
    running.close()
    assert len(scores(tmp_path / "a")) == 5
    assert len(list(run_sweep(BOTH, wanted, tmp_path / "a", here))) == 3
    list(run_sweep(BOTH, wanted, tmp_path / "b", here))
    assert scores(tmp_path / "a") == scores(tmp_path / "b")


def test_a_refusal_is_a_record_and_a_failure_is_tried_again_the_next_time(tmp_path, monkeypatch):
    list(run_sweep((refuse,), [{"seed": 0}, {"seed": 1}], tmp_path, here))
    by_seed = {read_evidence(p / "evidence.json")[0].seeds[0]: read_evidence(p / "evidence.json")[0]
               for p in (tmp_path / "jobs").iterdir()}  # fmt: skip
    assert by_seed[0].score == 1.0
    assert (by_seed[1].score, by_seed[1].note) == (None, "odd")
    monkeypatch.setenv(KILLED, str(tmp_path / "marks"))
    (tmp_path / "marks").mkdir()
    wanted = [{"seed": seed, "how": "error"} for seed in range(3)]
    list(run_sweep((break_,), wanted, tmp_path, here))
    _, bad, _ = cells((break_,), wanted)[0]
    said = json.loads(failure(tmp_path, bad).read_text())
    assert (said["error"], said["tries"]) == ("ComputationFailed: no number", 2)
    assert "in break_" in said["where"] and not place(tmp_path, bad).exists()
    monkeypatch.setattr(small_stages.torch, "rand", None)  # nothing else is computed again
    again = [c.settings["seed"] for c in run_sweep((break_,), wanted, tmp_path, here)]
    assert again == [1]


def test_a_killed_job_is_done_again_and_its_failure_forgotten(tmp_path, monkeypatch):
    monkeypatch.setenv(KILLED, str(tmp_path))
    wanted = [{"seed": seed, "how": "once kill"} for seed in range(4)]
    list(run_sweep((break_,), wanted, tmp_path / "s", local(2)))
    assert len(scores(tmp_path / "s")) == 4 and not (tmp_path / "s" / "failed").exists()


def test_what_needs_a_cell_that_failed_is_left_out(tmp_path):
    def broken(folder, *, seed: int = 0):
        raise ValueError("no")

    found = list(run_sweep((broken, power), [{"seed": 0}], tmp_path, here))
    assert [c.stage.__name__ for c in found] == ["broken"]


def test_a_grid_refuses_what_no_stage_knows():
    with pytest.raises(UnknownName, match="unknown setting 'widht'; there is 'width', 'pause'"):
        chosen(widht=(1,))
    with pytest.raises(SymscopeError, match="width=many: a whole number"):
        chosen(width=("many",))
    (found,) = chosen(exponent=("none",), width=("3",))
    assert found == {"exponent": None, "width": 3}
    with pytest.raises(SymscopeError, match="controls=perhaps: yes or no"):
        grid(UNITS["numbers"]["align"], {"controls": ["perhaps"]})


def test_every_stage_of_every_study_can_be_swept():
    for units in UNITS.values():
        for stages in units.values():
            (last,) = cells(stages, [{}])[-1]
            assert "seed" in last.settings
            assert all(p.default is not p.empty for p in sweeping.parameters(stages).values())


def test_a_sweep_is_read_back_as_a_table_and_asked_by_duckdb(tmp_path):
    list(run_sweep(BOTH, chosen(seed=range(3), exponent=(1.0, 2.0)), tmp_path, here))
    found = table(tmp_path)
    assert len(found) == 9 and {"seed", "exponent", "score", "control: zero", "torch"} <= {*found}
    path = write_table(tmp_path)
    asked = f"SELECT exponent, avg(score) FROM '{path}' WHERE stage = 'power' GROUP BY 1 ORDER BY 1"
    (one, mean_one), (two, mean_two) = duckdb.sql(asked).fetchall()
    assert (one, two) == (1.0, 2.0) and mean_one > mean_two > 0
    mine = found[(found.stage == "power") & (found.exponent == 1)].score.mean()
    assert mean_one == pytest.approx(mine)


def test_a_folder_that_another_sweep_wrote_meanwhile_is_kept(tmp_path):
    wanted = chosen(seed=(0,))
    list(run_sweep(BOTH, wanted, tmp_path / "other", here))

    def slower(jobs):
        for job in jobs:
            outcome = done(job)
            (tmp_path / "s" / "jobs").mkdir(parents=True, exist_ok=True)
            if not (tmp_path / "s" / "jobs" / job.name).exists():
                shutil.copytree(tmp_path / "other" / "jobs" / job.name,
                                tmp_path / "s" / "jobs" / job.name)  # fmt: skip
            yield outcome

    list(run_sweep(BOTH, wanted, tmp_path / "s", slower))
    assert scores(tmp_path / "s") == scores(tmp_path / "other")
