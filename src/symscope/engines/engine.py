"""What a job is, what comes of it, and the one function that runs jobs on any engine."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from symscope.evidence import ComputationFailed, SymscopeError


@dataclass(frozen=True, eq=False)
class Job:
    """`do(*arguments)`, which can be done anywhere: a function of a module, and what pickles."""

    name: str
    do: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job returned, or the `error` that it ended with, after `tries`, in `seconds`."""

    job: Job
    value: Any = None
    error: Exception | None = None
    seconds: float = 0.0
    tries: int = 1

    def get(self) -> Any:
        """The value; raises the error where there is one."""
        if self.error is not None:
            raise self.error
        return self.value


Engine = Callable[[Iterable[Job]], Iterator[Outcome]]
"""Does each job once and yields its outcome; takes jobs as it has room, never all at once."""


def run_jobs(jobs: Iterable[Job], engine: Engine) -> Iterator[Outcome]:
    """The outcome of every job as it comes in; a job that failed is done once more, at the end.

    What symscope refuses (`SymscopeError`) it would refuse again, so that is an outcome at once. Of
    jobs of the same name the first is done.
    """
    failed, names = [], set[str]()

    def distinct() -> Iterator[Job]:
        for job in jobs:
            if job.name not in names:
                names.add(job.name)
                yield job

    for outcome in engine(distinct()):
        if outcome.error is None or _refused(outcome.error):
            yield outcome
        else:
            failed.append(outcome.job)
    for outcome in engine(iter(failed)):
        yield replace(outcome, tries=2)


def _refused(error: Exception) -> bool:
    return isinstance(error, SymscopeError) and not isinstance(error, ComputationFailed)


def done(job: Job) -> Outcome:
    """The job, done here and now on one thread."""
    torch.set_num_threads(1)
    began = time.monotonic()
    try:
        return Outcome(job, job.do(*job.arguments), seconds=time.monotonic() - began)
    except Exception as error:  # whatever it was is the outcome
        return Outcome(job, error=_told(error), seconds=time.monotonic() - began)


def _told(error: Exception) -> Exception:
    """The error with the lines where it happened, which do not travel between processes."""
    error.add_note("".join(traceback.format_exception(error)).rstrip())
    return error.with_traceback(None)
