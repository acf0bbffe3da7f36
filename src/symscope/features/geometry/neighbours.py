"""Mutual information from nearest neighbours: no bins, so no bias that grows with their number."""

import numpy as np

NEIGHBOURS = 5


def neighbour_information(
    first: np.ndarray, second: np.ndarray, neighbours: int = NEIGHBOURS
) -> float | None:
    """I(first; second) in bits of samples (n, p) and (n, q); can come out slightly below 0.

    I = ψ(k) + ψ(n) − ⟨ψ(n_x + 1) + ψ(n_y + 1)⟩ in nats, with n_x the points closer in `first`
    alone than the k-th neighbour is in both, by the largest coordinate difference (Kraskov,
    Stögbauer & Grassberger, 2004, equation 8). None where more than a tenth of the points have k
    others in the same place: the estimate is of densities, and there is none.
    """
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    both = np.concatenate([first, second], 1)
    distance = cKDTree(both).query(both, k=neighbours + 1, p=np.inf)[0][:, -1]
    if (distance <= 1e-12 * np.abs(both).max(initial=0)).mean() > 0.1:
        return None
    inside = np.nextafter(distance, 0)
    counts = [_closer(part, inside) for part in (first, second)]
    mean = sum(digamma(count + 1).mean() for count in counts)
    return float((digamma(neighbours) + digamma(len(both)) - mean) / np.log(2))


def _closer(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """How many other points lie within each point's own radius, (n,)."""
    from scipy.spatial import cKDTree

    if points.shape[1] == 1:
        line = points[:, 0]
        order = np.sort(line)
        upper = np.searchsorted(order, line + radius, side="right")
        return upper - np.searchsorted(order, line - radius, side="left") - 1
    tree = cKDTree(points)
    return np.asarray(tree.query_ball_point(points, radius, p=np.inf, return_length=True)) - 1
