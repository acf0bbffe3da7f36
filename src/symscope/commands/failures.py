"""What a command says when it fails: one line, and an exit code."""

import errno
import traceback

from safetensors import SafetensorError
from torch import OutOfMemoryError

from symscope.evidence import SymscopeError

BAD_INPUT, FAILED, INTERRUPTED = 2, 3, 130
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def outcome(error: BaseException) -> tuple[int, str]:
    """The exit code of a failure, and the line that says what to type instead.

    What symscope did not foresee is a bug: it keeps its traceback, and counts as a failed
    computation.
    """
    if isinstance(error, SymscopeError):
        return error.exit_code, " ".join(str(error).split())
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        return INTERRUPTED, (
            "interrupted; what was written is whole: go on with the same command (a run: --resume)"
        )
    if hasattr(error, "format_message"):  # typer's usage errors, whichever library they come from
        return BAD_INPUT, f"{error.format_message()}; --help shows what there is"
    if isinstance(error, MemoryError | OutOfMemoryError):
        return FAILED, "out of memory; try a smaller --width or fewer --pairs, or another --device"
    if isinstance(error, SafetensorError):
        return FAILED, f"a file could not be written ({error}); files written before are whole"
    if isinstance(error, OSError):
        place = error.filename or "a file"
        if error.errno in _NO_ROOM:
            return FAILED, (
                f"no room to write {place}: {error.strerror}; files written before are whole, go on"
                " with --resume when there is room"
            )
        return BAD_INPUT, f"{place}: {error.strerror}; choose another path"
    return FAILED, "".join(traceback.format_exception(error)).rstrip()
