"""What a hypernetwork's networks have in common over β and over training: pure functions.

β is the price of a nat; a *map* says which algorithm was read at each (step, β). What is described
here is that of Liao, Liu and Tegmark (2023, figures 3.2 and 3.3); the numbers are our choice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import spearmanr

from symscope.evidence import SymscopeError
from symscope.generate.reading.formula_network import ALGORITHMS

MEMORISED = 0.1
"""KL in nats from which on something is memorised."""
_ORDER = ("convexity", "pudding", "double_sided")
STAYED = 0.05
"""The share of a map's named cells that an algorithm needs to count as a phase of it."""
CHANCE = 0.001
"""Such a p for each of 33 hypernetworks, and that of none is said by chance to depend on β."""
PATTERNS: Mapping[str, str] = {
    "a": "convexity, then pudding",
    "b": "convexity, then double-sided",
    "c": "convexity, then pudding, then double-sided",
    "d": "the change comes for every β at once, with a KL near 0",
    "e": "convexity stays, or any other course",
}
"""Developmental patterns. Published in words for a few; the letters but (d) are our choice."""


def rank_correlation(betas: Sequence[float], nats: Sequence[float]) -> float | None:
    """Spearman's correlation of β with KL; None where either does not vary, or of fewer than 3."""
    if len(betas) != len(nats):
        raise SymscopeError(f"{len(betas)} betas but {len(nats)} KLs: one for each")
    if len(betas) < 3 or len(set(betas)) < 2 or len(set(nats)) < 2:
        return None
    return float(spearmanr(betas, nats).statistic)


def is_random_assignment(nats: Sequence[float], losses: Sequence[float], floor: float) -> bool:
    """Whether nothing is memorised at any β, and yet the best loss is below the radial floor.

    Then which unit belongs to which input is drawn at random, at no cost.
    """
    return max(nats) < MEMORISED and min(losses) < floor


def transition(betas: Sequence[float], names: Sequence[str]) -> float | None:
    """The β up to which networks have left convexity, at one step; None where none have.

    Geometric middle of the largest such β and the next one above it; infinite where all have left.
    Networks of no algorithm are passed over. Where convexity lies between, the β that leaves the
    fewest networks on the wrong side, the larger of two.
    """
    named = sorted(
        (b, n != "convexity") for b, n in zip(betas, names, strict=True) if n in ALGORITHMS
    )
    left = np.array([gone for _, gone in named], int)
    if not left.any():
        return None
    wrong = [(1 - left[:k]).sum() + left[k:].sum() for k in range(len(left) + 1)]
    place = len(wrong) - 1 - int(np.argmin(wrong[::-1]))
    if place == len(named):
        return float("inf")
    if place == 0:
        return None
    return float(np.sqrt(named[place - 1][0] * named[place][0]))


def transitions(
    betas: Sequence[float], phases: Sequence[Sequence[str]]
) -> tuple[float | None, ...]:
    """The transition β of each step of a map, (step, β) names."""
    _checked(betas, phases)
    return tuple(transition(betas, names) for names in phases)


def pattern(
    betas: Sequence[float], phases: Sequence[Sequence[str]], nats: Sequence[Sequence[float]]
) -> str:
    """The letter in `PATTERNS` of a map, (step, β) names, with the KL of its cells, (step, β).

    (d) is asked first: at the last step no named network is convexity and no KL reaches
    `MEMORISED`, and β says nothing of the step at which convexity was left (Spearman, p > .001).
    Otherwise it is the course of the most frequent algorithms: which are found in more than a
    twentieth of the named cells, in the order of their median step. Anything that does not begin
    with convexity and go on to what is said in (a), (b) or (c) is (e).
    """
    _checked(betas, phases)
    if len(nats) != len(phases) or any(len(row) != len(betas) for row in nats):
        raise SymscopeError("a KL is needed for each cell of the map")
    course = phases_of(phases)
    all_left = not any(name == "convexity" for name in phases[-1])
    if len(course) > 1 and all_left and max(nats[-1]) < MEMORISED and _together(betas, phases):
        return "d"
    letters = {("convexity", "pudding"): "a", ("convexity", "double_sided"): "b",
               ("convexity", "pudding", "double_sided"): "c"}  # fmt: skip
    return letters.get(course, "e")


def _together(betas: Sequence[float], phases: Sequence[Sequence[str]]) -> bool:
    """Whether β says nothing of the step from which on a column is never convexity again."""
    steps = []
    for column in zip(*phases, strict=True):
        there = [step for step, name in enumerate(column) if name == "convexity"]
        steps.append(there[-1] if there else -1)
    if len(betas) < 3 or len(set(steps)) < 2:
        return True
    return float(spearmanr(betas, steps).pvalue) > CHANCE


def phases_of(phases: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The algorithms of a map, (step, β) names, in the order of their median step.

    Those in more than a twentieth of the named cells; the signs of a pudding are one.
    """
    cells = [(step, name.split("_positive")[0].split("_negative")[0])
             for step, row in enumerate(phases) for name in row if name in ALGORITHMS]  # fmt: skip
    steps: dict[str, list[int]] = {}
    for step, name in cells:
        steps.setdefault(name, []).append(step)
    kept = {n: float(np.median(s)) for n, s in steps.items() if len(s) > STAYED * len(cells)}
    return tuple(sorted(kept, key=lambda name: (kept[name], _ORDER.index(name))))


def count_patterns(letters: Sequence[str]) -> dict[str, int]:
    """How many hypernetworks have each of the patterns, 0 included."""
    counted = Counter(letters)
    unknown = set(counted) - set(PATTERNS)
    if unknown:
        raise SymscopeError(f"no pattern {sorted(unknown)}; there are {', '.join(PATTERNS)}")
    return {letter: counted[letter] for letter in PATTERNS}


def _checked(betas: Sequence[float], phases: Sequence[Sequence[str]]) -> None:
    if not phases or any(len(row) != len(betas) for row in phases):
        raise SymscopeError(f"a map of {len(betas)} betas needs a name for each, at every step")
