"""An affine machine: integer registers from its impulse response.

If the answers are an affine function of the inputs, the responses M_k to a unit impulse k steps
before fix everything: the block Hankel matrix H[i, j] = M_{i+j} has as many independent rows as
there are registers (Ho & Kalman, 1966). As registers we take independent rows themselves: "the
answer j steps from now if only zeros come", which are integers.
"""

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate, Regress, Rows
from symscope.program import Program, Variable

Place = tuple[int, int]
"""An output and how many steps ahead."""
System = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A (register, register), B (register, input + 1), C (output, register), of integers."""
_BOUND = 10**6


def recurrent(machine: Machine, rows: Rows, regress: Regress) -> Candidate | None:
    """The affine recurrence behind the answers, if they are affine and few registers carry it."""
    response = impulse(machine)
    if response is None:
        return None
    length, outputs, _ = response.shape
    half = length // 2
    places: list[Place] = list(itertools.product(range(outputs), range(half)))
    future = {p: _row(response, p, length - half) for p in places}
    basis: list[Place] = []
    for place in sorted(places, key=lambda p: (p[1], p[0])):
        if _combined(future[place], [future[b] for b in basis]) is None:
            basis.append(place)
    system = _realised(response, basis, future)
    if system is None:
        return None
    why = f"the answers are affine in the inputs, and {len(basis)} registers carry them"
    return Candidate(_program(machine, _simplest(system)), "recurrence", why)


def impulse(machine: Machine) -> Tensor | None:
    """M (step, output, input + 1): the responses to each input's unit and to being alive.

    The last column is what the answers do without any input. None where the machine is not affine.
    """
    length, inputs = machine.length, len(machine.inputs)
    zero = torch.zeros(1, length, inputs, dtype=torch.long)
    quiet = machine.answers(zero)[0]
    units = []
    for i in range(inputs):
        size = _size(machine.ranges[i])
        probe = zero.clone()
        probe[0, 0, i] = size
        moved = machine.answers(probe)[0] - quiet
        if bool((moved % size).any()):
            return None
        units.append(moved // size)
    alive = torch.diff(quiet, dim=0, prepend=torch.zeros_like(quiet[:1]))
    response = torch.stack([*units, alive], -1)
    x = machine.sample(500, seed=11)
    return response if torch.equal(predicted(response, x), machine.answers(x)) else None


def predicted(response: Tensor, x: Tensor) -> Tensor:
    """The answers of an affine machine: Σ_k M_k u_{t−k}, u the inputs and a 1."""
    u = torch.cat([x, torch.ones_like(x[..., :1])], -1)
    answers = torch.zeros(*x.shape[:2], response.shape[1], dtype=torch.long)
    for k in range(x.shape[1]):
        answers[:, k:] += torch.einsum("oi,nti->nto", response[k], u[:, : x.shape[1] - k])
    return answers


def _size(seen: range) -> int:
    """The largest impulse: rounding disturbs it least."""
    return max(seen.stop - 1, seen.start, key=abs) or 1


def _row(response: Tensor, place: Place, count: int) -> list[int]:
    output, ahead = place
    return response[ahead : ahead + count, output].flatten().tolist()


def _combined(row: Sequence[int], basis: Sequence[Sequence[int]]) -> list[Fraction] | None:
    """The row as a combination of independent ones, exactly; None where it is none."""
    matrix = [[Fraction(b[i]) for b in basis] + [Fraction(row[i])] for i in range(len(row))]
    pivots: list[int] = []
    for column in range(len(basis)):
        top = len(pivots)
        found = next((r for r in range(top, len(matrix)) if matrix[r][column]), None)
        assert found is not None, "the basis is independent"
        matrix[top], matrix[found] = matrix[found], matrix[top]
        matrix[top] = [v / matrix[top][column] for v in matrix[top]]
        for r, line in enumerate(matrix):
            if r != top and line[column]:
                matrix[r] = [a - line[column] * b for a, b in zip(line, matrix[top], strict=True)]
        pivots.append(column)
    if any(line[-1] for line in matrix[len(pivots) :]):
        return None
    return [line[-1] for line in matrix[: len(pivots)]]


def _realised(
    response: Tensor, basis: Sequence[Place], future: Mapping[Place, list[int]]
) -> System | None:
    """s' = A s + B u, y = C s', in the registers of the basis.

    None where the recurrence does not close within the length, or not in integers.
    """
    known = [future[b] for b in basis]
    count = len(response) - len(response) // 2
    following = [_combined(_row(response, (o, ahead + 1), count), known) for o, ahead in basis]
    read = [_combined(future[output, 0], known) for output in range(response.shape[1])]
    parts = [*following, *read]
    if any(p is None or any(s.denominator > 1 for s in p) for p in parts):
        return None
    a, c = (np.array([[int(s) for s in p or ()] for p in part]) for part in (following, read))
    b = np.array([response[ahead, output].tolist() for output, ahead in basis])
    return a, b, c


def _simplest(system: System) -> System:
    """The same in registers to which others are added or subtracted, as long as it gets shorter."""
    best, size = system, _size_of(system)
    while True:
        tried = [_added(best, i, j, by) for i, j in itertools.permutations(range(len(best[0])), 2)
                 for by in (1, -1)]  # fmt: skip
        nearest = min(tried, key=_size_of, default=best)
        if _size_of(nearest) >= size:
            return best
        best, size = nearest, _size_of(nearest)


def _added(system: System, i: int, j: int, by: int) -> System:
    """Register i becomes s_i + by · s_j."""
    a, b, c = system
    turn, back = np.eye(len(a), dtype=int), np.eye(len(a), dtype=int)
    turn[i, j], back[i, j] = by, -by
    return turn @ a @ back, turn @ b, c @ back


def _size_of(system: System) -> int:
    """Terms, and bits of their factors."""
    return sum(int(v != 0) + int(abs(v)).bit_length() for part in system for v in part.flat)


def _program(machine: Machine, system: System) -> Program:
    """The registers' rules; one that is an answer is called so."""
    a, b, c = system
    names = [f"register{i + 1}" for i in range(len(a))]
    for output, row in enumerate(c):
        (places,) = row.nonzero()
        if len(places) == 1 and row[places[0]] == 1:
            names[places[0]] = "answer" if len(c) == 1 else f"answer{output + 1}"
    inputs = [*(v.name for v in machine.inputs), "1"]
    rules = {
        name: _sum([*zip(carried, names, strict=True), *zip(given, inputs, strict=True)])
        for name, carried, given in zip(names, a.tolist(), b.tolist(), strict=True)
    }
    outputs = ", ".join(_sum(list(zip(row, names, strict=True))) for row in c.tolist())
    variables = tuple(Variable(name, -_BOUND, _BOUND) for name in names)
    return Program("extracted", machine.inputs, variables, rules, outputs,
                   start=dict.fromkeys(names, 0))  # fmt: skip


def _sum(terms: Sequence[tuple[int, str]]) -> str:
    """Σ factor · name in the fewest signs; the name "1" is the number."""
    text = ""
    for factor, name in terms:
        if not factor:
            continue
        size = str(abs(factor)) if name == "1" else (
            name if abs(factor) == 1 else f"{abs(factor)} * {name}")  # fmt: skip
        sign = "-" if factor < 0 else "+"
        text += f" {sign} {size}" if text else ("-" if factor < 0 else "") + size
    return text or "0"
