"""All inputs, one after the other: a proof wherever there are no more than a million of them."""

import math
import time
from collections.abc import Iterator

import numpy as np

from symscope.verify.pair import Answer, Pair

MOST_INPUTS = 2**20


def exhaustive(pair: Pair, deadline: float, seed: int = 0) -> Answer:
    """A proof by running both programs on all inputs, or a shortest counterexample."""
    length = pair.domain.length if pair.stepped else 1
    if length is None or length * math.log2(pair.domain.symbols) > math.log2(MOST_INPUTS):
        return pair.unknown(f"exhaustive: there are more than {MOST_INPUTS} inputs")
    count = int(pair.domain.symbols) ** length
    best: np.ndarray | None = None
    for done, tokens in _chunks(pair, length, count):
        if time.monotonic() > deadline and best is None:
            return pair.unknown(f"exhaustive: out of time after {done} inputs", cases=done)
        difference = pair.first_difference(tokens)
        if difference is not None:
            row, step = difference
            if best is None or step + 1 < len(best):
                best = tokens[row, : step + 1]
    if best is not None:
        return pair.counterexample(best, "exhaustive", shortest=True)
    return pair.proof("exhaustive", count)


def _chunks(pair: Pair, length: int, count: int) -> Iterator[tuple[int, np.ndarray]]:
    """All sequences of symbols, (batch, step, input), with how many came before."""
    symbols = pair.domain.listed()
    for start in range(0, count, pair.rows):
        index = np.arange(start, min(start + pair.rows, count))
        digits = np.empty((len(index), length), dtype=np.int64)
        for t in reversed(range(length)):
            index, digits[:, t] = np.divmod(index, len(symbols))
        yield start, symbols[digits]
