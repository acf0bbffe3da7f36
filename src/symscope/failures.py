"""What a command says when it fails: one line, and an exit code."""

import errno
import re
import traceback

from safetensors import SafetensorError
from torch import OutOfMemoryError

from symscope.evidence import SymscopeError

BAD_INPUT, FAILED, INTERRUPTED = 2, 3, 130
_NO_MEMORY = re.compile("can't allocate memory|not enough memory|size calculation overflowed")
"""What torch says of the CPU's, in errors that have no class of their own."""
_GO_ON = "go on with the same command (a run: --resume) when there is room"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def outcome(error: BaseException) -> tuple[int, str]:
    """The exit code of a failure, and the line that says what to type instead.

    What symscope did not foresee is a bug: it keeps its traceback, and counts as a failed
    computation. A command without arguments is answered with all of its help.
    """
    code, said = _said(error)
    helped = type(error).__name__ == "NoArgsIsHelpError"
    return code, said if helped or said.startswith("Traceback") else one_line(said)


def one_line(text: str) -> str:
    """The text on one line; signs that a terminal would obey, or cannot show, are spelled out.

    >>> print(one_line("no file a\\x1b[2J\\nb"))
    no file a\\x1b[2J b
    """
    parts = (c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))
    return "".join(parts)


def _said(error: BaseException) -> tuple[int, str]:
    if isinstance(error, SymscopeError):
        return error.exit_code, str(error)
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        return INTERRUPTED, (
            "interrupted; what was written is whole: go on with the same command (a run: --resume)"
        )
    if hasattr(error, "format_message"):  # typer's usage errors, whichever library they come from
        return BAD_INPUT, f"{error.format_message()}; --help shows what there is"
    if isinstance(error, MemoryError | OutOfMemoryError) or _NO_MEMORY.search(str(error)):
        return FAILED, "out of memory; try a smaller --width or fewer --pairs, or another --device"
    if isinstance(error, SafetensorError):
        return FAILED, (
            f"a file could not be written ({error}); files written before are whole, {_GO_ON}"
        )
    if isinstance(error, OSError):
        place = error.filename or "a file"
        if error.errno in _NO_ROOM:
            return FAILED, (
                f"no room to write {place}: {error.strerror}; files written before are whole,"
                f" {_GO_ON}"
            )
        return BAD_INPUT, f"{place}: {error.strerror}; choose another path"
    return FAILED, "".join(traceback.format_exception(error)).rstrip()
