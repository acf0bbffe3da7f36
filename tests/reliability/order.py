"""The same command at another time, in another place or order: does it find the same?"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import reliability.runs
from reliability.runs import TARGETS, Target, content, ended, files, lasting, started
from reliability.whole import undisturbed
from symscope.engines.engine import done
from symscope.evidence import Evidence, wilson

TEN_YEARS = 10 * 365.25 * 86_400
ELSEWHERE = {
    "PYTHONHASHSEED": "12345", "TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0",
}  # fmt: skip
"""Sets in another order, the other side of the date line, and a locale that knows ASCII alone."""
CODE = "import sys, reliability.runs as r; sys.exit(r.done_here(sys.argv[1:]))"
Way = Callable[[Target, Path, Path], int]
"""Does a target's run, from its networks, in another way; the exit code."""


def later() -> None:
    """Clocks that are ten years ahead."""
    _clocks(lambda now: now() + TEN_YEARS)


def backwards() -> None:
    """Clocks that go back by a second whenever they are looked at."""
    steps = count()
    _clocks(lambda now: now() - next(steps))


def _clocks(told: Callable[[Callable[[], float]], float]) -> None:
    """The clocks that symscope looks at, as told; it never asks for the date."""
    for name in ("time", "monotonic", "perf_counter"):
        setattr(time, name, partial(told, getattr(time, name)))


def last_first() -> None:
    """What is done in one process, the last job first."""
    reliability.runs.alone = lambda jobs: map(done, list(jobs)[::-1])


def at_once(target: Target, run: Path, networks: Path) -> int:
    """The jobs in two processes."""
    words = target.typed(run, networks)
    return ended(started([SEVERAL[target.name], *words[1:], "--jobs", "2"]))


def elsewhere(target: Target, run: Path, networks: Path) -> int:
    """A process of its own with another environment, in another folder."""
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    changed = ELSEWHERE | {"PYTHONPATH": os.pathsep.join(paths)}
    words = target.typed(run.absolute(), networks.absolute())
    return subprocess.run(
        [sys.executable, "-c", CODE, *words], env=os.environ | changed, cwd="/",
        capture_output=True, check=False,
    ).returncode  # fmt: skip


def _with(fault: Callable[[], None]) -> Way:
    def way(target: Target, run: Path, networks: Path) -> int:
        return ended(started(target.typed(run, networks), fault=fault))

    return way


WAYS: Mapping[str, Way] = {
    "clock_ahead": _with(later), "clock_backwards": _with(backwards), "elsewhere": elsewhere,
    "last_first": _with(last_first), "two_processes": at_once,
}  # fmt: skip
OF_UNITS = ("last_first", "two_processes")
SEVERAL = {"unit": "study", "cell": "sweep"}
"""In one process → the same in several."""
NAMES = ("train", "align", "extract", "unit", "cell")


def order(
    folder: Path, names: Sequence[str] = NAMES, ways: Sequence[str] = tuple(WAYS),
    networks: Path | None = None,
) -> list[Evidence]:  # fmt: skip
    """One claim for each target and way; the score is the share of files that are the same.

    What targets need is trained in `networks`, or is there.

    The control keeps the seconds, of which no two runs have the same.
    """
    found = []
    for name in names:
        target = TARGETS[name]
        whole = undisturbed(target, folder / name, networks or folder / "given")
        for way in ways:
            if way in OF_UNITS and name not in SEVERAL:
                continue
            began = time.monotonic()
            run = target.begun(folder / name / way, whole.networks)
            code = WAYS[way](target, run, whole.networks)
            same = _same(whole.run, run, content)
            timed = _same(whole.run, run, _with_seconds)
            wrong = [n for n, right in same.items() if not right]
            wrong += [f"exit code {code}"] if code != whole.code else []
            right = sum(same.values()) if code == whole.code else 0
            low, high = wilson(right, len(same))
            found.append(Evidence(
                f"reliability.order.{name}.{way}", right / len(same), low, high, len(same),
                "share of files", {"seconds kept": sum(timed.values()) / len(timed)},
                seconds=time.monotonic() - began, note=", ".join(wrong),
            ))  # fmt: skip
    return found


def _same(one: Path, other: Path, read: Callable[[Path], Any]) -> dict[str, bool]:
    """Whether each file that is in one of two folders is in both, with the same content."""
    here, there = ({str(p.relative_to(f)): p for p in files(f)} for f in (one, other))
    return {
        name: name in here and name in there and read(here[name]) == read(there[name])
        for name in sorted({*here, *there})
    }


def _with_seconds(path: Path) -> Any:
    """The content, and of a record the seconds too."""
    if path.suffix != ".json":
        return content(path)
    return lasting(json.loads(path.read_text("utf8")), but={"seconds"})
