"""Is the last answer the state? Then the next answer is a formula of it and of the inputs."""

import torch

from symscope.expression import evaluate, number, parse
from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate, Regress, Rows, fitted


def fed_back(machine: Machine, rows: Rows, regress: Regress) -> Candidate | None:
    """The answer as a formula of the answer before it and the inputs.

    What stood before the first step is found last: the number from which the formula gives the
    first answers.
    """
    if rows.y.shape[-1] > 1:
        return None
    y = rows.y[..., 0]
    names = [v.name for v in machine.inputs]
    columns = {name: rows.x[:, 1:, i] for i, name in enumerate(names)} | {"answer": y[:, :-1]}
    rule = fitted(columns, y[:, 1:], regress)
    if rule is None:
        return None
    start = _start(rule, rows, names)
    if start is None:
        return None
    program = rows.program({"answer": rule}, {"answer": y}, "answer", {"answer": start})
    return Candidate(program, "feedback", "the last answer and the inputs fix the next one")


def _start(rule: str, rows: Rows, names: list[str]) -> int | None:
    """The number nearest to 0 from which the rule gives the first answers."""
    tree, y = parse(rule), rows.y[..., 0]
    lowest, highest = int(min(y.min(), rows.x.min())) - 1, int(max(y.max(), rows.x.max())) + 1
    first = {name: rows.x[:, 0, i] for i, name in enumerate(names)}
    for start in sorted(range(lowest, highest + 1), key=lambda n: (abs(n), -n)):
        before = torch.full_like(y[:, 0], start)
        found = number(evaluate(tree, {**first, "answer": before}))
        if bool((torch.as_tensor(found) == y[:, 0]).all()):
            return start
    return None
