"""A weighted sum of the columns with whole weights, as it is or wrapped.

Wrapped as `% m`, `// m`, `max(…, low)`, `min(…, high)`, `… < …` and `… == …`. All but the first
and the last are bounds on the sum, row by row: T = s // m says m T <= s < m T + m, and
T = max(s, 0) says s = T where T > 0, s <= 0 elsewhere. One integer program serves them all.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from symscope.extract.cost import cost
from symscope.extract.formula.holds import holds
from symscope.extract.formula.integer_program import Weights, between
from symscope.extract.formula.remainders import congruent
from symscope.extract.formula.weighted_sum import above_zero, weighted_sum

MODULI = range(2, 17)
MULTIPLES = range(1, 13)
"""A direction is scaled by these until its entries are whole."""
Written = Callable[[Weights], str]


def affine_rule(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    seconds: float = 60.0,
    most_nodes: int = 12,
    constants: Sequence[int] = (),
) -> str | None:
    """The cheapest weighted sum, bare or wrapped, that is the target on all rows, or None.

    `constants` are tried as moduli beside 2..16. `most_nodes` is not needed here: the columns
    bound the length.
    """
    end = time.monotonic() + seconds
    names = list(columns)
    matrix = np.stack([columns[n] for n in names], 1) if names else np.zeros((len(target), 0), int)
    moduli = sorted({*MODULI, *(m for m in constants if m > 1)})
    found: list[str] = []
    for text in _candidates(names, matrix, target, moduli):
        if text is not None and holds(text, columns, target):
            found.append(text)
        if time.monotonic() > end:
            break
    return min(found, key=cost, default=None)


def _candidates(
    names: Sequence[str], matrix: np.ndarray, target: np.ndarray, moduli: Sequence[int]
) -> Iterator[str | None]:
    """Every way of wrapping, most common first; the wider moduli only while none has fitted."""
    for low, high, written in _bounds(names, target):
        weights = between(matrix, low, high)
        yield None if weights is None else written(weights)
    yield _rounded(names, matrix, target)
    if np.isin(target, (0, 1)).all():
        yield _equation(names, matrix, target)
    if target.min() >= 0:
        for modulus in (m for m in moduli if m > target.max()):
            weights = congruent(matrix, target, modulus)
            yield None if weights is None else f"({weighted_sum(names, weights)}) % {modulus}"
    for modulus in moduli:
        weights = between(matrix, modulus * target, modulus * target + modulus - 1)
        if weights is not None:
            yield f"({weighted_sum(names, weights)}) // {modulus}"
            return
        yield None


def _bounds(
    names: Sequence[str], target: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, Written]]:
    """Bounds on the sum for each way of wrapping but division, and how the rule is written."""
    exact, least, most = target.astype(float), target.min(), target.max()
    down = np.where(target == least, -np.inf, exact)
    up = np.where(target == most, np.inf, exact)

    def bare(weights: Weights) -> str:
        return weighted_sum(names, weights)

    yield exact, exact, bare
    yield down, exact, lambda w: f"max({bare(w)}, {least})"
    yield exact, up, lambda w: f"min({bare(w)}, {most})"
    if most - least > 1:
        yield down, up, lambda w: f"min(max({bare(w)}, {least}), {most})"
    if least == 0 and most == 1:
        low, high = np.where(target == 1, 1.0, -np.inf), np.where(target == 1, np.inf, 0.0)
        yield low, high, lambda w: above_zero(names, w)


def _rounded(names: Sequence[str], matrix: np.ndarray, target: np.ndarray) -> str:
    """Least squares, rounded: for slopes too large for the integer program."""
    ones = np.ones((len(target), 1))
    solution = np.linalg.lstsq(np.hstack([matrix, ones]), target.astype(float), rcond=None)[0]
    whole = [int(v) for v in np.rint(solution)]
    return weighted_sum(names, Weights(tuple(whole[:-1]), whole[-1]))


def _equation(names: Sequence[str], matrix: np.ndarray, target: np.ndarray) -> str | None:
    """The one linear equation that the rows with target 1 obey, where there is exactly one."""
    rows = np.hstack([matrix, np.ones((len(target), 1))])[target == 1]
    if len(rows) < 2 or matrix.shape[1] == 0:
        return None
    spread, directions = np.linalg.svd(rows, full_matrices=True)[1:]
    rank = int(np.sum(spread > 1e-8 * spread[0]))
    if rank != rows.shape[1] - 1:
        return None
    direction = directions[-1]
    used = direction[np.abs(direction) > 1e-6]
    direction = -direction / np.sign(used[0]) / np.min(np.abs(used))  # the first name on the left
    for multiple in MULTIPLES:
        scaled = multiple * direction
        if np.allclose(scaled, np.rint(scaled), atol=1e-6):
            whole = [int(v) for v in np.rint(scaled)]
            return above_zero(names, Weights(tuple(whole[:-1]), whole[-1])).replace("<", "==")
    return None
