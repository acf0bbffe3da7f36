"""Files made to do harm: each is refused in one line or read without harm, and nothing is run.

Every file is read in a process of its own, which says what it took: seconds, memory, what it heard.
A reader without defences gets the same files, and is seen to fail.
"""

import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from reliability.fuzz_arguments import no_work
from reliability.fuzz_documents import runs
from reliability.fuzz_watch import SECONDS, WAITED, of_command, of_reader, quietly
from reliability.malicious_files import (
    SENTINEL,
    documents,
    hugging,
    oddities,
    programs,
    weights,
)
from symscope.evidence import Evidence, SymscopeError, wilson

MEMORY = 300 * 2**20
"""Bytes that a reader may take, beside one and a half times the size of the file."""


def _measured(read: Callable[[], str], size: int, folder: Path, told: Any) -> None:
    """Read in this process, and tell what went wrong, the seconds and the bytes it took."""
    before, began = _peak(), time.process_time()
    wrong = read()
    seconds, taken = time.process_time() - began, _peak() - before
    if seconds > SECONDS and not wrong:
        wrong = f"{seconds:.1f} s"
    if taken > MEMORY + 1.5 * size:
        wrong += f" {taken / 2**20:.0f} MB"
    if (folder / SENTINEL).exists():
        wrong += " the harmful code ran"
    told.send((wrong.strip(), seconds, taken))


def _peak() -> int:
    """The most memory that this process has had; a fork begins with its own."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(n.split()[1]) * 1024 for n in lines if n.startswith("VmHWM"))


def _apart(read: Callable[[], str], size: int, folder: Path) -> tuple[str, float, int]:
    """`_measured` in a fork, which is ended when it takes too long or too much."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(False)

    def child() -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123
        _measured(read, size, folder, theirs)

    process = context.Process(target=child)
    process.start()
    there = mine.poll(2 * WAITED)
    found = mine.recv() if there else ("it did not come back", SECONDS, 0)
    process.kill()
    process.join()
    return found


def _warm(folder: Path) -> None:
    """Load all that is loaded late, so that it is not counted."""
    run = folder / "counting"
    with no_work():
        for words in (["report", run], ["align", run, "--pairs", "9"]):
            quietly(*words)
    quietly("verify", folder / "title.py", "--rule", folder / "title.py")
    with contextlib.suppress(SymscopeError):
        _model(folder / "hugging" / "known")


Case = tuple[str, int, Callable[[], str], Callable[[], str] | None]
"""What it is, the bytes of the file, how it is read, and how a careless reader reads it."""


def cases(folder: Path) -> list[Case]:
    """All files, with what reads them."""
    for name in ("weights", "hugging"):
        (folder / name).mkdir()
    found: list[Case] = []
    for name, path in weights(folder / "weights").items():
        found += _of_weights(name, path, folder)
    base = runs(folder)["counting"]
    for name, text in documents().items():
        for file in ("config.json", "evidence.json"):
            run = Path(shutil.copytree(base, folder / f"{name}-{file}"))
            (run / file).write_bytes(text)
            for command in (["report"], ["align", "--pairs", "9"]):
                words = [command[0], str(run), *command[1:]]
                found.append((f"{file} {name} {command[0]}", len(text), _command(words, folder),
                              lambda t=text, r=run: _careless_json(t, r)))  # fmt: skip
    for name in oddities(base):
        run = Path(shutil.copytree(base, folder / name))
        oddities(run)[name]()
        for command in ("report", "align"):
            found.append((f"{name} {command}", 0, _command([command, str(run)], folder), None))
    for name, text in programs().items():
        path = folder / f"{name}.py"
        path.write_text(text, encoding="utf8", errors="surrogatepass")
        words = ["verify", str(path), "--task", "div_3", "--length", "3", "--seconds", "1"]
        found.append((f"program {name}", len(text), _command(words, folder), None))
    for name, place in hugging(folder / "hugging").items():
        found.append((f"model {name}", 0, lambda p=place: of_reader(lambda: _model(p), folder),
                      None))  # fmt: skip
    return found


def _model(place: Path) -> object:
    from symscope.pretrained import pretrained

    return pretrained(place)


def _command(words: list[str], folder: Path) -> Callable[[], str]:
    def run() -> str:
        with no_work():
            return of_command(words, folder)[0]

    return run


def _of_weights(name: str, path: Path, folder: Path) -> list[Case]:
    """A file of weights through each command and loader that may get it."""
    from symscope.alignment import Alignment
    from symscope.generate.files import load_hypernetwork
    from symscope.models.load import load_network, load_weights

    size, harm = path.stat().st_size, folder / "weights"
    out = str(folder / "out")
    align = ["align", str(path), "--task", "multi", "--width", "6", "--out", out]
    extract = ["extract", str(path), "--task", "div_3", "--out", out]
    found: list[Case] = [
        (f"weights {name} {words[0]}", size, _command(words, folder), None)
        for words in (align, extract)
    ]
    for load in (load_network, load_weights, Alignment.load, load_hypernetwork):
        found.append((f"weights {name} {load.__qualname__}", size,
                      lambda f=load: of_reader(lambda: f(path), folder), None))  # fmt: skip
    if path.suffix != ".safetensors" and name not in ("bomb.pt", "expanded.pt"):
        found[-1] = (*found[-1][:3], lambda: _careless_torch(path, harm))
    return found


def _careless_torch(path: Path, harm: Path) -> str:
    """`torch.load` without `weights_only`: the harmful code runs, and the detectors say so."""

    def read() -> None:
        torch.load(path, weights_only=False)

    wrong = of_reader(read, harm.parent)
    there = (harm / SENTINEL).exists()
    shutil.rmtree(harm / SENTINEL, ignore_errors=True)
    return wrong or ("the harmful code ran" if there else "")


def _careless_json(text: bytes, run: Path) -> str:
    """A reader that takes what json gives, and believes it."""
    try:
        document = json.loads(text)
        return "" if isinstance(document, dict) and document["width"] > 0 else "no settings"
    except Exception as error:
        return type(error).__name__


def of_malice(folder: Path, every: int = 1) -> list[Evidence]:
    """How many of the files made to do harm do none; with `every`, each so many-th of them alone.

    The control is the share that does none to readers without defences.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    there = cases(folder)[::every]
    _warm(folder)
    wrong, careless, slowest, largest = [], [], 0.0, 0
    for what, size, read, without in there:
        said, seconds, taken = _apart(read, size, folder / "weights")
        slowest, largest = max(slowest, seconds), max(largest, taken)
        wrong += [f"{what}: {said}"] if said else []
        if without is not None:
            careless.append(not _apart(without, size, folder / "weights")[0])
    right = len(there) - len(wrong)
    controls = {"without_defences": sum(careless) / len(careless)} if careless else {}
    return [Evidence(
        "reliability.malicious.harmless", right / len(there), *wilson(right, len(there)),
        len(there), "share of files and readers", controls, [0], time.monotonic() - began,
        {"slowest_seconds": round(slowest, 2), "largest_mb": round(largest / 2**20)},
        note="; ".join(wrong[:8]),
    )]  # fmt: skip
