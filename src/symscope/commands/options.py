"""The options that several commands share, and what their texts mean."""

import math
from pathlib import Path
from typing import Annotated

import typer

from symscope.evidence import SymscopeError
from symscope.site import Site

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
MOST_SEED = 2**32 - 1
Seed = Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Fixes all randomness.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps, auto …")]
Dtype = Annotated[str | None, typer.Option(help="float32, float64, bfloat16; default: as it is.")]
Sign = Annotated[str, typer.Option(help="For a language model: +, -, * or /.")]
DemoOut = Annotated[Path, typer.Option(help="The run directory to write.")]
Out = Annotated[Path | None, typer.Option(help="The run directory to write.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run that is there.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the run that is there.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=1024, help="Processes at a time.")]
Engines = Annotated[str, typer.Option("--engine", help="local, or ray: a cluster.")]
Address = Annotated[str, typer.Option(help="Of the cluster: HOST:PORT, or auto.")]

MOST_STEPS = 10**9
"""Of a training or a search: more than anyone waits for, and what files can say."""
NOT_TRAINED = {"bfloat16": "Adam's small steps are lost in weights of 8 bits"}
"""Precisions that networks are not trained in, and why."""
NOT_EXTRACTED = {"bfloat16": "a rule is read off values that are known to far less than a unit"}
NOT_GENERATED = dict.fromkeys(
    ("float64", "bfloat16"), "a hypernetwork writes, and is trained on, float32 alone"
)
ON_CPU = "these networks are so small that a CPU is faster than anything else"


def numbers_in(text: str) -> list[int]:
    """The numbers of a list such as "4,9"."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SymscopeError(f"{text!r} is no list of numbers such as 4,9,14,17") from None


def finite(value: float | None) -> float | None:
    """The number; raises where it is infinite or none, which no range of an option excludes."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number of seconds or bytes")
    return value


def site_of(module: str | None, part: str) -> Site | None:
    """The site that --site and --part name; None for the default one."""
    if module is None:
        return Site("rnn", part) if part else None
    return Site(module, int(part) if part.isdecimal() and len(part) < 9 else part or "output")
