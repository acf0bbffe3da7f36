"""Jobs on a Ray cluster: symscope hands them over, Ray places them and does lost ones again."""

import os
import socket
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from symscope.engines.engine import Engine, Job, Outcome, done
from symscope.evidence import ComputationFailed, SymscopeError
from symscope.extras import needed

AHEAD = 4
"""So many jobs are given out for each core of the cluster."""
PATIENCE = 5.0
"""Seconds to wait for an answer at an address."""
LOST = 5
"""A job is done again so often when its node or its process is lost."""


def on_ray(address: str = "auto", gpus: float = 0) -> Engine:
    """The engine of a cluster that is there: at HOST:PORT, or the one of this machine ("auto").

    Each job has one core, and `gpus` of them. The nodes need this version of symscope. Raises
    `SymscopeError` where Ray is not installed or no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = needed("ray", "--engine ray")

    _answers(address)

    def engine(jobs: Iterable[Job]) -> Iterator[Outcome]:
        _joined(ray, address)
        there = ray.cluster_resources()
        if gpus and there.get("GPU", 0) < gpus:
            raise SymscopeError(
                f"a job wants {gpus:g} GPU, the cluster has {there.get('GPU', 0):g}"
            )
        ahead = AHEAD * max(1, int(there.get("CPU", 1)))
        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=LOST)(_done_in)
        rest, running = iter(jobs), dict[Any, Job]()
        while True:
            for job in islice(rest, ahead - len(running)):
                running[remote.remote(Path.cwd(), job)] = job
            if not running:
                return
            for reference in ray.wait(list(running), num_returns=1)[0]:
                job = running.pop(reference)
                try:
                    yield ray.get(reference)
                except ray.exceptions.RayError as error:
                    lines = str(error).splitlines()
                    yield Outcome(job, error=ComputationFailed(lines[0] if lines else repr(error)))

    return engine


def _done_in(place: Path, job: Job) -> Outcome:
    """The job, done in the folder that the command was typed in, where the node has it."""
    if place.is_dir():
        os.chdir(place)
    return done(job)


def _answers(address: str) -> None:
    """Nothing, when somebody answers there; Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    try:
        if not colon or not port.isdigit():
            raise OSError("an address is HOST:PORT")
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise _nobody(address, str(error)) from None


def _joined(ray: Any, address: str) -> None:
    """Nothing, when this process belongs to the cluster."""
    if ray.is_initialized():
        return
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise _nobody(address, str(error)) from None


def _nobody(address: str, why: str) -> SymscopeError:
    said = why.splitlines()[0] if why else "no answer"
    return SymscopeError(
        f"no Ray cluster at {address} ({said}); on its first machine type: ray start --head"
    )
