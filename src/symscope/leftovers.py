"""What writers that were killed left behind: temporary files that never came to be renamed."""

import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

PART = ".part"
"""The end of the name of a temporary file or folder; it begins with a dot, and is no result."""
OLD = 3600.0
"""Seconds since its last change after which nobody is writing it any more."""
_NAMES = re.compile(rf"\..+\{PART}|\.tmp[A-Za-z0-9]{{6}}")
"""Ours, and those of safetensors, which writes into a file beside the one it is given."""


def is_leftover(path: Path) -> bool:
    """Whether this is in the writing, or was when its writer was killed."""
    return _NAMES.fullmatch(path.name) is not None


def clear_leftovers(folder: Path, older: float = OLD) -> None:
    """Remove those below `folder` that have not changed for `older` seconds."""
    for path in filter(is_leftover, list(folder.rglob(".*"))):
        with suppress(OSError):  # gone meanwhile, or not ours to remove
            if time.time() - path.lstat().st_mtime < older:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
