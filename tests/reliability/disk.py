"""A disk without room: from each write on, in turn; and a real small one that is full."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from reliability.faults import KINDS, at_write
from reliability.runs import TARGETS, ended, files, leftovers, started
from reliability.whole import Whole, undisturbed, unlike
from symscope.evidence import Evidence, wilson

NAMES = ("train", "align", "extract", "generate", "report", "unit", "cell")
ROOMS = (0, 4, 8, 16, 32, 64)
"""KiB that are free on the small disk."""
DISK = "64m"
SAID = ("no room to write", "could not be written")


def no_room(
    folder: Path, names: Sequence[str] = NAMES, kinds: Sequence[str] = KINDS,
    writes: Sequence[int] = tuple(range(1, 100)), networks: Path | None = None,
) -> list[Evidence]:  # fmt: skip
    """Each command without room from its first write on, from its second …; one claim for each.

    The score is the share of failures in which all was as it should be: exit code 3, a line that
    says so, earlier files as they were, nothing left behind, and what comes of going on. What
    targets need is trained in `networks`, or is there.
    """
    controls = {"in place": in_place(folder / "in_place")}
    found = []
    for name in names:
        began = time.monotonic()
        whole = undisturbed(TARGETS[name], folder / name, networks or folder / "given")
        notes, count = list[str](), 0
        for kind in kinds:
            for number in writes:
                place = folder / name / f"{kind.replace(' ', '-')}-{number}"
                wrong = _full(whole, place, number, kind)
                if wrong is None:
                    break
                count += 1
                notes += [f"{kind}, write {number}: {', '.join(wrong)}"] if wrong else []
        found.append(_evidence(f"reliability.disk.{name}", count, notes, controls, began))
    return found


def _full(whole: Whole, place: Path, number: int, kind: str) -> list[str] | None:
    """What was wrong when there was no room from that write on; None where it came to no such."""
    run = whole.target.begun(place / "run", whole.networks)
    seen, log = place / "seen", place / "log"
    place.mkdir(parents=True, exist_ok=True)
    code = ended(started(whole.target.typed(run, whole.networks), log,
                         at_write(number, kind, run, seen)))  # fmt: skip
    if not seen.exists():
        return None
    return _failed(code, log, seen, run) + _gone_on(whole, run)


def _failed(code: int, log: Path, seen: Path, run: Path) -> list[str]:
    """What is wrong with a failure: its code, what it said, what it left."""
    lines = log.read_text("utf8", "replace").strip().splitlines() or [""]
    wrong = [f"exit code {code}"] if code != 3 else []
    if "Traceback" in "".join(lines) or not any(said in lines[-1] for said in SAID):
        wrong.append(f"said {lines[-1][:200]!r}")
    earlier = {str(p.relative_to(seen)): p.read_bytes() for p in files(seen)}
    there = {str(p.relative_to(run)): p.read_bytes() for p in files(run)}
    wrong += [f"{name} is another" for name in earlier if earlier[name] != there.get(name)]
    return wrong + [f"{path.name} is left" for path in leftovers(run)]


def _gone_on(whole: Whole, run: Path) -> list[str]:
    """What is wrong after the same command with room."""
    return unlike(whole, run, ended(started(whole.target.typed(run, whole.networks, again=True))))


def in_place(folder: Path) -> float:
    """1 if a file that is written where it stands survives a full disk: the check must see it."""
    folder.mkdir(parents=True)
    file, seen = folder / "run" / "evidence.json", folder / "seen" / "evidence.json"
    for path in (file, seen):
        path.parent.mkdir()
        path.write_text("[]\n")
    with file.open("w") as opened:  # cut to nothing, then there is no room
        opened.write("")
    log = folder / "log"
    log.write_text(f"{SAID[0]} {file}")
    return float(not _failed(3, log, seen.parent, file.parent))


def on_a_small_disk(
    folder: Path, names: Sequence[str] = NAMES, rooms: Sequence[int] = ROOMS
) -> list[Evidence]:
    """The commands on a file system in memory that has so many KiB left, then all they need.

    It is mounted in a namespace of its own, which needs no rights; see `possible`.
    """
    asked = json.dumps([str(folder.absolute()), list(names), list(rooms)])
    code = "import sys; from reliability.disk import mounted; mounted(sys.argv[1])"
    here = str(Path(__file__).parents[1])
    paths = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(["unshare", "-rm", sys.executable, "-c", code, asked], check=True,
                         capture_output=True, text=True,
                         env=os.environ | {"PYTHONPATH": paths})  # fmt: skip
    return [Evidence(**record) for record in json.loads(ran.stdout)]


def possible(folder: Path) -> bool:
    """Whether a file system in memory can be mounted here."""
    asked = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    try:
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def mounted(asked: str) -> None:
    """In the namespace: mount, fill, run; the records as JSON on stdout."""
    named, names, rooms = json.loads(asked)
    folder, found = Path(named), list[Evidence]()
    disk = folder / "disk"
    disk.mkdir(parents=True)
    controls = {"in place": in_place(folder / "in_place")}
    for name in names:
        began, notes, count = time.monotonic(), list[str](), 0
        whole = undisturbed(TARGETS[name], folder / name, folder / "given")
        for room in rooms:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)],
                           check=True)  # fmt: skip
            wrong = _on(disk, whole, room, folder / "log")
            subprocess.run(["umount", str(disk)], check=True)
            if wrong is not None:
                count += 1
                notes += [f"{room} KiB: {', '.join(wrong)}"] if wrong else []
        if count:
            found.append(_evidence(f"reliability.small_disk.{name}", count, notes, controls, began))
    print(json.dumps([asdict(e) for e in found]))


def _on(disk: Path, whole: Whole, room: int, log: Path) -> list[str] | None:
    """As `_full`, on a disk with `room` KiB free; None where that is enough."""
    run, ballast = whole.target.begun(disk / "run", whole.networks), disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - room * 1024))
    code = ended(started(whole.target.typed(run, whole.networks), log))
    if code == whole.code:
        return None
    wrong = _failed(code, log, disk / "nothing", run)
    ballast.unlink()
    return wrong + _gone_on(whole, run)


def _evidence(
    claim: str, count: int, notes: list[str], controls: dict[str, float], began: float
) -> Evidence:
    low, high = wilson(count - len(notes), count)
    return Evidence(claim, 1 - len(notes) / count, low, high, count, "share of failures", controls,
                    seconds=time.monotonic() - began, note="; ".join(notes))  # fmt: skip
