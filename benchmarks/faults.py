"""When things go wrong: kills, full disks, odd and hostile files, pages, precision, leaks.

    symscope bench faults                      all parts, some hours; what is there stays
    python benchmarks/faults.py --part kills   one part, again
    symscope bench faults --quick              each part at the size that the tests have

Each part writes `results/reliability/PART.json`. The parts themselves are in `tests/reliability`,
where the same functions are tests.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from recorded import described
from symscope.evidence import Evidence, write_evidence

RESULTS = ROOT / "results" / "reliability"
Part = Callable[[Path, bool], list[Evidence]]


def kills(folder: Path, quick: bool) -> list[Evidence]:
    """SIGKILL at 80 random moments of a training, an alignment, an extraction."""
    from reliability.kills import kills

    counts = {"train": 30, "align": 25, "extract": 25}
    return [record for name, count in counts.items()
            for record in kills(1 if quick else count, folder / name, names=(name,))]  # fmt: skip


def kills_of_many(folder: Path, quick: bool) -> list[Evidence]:
    """SIGKILL at 20 random moments of a study and a sweep, which have processes of their own."""
    from reliability.kills import kills

    return [record for name in ("study", "sweep")
            for record in kills(1 if quick else 10, folder / name, names=(name,))]  # fmt: skip


def writes(folder: Path, quick: bool) -> list[Evidence]:
    """SIGKILL in the middle of the first write, of the second …"""
    from reliability.kills import at_every_write

    return at_every_write(folder, ["train"], range(1, 3)) if quick else at_every_write(folder)


def disk(folder: Path, quick: bool) -> list[Evidence]:
    """No room from the first write on, from the second …"""
    from reliability.disk import no_room

    return no_room(folder, ["train"], writes=range(1, 3)) if quick else no_room(folder)


def small_disk(folder: Path, quick: bool) -> list[Evidence]:
    """A real file system of which a few KiB are left, where one can be mounted."""
    from reliability.disk import on_a_small_disk, possible

    few = {"names": ["train"], "rooms": [4]} if quick else {}
    return on_a_small_disk(folder / "small", **few) if possible(folder) else []


def order(folder: Path, quick: bool) -> list[Evidence]:
    """Other clocks, orders, places, numbers of processes."""
    from reliability.order import order

    return order(folder, ["train"]) if quick else order(folder)


def fuzz(folder: Path, quick: bool) -> list[Evidence]:
    """Generated arguments, documents, weights and programs."""
    from reliability.fuzz_arguments import of_arguments
    from reliability.fuzz_documents import of_documents
    from reliability.fuzz_folders import of_folders
    from reliability.fuzz_programs import of_programs
    from reliability.fuzz_weights import of_weights

    count = 50 if quick else 10_000
    return [e for part in (of_arguments, of_documents, of_weights, of_folders, of_programs)
            for e in part(count, folder / part.__name__)]  # fmt: skip


def malicious(folder: Path, quick: bool) -> list[Evidence]:
    """Files made to do harm."""
    from reliability.malicious import of_malice

    return of_malice(folder, 10 if quick else 1)


def pages(folder: Path, quick: bool) -> list[Evidence]:
    """Pages with hostile names."""
    from reliability.hostile import PAYLOADS
    from reliability.pages import escaping

    few = {"only": ["report"], "objects": 0} if quick else {}
    return escaping(1 if quick else len(PAYLOADS), folder / "escaping", **few)


def offline(folder: Path, quick: bool) -> list[Evidence]:
    """Pages that try to send, and the pages of the results."""
    from reliability.pages import kept, offline

    few = {"only": ["report"]} if quick else {}
    return [*offline(folder / "offline", **few), *kept(ROOT / "results", 1 if quick else None)]


def precision(folder: Path, quick: bool) -> list[Evidence]:
    """Each method in float32 and in float64."""
    from reliability.precision import precision

    return precision(["interchange"], 1) if quick else precision()


def threads(folder: Path, quick: bool) -> list[Evidence]:
    """The same command twice, on one thread and on two."""
    from reliability.threads import threads

    return threads(folder)


def leaks(folder: Path, quick: bool) -> list[Evidence]:
    """A thousand runs of each kind with hooks."""
    from reliability.leaks import leaks

    return leaks(50, ["gru"], ["read"]) if quick else leaks(1_000)


PARTS: dict[str, Part] = {f.__name__: f for f in (
    kills, kills_of_many, writes, disk, small_disk, order, fuzz, malicious, pages, offline,
    precision, threads, leaks,
)}  # fmt: skip


def main() -> None:
    """Measure what is not there yet; print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=list(PARTS))
    asked = parser.parse_args()
    for name, part in PARTS.items():
        path = RESULTS / f"{name}.json"
        if asked.part not in (None, name) or (path.exists() and not asked.quick and not asked.part):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / name).mkdir()
            found = part(Path(place) / name, asked.quick)
        for record in found:
            print(record, record.note, flush=True)
        if not asked.quick:
            made = described(f"python benchmarks/faults.py --part {name}", began)
            write_evidence(path, [replace(r, config={**r.config, "made": made}) for r in found])


if __name__ == "__main__":
    main()
