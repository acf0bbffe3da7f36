"""The options that several commands share, and what their texts mean."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.site import Site

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Seed = Annotated[int, typer.Option(min=0, help="Fixes all randomness.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps …")]
DemoOut = Annotated[Path, typer.Option(help="The run directory to write.")]
Out = Annotated[Path | None, typer.Option(help="The run directory to write.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run that is there.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the run that is there.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes at a time.")]


def checked(device: str) -> None:
    """Nothing; raises `SymscopeError` where this machine has no such device."""
    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    there += ["cuda"] if torch.cuda.is_available() else []
    there += ["mps"] if torch.backends.mps.is_available() else []
    if device not in there:
        raise UnknownName("device", device, there)


def numbers_in(text: str) -> list[int]:
    """The numbers of a list such as "4,9"."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SymscopeError(f"{text!r} is no list of numbers such as 4,9,14,17") from None


def site_of(module: str | None, part: str) -> Site | None:
    """The site that --site and --part name; None for the default one."""
    if module is None:
        return Site("rnn", part) if part else None
    return Site(module, int(part) if part.isdigit() else part or "output")
