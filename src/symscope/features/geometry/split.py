"""Is a cloud of two to five dimensions a product of two independent parts, after some rotation?

The definition of Engels, Liao et al. (ICLR 2025, section 3) is for any dimension; they measure it
in planes. Bins fill up too slowly beyond, so here the mutual information of the two parts comes
from nearest neighbours, and rotations are searched: principal axes, the parts that independent
component analysis proposes, random ones, then small turns.
"""

import time
from itertools import combinations

import numpy as np
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.cloud import finite, not_told, unfit
from symscope.features.geometry.neighbours import neighbour_information

MOST, WIDEST, SMALL_TURN, ICA_ROUNDS = 600, 5, 0.4, 100


def split_separability(
    points: Tensor, first: int = 1, claim: str = "geometry.split", rotations: int = 40,
    nulls: int = 5, seed: int = 0,
) -> Evidence:  # fmt: skip
    """The least mutual information, in bits, of `first` coordinates and the rest, of any rotation.

    Points are (n, 2 to 5); 600 of them are used at most. `rotations` random ones are tried, and as
    many small turns of the best. Control "shuffled": the mean of `nulls` clouds whose parts, at the
    best rotation, belong to other points, searched in the same way; z is in `config`. The interval
    is the score ± 1.96 standard deviations of those, which says what is noise, not what other
    points would give. None for fewer than 50 points, a line, and points that repeat.
    """
    began, cloud = time.monotonic(), finite(points)
    width = cloud.shape[1]
    if not 2 <= width <= WIDEST or not 1 <= first < width:
        raise SymscopeError(
            f"{first} coordinates against the rest of {width}: 2 to {WIDEST} dimensions, and a part"
            " of at least one on either side"
        )
    if reason := unfit(cloud):
        return not_told(claim, len(cloud), "bits", reason)
    rng = np.random.default_rng(seed)
    cloud = cloud[rng.permutation(len(cloud))[:MOST]]
    score, apart = _least(cloud, first, rotations, rng)
    if score is None:
        return not_told(claim, len(cloud), "bits", "points repeat: they have no density")
    null = []
    for _ in range(nulls):
        mixed = np.concatenate([apart[:, :first], rng.permutation(apart[:, first:])], 1)
        null.append(_least(mixed, first, rotations, rng)[0] or 0.0)
    spread = float(np.std(null, ddof=1)) if nulls > 1 else 0.0
    return Evidence(
        claim, score, score - 1.96 * spread, score + 1.96 * spread, len(cloud), "bits",
        {"shuffled": float(np.mean(null))} if nulls else {},
        seeds=[seed], seconds=time.monotonic() - began,
        config={"z": (score - float(np.mean(null))) / spread if spread else None,
                "parts": [first, width - first], "rotations": rotations, "nulls": nulls},
    )  # fmt: skip


def _least(
    cloud: np.ndarray, first: int, rotations: int, rng: np.random.Generator
) -> tuple[float | None, np.ndarray]:
    """The least information of the two parts, and the cloud at that rotation."""
    centred = cloud - cloud.mean(0)
    width = centred.shape[1]
    starts = [np.linalg.svd(centred, full_matrices=False)[2].T, np.eye(width)]
    starts += _proposed(centred, first, rng)
    starts += [np.linalg.qr(rng.normal(size=(width, width))).Q for _ in range(rotations)]
    best, least = starts[0], np.inf
    for trial in range(len(starts) + rotations):
        if trial < len(starts):
            turn = starts[trial]
        else:
            size = SMALL_TURN * 0.9 ** (trial - len(starts))
            turn = best @ np.linalg.qr(np.eye(width) + size * rng.normal(size=(width, width))).Q
        apart = centred @ turn
        found = neighbour_information(apart[:, :first], apart[:, first:])
        if found is None:
            return None, apart
        if found < least:
            best, least = turn, found
    return float(least), centred @ best


def _proposed(centred: np.ndarray, first: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Rotations whose first coordinates are some of the independent components, and the rest.

    Components by the fixed point of the fourth moment (Hyvärinen & Oja, 1997): if two parts are
    independent, each component lies in one of them, and which ones is tried.
    """
    left, size, axes = np.linalg.svd(centred, full_matrices=False)
    kept = size > 1e-9 * size[0]
    white = left[:, kept] * len(centred) ** 0.5
    width = white.shape[1]
    unmix = np.linalg.qr(rng.normal(size=(width, width))).Q
    for _ in range(ICA_ROUNDS):
        u, _, v = np.linalg.svd((white @ unmix.T).T ** 3 @ white / len(white) - 3 * unmix)
        unmix = u @ v
    across = unmix / size[kept] @ axes[kept]  # rows: what reads each component off a point
    found = []
    for part in combinations(range(width), min(first, width)):
        rest = [i for i in range(width) if i not in part]
        whole = np.concatenate([across[[*part, *rest]], np.eye(centred.shape[1])]).T
        found.append(np.linalg.qr(whole).Q)
    return found
