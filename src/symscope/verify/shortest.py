"""From some sequence on which two programs differ to a shortest one."""

import time
from dataclasses import replace

import numpy as np

from symscope.evidence import Counterexample, Proof, SymscopeError
from symscope.verify.bounded import bounded
from symscope.verify.domain import Domain
from symscope.verify.pair import Answer, Pair
from symscope.verify.product import product

_MOST_PAIRS = 2**14
_MOST_SECONDS = 10.0


def shortest(pair: Pair, found: Counterexample, deadline: float) -> Counterexample:
    """The same or a shorter one; its `shortest` says whether nothing below it is known to differ.

    The product machine and then z3 look at all shorter sequences; where both give up, steps are
    left out one by one as long as the programs still differ.
    """
    if found.shortest or not pair.stepped:
        return found
    deadline = min(deadline, time.monotonic() + _MOST_SECONDS)
    tokens = _with_fewer(pair, _tokens(found), deadline)
    found = pair.counterexample(tokens, found.method, shortest=len(tokens) == 1)
    if found.shortest:
        return found
    below = Pair(pair.program, pair.rule, Domain(pair.domain.inputs, len(tokens) - 1))
    answer: Answer = product(below, deadline, most=_MOST_PAIRS)
    if not isinstance(answer, Proof | Counterexample):
        try:
            answer = bounded(below, deadline)
        except SymscopeError:  # no solver: the one at hand will do
            return found
    if isinstance(answer, Counterexample):
        return replace(answer, method=f"{found.method}, then {answer.method}")
    return replace(found, shortest=isinstance(answer, Proof))


def _with_fewer(pair: Pair, tokens: np.ndarray, deadline: float) -> np.ndarray:
    """The tokens without steps that the difference does not need, long stretches first."""
    size = len(tokens) // 2
    while size and time.monotonic() < deadline:
        starts = range(0, len(tokens) - size)
        tries = [np.delete(tokens, slice(i, i + size), axis=0) for i in starts]
        difference = pair.first_difference(np.stack(tries)) if tries else None
        if difference is None:
            size //= 2
        else:
            row, step = difference
            tokens = tries[row][: step + 1]
            size = min(size, len(tokens) // 2)
    return tokens


def _tokens(found: Counterexample) -> np.ndarray:
    return np.array(found.inputs, dtype=object).reshape(len(found.inputs), -1)
