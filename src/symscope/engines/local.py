"""Jobs in processes of this machine, one thread each."""

import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import active_children, get_context, parent_process

import torch

from symscope.engines.engine import Engine, Job, Outcome, done
from symscope.evidence import ComputationFailed

AHEAD = 2
"""So many jobs are given out for each process, that none waits for its next."""


def local(processes: int | None = None) -> Engine:
    """The engine of as many processes as there are cores, or as asked for.

    A process that is ended from outside, for want of memory say, takes along what was given out
    then. Those jobs are done again one by one; one that ends its process again has failed.
    """
    count = processes or os.cpu_count() or 1

    def engine(jobs: Iterable[Job]) -> Iterator[Outcome]:
        rest = iter(jobs)
        for first in rest:
            for job in (yield from _many(chain([first], rest), count)):
                yield _alone(job)

    return engine


def _many(jobs: Iterator[Job], count: int) -> Generator[Outcome, None, list[Job]]:
    """Outcomes until there are no more jobs, or until a process died; then what it took along."""
    running: dict[Future[Outcome], Job] = {}
    with _pool(count) as pool:
        while True:
            for job in islice(jobs, max(0, AHEAD * count - len(running))):
                running[pool.submit(done, job)] = job
            if not running:
                return []
            lost = []
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost.append(job)
            if lost:
                return [*lost, *running.values()]


def _alone(job: Job) -> Outcome:
    with _pool(1) as pool:
        try:
            return pool.submit(done, job).result()
        except BrokenProcessPool:
            return Outcome(job, error=ComputationFailed(
                "its process was ended from outside, perhaps for want of memory"
            ))  # fmt: skip


@contextmanager
def _pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that are gone afterwards, at once where the work was interrupted."""
    context = get_context("spawn")  # forks hang in torch's threads
    pool = ProcessPoolExecutor(count, context, initializer=_begin)
    try:
        yield pool
    except BaseException:  # an interrupt as well: nobody waits for what still runs
        pool.shutdown(wait=False, cancel_futures=True)
        for child in active_children():
            child.terminate()
        raise
    pool.shutdown()


def _begin() -> None:
    """One thread; an interrupt ends it without words, and so does the end of its parent."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
