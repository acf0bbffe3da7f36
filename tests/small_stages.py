"""Stages of a sweep that take no time, in a module that workers can import."""

import os
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from symscope.evidence import ComputationFailed, Evidence, SymscopeError

KILLED = "SYMSCOPE_TEST_KILLED"
"""A file in a folder of that name says that a job has ended its process before."""


def _scored(claim: str, score: float, seed: int) -> list[Evidence]:
    return [Evidence(claim, score, score, score, 1, "squares", {"zero": 0.0}, [seed])]


def draw(folder: Path, *, width: int = 2, pause: float = 0.0, seed: int = 0) -> list[Evidence]:
    """Numbers, kept, after a pause of so many seconds."""
    time.sleep(pause)
    numbers = torch.rand(width, generator=torch.Generator().manual_seed(seed))
    save_file({"numbers": numbers}, folder / "network.safetensors")
    return _scored("draw", float(numbers.sum()), seed)


def power(folder: Path, *, exponent: float | None = 2.0, seed: int = 0) -> list[Evidence]:
    """The sum of their powers."""
    numbers = load_file(folder / "network.safetensors")["numbers"]
    return _scored("power", float((numbers ** (exponent or 1)).sum()), seed)


def refuse(folder: Path, *, seed: int = 0) -> list[Evidence]:
    """Odd seeds are refused."""
    if seed % 2:
        raise SymscopeError("odd")
    return _scored("refuse", 1.0, seed)


def break_(folder: Path, *, how: str = "error", seed: int = 0) -> list[Evidence]:
    """Seed 1 fails, always or the first time, or ends its process."""
    mark = Path(os.environ[KILLED]) / str(seed)
    if seed != 1 or (how.startswith("once") and mark.exists()):
        return _scored("break", 1.0, seed)
    mark.touch()
    if how.endswith("kill"):
        os.kill(os.getpid(), 9)
    raise ComputationFailed("no number")
