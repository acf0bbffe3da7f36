"""What there is on this machine: versions, devices, threads, extras, room, and how fast it is."""

import os
import platform
import shutil
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch.nn.functional import cross_entropy

import symscope
from symscope.commands.options import Device, Json
from symscope.commands.run_directory import commit
from symscope.commands.terminal import progress, say, show_json
from symscope.extras import EXTRAS, line
from symscope.models.load import build
from symscope.placement import placement
from symscope.room import amount, room
from symscope.speed import clock, peak
from symscope.tasks import Counting
from symscope.tasks.numbers import VOCABULARY
from symscope.train import BATCH

PACKAGES = (
    "torch", "numpy", "scipy", "scikit-learn", "safetensors", "jaxtyping", "typer", "rich",
)  # fmt: skip
WIDTH, WARM, STEPS = 48, 5, 15
LITTLE = 1e9
"""Bytes of memory or disk below which a warning is due."""


def doctor_command(device: Device = "cpu", json: Json = False) -> int:
    """Say what symscope finds here, and how long one training step takes; 3 if it cannot compute.

    \b
    symscope doctor
    symscope doctor --device cuda --json
    """
    found = _found(placement(device).alone.device)
    if json:
        show_json(**found)
    else:
        _tell(found)
    for warning in found["warnings"]:
        say(f"warning: {warning}")
    return 0 if found["speed"]["finite"] else 3


def _found(device: str) -> dict[str, Any]:
    """All that is told, as JSON holds it."""
    with progress() as bar:
        bar(0, 1, "a reference step")
        speed = measured(device)
    free, disk = room("cpu"), shutil.disk_usage(Path.cwd()).free
    found: dict[str, Any] = {
        "versions": {"symscope": symscope.__version__, "commit": commit(),
                     "python": platform.python_version(), "platform": platform.platform(),
                     **{name: installed(name) for name in PACKAGES}},
        "devices": {"cpu": {"name": _processor(), "cores": os.cpu_count(),
                            "usable_cores": _usable(), "memory_free": free}, **_others()},
        "threads": {"torch": torch.get_num_threads(),
                    "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")},
        "extras": {extra: {name: installed(name) for name in packages.values()}
                   for extra, packages in EXTRAS.items()},
        "disk": {"folder": str(Path.cwd()), "free": disk},
        "speed": speed,
    }  # fmt: skip
    return {**found, "warnings": _warnings(found)}


def measured(device: str) -> dict[str, Any]:
    """The median time of a training step of the reference network, and of matrix products.

    The network is a GRU of width 48 that counts, and a step is of 128 sequences. Seconds are of
    this process on a CPU, which others may share. `finite` says whether all losses are numbers.
    """
    place, task = torch.device(device), Counting("multi")
    module = build("gru", len(VOCABULARY), WIDTH).to(place)
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-3)
    tokens = task.sample(BATCH, torch.Generator().manual_seed(0)).to(place)
    real = tokens[:, 1:] != 0
    seconds, finite = [], True
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(WARM + STEPS):
            began = clock(place)
            loss = cross_entropy(module(tokens[:, :-1])[real], tokens[:, 1:][real])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            finite &= bool(torch.isfinite(loss))
            seconds.append(clock(place) - began)
        operations = peak(place, seconds=0.3)
    return {"device": device, "finite": finite, "step": statistics.median(seconds[WARM:]),
            "operations": operations}  # fmt: skip


def installed(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text("utf8").splitlines() if described.exists() else []
    named = (text.split(":", 1)[1].strip() for text in lines if text.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _usable() -> int | None:
    """Cores that this process may use: a container or a batch system may give fewer."""
    asked = getattr(os, "sched_getaffinity", None)
    return len(asked(0)) if asked else os.cpu_count()


def _others() -> dict[str, dict[str, Any]]:
    """GPUs, with their memory in bytes."""
    found: dict[str, dict[str, Any]] = {}
    for i in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(i)
        found[f"cuda:{i}"] = {"name": torch.cuda.get_device_name(i), "memory_free": free,
                              "memory": total}  # fmt: skip
    if torch.backends.mps.is_available():
        found["mps"] = {"name": "Apple GPU", "memory_free": room("mps")}
    return found


def _warnings(found: dict[str, Any]) -> list[str]:
    threads, asked = found["threads"]["torch"], found["threads"]["OMP_NUM_THREADS"]
    free, disk = found["devices"]["cpu"]["memory_free"], found["disk"]["free"]
    told = []
    if threads > 1 or (asked or "1") != "1":
        told.append(f"threads: torch {threads}, OMP_NUM_THREADS {asked or 'not set'}: one is faster"
                    " for small networks; type export OMP_NUM_THREADS=1")  # fmt: skip
    if free < LITTLE:
        told.append(f"{amount(free)} of memory are free: take small widths and --jobs 1")
    if disk < LITTLE:
        told.append(f"{amount(disk)} are free in {found['disk']['folder']}: choose another --out")
    if not found["speed"]["finite"]:
        told.append(f"a training step on {found['speed']['device']} gave a loss that is no number;"
                    " install torch anew, or try another --device")  # fmt: skip
    return told


def _tell(found: dict[str, Any]) -> None:
    """One line for each thing."""
    console = Console()
    lines = [f"{name} {value or 'unknown'}" for name, value in found["versions"].items()]
    for name, about in found["devices"].items():
        cores = f", {about['usable_cores']} of {about['cores']} cores" if "cores" in about else ""
        total = f" of {amount(about['memory'])}" if "memory" in about else ""
        lines.append(f"{name}: {about['name']}{cores}, {amount(about['memory_free'])}{total} free")
    threads = found["threads"]
    lines.append(f"threads: {threads['torch']}, OMP_NUM_THREADS {threads['OMP_NUM_THREADS']}")
    for extra, packages in found["extras"].items():
        missing = [name for name, there in packages.items() if there is None]
        there = ", ".join(f"{name} {there}" for name, there in packages.items() if there)
        told = f"without {', '.join(missing)}; {line(extra)}" if missing else there
        lines.append(f"extra {extra}: {told}")
    lines.append(f"disk: {amount(found['disk']['free'])} free in {found['disk']['folder']}")
    speed = found["speed"]
    lines.append(f"a training step of the counting GRU of width {WIDTH}:"
                 f" {1e3 * speed['step']:.1f} ms on {speed['device']}")  # fmt: skip
    lines.append(f"matrix products: {speed['operations'] / 1e9:,.0f} GFLOP/s on {speed['device']}")
    for text in lines:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
