"""Linear equations between bits that hold exactly where the target is 1.

The rows where the target is 1 then lie in an affine subspace over GF(2) that has none of the
others. "All neighbours differ" is one: `a != b != c`.
"""

from collections.abc import Sequence

import numpy as np

MOST_FREE = 10
"""All combinations of the independent equations are tried: 2 to this power at most."""


def equations(names: Sequence[str], matrix: np.ndarray, target: np.ndarray) -> str | None:
    """Short equations, of neighbours if possible, that hold where the target is 1, or None."""
    augmented = np.hstack([matrix, np.ones((len(target), 1), dtype=matrix.dtype)])
    inside, outside = augmented[target == 1], augmented[target == 0]
    kernel = _kernel(inside)
    if not len(inside) or not len(outside) or not 0 < len(kernel) <= MOST_FREE:
        return None
    choices = (np.arange(1, 2 ** len(kernel))[:, None] >> np.arange(len(kernel))) & 1
    combined = choices @ kernel % 2
    bits = combined[:, :-1]
    ends = bits.argmax(1), len(names) - bits[:, ::-1].argmax(1)
    combined = combined[np.lexsort((ends[0], ends[1] - ends[0], bits.sum(1)))]
    chosen: list[np.ndarray] = []
    for equation in combined:
        violated = outside @ equation % 2 == 1
        if violated.any():
            chosen.append(equation)
            outside = outside[~violated]
        if not len(outside):
            return _joined(names, chosen)
    return None


def _kernel(rows: np.ndarray) -> np.ndarray:
    """A basis of the vectors e with rows @ e ≡ 0 (mod 2), by elimination."""
    table = np.unique(rows % 2, axis=0)
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        below = np.flatnonzero(table[len(pivots) :, column]) + len(pivots)
        if not len(below):
            continue
        top = len(pivots)
        table[[top, below[0]]] = table[[below[0], top]]
        others = np.flatnonzero(table[:, column])
        others = others[others != top]
        table[others] ^= table[top]
        pivots.append(column)
    basis = []
    for free in sorted(set(range(rows.shape[1])) - set(pivots)):
        vector = np.zeros(rows.shape[1], dtype=int)
        vector[free] = 1
        vector[pivots] = table[: len(pivots), free]
        basis.append(vector)
    return np.array(basis, dtype=int).reshape(-1, rows.shape[1])


def _joined(names: Sequence[str], chosen: Sequence[np.ndarray]) -> str:
    """Equations of two bits as chains of comparisons, the others as parities."""
    pairs, parts = [], []
    for equation in chosen:
        of = [n for n, e in zip(names, equation, strict=False) if e]
        if len(of) == 2:
            pairs.append((of[0], "!=" if equation[-1] else "==", of[1]))
        else:
            parts.append(" ^ ".join(of) if equation[-1] else f"not ({' ^ '.join(of)})")
    return " and ".join([*_chains(pairs), *(f"({p})" for p in parts)])


def _chains(pairs: list[tuple[str, str, str]]) -> list[str]:
    """The comparisons, those that meet in a name written as one chain."""
    chains = []
    while pairs:
        first, sign, last = pairs.pop(0)
        text = f"{first} {sign} {last}"
        while meeting := [p for p in pairs if {first, last} & {p[0], p[2]}]:
            a, sign, b = meeting[0]
            pairs.remove(meeting[0])
            if last in (a, b):
                last = b if last == a else a
                text = f"{text} {sign} {last}"
            else:
                first = b if first == a else a
                text = f"{first} {sign} {text}"
        chains.append(text)
    return chains
