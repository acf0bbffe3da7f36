"""What watches a reader of bad input: a clock, an ear for what it does, and what it has to say.

A case goes right when it ends within the time, touches nothing outside its folder, starts nothing,
runs no code out of the input, and ends in an answer or in a refusal of one line.
"""

import contextlib
import faulthandler
import io
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import SearchStrategy

from symscope.cli import main
from symscope.evidence import Evidence, SymscopeError, wilson

SECONDS, WAITED = 5.0, 60.0
"""How long one input may take: of this process's own time, and by the clock, beside others."""
_STARTED = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.spawn",
            "subprocess.Popen", "socket.connect", "socket.bind", "pickle.find_class")  # fmt: skip
_TOUCHED = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod",
            "os.chown", "os.truncate", "shutil.rmtree", "shutil.copyfile",
            "shutil.move")  # fmt: skip
_OURS = ("/dev/null", "/dev/tty")
_PARTS_OF_TEXT = ("<string>", "<unknown>", "<payload>")
_RAN = "code out of the input was run"
_armed: list[tuple[Path, list[str]]] = []
_hooked: list[bool] = []


class Hang(BaseException):
    """The time is up; no reader catches it."""


class Started(SymscopeError):
    """The work would begin here: every check before it has passed."""

    exit_code = 0


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what should not happen while a reader is watched."""
    if not _armed:
        return
    folder, heard = _armed[-1]
    ran = event == "exec" and getattr(arguments[0], "co_filename", "") in _PARTS_OF_TEXT
    if ran and _RAN not in heard:
        heard.append(_RAN)
    elif event.startswith(_STARTED):
        heard.append(f"{event} {arguments[:2]!r:.99}")
    elif event in _TOUCHED or (event == "open" and _writes(arguments)):
        places = [p for p in arguments[:2] if isinstance(p, str | bytes)]
        places = places[:1] if event == "open" else places
        heard.extend(f"{event} {p!r}" for p in map(os.fsdecode, places) if not _within(p, folder))


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def _within(place: str, folder: Path) -> bool:
    real = os.path.realpath(place)
    return real in _OURS or real.startswith((f"{folder}/", "/proc/self/fd/")) or real == str(folder)


@contextlib.contextmanager
def watched(folder: Path, seconds: float = SECONDS) -> Iterator[list[str]]:
    """What was heard that should not be; raises `Hang` when the time is up.

    Where a library does not give control back, Python's stack is printed and the process ends.
    """
    if not _hooked:
        sys.addaudithook(_hear)  # there is no way to take it away again
        _hooked.append(True)
    heard: list[str] = []
    clocks = {signal.SIGPROF: (signal.ITIMER_PROF, seconds),
              signal.SIGALRM: (signal.ITIMER_REAL, WAITED)}  # fmt: skip
    before = {each: signal.signal(each, _ring) for each in clocks}
    for clock, most in clocks.values():
        signal.setitimer(clock, most)
    faulthandler.dump_traceback_later(5 * WAITED, exit=True, file=sys.__stderr__)
    _armed.append((folder.resolve(), heard))
    try:
        yield heard
    finally:
        _armed.pop()
        for each, (clock, _) in clocks.items():
            signal.setitimer(clock, 0)
            signal.signal(each, before[each])
        faulthandler.cancel_dump_traceback_later()


def _ring(*_: object) -> None:
    raise Hang


def of_reader(read: Callable[[], object], folder: Path, seconds: float = SECONDS) -> str:
    """What went wrong while a function of the library read something; "" where nothing did."""
    with watched(folder, seconds) as heard:
        try:
            read()
            wrong = ""
        except SymscopeError as error:
            wrong = "" if str(error).strip() else "an empty refusal"
        except Hang:
            wrong = f"a hang of {seconds:g} s"
        except Exception as error:  # whatever else is what we look for
            wrong = f"{type(error).__name__}: {error!s:.80}"
    return "; ".join([*heard, *([wrong] if wrong else [])])


def of_command(
    arguments: list[str], folder: Path, seconds: float = SECONDS
) -> tuple[str, int | None, str]:
    """What went wrong in a command, or ""; its exit code, and what it said on stderr."""
    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf8"),
        io.TextIOWrapper(io.BytesIO(), "utf8", "backslashreplace"),
    )
    code: int | None = None
    with watched(folder, seconds) as heard, contextlib.redirect_stdout(out), \
            contextlib.redirect_stderr(err):  # fmt: skip
        try:
            code = main(arguments)
            wrong = ""
        except Hang:
            wrong = f"a hang of {seconds:g} s"
        except BaseException as error:  # a command ends in a code, whatever happens
            wrong = f"{type(error).__name__} got out: {error!s:.80}"
    err.flush()
    said = err.buffer.getvalue().decode("utf8")  # type: ignore[attr-defined]
    wrong = wrong or _of_answer(code, said)
    return "; ".join([*heard, *([wrong] if wrong else [])]), code, said


def quietly(*arguments: object) -> int:
    """The exit code of a command whose words nobody reads."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return main([*map(str, arguments)])


def _of_answer(code: int | None, said: str) -> str:
    """What is wrong about an exit code and the words beside it."""
    if "Traceback" in said or "Warning" in said:
        return said.strip().splitlines()[-1][:99]
    if code not in (0, 1, 2, 3):
        return f"exit code {code}"
    lines = [line for line in said.splitlines() if line.strip()]
    if code == 2 and len(lines) != 1 and not said.startswith("Usage:"):
        return f"{len(lines)} lines: {said[:99]!r}"
    return "a control character" if re.search(r"[\x00-\x09\x0b-\x1f\x7f\x9b]", said) else ""


def counted(  # what is said, what is generated, what is done with it, and how often
    claim: str, given: SearchStrategy[Any], attempt: Callable[[Any], str], count: int, seed: int,
    controls: Mapping[str, Callable[[Any], str | None]],
) -> Evidence:  # fmt: skip
    """The share of generated inputs that went right; `attempt` says what went wrong, or "".

    A control is a reader without defences; it is tried on the first inputs, and says None to one
    that it could not be stopped from.
    """
    wrong, n = Counter[str](), 0
    example: dict[str, str] = {}
    careless = {name: [0, 0] for name in controls}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count, database=None, deadline=None, derandomize=False,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(given)
    def once(drawn: Any) -> None:
        nonlocal n
        n += 1
        found = attempt(drawn)
        if found:
            kind = re.sub(r"\d+", "0", found)[:120]
            wrong[kind] += 1
            example.setdefault(kind, f"{drawn!r:.160}")
        for name, control in controls.items():
            found = control(drawn) if careless[name][1] < min(count, 300) else None
            careless[name][1] += found is not None
            careless[name][0] += found == ""

    began = time.monotonic()
    once()
    right = n - sum(wrong.values())
    return Evidence(
        f"reliability.fuzz.{claim}", right / n, *wilson(right, n), n, "share of inputs",
        {name: ok / tried for name, (ok, tried) in careless.items()}, [seed],
        time.monotonic() - began, {"kinds_of_failure": len(wrong)},
        note="; ".join(f"{many} × {what} ({example[what]})" for what, many in wrong.most_common(5)),
    )  # fmt: skip
