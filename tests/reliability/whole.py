"""A run that nobody disturbed, and what another is not like in it."""

import time
from dataclasses import dataclass
from pathlib import Path

from reliability.runs import Target, differing, ended, given, started


@dataclass(frozen=True)
class Whole:
    """The target's run from beginning to end: where it is, its exit code, how long it took."""

    target: Target
    networks: Path
    run: Path
    code: int
    seconds: float


def undisturbed(target: Target, folder: Path, networks: Path) -> Whole:
    """Run the target from beginning to end; what it needs is trained in `networks` first."""
    run = target.begun(folder / "whole", given(networks, target.needs))
    began = time.monotonic()
    code = ended(started(target.typed(run, networks)))
    return Whole(target, networks, run, code, time.monotonic() - began)


def unlike(whole: Whole, run: Path, code: int) -> list[str]:
    """The files of `run`, and its exit code, that are not as in the run that nobody disturbed."""
    return differing(whole.run, run) + ([f"exit code {code}"] if code != whole.code else [])
