"""Induction: a relation between the two programs' registers that every step keeps.

Relations are guessed from runs. Those that a step can break are dropped until the rest, together,
are kept by every step (Houdini; Flanagan and Leino, 2001); where they also force the outputs to be
equal, the programs are. With k > 1 a step may rely on the k before it (k-induction; Sheeran, Singh
and Stålmarck, 2000).
"""

import time
from collections.abc import Iterable
from typing import Any

from symscope.expression import evaluate, parse, truth
from symscope.program import State
from symscope.verify import solver
from symscope.verify.pair import Answer, Pair
from symscope.verify.relations import guessed, reached

_DEPTHS = ((1, False), (1, True), (2, True), (3, True), (5, True))
"""How many steps back, and whether with all the candidates there are."""
_MOST_SPENT = 2.0
"""Seconds for leaving out relations that a proof does not need."""
_MOST_EACH = 0.5
"""Seconds for one candidate alone, where all together are too hard."""


def induction(pair: Pair, deadline: float, seed: int = 0) -> Answer:
    """A proof for all lengths if guessed relations carry it; it never refutes."""
    if not pair.integral:
        return pair.unknown("induction: not all numbers are integers")
    solver.load()
    rows = reached(pair, seed)
    for depth, rich in _DEPTHS:
        if time.monotonic() > deadline:
            return pair.unknown(f"induction: out of time before k = {depth}")
        steps = Unrolled(pair, depth, deadline)
        kept = steps.inductive(steps.true_at_first(guessed(pair, rows, rich)))
        if steps.first_outputs_agree() and steps.carried(kept):
            core = steps.needed(steps.alone(kept))
            kind = "for all lengths" if pair.stepped else ""
            return pair.proof(f"{depth}-induction", len(core), kind=kind, invariants=tuple(core))
    return pair.unknown("induction: no inductive relation found")


class Unrolled:
    """Some steps of a pair as terms, from any state; `depth` of them, and one to conclude on."""

    def __init__(self, pair: Pair, depth: int, deadline: float):
        self.pair, self.depth, self.deadline = pair, depth, deadline
        self.relying = True
        self.states: list[State] = [solver.registers(pair, 0)]
        self.facts: list[Any] = []
        self.differ: list[Any] = []
        for t in range(depth + 1):
            terms, ranges = solver.symbol(pair, t)
            step = pair.step(self.states[t], terms)
            self.facts += ranges
            self.differ.append(solver.differ(step))
            if t < depth:
                self.states.append(solver.registers(pair, t + 1))
                self.facts += solver.same(self.states[t + 1], step.state)
        self.start = solver.same(self.states[0], pair.initial())
        self._terms: dict[tuple[str, int], Any] = {}

    def holds(self, relation: str, t: int) -> Any:
        """A relation as a term about the registers before step t."""
        if (relation, t) not in self._terms:
            value = truth(evaluate(parse(relation), self.states[t]))
            term = solver.load().BoolVal(value) if isinstance(value, bool) else value
            self._terms[relation, t] = term
        return self._terms[relation, t]

    def first_outputs_agree(self) -> bool:
        """Whether the outputs of the first `depth` steps are the same."""
        z3 = solver.load()
        facts = [*self.start, *self.facts, z3.Or(self.differ[: self.depth])]
        return solver.check(facts, self.deadline) is None

    def true_at_first(self, relations: Iterable[str]) -> list[str]:
        """Those that hold before each of the first `depth` steps."""
        kept = list(relations)
        for t in range(self.depth):
            kept = self._unbroken(kept, t, lambda _: [*self.start, *self.facts])
        return kept

    def inductive(self, relations: Iterable[str]) -> list[str]:
        """Those that, together, still hold after `depth` steps at which they and P held.

        P is that the outputs are the same, which is proved along with them.
        """
        return self._unbroken(list(relations), self.depth, self._premises)

    def carried(self, relations: list[str]) -> bool:
        """Whether the outputs of one more step are the same."""
        last = [self.holds(r, self.depth) for r in relations]
        facts = [*self._premises(relations), *last, self.differ[self.depth]]
        return solver.check(facts, self.deadline) is None

    def alone(self, relations: list[str]) -> list[str]:
        """Those that are inductive without P, if they carry the outputs; else all, as before.

        An invariant that speaks of registers only is the one to read, and to hand to others.
        """
        self.relying = False
        bare = self.inductive(relations)
        self.relying = not self.carried(bare)
        return relations if self.relying else bare

    def needed(self, relations: list[str]) -> list[str]:
        """Some of them that are inductive and carry the outputs too, the few that are used."""
        core = self._used(relations)
        if core is None or not self._enough(core):
            return relations
        until = time.monotonic() + _MOST_SPENT
        for relation in core[::-1]:
            fewer = [r for r in core if r != relation]
            core = fewer if time.monotonic() < until and self._enough(fewer) else core
        return core

    def _enough(self, relations: list[str]) -> bool:
        return len(self.inductive(relations)) == len(relations) and self.carried(relations)

    def _used(self, relations: list[str]) -> list[str] | None:
        """What z3 used for the outputs, for that, and so on; None if it did not say in time."""
        z3 = solver.load()
        before = {r: z3.And([self.holds(r, t) for t in range(self.depth)]) for r in relations}
        last = {r: z3.And(term, self.holds(r, self.depth)) for r, term in before.items()}
        used = solver.core([*self._premises([]), self.differ[self.depth]], last, self.deadline)
        met: list[str] = []
        while used and (fresh := [r for r in used if r not in met]):
            met += fresh
            facts = [*self._premises([]), z3.Not(z3.And([self.holds(r, self.depth) for r in met]))]
            used = solver.core(facts, before, self.deadline)
        return None if used is None else sorted(met, key=relations.index)

    def _premises(self, relations: list[str]) -> list[Any]:
        z3 = solver.load()
        before = [self.holds(r, t) for r in relations for t in range(self.depth)]
        same = map(z3.Not, self.differ[: self.depth] if self.relying else [])
        return [*self.facts, *before, *same]

    def _unbroken(self, kept: list[str], t: int, premises: Any) -> list[str]:
        """Drop the relations that can fail before step t until none can."""
        z3 = solver.load()
        while kept:
            terms = [self.holds(r, t) for r in kept]
            model = solver.check([*premises(kept), z3.Not(z3.And(terms))], self.deadline)
            if model is None:
                return kept
            fine = kept
            if model != "unknown":
                values = [model.eval(term, model_completion=True) for term in terms]
                fine = [r for r, value in zip(kept, values, strict=True) if not z3.is_false(value)]
            if len(fine) == len(kept):
                fine = [r for r in kept if self._alone(premises(kept), r, t)]
                if len(fine) == len(kept):
                    return kept
            kept = fine
        return kept

    def _alone(self, premises: list[Any], relation: str, t: int) -> bool:
        z3 = solver.load()
        facts = [*premises, z3.Not(self.holds(relation, t))]
        return solver.check(facts, self.deadline, most=_MOST_EACH) is None
