"""The toy model packs features as Elhage et al. (2022) found: by sparsity."""

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.models.superposition import ToyModel, features_drawn, packed, sweep


def quick(sparsity, importance=0.9):
    return packed(sparsity=sparsity, importance=importance, steps=1000, restarts=2)


def test_dense_features_get_a_dimension_each_and_the_rest_is_left_out():
    _, packing = quick(0.0, importance=0.6)
    assert packing.kept == 2
    assert packing.norms[:2].min() > 0.95 and packing.norms[2:].max() < 0.3
    assert packing.dimensionality[:2].min() > 0.9


def test_sparse_features_make_a_pentagon_in_the_plane():
    model, packing = quick(0.95)
    assert packing.kept == 5
    assert torch.allclose(packing.dimensionality, torch.full((5,), 0.4), atol=0.02)
    angles = torch.atan2(*model.squeeze.weight.detach()).sort().values
    gaps = (angles - angles.roll(1))[1:]
    assert torch.allclose(gaps, torch.full((4,), 2 * torch.pi / 5), atol=0.1)


def test_the_sparser_the_more_features_are_kept():
    kept = [p.kept for p in sweep((0.0, 0.8), features=4, width=2, steps=500)]
    assert kept[0] == 2 < kept[1] == 4


def test_features_are_zero_as_often_as_asked():
    x = features_drawn(20_000, 3, 0.8, torch.Generator().manual_seed(0))
    assert float((x == 0).float().mean()) == pytest.approx(0.8, abs=0.01)
    assert float(x[x > 0].mean()) == pytest.approx(0.5, abs=0.02) and x.max() < 1


def test_a_packing_measures_the_model_it_belongs_to():
    model, packing = packed(features=3, width=3, sparsity=0.5, steps=600, restarts=1)
    assert isinstance(model, ToyModel) and packing.loss < 1e-3
    assert torch.allclose(packing.norms, torch.ones(3), atol=0.1)
    assert packing.interference.max() < 0.02


@pytest.mark.parametrize("sparsity", [-0.1, 1.0])
def test_a_sparsity_without_features_is_refused(sparsity):
    with pytest.raises(SymscopeError, match="0 or more, below 1"):
        packed(sparsity=sparsity)
