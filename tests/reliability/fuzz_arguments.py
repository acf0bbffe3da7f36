"""Arguments of every command: of wrong types, out of range, in conflict, or no text at all.

The work itself does not begin: where it would, `Started` is raised, after all checks before it.
"""

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer
from hypothesis import strategies as st

from reliability.fuzz_watch import Started, counted, of_command, quietly
from symscope.cli import app
from symscope.evidence import Evidence

WORK = (
    "symscope.cli.demo", "symscope.cli.train_into", "symscope.commands.binding.train_answers",
    "symscope.commands.programs.train_copies", "symscope.commands.programs.train_cell",
    "symscope.commands.loop.examine", "symscope.commands.loop.require_gate",
    "symscope.commands.loop.learned", "symscope.commands.programs.require_gate",
    "symscope.commands.programs.answers_right", "symscope.commands.programs.extract",
    "symscope.commands.programs.equivalent", "symscope.commands.binding.part_claims",
    "symscope.commands.binding.residual_claims", "symscope.commands.binding.patched",
    "symscope.commands.generate.train_hypernetwork", "symscope.commands.scripts.script",
    "symscope.commands.doctor.measured", "symscope.commands.sweep.run_sweep",
)  # fmt: skip
"""Where the work of each command begins."""
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12),
    st.binary(max_size=8).map(lambda b: os.fsdecode(b.replace(b"\x00", b"\x01"))),  # no UTF-8
    st.sampled_from([
        "", " ", "-", "--", "--json", "-1", "\u2028", "\x1b[2J", "\u202e", "a" * 5000, "../../x",
        "~", "*", "%s", "{}", "None", "0", "1e400", "nan", "-inf", "²", "٣", "9" * 5000, "a/b",
        "[red]", "[/]", "C:\\x", "$(touch x)", "`id`", ";ls", "--out=x", "\r\n", "\t", "💥",
    ]),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-5, 60), st.integers(), st.floats(),
    st.sampled_from([2**31, 2**32, 2**63 - 1, 2**63, 2**64, 10**18, 10**30, -(2**63), 10**6]),
).map(str)  # fmt: skip
KNOWN = (
    "multi", "single", "same", "modulo", "round", "binding", "div_3", "parity_last2", "sum_all",
    "gru", "lstm", "transformer", "mlp", "elman", "tiny", "small", "published", "default", "cpu",
    "cuda", "cuda:0", "mps", "auto", "up_down", "up_up", "ctx_distr", "progress", "extracted",
    "count", "phase", "demo", "rnn", "embed", "state", "h", "c", "output", "root", "rebind",
    "query", "residual", "attention", "head", "l1_norm", "maximum", "parity_3", "numbers",
    "geometry", "heuristics", "hypernetworks", "truth", "programs", "dictionaries", "das", "4,9",
    "16,48", "24", "1.1", "right 2", "a=5; b=a; #b:", "bfloat16",
)  # fmt: skip


@contextlib.contextmanager
def no_work() -> Iterator[None]:
    """Nothing is computed, and git is not asked for a commit."""
    with contextlib.ExitStack() as stack:
        for name in WORK:
            stack.enter_context(patch(name, side_effect=Started("the work begins")))
        stack.enter_context(patch("symscope.commands.run_directory.commit", return_value=None))
        yield


def places(folder: Path) -> list[str]:
    """One path of every kind, in `folder`: runs, files, a pipe, a socket, a loop, a device."""
    if not (folder / "run").exists():
        small = ["--width", "6", "--epochs", "1", "--highest", "3", "--hold-out", ""]
        quietly("train", "multi", *small, "--out", folder / "run")
        shutil.copytree(folder / "run", folder / "kept")
        (folder / "empty").mkdir()
        (folder / "text").write_text("a text")
        (folder / "none.json").write_text("{}")
        os.mkfifo(folder / "pipe")
        (folder / "loop").symlink_to("loop")
        (folder / "device").symlink_to("/dev/zero")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as there:
            here = Path.cwd()
            os.chdir(folder)  # the name of a socket is short
            there.bind("socket")
            os.chdir(here)
    inside = ["run", "run/network.safetensors", "run/config.json", "run/evidence.json", "empty",
              "text", "none.json", "pipe", "loop", "device", "socket", "nowhere", "text/below",
              "run/../run", "a" * 300]  # fmt: skip
    return [*(str(folder / name) for name in inside), "/dev/null", "/proc/self/mem", "/", "."]


