"""Jobs come back once each, from processes that fail, are killed, or are interrupted."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from symscope.causal_model import UnknownName
from symscope.engines import Job, Outcome, engine_named, local, run_jobs
from symscope.evidence import ComputationFailed, SymscopeError


def here(jobs):
    """An engine of no processes."""
    from symscope.engines.engine import done

    for job in jobs:
        yield done(job)


def times_two(x):
    return 2 * x


def fail(why):
    raise why


def die(mark):
    """End this process the first time."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def end():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("engine", [here, local(2)], ids=["here", "local"])
def test_every_job_comes_back_once(engine):
    jobs = [Job(str(x), times_two, (x,)) for x in range(20)]
    found = {o.job.name: o.get() for o in run_jobs(jobs, engine)}
    assert found == {str(x): 2 * x for x in range(20)}


def test_of_jobs_with_one_name_the_first_is_done():
    found = list(run_jobs([Job("a", times_two, (1,)), Job("a", times_two, (2,))], here))
    assert [o.value for o in found] == [2]


def test_jobs_are_taken_as_there_is_room():
    taken = []

    def jobs():
        for x in range(100):
            taken.append(x)
            yield Job(str(x), times_two, (x,))

    outcomes = run_jobs(jobs(), local(1))
    next(outcomes)
    assert len(taken) < 10
    outcomes.close()


def test_a_failed_job_is_done_once_more_and_keeps_its_error():
    tried = []

    def sometimes():
        tried.append(1)
        if len(tried) < 2:
            raise ValueError("the first time")
        return "now"

    jobs = [Job("bad", fail, (ValueError("why"),)), Job("now and then", sometimes)]
    bad, good = sorted(run_jobs(jobs, here), key=lambda o: o.job.name)
    assert (bad.tries, good.tries, good.value) == (2, 2, "now")
    assert isinstance(bad.error, ValueError) and str(bad.error) == "why"
    assert "in fail" in bad.error.__notes__[0]
    with pytest.raises(ValueError, match="why"):
        bad.get()


def test_a_refusal_is_not_tried_again():
    (found,) = run_jobs([Job("no", fail, (SymscopeError("never"),))], here)
    assert (str(found.error), found.tries) == ("never", 1)
    (found,) = run_jobs([Job("no", fail, (ComputationFailed("NaN"),))], here)
    assert (str(found.error), found.tries) == ("NaN", 2)


def test_a_process_that_dies_takes_no_job_with_it(tmp_path):
    jobs = [Job("dies", die, (tmp_path / "died",))]
    jobs += [Job(str(x), times_two, (x,)) for x in range(30)]
    found = {o.job.name: o.value for o in run_jobs(jobs, local(2))}
    assert found == {"dies": "alive"} | {str(x): 2 * x for x in range(30)}


def test_a_job_that_ends_its_process_is_the_one_that_failed():
    jobs = [Job("ends", end), *(Job(str(x), times_two, (x,)) for x in range(6))]
    found = {o.job.name: o for o in run_jobs(jobs, local(2))}
    assert len(found) == 7 and {n for n, o in found.items() if o.error} == {"ends"}
    assert "ended from outside" in str(found["ends"].error)


def test_an_interrupt_ends_the_workers(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from symscope.engines import Job, local, run_jobs\n"
        "def sleep(folder):\n"
        "    (folder / f'pid-{os.getpid()}').touch()\n"
        "    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    list(run_jobs([Job('a', sleep, (Path(sys.argv[1]),))], local(1)))\n"
    )
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path)],
                               stderr=subprocess.PIPE)  # fmt: skip
    worker = int(_waited(lambda: next(tmp_path.glob("pid-*"), None)).name[4:])
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in err
    _waited(lambda: not _runs(worker))


def _waited(until):
    for _ in range(1200):
        found = until()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return not stat.stdout.startswith("Z")


def test_engines_have_names_and_refuse_what_they_cannot_do():
    with pytest.raises(UnknownName, match="unknown engine 'slurm'"):
        engine_named("slurm", 1)
    with pytest.raises(SymscopeError, match="--address a:1 is for --engine ray"):
        engine_named("local", 1, "a:1")
    outcome = Outcome(Job("a", times_two, (1,)), 2)
    assert replace(outcome, tries=2).get() == 2
