"""Sweeps on a Ray cluster: three nodes on this machine, one of which is killed in the middle."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from symscope.engines import Job, on_ray, run_jobs
from symscope.evidence import SymscopeError, read_evidence
from symscope.sweep import cells, place


@pytest.fixture(scope="module")
def clustered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray")
    script = Path(__file__).with_name("ray_cluster.py")
    ran = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1]), folder


def test_two_hundred_jobs_survive_the_death_of_a_node_each_once(clustered):
    found, _ = clustered
    assert found["nodes"] == 2
    assert found["jobs"] == found["there"] == found["yielded"] == found["different"] == 200
    assert found["again"] == 0


def test_a_cluster_computes_what_this_machine_does(clustered, tmp_path):
    from small_stages import draw, power
    from symscope.engines.engine import done
    from symscope.sweep import run_sweep

    chosen = [{"seed": seed, "pause": 0.05} for seed in (3, 77)]
    list(run_sweep((draw, power), chosen, tmp_path, lambda jobs: map(done, jobs)))
    for cell in cells((draw, power), chosen)[1]:
        mine, theirs = (read_evidence(place(folder, cell) / "evidence.json")[0]
                        for folder in (tmp_path, clustered[1] / "sweep"))  # fmt: skip
        assert (mine.claim, mine.score) == (theirs.claim, theirs.score)


def test_one_flag_moves_a_command_to_the_cluster(clustered):
    found, _ = clustered
    code, out, err = found["cli"]
    assert code == 0, err
    assert (
        json.loads(out)["done"] == 2 and found["refused"] == "a job wants 1 GPU, the cluster has 0"
    )


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nowhere", "h:99999999", "\x00:1"])
def test_an_address_where_nobody_answers_is_one_line(address):
    with pytest.raises(SymscopeError, match=r"no Ray cluster at .*: ray start --head"):
        on_ray(address)


def test_ray_that_is_not_installed_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SymscopeError, match=r"pip install 'symscope\[cluster\]'"):
        list(run_jobs([Job("a", print)], on_ray()))
