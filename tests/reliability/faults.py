"""What goes wrong in a process from its n-th write on: no room on the disk; or a kill half-way.

`write_whole` makes a temporary file for each write. Here it is a link to /dev/full, on which the
kernel itself has no room; safetensors, which replaces it by a file of its own, raises what it
raises on a full disk. Or a part of the file is written, and the process dies.
"""

import errno
import os
import shutil
import signal
import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

import symscope.evidence
from reliability.runs import Fault

KINDS = ("no room", "no file")
KILLED = "killed"


def at_write(number: int, kind: str, run: Path, seen: Path) -> Fault:
    """The `number`-th write fails, and all that follow; what is in `run` then is kept in `seen`."""
    return partial(_arm, number, kind, run, seen)


def _arm(number: int, kind: str, run: Path, seen: Path) -> None:
    count = 0

    def mkstemp(**where: Any) -> tuple[int, str]:
        nonlocal count
        count += 1
        if count < number:
            return tempfile.mkstemp(**where)
        if count == number:
            shutil.copytree(run, seen)
        if kind == "no file":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(where["dir"]))
        handle, name = tempfile.mkstemp(**where)
        if kind == KILLED:
            os.write(handle, b'{"half')
            (Path(name).parent / ".tmpHa1f0f").write_bytes(b"\x08\x00")
            os.kill(os.getpid(), signal.SIGKILL)
        Path(name).unlink()
        Path(name).symlink_to("/dev/full")
        return handle, name

    write_tensors = safetensors.torch.serialize_file

    def serialize_file(*arguments: Any, **options: Any) -> Any:
        if count >= number:
            raise SafetensorError(
                "Error while serializing: I/O error: No space left on device (os error 28)"
            )
        return write_tensors(*arguments, **options)

    symscope.evidence.tempfile = SimpleNamespace(mkstemp=mkstemp)  # type: ignore[assignment]
    safetensors.torch.serialize_file = serialize_file
