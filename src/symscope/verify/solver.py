"""z3, where it is installed: pairs of programs as its terms, and checks that end in time."""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from symscope.extras import needed
from symscope.verify.pair import Pair, Step

MEGABYTES = 800


def load() -> Any:
    """The z3 module; raises `SymscopeError` with what to install."""
    return needed("z3", "no route without a solver decides this, and one")


def registers(pair: Pair, t: int) -> dict[str, Any]:
    """An integer term for each register before step t."""
    z3 = load()
    return {name: z3.Int(f"{name}@{t}") for name in pair.registers}


def symbol(pair: Pair, t: int) -> tuple[list[Any], list[Any]]:
    """The inputs at step t as terms, and the facts that keep them in the domain."""
    z3 = load()
    terms = [z3.Int(f"input_{i}@{t}") for i in range(len(pair.domain.inputs))]
    facts = []
    for term, v in zip(terms, pair.domain.inputs, strict=True):
        facts += [term >= int(v.low)] if np.isfinite(v.low) else []
        facts += [term <= int(v.high)] if np.isfinite(v.high) else []
    return terms, facts


def differ(step: Step) -> Any:
    """That the outputs of a step are not the same."""
    z3 = load()
    if len(step.found) != len(step.expected):
        return z3.BoolVal(True)
    return z3.Or([f != e for f, e in zip(step.found, step.expected, strict=True)])


def same(state: dict[str, Any], values: dict[str, Any]) -> list[Any]:
    """That registers have these values."""
    return [state[name] == value for name, value in values.items()]


def check(facts: Iterable[Any], deadline: float, most: float = 10.0) -> Any:
    """A model in which all facts hold, None if there is none, "unknown" if time ran out."""
    z3 = load()
    left = min(deadline - time.monotonic(), most)
    if left <= 0:
        return "unknown"
    solver = z3.Solver()
    solver.set("timeout", max(1, int(1000 * left)))
    solver.set("max_memory", MEGABYTES)
    solver.add(*facts)
    try:
        answer = solver.check()
    except z3.Z3Exception:  # out of memory
        return "unknown"
    if answer == z3.unsat:
        return None
    return solver.model() if answer == z3.sat else "unknown"


def core(facts: Iterable[Any], named: dict[str, Any], deadline: float) -> list[str] | None:
    """Names of terms that suffice to refute the facts; None if that was not found out in time."""
    z3 = load()
    solver = z3.Solver()
    solver.set("timeout", max(1, int(1000 * min(deadline - time.monotonic(), 10))))
    solver.add(*facts)
    labels = {z3.Bool(f"use@{i}"): name for i, name in enumerate(named)}
    for label, name in labels.items():
        solver.add(z3.Implies(label, named[name]))
    if solver.check(*labels) != z3.unsat:
        return None
    used = {str(label) for label in solver.unsat_core()}
    return [name for label, name in labels.items() if str(label) in used]


def tokens(pair: Pair, model: Any, steps: int) -> np.ndarray:
    """The inputs of a model, (step, input)."""
    rows = []
    for t in range(steps):
        terms, _ = symbol(pair, t)
        rows.append([model.eval(term, model_completion=True).as_long() for term in terms])
    return np.array(rows, dtype=object)
