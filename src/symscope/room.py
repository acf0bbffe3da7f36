"""What there is on a machine: free memory, and how fast it is; and whether some work fits."""

import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from symscope.cost import Cost
from symscope.evidence import SymscopeError
from symscope.speed import clock, peak_of

GB = 1e9
PROCESS = 0.4 * GB
"""What a process with torch in it takes before it does anything."""
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
_LONG = 2**24
"""Numbers of a tensor that no cache holds."""


class NoRoom(SymscopeError):
    """Work that does not fit into the memory there is."""


@dataclass(frozen=True)
class Speed:
    """Per second: operations of matrix products, bytes read and written, calls of torch."""

    operations: float
    moved: float
    calls: float

    def seconds(self, cost: Cost) -> float:
        """How long the work takes, one process."""
        return (cost.operations / self.operations + cost.moved / self.moved
                + cost.calls / self.calls + cost.seconds)  # fmt: skip


def room(device: str) -> float:
    """Bytes that are free on a device; "auto" has every GPU, and the main memory beside them."""
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return _main_memory()
    if device == "auto":
        gpus = (torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count()))
        return sum(gpus) + _main_memory()
    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info(torch.device(device))[0])
    if device == "mps":
        return float(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return _main_memory()


def _main_memory() -> float:
    """What the system has available, or the container this runs in if that is less."""
    free = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    described = Path("/proc/meminfo")
    if described.exists():
        lines = dict(line.split(":", 1) for line in described.read_text().splitlines())
        free = 1024.0 * int(lines.get("MemAvailable", lines["MemFree"]).split()[0])
    for most, used in _GROUPS:
        limit = Path(most).read_text().strip() if Path(most).exists() else "max"
        if limit != "max" and Path(used).exists():
            free = min(free, float(limit) - float(Path(used).read_text()))
    return max(0.0, free)


@cache
def speed_of(device: str, dtype: str = "float32", seconds: float = 0.2) -> Speed:
    """Measured on the device now, in about `seconds` each; of several ("auto"), on the first."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    place, kind = torch.device(device), getattr(torch, dtype)
    large, small = (torch.ones(size, device=place, dtype=kind) for size in (_LONG, 8))
    out, few = torch.empty_like(large), torch.empty_like(small)
    each = large.element_size() * 2 * _LONG
    moved = each * _per_second(lambda: torch.mul(large, 2, out=out), place, seconds, 1)
    calls = _per_second(lambda: torch.mul(small, 2, out=few), place, seconds, 1000)
    return Speed(peak_of(device, dtype, seconds), moved, calls)


def _per_second(call, place: torch.device, seconds: float, together: int) -> float:  # type: ignore[no-untyped-def]
    call()
    count, began = 0, clock(place)
    ends = time.monotonic() + 20 * seconds  # where others keep the processor busy
    while clock(place) - began < seconds and time.monotonic() < ends:
        for _ in range(together):
            call()
        count += together
    return count / max(clock(place) - began, 1e-9)


def amount(size: float) -> str:
    """Bytes as people say them.

    >>> amount(2.5e9), amount(3e6)
    ('2.5 GB', '3 MB')
    """
    return f"{size / GB:,.1f} GB" if size >= 0.1 * GB else f"{size / 1e6:,.0f} MB"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(90), duration(7200), duration(3)
    ('1.5 minutes', '2.0 hours', '3 seconds')
    """
    if seconds < 60:
        return f"{seconds:.0f} seconds"
    if seconds < 3600:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"


def require_room(needed: float, device: str, what: str, instead: str) -> None:
    """Raise `NoRoom` where `needed` bytes are more than are free; `instead` says what to try."""
    free = room(device)
    if needed > free:
        raise NoRoom(
            f"{what} takes about {amount(needed)}, and {amount(free)} are free on {device}:"
            f" {instead}"
        )
