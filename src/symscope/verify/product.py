"""The product machine: breadth-first search over all pairs of states that inputs can reach.

When it closes that is a proof for all lengths; the first difference it meets is a shortest one.
"""

import time
from typing import Any

import numpy as np

from symscope.program import State
from symscope.verify.pair import Answer, Pair, unequal

MOST_PAIRS = 2**17
_MOST_SYMBOLS = 2**17
Key = tuple[Any, ...]


def small_product(pair: Pair, deadline: float, seed: int = 0) -> Answer:
    """The same as `product` for what closes at once: counters that grow are soon left alone."""
    return product(pair, deadline, seed, most=2**12, deepest=2**8)


def product(
    pair: Pair, deadline: float, seed: int = 0, most: int = MOST_PAIRS, deepest: int = MOST_PAIRS
) -> Answer:
    """A proof when no more than `most` pairs of states exist, or a shortest counterexample.

    Its cases are inputs in pairs of states. With a length in the domain, a search to that depth is
    a proof to it.
    """
    if pair.domain.symbols > _MOST_SYMBOLS:
        return pair.unknown(f"product machine: {pair.domain.symbols:g} inputs at one step")
    symbols = pair.domain.listed()
    first = _key(pair, tuple(pair.initial().values()))
    parents: dict[Key, tuple[Key, int]] = {}
    level, seen, depth, cases = [first], {first}, 0, 0
    while level:
        if pair.stepped and depth == pair.domain.length:
            return pair.proof("product machine", cases)
        following: list[Key] = []
        for keys, picks, step in _steps(pair, level, symbols):
            cases += len(picks)
            differs = unequal(step.found, step.expected, len(picks))
            if differs.any():
                at = int(differs.argmax())
                path = [*_path(keys[at], parents), int(picks[at])]
                return pair.counterexample(symbols[path], "product machine", shortest=True)
            _collect(pair, step.state, keys, picks, seen, following, parents)
            if len(seen) > most or depth > deepest or time.monotonic() > deadline:
                told = f"product machine: not closed with {len(seen)} pairs of states"
                return pair.unknown(told, cases, length=depth)
        level, depth = following, depth + 1
    kind = "for all lengths" if pair.stepped else ""
    return pair.proof("product machine", cases, kind=kind)


def _steps(pair: Pair, level: list[Key], symbols: np.ndarray) -> Any:
    """All inputs in all states of a level, in batches: states' keys, symbols' indices, steps."""
    rows = max(1, pair.rows // len(symbols))
    width = len(pair.registers)
    for start in range(0, len(level), rows):
        keys = level[start : start + rows]
        which = np.repeat(np.arange(len(keys)), len(symbols))
        picks = np.tile(np.arange(len(symbols)), len(keys))
        table = np.empty((len(keys), width), dtype=object)
        for i, key in enumerate(keys):
            table[i] = key[:width]
        state: State = {name: table[which, j] for j, name in enumerate(pair.registers)}
        kind: type = np.int64 if pair.integral else object
        columns = list(symbols[picks].astype(kind).T)
        yield [keys[i] for i in which], picks, pair.step_rows(state, columns)


def _collect(
    pair: Pair, state: State, keys: list[Key], picks: np.ndarray, seen: set[Key],
    following: list[Key], parents: dict[Key, tuple[Key, int]],
) -> None:  # fmt: skip
    """Add the states not `seen` before to it, to the level `following`, and to `parents`."""
    columns = [column.tolist() for column in state.values()]
    rows = zip(*columns, strict=True) if columns else (() for _ in picks)
    for row, key, pick in zip(rows, keys, picks.tolist(), strict=True):
        after = _key(pair, row)
        if after not in seen:
            seen.add(after)
            following.append(after)
            parents[after] = (key, pick)


def _key(pair: Pair, row: tuple[Any, ...]) -> Key:
    """A state as a key: 1 and 1.0 are equal and go different ways, so floats bring their types."""
    return row if pair.integral else (*row, *map(type, row))


def _path(key: Key, parents: dict[Key, tuple[Key, int]]) -> list[int]:
    """The symbols that lead to a state."""
    path: list[int] = []
    while key in parents:
        key, pick = parents[key]
        path.append(pick)
    return path[::-1]
