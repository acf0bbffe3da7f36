"""Which elements of a dictionary belong together, by their directions alone?

Engels, Liao et al. (ICLR 2025) cluster decoder vectors by the angle between them. That similarity
is ½ for orthogonal vectors, which is also its mean over a circle: it cannot tell two circles in
orthogonal planes from one. max(cos, 0) is 0 there, and is what is used unless asked otherwise.
"""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.features.geometry.cloud import finite

THRESHOLDS = (*np.logspace(-1, 0, 20).tolist(), 0.5)
NEIGHBOURS = (2, 3, 4)
"""What `sweep_neighbours` tries: the published threshold 0.5 and k = 2 are among them."""
SIMILARITIES = ("positive", "angular")
Cluster = tuple[int, ...]
"""Elements of a dictionary, in rising order."""


def similarity(directions: Tensor, kind: str = "positive") -> np.ndarray:
    """How alike the directions (element, width) are, (element, element), from 0 to 1.

    "positive" is max(cos, 0), "angular" the published 1 − arccos(cos)/π. Raises `SymscopeError` for
    an element without a direction, naming its row.
    """
    if kind not in SIMILARITIES:
        raise UnknownName("similarity", kind, SIMILARITIES)
    cosine = _cosines(directions)
    return np.maximum(cosine, 0) if kind == "positive" else 1 - np.arccos(cosine) / np.pi


def spectral_clusters(
    directions: Tensor, count: int, kind: str = "positive", seed: int = 0
) -> list[Cluster]:
    """`count` clusters by spectral clustering, the largest first (Ng, Jordan & Weiss, 2001).

    Raises `SymscopeError` where there are fewer elements than clusters.
    """
    from sklearn.cluster import SpectralClustering

    if not 1 <= count <= len(directions):
        raise SymscopeError(
            f"{count} clusters of {len(directions)} elements: at least one, and no more than those"
        )
    alike = similarity(directions, kind)
    if count == len(directions):
        return [(i,) for i in range(count)]
    model = SpectralClustering(count, affinity="precomputed", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a graph in pieces is what we hope for here
        labels = model.fit_predict(alike)
    return _grouped(labels)


def neighbour_clusters(
    directions: Tensor, neighbours: int = 2, threshold: float = 0.5
) -> list[Cluster]:
    """The connected pieces of a graph of near elements, the largest first.

    Each element is joined to its `neighbours` most alike by cosine, where the cosine is at least
    `threshold`; what is joined to none is a cluster of its own.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    cosine = _cosines(directions)
    np.fill_diagonal(cosine, -np.inf)
    if not 1 <= neighbours < len(cosine):
        raise SymscopeError(
            f"{neighbours} neighbours of {len(cosine)} elements: at least 1, and fewer than those"
        )
    nearest = np.argpartition(-cosine, neighbours - 1, axis=1)[:, :neighbours]
    rows = np.repeat(np.arange(len(cosine)), neighbours)
    joined = cosine[rows, nearest.ravel()] >= threshold
    ends = rows[joined], nearest.ravel()[joined]
    graph = csr_matrix((np.ones(len(ends[0])), ends), shape=cosine.shape)
    return _grouped(connected_components(graph, directed=False)[1])


def jaccard(clusters: Iterable[Sequence[int]], group: Iterable[int]) -> float:
    """How well the best of the clusters meets a group of elements: shared / in either, 0 to 1.

    >>> jaccard([(0, 1), (2, 3, 4)], {2, 3})
    0.6666666666666666
    """
    wanted = set(group)
    if not wanted:
        raise SymscopeError("a group without elements is met by none")
    return max((len(wanted & set(c)) / len(wanted | set(c)) for c in clusters), default=0.0)


def sweep_neighbours(
    directions: Tensor,
    groups: Iterable[Iterable[int]],
    thresholds: Sequence[float] = THRESHOLDS,
    neighbours: Sequence[int] = NEIGHBOURS,
) -> dict[tuple[int, float], float]:
    """(k, τ) → the mean over known groups of the best Jaccard index, for every k and τ."""
    wanted = [set(group) for group in groups]
    found = {}
    for k in neighbours:
        for threshold in thresholds:
            clusters = neighbour_clusters(directions, k, threshold)
            found[k, threshold] = float(np.mean([jaccard(clusters, g) for g in wanted]))
    return found


def _cosines(directions: Tensor) -> np.ndarray:
    numbers = finite(directions)
    norms = np.linalg.norm(numbers, axis=1, keepdims=True)
    if (norms == 0).any():
        raise SymscopeError(f"element {int((norms == 0).argmax())} has no direction: leave it out")
    return np.clip((numbers / norms) @ (numbers / norms).T, -1, 1)


def _grouped(labels: np.ndarray) -> list[Cluster]:
    found = [tuple(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
    return sorted(found, key=lambda cluster: (-len(cluster), cluster))