def commands() -> dict[str, Any]:
    """Every command by name, as typer has it."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def valid(folder: Path) -> list[list[str]]:
    """Words that are right, to which others are added."""
    run = str(folder / "run")
    return [
        ["demo"], ["train", "multi"], ["train", "binding"], ["train", "div_3"], ["align", run],
        ["train", "parity_all", "--network", "gru"], ["extract", run], ["localize", run],
        ["align", f"{run}/network.safetensors", "--task", "multi", "--width", "6"],
        ["extract", f"{run}/network.safetensors", "--task", "div_3"], ["generate", "l1_norm"],
        ["verify", "text", "--task", "multi"], ["report", run], ["study", "numbers"],
        ["study", "geometry"], ["bench", "truth"], ["bench", "programs"], ["doctor"],
        ["sweep", "numbers", "--dry-run"],
    ]  # fmt: skip


def arguments(folder: Path) -> st.SearchStrategy[list[str]]:
    """The words after `symscope`: a command, or none, with options of its own and of others."""
    there = places(folder)
    values = st.one_of(TEXTS, NUMBERS, st.sampled_from(KNOWN), st.sampled_from(there))

    right = valid(folder)

    def of(name: str, command: Any) -> st.SearchStrategy[list[str]]:
        options = [o for p in command.params for o in p.opts if o.startswith("-")]
        flags = [o for p in command.params if getattr(p, "is_flag", False) for o in p.opts]
        valued = [o for o in options if o not in flags] or ["--none"]
        positional = [p for p in command.params if not p.opts[0].startswith("-")]
        pair = st.tuples(st.sampled_from(valued), values).map(list)
        one = st.one_of(pair, pair, pair, st.sampled_from([*options, "--none"]).map(lambda o: [o]),
                        values.map(lambda v: [v]))  # fmt: skip
        first = st.lists(values, min_size=len(positional), max_size=len(positional))
        known = st.lists(st.sampled_from([*KNOWN, *there]), min_size=len(positional),
                         max_size=len(positional))  # fmt: skip
        rest = st.lists(one, max_size=5).map(lambda many: [w for words in many for w in words])
        begun = [words for words in right if words[0] == name] or [[name]]
        any_words = st.one_of(known, first).map(lambda words: [name, *words])
        return st.tuples(st.one_of(st.sampled_from(begun), any_words), rest).map(
            lambda both: [*both[0], *both[1]]
        )

    each = [of(name, command) for name, command in commands().items()]
    return st.one_of(*each, st.lists(values, max_size=4))


def of_arguments(count: int, folder: Path, seed: int = 0) -> list[Evidence]:
    """Commands that end as they should on `count` generated lists of arguments."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    given, begun = arguments(folder), valid(folder)
    here = Path.cwd()
    os.chdir(folder)

    def attempt(words: list[str]) -> str:
        if not (folder / "run" / "network.safetensors").exists():  # forced away before
            shutil.rmtree(folder / "run", ignore_errors=True)
            shutil.copytree(folder / "kept", folder / "run")
        wrong, code, said = of_command(words, folder)
        if not wrong and code == 3 and "out of memory" in said:
            wrong = "memory was asked for before the work began"
        return f"{words[:1]}: {wrong}" if wrong else ""

    def careless(words: list[str]) -> str:
        """A command that trusts its arguments."""
        try:
            with contextlib.redirect_stdout(None):
                app(words, standalone_mode=False)
            return ""
        except Exception as error:
            return type(error).__name__

    try:
        with no_work():
            for words in begun:  # so that all that is loaded late is loaded
                quietly(*words)
            return [counted("arguments", given, attempt, count, seed, {"no_boundary": careless})]
    finally:
        os.chdir(here)
