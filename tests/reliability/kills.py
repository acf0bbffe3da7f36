"""SIGKILL at random moments and at every write: what comes of it, and what a reader sees of it."""

import os
import random
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from reliability.faults import KILLED, at_write
from reliability.reader import Reader
from reliability.runs import FORKS, TARGETS, differing, ended, leftovers, started
from reliability.whole import Whole, undisturbed, unlike
from symscope.evidence import Evidence, wilson

NAMES = ("train", "align", "extract", "study", "sweep")
ALONE = ("train", "align", "extract", "generate", "unit", "cell")
MOST_IN_A_ROW = 3
"""So many kills may come before a run is left to end."""
PAUSE = 0.002
"""Seconds between two rounds of the reader: it must not take a core from what it watches."""
ENOUGH = 100
"""Reads of a file that is written in place."""


@dataclass
class Tally:
    """What the kills of one target came to; `inside` are those after its first write."""

    kills: int = 0
    inside: int = 0
    harmless: int = 0
    runs: int = 0
    left: int = 0
    reads: int = 0
    notes: list[str] = field(default_factory=list)


def kills(count: int, folder: Path, seed: int = 0, names: Sequence[str] = NAMES) -> list[Evidence]:
    """At least `count` kills of each target; the score is the share of those that did no harm."""
    networks, rng = folder / "given", random.Random(seed)
    controls = {"writer in place": in_place(folder / "in_place"),
                "optimiser lost": without_optimiser(folder / "lost")}  # fmt: skip
    found = []
    for name in names:
        began, tally = time.monotonic(), Tally()
        whole = undisturbed(TARGETS[name], folder / name, networks)
        while tally.kills < count:
            _killed(whole, folder / name / str(tally.runs), rng, tally)
        low, high = wilson(tally.harmless, tally.kills)
        config = {"lasts": whole.seconds, "runs": tally.runs, "after_first_write": tally.inside,
                  "reads": tally.reads, "left_behind": tally.left}  # fmt: skip
        found.append(Evidence(
            f"reliability.kills.{name}", tally.harmless / tally.kills, low, high, tally.kills,
            "share of kills", controls, [seed], time.monotonic() - began, config,
            note="; ".join(tally.notes),
        ))  # fmt: skip
    return found


def _killed(whole: Whole, run: Path, rng: random.Random, tally: Tally) -> None:
    """One run, killed up to three times, and gone on with to its end."""
    target, row, killed, code = whole.target, 1 + rng.randrange(MOST_IN_A_ROW), 0, -signal.SIGKILL
    target.begun(run, whole.networks)
    began = time.time()
    with Reader(run, PAUSE) as reader:
        while code == -signal.SIGKILL:
            process = started(target.typed(run, whole.networks, again=killed > 0))
            if killed < row:
                process.join(rng.uniform(0, whole.seconds))
                _kill(process, alone=target.workers and killed % 2 > 0)
            code = ended(process)
            killed += code == -signal.SIGKILL
            tally.inside += code == -signal.SIGKILL and _written(run, began)
    wrong = unlike(whole, run, code) + reader.torn[:3]
    tally.kills, tally.runs = tally.kills + killed, tally.runs + 1
    tally.harmless += 0 if wrong else killed
    tally.left += len(leftovers(run))
    tally.reads += reader.reads
    tally.notes += [f"run {tally.runs}: {', '.join(wrong)}"] if wrong else []
    if not wrong:
        shutil.rmtree(run)


def _kill(process: BaseProcess, alone: bool) -> None:
    """Kill it with all that it started, or `alone`; nothing where it has ended."""
    send = os.kill if alone else os.killpg
    if process.pid is not None and process.is_alive():
        with suppress(ProcessLookupError):
            send(process.pid, signal.SIGKILL)


def _written(run: Path, since: float) -> bool:
    """Whether anything was written in `run`, so that the work had begun."""
    with suppress(FileNotFoundError):
        return any(p.stat().st_mtime >= since for p in run.rglob("*"))
    return True


def at_every_write(
    folder: Path, names: Sequence[str] = ALONE, writes: Sequence[int] = tuple(range(1, 100)),
    networks: Path | None = None,
) -> list[Evidence]:  # fmt: skip
    """A kill half-way through the first write, the second … of each target; as `kills`.

    What targets need is trained in `networks`, or is there.
    """
    controls = {"writer in place": in_place(folder / "in_place")}
    found = []
    for name in names:
        began, notes, count = time.monotonic(), list[str](), 0
        whole = undisturbed(TARGETS[name], folder / name, networks or folder / "given")
        for number in writes:
            wrong = _killed_at(whole, folder / name / str(number), number)
            if wrong is None:
                break
            count += 1
            notes += [f"write {number}: {', '.join(wrong)}"] if wrong else []
        right = count - len(notes)
        low, high = wilson(right, count)
        found.append(Evidence(
            f"reliability.kills.{name}.at_every_write", right / count, low, high, count,
            "share of kills", controls, seconds=time.monotonic() - began, note="; ".join(notes),
        ))  # fmt: skip
    return found


def _killed_at(whole: Whole, place: Path, number: int) -> list[str] | None:
    """What was wrong after a kill at that write; None where it came to no such."""
    run = whole.target.begun(place / "run", whole.networks)
    fault = at_write(number, KILLED, run, place / "seen")
    code = ended(started(whole.target.typed(run, whole.networks), fault=fault))
    if code != -signal.SIGKILL:
        return None
    code = ended(started(whole.target.typed(run, whole.networks, again=True)))
    return unlike(whole, run, code)


def in_place(folder: Path) -> float:
    """The share of whole files that the reader finds when a file is written where it stands."""
    folder.mkdir(parents=True)
    writer = FORKS.Process(target=_rewriting, args=(folder / "evidence.json",))
    with Reader(folder, pause=0.001) as reader:
        writer.start()
        while reader.reads < ENOUGH:
            time.sleep(0.01)
    writer.kill()
    ended(writer)
    return reader.whole


def _rewriting(path: Path) -> None:
    while True:
        with path.open("w") as file:
            file.write('[{"half": ')
            file.flush()
            time.sleep(0.001)
            file.write("1}]\n")


def without_optimiser(folder: Path) -> float:
    """1 if a killed training ends with the same weights when its optimiser's state is lost."""
    whole = undisturbed(TARGETS["train"], folder, folder)
    run = folder / "run"
    fault = at_write(3, KILLED, run, folder / "seen")  # the second time that its state is kept
    assert ended(started(whole.target.typed(run, folder), fault=fault)) == -signal.SIGKILL
    kept = run / "training.safetensors"
    with safe_open(kept, framework="pt") as file:
        tensors = {k: file.get_tensor(k) for k in sorted(file.keys())}
        said = file.metadata()
    lost = {k: v * 0 if k.startswith("adam") else v for k, v in tensors.items()}
    save_file(lost, kept, metadata=said)
    ended(started(whole.target.typed(run, folder, again=True)))
    return float("network.safetensors" not in differing(whole.run, run))
