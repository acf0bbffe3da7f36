"""What a command shows: progress on stderr, one table or one JSON document on stdout."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from io import TextIOWrapper
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from symscope.align.accept import Verdict, verdict
from symscope.evidence import Evidence
from symscope.report.claims import is_claim
from symscope.report.controls import label_of
from symscope.train import Progress as Receiver

_COLOURS = {"found": "green", "partial": "yellow", "at its floor": "red"}


def say(text: str) -> None:
    """A line on stderr, for a person."""
    print(text, file=sys.stderr, flush=True)


def printable() -> None:
    """Let stdout and stderr write what their encoding lacks as an escape: no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def progress() -> Iterator[Receiver]:
    """A bar on stderr that is driven by (done, of how many, what)."""
    columns = (BarColumn(20), TextColumn("{task.completed:.0f}/{task.total:.0f}"),
               TimeElapsedColumn(), TextColumn("{task.description}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("", total=1)
        yield lambda done, total, text: bar.update(
            line, completed=done, total=total, description=text
        )


def show(records: Sequence[Evidence], json_wanted: bool, **places: Any) -> None:
    """Programs that were found, claims with floors and verdicts, and where all of it lies."""
    if json_wanted:
        show_json(
            **places,
            evidence=[asdict(e) for e in records],
            verdicts={e.claim: asdict(verdict(e)) for e in records},
        )
        return
    console = Console()
    trained = [e for e in records if e.unit == "accuracy"]
    for e in trained:
        console.print(f"{e.claim}: {e.score:.1%} of {e.n} gate sequences right", highlight=False)
    for e in records:
        if "source" in e.config:
            _, step, *_ = e.config["source"].split("\n\n\n")
            console.print(f"{step}\n\n{e.config['said']}", highlight=False, markup=False)
    claims = [e for e in records if is_claim(e)]
    if claims:
        console.print(table(claims))
    for name, place in places.items():
        console.print(f"{name}: {place}", highlight=False, soft_wrap=True)


def show_json(**document: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(document, indent=1, default=str))


def table(claims: Sequence[Evidence]) -> Table:
    """Claim, score, 95 % interval, the highest floor, and what the two say together."""
    shown = Table(Column("claim", no_wrap=True), "score", "95 % interval", "best floor", "verdict")
    for e in claims:
        found = verdict(e)
        name = ".".join(e.claim.removesuffix(".iia").split(".")[-2:])
        if e.score is None or e.low is None or e.high is None:
            shown.add_row(name, "–", "–", "–", f"{found.word}: {e.note}")
            continue
        colour = _COLOURS.get(found.word, "default")
        interval = f"{e.low:.3f}–{e.high:.3f}"
        word = f"[{colour}]{found.word}[/]"
        shown.add_row(name, f"{e.score:.3f}", interval, _floor(found), word)
    return shown


def _floor(found: Verdict) -> str:
    return "none" if found.floor is None else f"{found.floor:.3f} ({label_of(found.name)})"


def failed(records: Sequence[Evidence]) -> list[str]:
    """The claims whose own check failed: their score does not stand above their floors."""
    return [e.claim for e in records if verdict(e).word in ("at its floor", "not analysed")]


def told(claims: Sequence[Evidence]) -> int:
    """1 after naming the claims that do not stand above their floors, else 0."""
    for claim in failed(claims):
        say(f"{claim} does not stand above its floors")
    return 1 if failed(claims) else 0
