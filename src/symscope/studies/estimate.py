"""What a study will take, said before anything is run; what cannot fit is refused."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from symscope.cost import Cost
from symscope.jobs import Unit
from symscope.room import PROCESS, amount, duration, require_room, room, speed_of

CostOf = Callable[[Unit], Cost]
SMALLER = "take fewer --jobs, a smaller --preset, or a machine or --device with more memory"


def dry_run_option(parser: argparse.ArgumentParser) -> None:
    """What the study takes, and nothing else."""
    parser.add_argument("--dry-run", action="store_true", help="memory and time alone")


def recorded(seconds: float, times: float = 1.0) -> Cost:
    """Work that took so long in the preset that was run, `times` as much of it; a little memory."""
    return Cost(PROCESS / 2, seconds=seconds * times)


def announced(
    title: str, units: Sequence[Unit], cost_of: CostOf, folder: Path, asked: argparse.Namespace,
    on_device: Sequence[str] = (),
) -> bool:  # fmt: skip
    """Say on stderr what the units that are not there yet take; whether they shall be run.

    Units of the kinds `on_device` are done on the device that was asked for, if one was, the others
    on the CPU. Raises `NoRoom` where they cannot fit; a cluster's memory is not known here.
    """
    left = [u for u in units if not (folder / "units" / f"{'-'.join(u)}.json").exists()]
    device = getattr(asked, "device", None) or "cpu"
    device = device if on_device else "cpu"
    costs: dict[str, list[Cost]] = {}
    for unit in left:
        costs.setdefault(unit[0], []).append(cost_of(unit))
    times = {kind: sum(map(speed_of(device if kind in on_device else "cpu").seconds, some))
             for kind, some in costs.items()}  # fmt: skip
    local = getattr(asked, "engine", "local") == "local"
    jobs = min(asked.jobs, len(left))
    needed = _needed(costs, device, jobs, on_device)
    if not left:
        print(f"{title}: all {len(units)} units are there", file=sys.stderr, flush=True)
        return not asked.dry_run
    done = f" ({len(units) - len(left)} are there)" if len(left) < len(units) else ""
    longest = sorted(times, key=lambda kind: -times[kind])[:3]
    parts = ", ".join(f"{kind} {duration(times[kind])}" for kind in longest)
    held = " and ".join(f"{amount(most)} of {amount(room(place))} free on {place}"
                        for place, most in needed.items())  # fmt: skip
    print(f"{title}: {len(units)} units{done}, {jobs} at a time; at most {held}; about"
          f" {duration(sum(times.values()) / jobs)} in all ({parts} of one process)",
          file=sys.stderr, flush=True)  # fmt: skip
    for place, most in needed.items() if local else ():
        require_room(most, place, title, SMALLER)
    return not asked.dry_run


def _needed(
    costs: Mapping[str, list[Cost]], device: str, jobs: int, on_device: Sequence[str]
) -> dict[str, float]:
    """Bytes by device, when so many of the largest units are done at a time."""
    there = device not in ("cpu", "auto")
    largest = {"cpu": 0.0, device: 0.0}
    for kind, some in costs.items():
        place = device if there and kind in on_device else "cpu"
        largest[place] = max(largest[place], *(cost.memory for cost in some))
    found = {place: jobs * most for place, most in largest.items() if most or place == "cpu"}
    found["cpu"] += (1 + jobs) * PROCESS
    return found
