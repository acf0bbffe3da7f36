"""From a machine to a program: every route that applies, and the shortest description that fits."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch

from symscope.evidence import ClaimFailed
from symscope.extract.cost import length
from symscope.extract.counters import counted
from symscope.extract.feedback import fed_back
from symscope.extract.labelled import labelled
from symscope.extract.machine import Machine
from symscope.extract.readable import readable
from symscope.extract.recurrence import recurrent
from symscope.extract.registers import registered
from symscope.extract.rows import Candidate, Regress, Rows, watched
from symscope.extract.synthesise import synthesise
from symscope.extract.window import windowed
from symscope.program import Program

Route = Callable[[Machine, Rows, Regress], Candidate | None]
ROUTES: Mapping[str, Route] = {
    "recurrence": recurrent,
    "feedback": fed_back,
    "automaton": labelled,
    "registers": registered,
    "window": windowed,
}
"""The routes in the order in which they are tried."""
LEGAL_ROUTES: Mapping[str, Route] = {"counters": counted}
"""Those that ask for a grammar's own sequences only; the others ask for any."""
WATCHED, CHECKED = 20_000, 10_000
"""Sequences that a program is made from, and fresh ones that it is checked on."""
LEGAL_WATCHED, LEGAL_CHECKED = 2_000, 1_000
"""The same for sequences of a grammar."""


@dataclass(frozen=True, eq=False)
class Extraction:
    """The chosen program and its route, and what became of each route."""

    chosen: Candidate | None
    tried: Mapping[str, str]
    seconds: float


def extract(machine: Machine, *, seconds: float = 60.0, seed: int = 0) -> Extraction:
    """The shortest program that answers as the network does on all that was seen of it.

    Each route that applies gives a candidate; those that differ from the network on fresh sequences
    are dropped, and the shortest of the rest is chosen. `seconds` bounds each formula's search.
    """
    began = time.monotonic()
    free = machine.grammar is None
    routes = ROUTES if free else LEGAL_ROUTES
    rows = watched(machine, WATCHED if free else LEGAL_WATCHED, seed)
    fresh = watched(machine, CHECKED if free else LEGAL_CHECKED, seed + 1)
    regress = partial(synthesise, seconds=seconds)
    tried: dict[str, str] = {}
    found: list[Candidate] = []
    for name, route in routes.items():
        candidate = route(machine, rows, regress)
        if candidate is None:
            tried[name] = "gives nothing"
            continue
        candidate = replace(candidate, program=readable(candidate.program))
        if (share := fidelity(candidate.program, fresh)) < 1:
            tried[name] = f"a program that answers {share:.4%} of the sequences as the network does"
        else:
            tried[name] = f"a program of {length(candidate.program)}: {candidate.why}"
            found.append(candidate)
    chosen = min(found, key=lambda c: length(c.program), default=None)
    return Extraction(chosen, tried, time.monotonic() - began)


def fidelity(program: Program, rows: Rows) -> float:
    """The share of sequences on which each answer that counts is as the network's was."""
    x = rows.x if len(program.inputs) > 1 else rows.x[..., 0]
    output = program.run(x).output
    same = (output.view(rows.y.shape) == rows.y).all(-1)
    same |= torch.tensor(False) if rows.asked is None else ~rows.asked
    return float(same.all(1).double().mean())


def require_perfect(right: torch.Tensor, anyway: bool = False) -> None:
    """Raises `ClaimFailed` for a network that does not do its task, unless `anyway`."""
    share = float(right.double().mean())
    if share < 1 and not anyway:
        raise ClaimFailed(
            f"the network answers {share:.3%} of {len(right)} sequences right, and a program would"
            " be one of its mistakes too; train it longer, or say --anyway"
        )
