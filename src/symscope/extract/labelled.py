"""An automaton as formulas: states are numbered so that the next state is one.

Numberings that are tried: by the answer a state gives, where answers tell states apart; by
q → (a q + c x) mod n, as a remainder's; in the order of the first visit. A machine of few states
that no formula describes is written out as a table, and says so.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from symscope.extract.automaton import Automaton, automaton, symbols_of
from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate, Nothing, Regress, Rows, fitted
from symscope.program import Program

MOST_IN_A_TABLE = 16
"""States of an automaton that is written out (Michaud et al., 2024, wrote out bits only)."""


def labelled(machine: Machine, rows: Rows, regress: Regress) -> Candidate | Nothing:
    """The network's automaton with numbered states and formulas, or as a table if it is small."""
    if rows.y.shape[-1] > 1:
        return Nothing("several outputs, one is numbered")
    found = automaton(machine)
    if isinstance(found, Nothing):
        return found
    smallest, radius = found
    program, table = numbered(machine, smallest, rows, regress)
    why = f"{len(smallest)} states, at radius {radius:.2f} of the states' spread"
    if program is None:
        return Nothing(f"{why}; no formula was found")
    return Candidate(program, "table" if table else "automaton", why)


def numbered(
    machine: Machine, found: Automaton, rows: Rows, regress: Regress
) -> tuple[Program | None, bool]:
    """The automaton as a program with a numbered state, and whether it is written as a table.

    No program where no formula gives the next state and there are too many for a table.
    """
    for labels in _labels(machine, found):
        program = _formulas(machine, found, labels, rows, regress)
        if program is not None:
            return program, False
    if len(found) > MOST_IN_A_TABLE:
        return None, False
    return _formulas(machine, found, torch.arange(len(found)), rows, _table), True


def _labels(machine: Machine, found: Automaton) -> Iterator[Tensor]:
    """Numberings of the states, (state,)."""
    if (given := _by_answer(found)) is not None:
        yield given
    count = len(found)
    x = machine.symbols[:, 0]
    if machine.symbols.shape[1] == 1:
        for a in range(count):
            for c in (1, -1):
                named = _affine(found, (a, c), x)
                if named is not None:
                    yield named
    yield torch.arange(count)


def _by_answer(found: Automaton) -> Tensor | None:
    """The answer with which each state is entered, where that is one and each has its own."""
    into = torch.full((len(found),), -1, dtype=torch.long)
    into[found.following.flatten()] = found.answering[..., 0].flatten()
    fits = torch.equal(into[found.following], found.answering[..., 0])
    return into if fits and len(into.unique()) == len(into) else None


def _affine(found: Automaton, by: tuple[int, int], x: Tensor) -> Tensor | None:
    """The numbers q with q' = (a q + c x) mod n from q = 0 on, if they tell states apart."""
    a, c = by
    count = len(found)
    labels = [-1] * count
    labels[0] = 0
    todo = [0]
    for state in todo:
        for symbol, after in enumerate(found.following[state].tolist()):
            value = (a * labels[state] + c * int(x[symbol])) % count
            if labels[after] == -1:
                labels[after] = value
                todo.append(after)
            elif labels[after] != value:
                return None
    return torch.tensor(labels) if len(set(labels)) == count else None


def _formulas(machine: Machine, found: Automaton, labels: Tensor, rows: Rows, regress: Regress):  # type: ignore[no-untyped-def]
    count, alphabet = len(found), machine.symbols
    q = labels[:, None].expand(count, len(alphabet))
    given = {v.name: alphabet[:, i].expand(count, -1) for i, v in enumerate(machine.inputs)}
    after = labels[found.following]
    rule = fitted({"state": q, **given}, after, regress)
    if rule is None:
        return None
    answers = found.answering[..., 0]
    trace = labels[found.visited(symbols_of(machine, rows.x))]
    values = {"state": trace, "answer": rows.y[..., 0]}
    start = {"state": int(labels[0])}
    output = fitted({"state": after}, answers, regress)
    if output is not None:
        return rows.program({"state": rule}, values, output, start)
    output = fitted({"state": q, **given}, answers, regress)
    if output is None:
        return None
    return rows.program({"answer": output, "state": rule}, values, "answer", start | {"answer": 0})


def _table(columns, target) -> str:  # type: ignore[no-untyped-def]
    """Every row written out, the rows of one value together."""
    names = list(columns)
    values, counts = torch.unique(torch.as_tensor(target), return_counts=True)
    ranked = [int(v) for v in values[counts.argsort()]]
    text = str(ranked.pop())
    for value in ranked:
        cases = [" and ".join(f"{n} == {int(columns[n][i])}" for n in names)
                 for i in range(len(target)) if int(target[i]) == value]  # fmt: skip
        text = f"{value} if {' or '.join(cases)} else {text}"
    return text
