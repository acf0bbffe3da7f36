"""`symscope doctor`: what it finds, what it warns of, and when it fails."""

import math
import shutil
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from symscope.commands import doctor
from symscope.extras import EXTRAS

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Two steps are enough here, and products are for `speed`."""
    monkeypatch.setattr(doctor, "WARM", 1)
    monkeypatch.setattr(doctor, "STEPS", 2)
    monkeypatch.setattr(doctor, "peak", lambda place, seconds: 5e10)


def test_it_names_versions_devices_threads_extras_room_and_speed(told):
    code, found, _ = told("doctor")
    assert code == 0 and found["warnings"] == []
    assert found["versions"]["torch"] == torch.__version__
    assert found["devices"]["cpu"]["memory_free"] > 1e8 and found["disk"]["free"] > 0
    assert found["threads"] == {"torch": 1, "OMP_NUM_THREADS": "1"}
    assert set(found["extras"]) == set(EXTRAS)
    assert found["extras"]["report"]["jinja2"]
    assert found["speed"]["finite"] and 0 < found["speed"]["step"] < 60
    assert found["speed"]["operations"] == 5e10


def test_a_missing_extra_has_the_line_that_installs_it(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "installed", lambda name: None if name == "z3-solver" else "1.0")
    doctor.doctor_command()
    out = capsys.readouterr().out
    assert "extra prove: without z3-solver; pip install 'symscope[prove]'" in out
    assert "extra report: plotly 1.0, jinja2 1.0" in out and out.count("pip install") == 1


def test_what_is_not_installed_has_no_version():
    assert doctor.installed("no-such-package") is None and doctor.installed("torch")


def test_what_is_short_is_one_line_each(monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 5 * 10**8))
    monkeypatch.setattr(doctor, "room", lambda _: 9e8)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert doctor.doctor_command() == 0
    warned = [x for x in capsys.readouterr().err.splitlines() if x.startswith("warning: ")]
    expected = "export OMP_NUM_THREADS=1", "0.9 GB of memory", "0.5 GB are free"
    assert all(said in text for text, said in zip(warned, expected, strict=True))


def test_a_step_that_gives_no_number_is_a_failed_computation(monkeypatch, told):
    real = doctor.cross_entropy
    monkeypatch.setattr(doctor, "cross_entropy", lambda *x: real(*x) * math.nan)
    code, found, err = told("doctor")
    assert code == 3 and not found["speed"]["finite"]
    assert "gave a loss that is no number" in err and found["warnings"][0] in err


def test_a_device_that_is_not_there_is_refused(refused):
    assert "there is 'cpu'" in refused("doctor", "--device", "tpu")


def test_the_table_of_extras_is_that_of_the_project():
    asked = tomllib.loads(PROJECT.read_text("utf8"))["project"]["optional-dependencies"]
    for extra in set(asked) - {"dev", "docs"}:
        names = {line.split(">")[0].strip() for line in asked[extra]}
        assert names == set(EXTRAS[extra].values()), extra
