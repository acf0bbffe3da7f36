"""Scores of dictionaries with their controls, and features known from the toy model."""

import pytest
import torch
from torch.nn.functional import normalize

from symscope.evidence import SymscopeError
from symscope.features.dictionaries import (
    Training,
    bench,
    fit_dictionary,
    recovery,
    superposed,
)
from symscope.features.dictionaries.methods import empty
from symscope.models.superposition import ToyModel, packed


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def axes(width=4, size=6):
    """ReLU codes whose first features are the units, and whose last are never there."""
    f = empty(width, size, "relu", centred=False)
    with torch.no_grad():
        f.decoder[:width] = torch.eye(width)
        f.encoder.copy_(f.decoder.T)
        f.encoder_bias[width:] = -1
    return f


def test_scores_are_the_known_ones_of_a_dictionary_that_is_perfect_where_positive():
    vectors = normal(2000, 4).abs()
    vectors[:, 3] = 0
    explained, l0, dead = bench(axes(), vectors)
    assert explained.score == pytest.approx(1) and explained.controls["pca"] == pytest.approx(1)
    assert explained.controls["random"] < 0.9
    assert l0.score == 3
    assert (dead.score, dead.n) == (0.5, 6)
    assert [r.claim for r in (explained, l0, dead)] == [
        f"dictionary.relu.{c}" for c in ("explained", "l0", "dead")
    ]


def test_the_explained_share_is_that_of_the_variance():
    vectors = normal(5000, 4)  # half of each unit's values are negative and lost
    found = bench(axes(), vectors)[0]
    assert bench(axes(), vectors)[1].controls["pca"] == 4
    error = (vectors.clamp(max=0)).square().sum()
    share = 1 - error / (vectors - vectors.mean(0)).square().sum()
    assert found.score == pytest.approx(share.item(), abs=1e-5)
    assert found.low < found.score < found.high
    mean = empty(4, 1, "relu")
    with torch.no_grad():
        mean.bias.copy_(vectors.mean(0))
    assert bench(mean, vectors)[0].score == pytest.approx(0, abs=1e-5)


def test_signs_count_where_coordinates_have_none():
    truth = torch.eye(4)
    f = axes(size=4)
    assert recovery(f, truth, normal(50, 4)).score == pytest.approx(1)
    with torch.no_grad():
        f.decoder[0] = -f.decoder[0]
    assert recovery(f, truth, normal(50, 4)).score == pytest.approx(0.75)
    pca = fit_dictionary(normal(500, 4) * torch.tensor([4.0, 3, 2, 1]), "pca", size=4)
    assert recovery(pca, -truth, normal(50, 4)).score > 0.99


def test_features_of_the_toy_model_are_found_and_its_controls_find_less():
    model, _ = packed(24, 8, sparsity=0.97, importance=1.0, steps=1000, restarts=1)
    vectors, truth = superposed(model, 4000, 0.97)
    assert truth.shape == (24, 8)  # more features than dimensions are kept
    training = Training(steps=500, batch=128, rate=5e-3, warm_up=80, dead_after=150)
    f = fit_dictionary(vectors, "topk", size=36, sparsity=2, training=training)
    found = recovery(f, truth, vectors)
    assert found.score > 0.95
    assert found.controls["random"] < 0.8 and found.controls["pca"] < 0.8
    assert found.n == len(truth) and found.low <= found.score <= found.high


def test_vectors_of_the_toy_model_are_sums_of_its_directions():
    model = ToyModel(3, 2)
    with torch.no_grad():
        model.squeeze.weight.copy_(torch.tensor([[1.0, 0, 0.1], [0, 2, 0.1]]))
    vectors, truth = superposed(model, 500, sparsity=0.5, seed=3)
    assert truth.tolist() == [[1, 0], [0, 2]]  # the third is too short to count
    assert vectors.shape == (500, 2) and bool((vectors >= 0).all())
    assert float((vectors.norm(dim=1) == 0).float().mean()) == 0
    with torch.no_grad():
        model.squeeze.weight.zero_()
    with pytest.raises(SymscopeError, match="keeps no feature"):
        superposed(model, 10)


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(SymscopeError, match="does not give vectors back"):
        bench(empty(4, 3, "transcoder", outputs=2), normal(50, 4))
    with pytest.raises(SymscopeError, match="true directions of width 3, the features' is 4"):
        recovery(axes(), normalize(normal(2, 3), dim=1), normal(50, 4))
    with pytest.raises(SymscopeError, match="row 2 of the vectors"):
        bad = normal(50, 4)
        bad[2] = torch.inf
        bench(axes(), bad)
