"""What a sweep costs beside its work: speed-up by processes, overhead per job, what is left there.

    symscope bench sweep            writes results/reliability/sweep.json
    symscope bench sweep --quick    fewer jobs and rounds, nothing is written

Rounds of one and of two processes take turns. Overhead is the wall time between the first outcome
and the last, by the number of jobs between: what starting takes is told apart. Ray is a cluster of
this machine.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
ROOT = Path(__file__).parents[1]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests"), *sys.path[1:]])
sys.path.insert(0, str(ROOT / "tests"))

from recorded import described
from small_stages import draw
from symscope.engines import Engine, Job, Outcome, local, on_ray, run_jobs
from symscope.evidence import Evidence, write_evidence
from symscope.studies.sweeps import UNITS
from symscope.sweep import grid, rows, run_sweep, write_table

RECORD = ROOT / "results" / "reliability" / "sweep.json"
WORK = {"width": ["16"], "epochs": ["6"], "highest": ["10"]}
"""Of each of the jobs that are scaled: a network that counts, trained for some seconds."""


def main() -> None:
    """Measure and print; write what was measured unless it was done quickly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick, began = parser.parse_args().quick, time.monotonic()
    jobs, rounds, empty = (4, 1, 50) if quick else (64, 3, 1000)
    sizes = (100,) if quick else (1_000, 10_000)
    found = [scaling(jobs, rounds), *overheads(empty, rounds), *(many(size) for size in sizes)]
    for record in found:
        print(record, f"({record.unit})", flush=True)
    if not quick:
        made = described("symscope bench sweep", began)
        write_evidence(RECORD, [with_origin(record, made) for record in found])


def scaling(jobs: int, rounds: int) -> Evidence:
    """How many times as fast a sweep is in two processes as in one, round by round."""
    stages = UNITS["numbers"]["train"]
    chosen = grid(stages, {"seed": [str(s) for s in range(jobs)], **WORK})

    def seconds(engine: Engine) -> float:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            assert len(list(run_sweep(stages, chosen, Path(folder), engine))) == jobs
            return time.monotonic() - began

    pairs = [(seconds(local(1)), seconds(local(2))) for _ in range(rounds)]
    ratios = [one / two for one, two in pairs]
    config = {"rounds": [[round(s, 2) for s in pair] for pair in pairs], "jobs": jobs}
    return Evidence("reliability.sweep.speedup", median(ratios), min(ratios), max(ratios), rounds,
                    "times as fast", {"one process": 1.0}, config=config,
                    note="lowest and highest round")  # fmt: skip


def overheads(jobs: int, rounds: int) -> Iterator[Evidence]:
    """Milliseconds per job that does nothing, by engine; with a sweep's files as well."""
    import ray
    from ray.cluster_utils import Cluster

    yield _overhead("local", local(2), jobs, rounds)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    yield _overhead("ray", on_ray(cluster.address), jobs, rounds)
    ray.shutdown()
    cluster.shutdown()
    each, starts = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            start, rest = _timed(_swept(Path(folder), local(2), jobs))
            each.append(1000 * rest / (jobs - 1))
            starts.append(start)
    yield _milliseconds("cells", each, starts, jobs)


def _overhead(name: str, engine: Engine, jobs: int, rounds: int) -> Evidence:
    each, starts = [], []
    for _ in range(rounds):
        start, rest = _timed(run_jobs((Job(str(i), int, ("1",)) for i in range(jobs)), engine))
        each.append(1000 * rest / (jobs - 1))
        starts.append(start)
    return _milliseconds(name, each, starts, jobs)


def _milliseconds(name: str, each: Sequence[float], starts: Sequence[float], jobs: int) -> Evidence:
    config = {"start_seconds": [round(s, 2) for s in starts], "jobs": jobs}
    return Evidence(f"reliability.sweep.overhead.{name}", median(each), min(each), max(each),
                    len(each), "milliseconds per job", config=config,
                    note="lowest and highest round")  # fmt: skip


def _timed(outcomes: Iterable[Any]) -> tuple[float, float]:
    """Seconds until the first, and from there to the last."""
    began = time.monotonic()
    found = iter(outcomes)
    first = next(found)
    assert not isinstance(first, Outcome) or first.error is None
    started = time.monotonic()
    for one in found:
        assert not isinstance(one, Outcome) or one.error is None
    return started - began, time.monotonic() - started


def _swept(folder: Path, engine: Engine, jobs: int) -> Iterator[Any]:
    chosen = grid((draw,), {"seed": [str(s) for s in range(jobs)]})
    return run_sweep((draw,), chosen, folder, engine)


def many(jobs: int) -> Evidence:
    """The whole of a sweep of jobs that do nothing: seconds by part, memory, files."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        start, rest = _timed(_swept(folder, local(2), jobs))
        began = time.monotonic()
        again = len(list(_swept(folder, local(2), jobs)))
        finding = time.monotonic() - began
        began = time.monotonic()
        table = write_table(folder)
        reading = time.monotonic() - began
        assert again == 0 and sum(1 for _ in rows(folder)) == jobs
        disk = sum(p.stat().st_blocks * 512 for p in folder.rglob("*"))
        config = {
            "computing": round(start + rest, 1), "finding nothing to do": round(finding, 2),
            "writing the table": round(reading, 2), "megabytes on disk": round(disk / 1e6, 1),
            "megabytes of the table": round(table.stat().st_size / 1e6, 2),
            "megabytes of memory": round(
                (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3, 1),
        }  # fmt: skip
    seconds = start + rest + reading
    return Evidence(f"reliability.sweep.jobs.{jobs}", seconds, seconds, seconds, jobs, "seconds",
                    config=config, note="one run")  # fmt: skip


def with_origin(record: Evidence, made: dict[str, Any]) -> Evidence:
    """The record with what it was made by."""
    return replace(record, config={**record.config, "made": made})


if __name__ == "__main__":
    main()
