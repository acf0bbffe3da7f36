"""Bounded model checking: all sequences of 1 step, of 2, and so on, as questions to z3."""

from typing import Any

from symscope.verify import solver
from symscope.verify.pair import Answer, Pair


def short_bounded(pair: Pair, deadline: float, seed: int = 0) -> Answer:
    """The same to 4 steps: rare inputs that samples miss often differ there already."""
    return bounded(pair, deadline, seed, most=4)


def bounded(pair: Pair, deadline: float, seed: int = 0, most: int | None = None) -> Answer:
    """A shortest counterexample, or a proof to the domain's length.

    Without one it goes on to `most` steps, or until the time is up.
    """
    if not pair.integral:
        return pair.unknown("bounded: not all numbers are integers")
    limit = pair.domain.length if pair.stepped else 1
    limit = most if limit is None else min(limit, most or limit)
    state: dict[str, Any] = pair.initial()
    facts: list[Any] = []
    t = 0
    while limit is None or t < limit:
        terms, ranges = solver.symbol(pair, t)
        step = pair.step(state, terms)
        facts += ranges
        model = solver.check([*facts, solver.differ(step)], deadline, most=60.0)
        if model == "unknown":
            return pair.unknown(f"bounded: no difference to {t} steps, then out of time", length=t)
        if model is not None:
            return _confirmed(pair, model, t + 1)
        state = solver.registers(pair, t + 1)
        facts += solver.same(state, step.state)
        t += 1
    if limit == pair.domain.length or not pair.stepped:
        return pair.proof("bounded model checking", t)
    return pair.unknown(f"bounded: no difference to {t} steps", length=t)


def _confirmed(pair: Pair, model: Any, steps: int) -> Answer:
    """The counterexample of a model if both programs, when run, differ there."""
    found = solver.tokens(pair, model, steps)
    if pair.first_difference(found[None]) is None:  # x // 0 and ^ mean nothing to the solver
        return pair.unknown(
            f"bounded: a difference at {steps} steps that is none", length=steps - 1
        )
    return pair.counterexample(found, "bounded model checking", shortest=True)
