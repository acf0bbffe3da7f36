"""All inputs, one after the other: a proof wherever there are no more than a million of them."""

import time
from collections.abc import Iterator

import numpy as np

from symscope.verify.pair import Answer, Pair

MOST_INPUTS = 2**20
_CHUNK = 2**15


def exhaustive(pair: Pair, deadline: float, seed: int = 0) -> Answer:
    """A proof by running both programs on all inputs, or a shortest counterexample."""
    length = pair.domain.length if pair.stepped else 1
    count = float("inf") if length is None else pair.domain.symbols ** min(length, 2**12)
    if length is None or count > MOST_INPUTS:
        return pair.unknown(f"exhaustive: {count:g} inputs are more than {MOST_INPUTS}")
    best: np.ndarray | None = None
    for done, tokens in _chunks(pair.domain.listed(), length, int(count)):
        if time.monotonic() > deadline and best is None:
            return pair.unknown(f"exhaustive: out of time after {done} inputs", cases=done)
        difference = pair.first_difference(tokens)
        if difference is not None:
            row, step = difference
            if best is None or step + 1 < len(best):
                best = tokens[row, : step + 1]
    if best is not None:
        return pair.counterexample(best, "exhaustive", shortest=True)
    return pair.proof("exhaustive", int(count))


def _chunks(symbols: np.ndarray, length: int, count: int) -> Iterator[tuple[int, np.ndarray]]:
    """All sequences of symbols, (batch, step, input), with how many came before."""
    base = len(symbols)
    for start in range(0, count, _CHUNK):
        index = np.arange(start, min(start + _CHUNK, count))
        digits = np.empty((len(index), length), dtype=np.int64)
        for t in reversed(range(length)):
            index, digits[:, t] = np.divmod(index, base)
        yield start, symbols[digits]
