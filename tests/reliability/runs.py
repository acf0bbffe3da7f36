"""Commands in processes of their own, which can be killed, and what of their files has to last.

Each process is forked from one that has symscope loaded, so that a kill falls into the work. What
starts processes of its own (a study, a sweep) has to load it in each of them.
"""

import importlib
import json
import os
import shutil
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from safetensors import safe_open

from symscope.engines import Job, Outcome
from symscope.engines.engine import done
from symscope.extras import needed
from symscope.leftovers import is_leftover
from symscope.studies.running import run

TINY = ("--width", "6", "--highest", "2", "--hold-out", "", "--no-own-answers")
QUICK = ("--steps", "5", "--most", "5", "--pairs", "64", "--no-fitted-controls", "--anyway")
SWEPT = ("numbers", "--unit", "align", "--over", "seeds=0..1", "--over", "highest=2", "--over",
         "width=6", "--over", "steps=5", "--over", "pairs=64", "--over", "controls=no", "--over",
         "epochs={epochs}", "--out", "{run}")  # fmt: skip

VARYING = frozenset({
    "seconds", "seconds_to_prove", "steps_per_second", "memory_mb", "made", "commit", "line",
})  # fmt: skip
"""What a record says of the machine and of the moment, not of what was found."""

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["symscope.cli", "symscope.studies.numbers.__main__",
                              "symscope.studies.sweeps", "pandas", "pyarrow.parquet"])  # fmt: skip


GIVEN = {"counting": ("multi", *TINY, "--epochs", "30"), "prev1": ("prev1",)}
"""Small trained networks to start from: one that counts, one that looks back."""


@dataclass(frozen=True)
class Target:
    """A command, what is typed to go on with it, and which of `GIVEN` it needs, `copied` or not.

    In the words {run} is the folder that is written and {given} the one of `given`.
    """

    name: str
    words: tuple[str, ...]
    again: tuple[str, ...] = ("--resume",)
    needs: str = ""
    copied: bool = False
    workers: bool = False

    def typed(self, run: Path, given: Path, again: bool = False) -> list[str]:
        """The words, with the folders in them."""
        words = (*self.words, *(self.again if again else ()))
        return [w.format(run=run, given=given) for w in words]

    def begun(self, run: Path, given: Path) -> Path:
        """`run`, empty, or a copy of what the command starts from."""
        if self.copied:
            shutil.copytree(given / self.needs, run)
        return run


def _swept(epochs: int) -> tuple[str, ...]:
    return tuple(word.replace("{epochs}", str(epochs)) for word in SWEPT)


TARGETS = {
    target.name: target
    for target in (
        Target("train", ("train", "multi", *TINY, "--epochs", "26", "--out", "{run}")),
        Target("align", ("align", "{run}", *QUICK), needs="counting", copied=True),
        Target("extract", ("extract", "{given}/prev1/network.safetensors", "--task", "prev1",
                           "--out", "{run}"), needs="prev1"),
        Target("generate", ("generate", "l1_norm", "--inputs", "2", "--hidden", "4", "--steps", "2",
                            "--draws", "2", "--out", "{run}")),
        Target("study", ("study", "26", "--preset", "tiny", "--out", "{run}", "--only",
                         "main-(multi|same)-gru", "--jobs", "2"), again=(), workers=True),
        Target("unit", ("unit", "1", "--preset", "tiny", "--out", "{run}", "--only",
                        "(main|phase)-multi-gru"), again=()),
        Target("sweep", ("sweep", *_swept(30), "--jobs", "2"), again=(), workers=True),
        Target("cell", ("cell", *_swept(4)), again=()),
        Target("report", ("report", "{run}"), again=(), needs="counting", copied=True),
    )
}  # fmt: skip


def given(folder: Path, name: str) -> Path:
    """The folder of all that were trained there, with this one; an empty name is none."""
    if name and not (folder / name).exists():
        assert ended(started(["train", *GIVEN[name], "--out", str(folder / name)])) == 0
    return folder


Fault = Callable[[], None]
"""Done in the process before its work begins: something of it that will go wrong."""


def started(words: list[str], log: Path | None = None, fault: Fault | None = None) -> BaseProcess:
    """The command at work; what it says goes into `log`."""
    process = FORKS.Process(target=_command, args=(words, log, fault))
    process.start()
    return process


def ended(process: BaseProcess) -> int:
    """The exit code, when it has ended; a negative one is the signal that ended it."""
    process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def _command(words: list[str], log: Path | None, fault: Fault | None) -> None:
    os.setsid()
    said = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.modules["__main__"] = types.ModuleType("__main__")  # its processes need not load ours
    if fault is not None:
        fault()
    code = done_here(words)
    sys.stdout.flush()
    os._exit(code)


def done_here(words: list[str]) -> int:
    """The exit code of a command, or of the study, done in this process."""
    if words[0] == "cell":
        importlib.import_module("symscope.commands.sweep").engine_named = lambda *_: alone
        words = ["sweep", *words[1:]]
    if words[0] not in ("study", "unit"):
        return int(importlib.import_module("symscope.cli").main(words))
    try:
        _study(words[1:], one=words[0] == "unit")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _study(words: list[str], one: bool) -> None:
    """The numbers study with so many epochs, and units that ask about the networks of others."""
    epochs, *options = words
    module = importlib.import_module("symscope.studies.numbers.__main__")
    module.PRESETS["tiny"] |= {"epochs": int(epochs), "most": 5, "more_seeds": 1}
    if one:
        module.engine_of = lambda _: alone
    sys.argv = ["numbers", *options]
    run(module.main)


def alone(jobs: Iterable[Job]) -> Iterator[Outcome]:
    """The engine of this process, in which a fault can be."""
    return map(done, jobs)


def files(folder: Path) -> list[Path]:
    """All files below that have a final name, in order."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not _temporary(p, folder))


def leftovers(folder: Path) -> list[Path]:
    """Temporary files and folders of writers that did not come to the renaming."""
    return sorted(filter(is_leftover, folder.rglob(".*")))


def _temporary(path: Path, folder: Path) -> bool:
    return any(is_leftover(Path(part)) for part in path.relative_to(folder).parts)


def lasting(document: Any, but: Collection[str] = ()) -> Any:
    """A JSON document without what varies from one run to the next, `but` for some of that."""
    if isinstance(document, Mapping):
        return {k: lasting(v, but) for k, v in document.items() if k in but or k not in VARYING}
    return [lasting(v, but) for v in document] if isinstance(document, list) else document


def content(path: Path) -> Any:
    """What has to be the same in a file; of a page that it is there."""
    if path.suffix == ".json":
        return lasting(json.loads(path.read_text("utf8")))
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            tensors = {k: file.get_tensor(k) for k in sorted(file.keys())}
            said = {k: lasting(json.loads(v)) for k, v in (file.metadata() or {}).items()}
        return said, {k: (v.dtype, v.shape, v.numpy().tobytes()) for k, v in tensors.items()}
    if path.suffix == ".parquet":
        table = needed("pandas", "a table").read_parquet(path)
        return table[[name for name in table if name not in VARYING]].to_csv()
    return "" if path.suffix == ".html" else path.read_bytes()


def differing(whole: Path, other: Path) -> list[str]:
    """The files that are in one folder alone, or whose content differs."""
    here, there = ({str(p.relative_to(f)): p for p in files(f)} for f in (whole, other))
    alone = set(here) ^ set(there)
    return sorted(alone | {k for k in set(here) - alone if content(here[k]) != content(there[k])})
