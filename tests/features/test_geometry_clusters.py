"""Which elements of a dictionary belong together, what they say, and how its clusters rank."""

import numpy as np
import pytest
import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.features.geometry import (
    SHAPES,
    NotFinite,
    cluster_score,
    in_components,
    jaccard,
    neighbour_clusters,
    ranked,
    reconstructions,
    similarity,
    spectral_clusters,
    sweep_neighbours,
)
from symscope.featurizer import Featurizer

EACH, WIDTH = 32, 10
GROUPS = (range(EACH), range(EACH, 2 * EACH))


def two_rings(seed: int = 0) -> Tensor:
    """Directions on two circles, whose planes are orthogonal."""
    planes = np.linalg.qr(np.random.default_rng(seed).normal(size=(WIDTH, 4))).Q.T
    angles = 2 * np.pi * np.arange(EACH) / EACH
    ring = np.stack([np.cos(angles), np.sin(angles)], 1)
    return torch.from_numpy(np.concatenate([ring @ planes[:2], ring @ planes[2:]]))


class Ideal(Featurizer):
    """Each direction is on where a vector has more than 0.9 of its length along it."""

    def __init__(self, directions: Tensor):
        super().__init__()
        self.directions = directions
        self.size, self.width = directions.shape

    def encode(self, vectors: Tensor) -> Tensor:
        return (vectors @ self.directions.T - 0.9).relu()

    def decode(self, coordinates: Tensor) -> Tensor:
        return coordinates @ self.directions + 5.0  # an offset is no part of what a cluster says


@pytest.mark.parametrize("seed", range(3))
def test_two_orthogonal_circles_come_apart_by_cosine_and_not_by_angle(seed):
    directions = two_rings(seed)
    by_cosine = spectral_clusters(directions, 2, seed=seed)
    by_angle = spectral_clusters(directions, 2, "angular", seed=seed)
    assert [jaccard(by_cosine, g) for g in GROUPS] == [1.0, 1.0]
    assert np.mean([jaccard(by_angle, g) for g in GROUPS]) < 0.75
    assert [jaccard(neighbour_clusters(directions), g) for g in GROUPS] == [1.0, 1.0]


def test_orthogonal_directions_are_half_alike_by_angle_and_not_at_all_by_cosine():
    across = torch.eye(3)
    assert np.allclose(similarity(across), np.eye(3))
    assert np.allclose(similarity(across, "angular"), 0.5 + 0.5 * np.eye(3))
    opposite = torch.tensor([[1.0, 0.0], [-2.0, 0.0]])
    assert similarity(opposite)[0, 1] == similarity(opposite, "angular")[0, 1] == 0.0


def test_the_sweep_finds_where_the_graph_falls_apart():
    found = sweep_neighbours(two_rings(), GROUPS)
    assert len(found) == 3 * 21 and found[2, 0.5] == 1.0
    assert found[2, 1.0] == pytest.approx(1 / EACH)  # no two are the same: each is on its own


def test_every_element_is_in_one_cluster_and_the_largest_comes_first():
    for clusters in (spectral_clusters(two_rings(), 5), neighbour_clusters(two_rings(), 1, 0.99)):
        assert sorted(i for c in clusters for i in c) == list(range(2 * EACH))
        assert [len(c) for c in clusters] == sorted((len(c) for c in clusters), reverse=True)
    assert spectral_clusters(torch.eye(3), 3) == [(0,), (1,), (2,)]


def test_jaccard_is_of_the_best_cluster():
    assert jaccard([(0, 1), (2, 3, 4)], {2, 3}) == pytest.approx(2 / 3)
    assert jaccard([], {1}) == 0.0


def test_what_cannot_be_clustered_is_refused():
    with pytest.raises(SymscopeError, match="65 clusters of 64 elements"):
        spectral_clusters(two_rings(), 65)
    dead = two_rings()
    dead[7] = 0
    with pytest.raises(SymscopeError, match="element 7 has no direction"):
        neighbour_clusters(dead)
    dead[7, 0] = torch.nan
    with pytest.raises(NotFinite, match="row 7"):
        spectral_clusters(dead, 2)
    with pytest.raises(UnknownName, match="angular"):
        similarity(two_rings(), "euclidean")
    with pytest.raises(SymscopeError, match="64 neighbours"):
        neighbour_clusters(two_rings(), 64)


def test_a_cluster_says_its_own_share_of_the_vectors_on_which_it_is_on():
    directions = two_rings()
    on_first, on_second = directions[3:4].repeat(40, 1), directions[40:41].repeat(30, 1)
    vectors = torch.cat([on_first, on_second, on_first[:30] + on_second])
    said, rows = reconstructions(Ideal(directions), vectors, GROUPS[0])
    assert rows.tolist() == [*range(40), *range(70, 100)]
    assert float((said @ directions[40]).abs().max()) < 1e-9
    assert bool((said @ directions[3] > 0).all())
    with pytest.raises(SymscopeError, match=r"elements of 0\.\.63"):
        reconstructions(Ideal(directions), vectors, [64])
    with pytest.raises(SymscopeError, match="width 9"):
        reconstructions(Ideal(directions), vectors[:, :9], [0])


def test_components_are_as_many_as_there_are_directions():
    assert in_components(SHAPES["two circles"](200, 0)).shape == (200, 4)
    assert in_components(torch.ones(60, 3)).shape == (60, 0)
    assert in_components(SHAPES["circle"](200, 0)).shape == (200, 2)


def test_a_circle_scores_above_a_normal_cloud():
    circle = cluster_score(SHAPES["circle"](1000, 0))
    normal = cluster_score(SHAPES["gaussian"](1000, 1))
    assert circle.score > 1.5 > circle.controls["gaussian"] and circle.low < circle.score
    assert normal.score == pytest.approx(normal.controls["gaussian"], abs=0.1)
    plane = circle.config["planes"]["1-2"]
    assert circle.score == pytest.approx((1 - plane["mixture"]) * plane["separability"])
    assert list(cluster_score(SHAPES["helix"](400, 0)).config["planes"]) == ["1-2", "2-3"]


def test_clusters_are_ranked_and_those_without_a_score_come_last():
    """One ring's plane is visited everywhere, the other's at two points, and one element never."""
    directions = two_rings()
    rng = np.random.default_rng(0)
    angles = torch.from_numpy(rng.uniform(0, 2 * np.pi, 400))
    circle = angles.cos()[:, None] * directions[0] + angles.sin()[:, None] * directions[8]
    which = torch.from_numpy(rng.choice([32, 40], 400))
    points = directions[which] * torch.from_numpy(rng.uniform(0.95, 1.1, (400, 1)))
    dictionary = Ideal(torch.cat([directions, 0.01 * directions[:1]]))  # too short to be on
    found = ranked(dictionary, torch.cat([circle, points]), [(64,), GROUPS[1], GROUPS[0]])
    assert [c for c, _ in found] == [tuple(GROUPS[0]), tuple(GROUPS[1]), (64,)]
    assert found[-1][1].score is None and "0 points" in found[-1][1].note
