"""An affine machine: integer registers from its impulse response.

If the answers are an affine function of the inputs, the responses M_k to a unit impulse k steps
before fix everything: the block Hankel matrix H[i, j] = M_{i+j} has as many independent rows as
there are registers (Ho & Kalman, 1966). As registers we take independent rows themselves: "the
answer j steps from now if only zeros come", which are integers.
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor

from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate, Regress, Rows
from symscope.program import Program, Variable

Place = tuple[int, int]
"""An output and how many steps ahead."""


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
    return _program(machine, response, basis, future)


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


def _program(
    machine: Machine, response: Tensor, basis: Sequence[Place], future: dict[Place, list[int]]
) -> Candidate | None:
    names = {p: _called(p, response.shape[1]) for p in basis}
    inputs = [*(v.name for v in machine.inputs), "1"]
    ahead_of = len(response) - len(response) // 2
    rules = {}
    for output, ahead in basis:
        after = _row(response, (output, ahead + 1), ahead_of)
        share = _combined(after, [future[b] for b in basis])
        if share is None or any(s.denominator > 1 for s in share):
            return None  # the recurrence does not close within the length, or not in integers
        carried = [(int(s), names[b]) for s, b in zip(share, basis, strict=True)]
        given = list(zip(response[ahead, output].tolist(), inputs, strict=True))
        rules[names[output, ahead]] = _sum([*carried, *given])
    outputs = []
    for output in range(response.shape[1]):
        row = _combined(future[output, 0], [future[b] for b in basis])
        if row is None or any(s.denominator > 1 for s in row):
            return None
        outputs.append(_sum([(int(s), names[b]) for s, b in zip(row, basis, strict=True)]))
    bound = 10**6
    variables = tuple(Variable(name, -bound, bound) for name in rules)
    program = Program("extracted", machine.inputs, variables, rules, ", ".join(outputs),
                      start=dict.fromkeys(rules, 0))  # fmt: skip
    why = f"the answers are affine in the inputs, and {len(basis)} registers carry them"
    return Candidate(program, "recurrence", why)


def _called(place: Place, outputs: int) -> str:
    output, ahead = place
    own = "answer" if outputs == 1 else f"answer{output}"
    return f"{own}_in_{ahead}" if ahead else own


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
