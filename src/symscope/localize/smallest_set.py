"""The smallest set of places that brings most of what all of them together bring."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from symscope.evidence import Evidence
from symscope.localize.places import Place
from symscope.localize.sweep import halves, of_rows, scores_of_sets
from symscope.network import Network
from symscope.task import Pairs

RANDOM_SETS, DRAWS = 10, 2000


def smallest_set(
    network: Network, pairs: Pairs, places: Mapping[Any, Place], share: float = 0.9,
    claim: str = "patching.smallest_set", seed: int = 0,
) -> Evidence:  # fmt: skip
    """The share of the full effect that a small set brings, on pairs it was not chosen on.

    The effect of a set is the mean shift of the expected answer's logit when all its places
    (heads, mostly) are patched together. On half of the pairs drawn by `seed`, the place that
    brings most is added until the set brings `share` of what all `places` together bring; this
    is greedy, so a smaller set may exist. `score` is the set's effect over that of all places on
    the other half, with a bootstrap interval over pairs; the controls are the mean and the largest
    such share of ten random sets of the same size. `config` holds the `set` in the order it grew,
    with its share of the effect on the first half at each size. Where all places together have no
    positive effect, on either half, the score is null and nothing may be chosen.
    """
    began = time.monotonic()
    keys = list(places)
    chosen, held = halves(len(pairs), seed)
    full = _effects(network, pairs, chosen, places, [range(len(keys))])[0].mean()
    grown, shares = _grown(network, pairs, chosen, places, share * full) if full > 0 else ([], [])
    rng = np.random.default_rng(seed)
    random = [rng.permutation(len(keys))[: len(grown)].tolist() for _ in range(RANDOM_SETS)]
    effects = _effects(network, pairs, held, places, [range(len(keys)), grown, *random])
    config = {
        "set": [list(keys[i]) if isinstance(keys[i], tuple) else keys[i] for i in grown],
        "shares": [reached / float(full) for reached in shares],
        "asked": share, "chosen_on": len(chosen), "full_effect": float(effects[0].mean()),
    }  # fmt: skip
    unit, seconds = "share of the full effect", time.monotonic() - began
    if full <= 0 or effects[0].mean() <= 0:
        note = "all places together have no positive effect"
        return Evidence(claim, None, None, None, len(held), unit, {}, [seed], seconds, config,
                        note=note)  # fmt: skip
    score, *others = (effects[1:].mean(1) / effects[0].mean()).tolist()
    controls = {"random_sets": float(np.mean(others)), "best_random_set": max(others)}
    low, high = _interval(effects[1], effects[0])
    return Evidence(claim, score, low, high, len(held), unit, controls, [seed], seconds, config)


def _grown(
    network: Network, pairs: Pairs, rows: Tensor, places: Mapping[Any, Place], wanted: float
) -> tuple[list[int], list[float]]:
    """The set in the order it grows until its effect is the wanted one, and its effects."""
    grown: list[int] = []
    reached: list[float] = []
    while not reached or (reached[-1] < wanted and len(grown) < len(places)):
        left = [i for i in range(len(places)) if i not in grown]
        effects = _effects(network, pairs, rows, places, [[*grown, i] for i in left]).mean(1)
        grown.append(left[int(effects.argmax())])
        reached.append(float(effects.max()))
    return grown, reached


def _effects(
    network: Network, pairs: Pairs, rows: Tensor, places: Mapping[Any, Place],
    sets: Sequence[Sequence[int]],
) -> np.ndarray:  # fmt: skip
    """The shift of the expected answer's logit, (set, pair), when all of a set are patched."""
    sites = [of_rows(place, rows) for place in places.values()]
    unions = [tuple(site for i in members for site in sites[i]) for members in sets]
    return scores_of_sets(network, [pairs[rows]], unions)[0].shift.double().numpy()


def _interval(part: np.ndarray, whole: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a ratio of means over pairs, drawn again with replacement.

    Draws in which all places together have no effect have no ratio, and are left out.
    """
    drawn = np.random.default_rng(0).integers(len(part), size=(DRAWS, len(part)))
    parts, wholes = part[drawn].mean(1), whole[drawn].mean(1)
    low, high = np.percentile(parts[wholes > 0] / wholes[wholes > 0], [2.5, 97.5])
    return float(low), float(high)
