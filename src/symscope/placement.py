"""Where a network runs and in what precision: one function puts it there for every command."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import nn

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.extras import needed

PRECISIONS = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
M = TypeVar("M", bound=nn.Module)
WHOLE = ["Block", "RNN"]
"""Modules that stay on one device."""


@dataclass(frozen=True)
class Placement:
    """A device, or "auto", and a precision; None leaves the precision that the weights have."""

    device: str = "cpu"
    dtype: str | None = None

    @property
    def alone(self) -> "Placement":
        """One device, for training: of "auto" the GPU with the most free memory."""
        return replace(self, device=single()) if self.device == "auto" else self


def devices() -> list[str]:
    """The names of the devices of this machine, and "auto"."""
    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *gpus, *(["cuda"] if gpus else []), *mps, "auto"]


def single() -> str:
    """The GPU with the most free memory, or the CPU where there is none."""
    free = [torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())]
    return f"cuda:{free.index(max(free))}" if free else "cpu"


def placement(
    device: str, dtype: str | None = None, allowed: Mapping[str, str] | None = None
) -> Placement:
    """The device and precision that were asked for.

    `allowed` are precisions → "", or why this one makes no sense here; without, all are. Raises
    `UnknownName` for a device or precision that is not there, `SymscopeError` for the latter.
    """
    if device not in devices():
        raise UnknownName("device", device, devices())
    if dtype is None:
        return Placement(device)
    if dtype not in PRECISIONS:
        raise UnknownName("dtype", dtype, PRECISIONS)
    why_not = (allowed or {}).get(dtype, "")
    if why_not:
        good = [name for name in PRECISIONS if not (allowed or {}).get(name)]
        raise SymscopeError(f"--dtype {dtype}: {why_not}; use {' or '.join(good)}")
    return Placement(device, dtype)


def put(module: M, where: Placement, most: Mapping[Any, Any] | None = None) -> M:
    """The module there, in that precision.

    "auto" is the one device there is; where there are several GPUs, or `most` says how much memory
    each device may give (as accelerate's `max_memory`), accelerate spreads the blocks over them,
    and what does not fit is read from a disk as it is needed. A module that is spread is for runs,
    not for training.
    """
    if where.dtype is not None:
        module = module.to(PRECISIONS[where.dtype])
    if where.device != "auto":
        return module.to(where.device)
    if most is None and torch.cuda.device_count() < 2:
        return module.to(single())
    accelerate = needed("accelerate", "a network on several devices")
    given = None if most is None else dict(most)
    spread = accelerate.infer_auto_device_map(module, given, no_split_module_classes=WHOLE)
    if set(spread.values()) == {"disk"}:
        raise SymscopeError(f"no part of the network fits on a device: allow more than {given}")
    if len(set(spread.values())) == 1:
        return module.to(next(iter(spread.values())))
    aside = tempfile.mkdtemp(prefix="symscope-")
    weakref.finalize(module, shutil.rmtree, aside, ignore_errors=True)  # it goes with the module
    return accelerate.dispatch_model(module, spread, offload_dir=aside)
