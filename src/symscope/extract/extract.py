"""From a machine to a program: every route that applies, and the shortest description that fits."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from symscope.evidence import ClaimFailed
from symscope.extract.as_published import as_published
from symscope.extract.cost import length
from symscope.extract.counters import counted
from symscope.extract.feedback import fed_back
from symscope.extract.formula.synthesise import synthesise
from symscope.extract.labelled import labelled
from symscope.extract.machine import Machine
from symscope.extract.questions import questioned
from symscope.extract.readable import readable
from symscope.extract.recurrence import recurrent
from symscope.extract.registers import registered
from symscope.extract.rows import Candidate, Nothing, Regress, Rows, watched
from symscope.extract.undecided import Undecided, undecided
from symscope.extract.window import windowed
from symscope.program import Program

Route = Callable[[Machine, Rows, Regress], Candidate | Nothing | None]
ROUTES: Mapping[str, Route] = {
    "recurrence": recurrent,
    "feedback": fed_back,
    "automaton": labelled,
    "questions": questioned,
    "registers": registered,
    "window": windowed,
    "published": as_published,
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
    """The chosen program and its route, what became of each route, and what cannot be rounded."""

    chosen: Candidate | None
    tried: Mapping[str, str]
    seconds: float
    undecided: Undecided | None = None


def extract(
    machine: Machine, *, seconds: float = 60.0, within: float = 600.0, seed: int = 0
) -> Extraction:
    """The shortest program that answers as the network does on all that was seen of it.

    Each route that applies gives a candidate; those that differ from the network on fresh sequences
    are dropped, and the shortest of the rest is chosen. `seconds` bounds each formula's search;
    `within` seconds no further route is begun and no further formula looked for.
    """
    began = time.monotonic()
    end = began + within
    free = machine.grammar is None
    rows = watched(machine, WATCHED if free else LEGAL_WATCHED, seed)
    fresh = watched(machine, CHECKED if free else LEGAL_CHECKED, seed + 1)
    tried: dict[str, str] = {}
    found: list[Candidate] = []

    def regress(columns: Mapping[str, np.ndarray], target: np.ndarray) -> str | None:
        left = min(seconds, end - time.monotonic())
        return synthesise(columns, target, seconds=left) if left > 0 else None

    for name, route in (ROUTES if free else LEGAL_ROUTES).items():
        late = time.monotonic() > end
        candidate = Nothing("not tried, the time was over") if late else (
            route(machine, rows, regress))  # fmt: skip
        if candidate is None or isinstance(candidate, Nothing):
            tried[name] = "gives nothing" if candidate is None else candidate.why
            continue
        candidate = replace(candidate, program=readable(candidate.program))
        if (share := fidelity(candidate.program, fresh)) < 1:
            tried[name] = f"a program that answers {share:.4%} of the sequences as the network does"
        else:
            tried[name] = f"a program of {length(candidate.program)}: {candidate.why}"
            found.append(candidate)
    chosen = min(found, key=lambda c: length(c.program), default=None)
    doubt = undecided(machine, rows.x)
    return Extraction(chosen, tried, time.monotonic() - began, doubt)


def fidelity(program: Program, rows: Rows) -> float:
    """The share of sequences on which each answer that counts is as the network's was."""
    x = rows.x if len(program.inputs) > 1 else rows.x[..., 0]
    output = torch.as_tensor(program.run(x).output)  # one number where the answer is constant
    said = output.view(rows.y.shape) if output.dim() else output.expand(rows.y.shape)
    same = (said == rows.y).all(-1)
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
