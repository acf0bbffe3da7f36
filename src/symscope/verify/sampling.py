"""A search for differences: cheap, able to refute, never able to prove."""

import math
import time

import numpy as np

from symscope.expression import truth
from symscope.program import Program
from symscope.verify.domain import Domain
from symscope.verify.pair import Answer, Pair

_FAR = 100
"""How far from 0 inputs without bounds are drawn, in half of the sequences."""
_SHORT, _LONG = 20, 200
_MOST_CONSTANT = 256


def sampled(pair: Pair, deadline: float, seed: int = 0) -> Answer:
    """A counterexample if short, long, constant, periodic or mirrored sequences show one."""
    rng = np.random.default_rng(seed)
    length = 1 if not pair.stepped else pair.domain.length
    short, long = (length, length) if length else (_SHORT, _LONG)
    rows = 2048 if pair.integral else 256
    batches = [sequences(pair.domain, rng, rows, short)]
    if pair.stepped:
        batches += [
            constant(pair.domain, long)[: rows // 8],
            sequences(pair.domain, rng, rows // 16, long),
        ]
    cases = 0
    for tokens in batches:
        if cases and time.monotonic() > deadline:
            break
        difference = pair.first_difference(tokens)
        if difference is not None:
            row, step = difference
            return pair.counterexample(tokens[row, : step + 1], "sampling", shortest=step == 0)
        cases += len(tokens)
    return pair.unknown("sampling: no difference", cases)


def sequences(domain: Domain, rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Sequences of six kinds, (about `count`, `length`, input).

    Uniform, with long repetitions, periodic, mirrored, of extreme values, and of small values.
    Where the domain says what is legal, a quarter as many that are legal as long as they can be.
    """
    if domain.legal is not None and domain.symbols <= _MOST_CONSTANT:
        return _legal(domain, domain.legal, rng, (max(1, count // 4), length))
    rows = max(1, count // 6)
    shape = (rows, length, len(domain.inputs))
    low, high = bounds(domain)
    near, far = np.clip(0, low, high), np.clip(3, low, high)

    def uniform() -> np.ndarray:
        return rng.integers(low, high + 1, size=shape)

    repeating = uniform()
    for t in range(1, length):
        again = rng.random((rows, 1)) < 0.85
        repeating[:, t] = np.where(again, repeating[:, t - 1], repeating[:, t])
    words, periods = uniform(), rng.integers(1, 7, size=rows)
    periodic = words[np.arange(rows)[:, None], np.arange(length) % periods[:, None]] \
        if length >= 6 else words  # fmt: skip
    mirrored, half = uniform(), length // 2
    mirrored[:, length - half :] = mirrored[:, :half][:, ::-1]
    extreme = np.where(rng.random(shape) < 0.5, low, high)
    small = rng.integers(near, far + 1, size=shape)
    return np.concatenate([uniform(), repeating, periodic, mirrored, extreme, small])


def _legal(
    domain: Domain, legal: Program, rng: np.random.Generator, shape: tuple[int, int]
) -> np.ndarray:
    """Sequences of legal steps while there are any, the next one uniform or most often the same."""
    symbols, (count, length) = domain.listed(), shape
    state = {k: np.full((count, len(symbols)), v) for k, v in legal.initial().items()}
    given = {v.name: np.tile(column, (count, 1))
             for v, column in zip(legal.inputs, symbols.T, strict=True)}  # fmt: skip
    sticky, rows = rng.random(count) < 0.5, np.arange(count)
    picks: list[np.ndarray] = []
    for t in range(length):
        after, output = legal.step(state, given)
        weights = rng.random((count, len(symbols))) + (np.asarray(truth(output)) * 2.0)
        if t:
            weights[rows, picks[-1]] += (sticky & (rng.random(count) < 0.85)).astype(float)
        picks.append(weights.argmax(1))
        state = {k: np.broadcast_to(np.asarray(after[k]), weights.shape)[rows, picks[-1], None]
                 .repeat(len(symbols), 1) for k in state}  # fmt: skip
    return symbols[np.stack(picks, 1)]


def constant(domain: Domain, length: int) -> np.ndarray:
    """Sequences of one symbol, of every symbol where there are few, (symbol, `length`, input)."""
    if domain.symbols <= _MOST_CONSTANT:
        symbols = domain.listed()
    else:
        low, high = bounds(domain)
        symbols = np.unique(np.linspace(low, high, _MOST_CONSTANT).round().astype(int), axis=0)
    return np.repeat(symbols[:, None], length, axis=1)


def bounds(domain: Domain) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest values to draw, (input,) each; infinite ranges are cut."""
    low = [v.low if math.isfinite(v.low) else min(-_FAR, v.high - _FAR) for v in domain.inputs]
    high = [v.high if math.isfinite(v.high) else max(_FAR, v.low + _FAR) for v in domain.inputs]
    low = [h - _FAR if not math.isfinite(lo) else lo for lo, h in zip(low, high, strict=True)]
    high = [lo + _FAR if not math.isfinite(h) else h for lo, h in zip(low, high, strict=True)]
    return np.array(low, dtype=np.int64), np.array(high, dtype=np.int64)
