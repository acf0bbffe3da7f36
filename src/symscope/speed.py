"""How fast this machine is, and a clock that fits what is timed."""

import time

import torch

_KINDS = {"bfloat16": torch.bfloat16, "float64": torch.float64}


def peak(device: torch.device, precision: str = "float32", seconds: float = 1.0) -> float:
    """Floating-point operations per second of large matrix products on this machine, measured."""
    size = 1024 if device.type == "cpu" else 8192
    kind = _KINDS.get(precision, torch.float32)
    a, b = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    a @ b
    count, began = 0, clock(device)
    while clock(device) - began < seconds:
        a @ b
        count += 1
    return 2.0 * size**3 * count / (clock(device) - began)


def peak_of(device: str, dtype: str, seconds: float = 1.0) -> float:
    """As `peak`, of a device by its name, of several ("auto") the first, in a model's precision."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return peak(torch.device(device), dtype, seconds)


def clock(device: torch.device) -> float:
    """Seconds of this process on a CPU, which others share; seconds on a GPU, once it is done."""
    if device.type == "cpu":
        return time.process_time()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()
