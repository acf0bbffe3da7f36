"""How far is a cluster of dictionary elements from a product or a mixture: (1 − M) · S.

Engels, Liao et al. (ICLR 2025, section 4) rank a thousand clusters by it, and look at the first.
M and S are the estimators of `mixture` and `separability`, not the published ones.
"""

import time
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.features.geometry.cloud import finite, not_told, unfit
from symscope.features.geometry.mixture import in_band, normal_like, thinnest_band
from symscope.features.geometry.reconstruction import COMPONENTS, in_components, reconstructions
from symscope.features.geometry.separability import informations
from symscope.featurizer import Featurizer

ANGLES, BLOCKS, TRIED = 180, 10, 1000


def cluster_score(
    vectors: Tensor, claim: str = "geometry.cluster.score", angles: int = ANGLES, seed: int = 0
) -> Evidence:
    """The mean of (1 − M) · S over the planes of components 1-2, 2-3, 3-4 and 4-5, in bits.

    `vectors` (n, width) are a cluster's reconstructions. A plane that they do not span is left out,
    and none counts as zero. The band of M is looked for on 1000 of the vectors, and its share
    counted on all. Control "gaussian": the same of as many normal points with the same
    covariance. The interval is a jackknife over ten blocks of points. `config` has S and M of each
    plane. None where there are fewer than 50 vectors, or they lie on a line.
    """
    began, numbers = time.monotonic(), finite(vectors)
    if reason := unfit(numbers):
        return not_told(claim, len(numbers), "bits", reason)
    from scipy.stats import t

    cloud = in_components(torch.from_numpy(numbers), COMPONENTS).numpy()
    rng = np.random.default_rng(seed)
    planes, inside = _planes(cloud, angles, rng)
    normal, _ = _planes(normal_like(cloud, rng), angles, rng)
    block = rng.permutation(len(cloud)) % BLOCKS
    without = [_mean(_again(cloud, inside, block != b, angles)) for b in range(BLOCKS)]
    half = float(t.ppf(0.975, BLOCKS - 1) * np.sqrt((BLOCKS - 1) * np.var(without)))
    score = _mean(planes)
    return Evidence(
        claim, score, max(0.0, score - half), score + half, len(cloud), "bits",
        {"gaussian": _mean(normal)}, seeds=[seed], seconds=time.monotonic() - began,
        config={"planes": {f"{i + 1}-{i + 2}": {"separability": s, "mixture": m}
                           for i, (s, m) in enumerate(planes)}},
    )  # fmt: skip


def ranked(
    dictionary: Featurizer, vectors: Tensor, clusters: Iterable[Sequence[int]], seed: int = 0
) -> list[tuple[tuple[int, ...], Evidence]]:
    """Clusters and their scores, the highest first; those of which nothing is told come last."""
    found = []
    for number, cluster in enumerate(clusters):
        said, _ = reconstructions(dictionary, vectors, cluster)
        score = cluster_score(said, f"geometry.cluster.{number}.score", seed=seed)
        found.append((tuple(cluster), score))
    return sorted(found, key=lambda one: -1.0 if one[1].score is None else one[1].score)[::-1]


def _planes(
    cloud: np.ndarray, angles: int, rng: np.random.Generator
) -> tuple[list[tuple[float, float]], list[np.ndarray]]:
    """S and M of each plane of neighbouring components, and which points lie in its band."""
    turns = np.pi / 2 * np.arange(angles) / angles
    few = rng.permutation(len(cloud))[:TRIED]
    found, inside = [], []
    for i in range(cloud.shape[1] - 1):
        plane = cloud[:, i : i + 2]
        _, normal, offset = thinnest_band(plane[few], 1, rng)
        offset += float((plane.mean(0) - plane[few].mean(0)) @ normal)  # from the mean of all
        inside.append(in_band(plane, normal, offset))
        found.append((float(informations(plane, turns).min()), float(inside[-1].mean())))
    return found, inside


def _again(
    cloud: np.ndarray, inside: Sequence[np.ndarray], kept: np.ndarray, angles: int
) -> list[tuple[float, float]]:
    """S and M with some of the points, in the bands that were found with all."""
    turns = np.pi / 2 * np.arange(angles) / angles
    return [
        (float(informations(cloud[kept, i : i + 2], turns).min()), float(band[kept].mean()))
        for i, band in enumerate(inside)
    ]


def _mean(planes: Sequence[tuple[float, float]]) -> float:
    return float(np.mean([(1 - m) * s for s, m in planes]))
