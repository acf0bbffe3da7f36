"""Each featurizer's own promises; what they share is in the laws."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal

from laws import FEATURIZERS, SAMPLES, WIDTH, draws, perturbed
from symscope.conditioning import IllConditioned
from symscope.evidence import ComputationFailed, SymscopeError
from symscope.featurizer import PCA, Identity, Linear, Mask, Rotation

BASE, SOURCE = draws(SAMPLES, WIDTH, seed=1), draws(SAMPLES, WIDTH, seed=2)


def test_the_identitys_coordinates_are_the_units():
    swapped = Identity(WIDTH).swap(BASE, SOURCE, [1, 4])
    assert torch.allclose(swapped[:, [1, 4]], SOURCE[:, [1, 4]])
    assert torch.equal(swapped[:, [0, 2, 3, 5]], BASE[:, [0, 2, 3, 5]])


def test_a_masks_coordinates_are_its_units_in_their_order():
    mask = Mask(WIDTH, 2, units=(5, 1))
    assert torch.equal(mask.encode(BASE), BASE[:, [5, 1]])
    assert torch.equal(Mask(WIDTH, 2).encode(BASE), BASE[:, :2])
    swapped = mask.swap(BASE, SOURCE, [0])
    assert torch.allclose(swapped[:, 5], SOURCE[:, 5])
    assert torch.equal(swapped[:, :5], BASE[:, :5])


@pytest.mark.parametrize("kind", [Mask, Rotation, PCA])
@pytest.mark.parametrize("size", [0, -1, WIDTH + 1])
def test_a_size_out_of_range_is_refused_with_the_range(kind, size):
    with pytest.raises(SymscopeError, match=rf"{size} does not fit: choose 1 to {WIDTH}"):
        kind(WIDTH, size)


@pytest.mark.parametrize("kind", [Identity, Linear])
def test_a_whole_featurizer_has_no_other_size(kind):
    with pytest.raises(SymscopeError, match=f"{WIDTH}, not {WIDTH - 1}"):
        kind(WIDTH, WIDTH - 1)


@pytest.mark.parametrize("units", [(0, 0), (0, WIDTH), (-1, 0), (0, 1, 2)])
def test_a_mask_needs_different_units_that_are_there(units):
    with pytest.raises(SymscopeError, match=f"2 different units of 0..{WIDTH - 1}"):
        Mask(WIDTH, 2, units=units)


@pytest.mark.parametrize("size", [1, 3, WIDTH - 1, WIDTH])
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
def test_a_rotations_axes_are_orthonormal_wherever_its_weight_goes(size, scale):
    rotation = Rotation(WIDTH, size, seed=4)
    with torch.no_grad():
        rotation.weight += scale * draws(*rotation.weight.shape, seed=5)
    axes = rotation.axes()
    assert axes.shape == (WIDTH, size)
    assert (axes.T @ axes - torch.eye(size)).abs().max() < 1e-5


@pytest.mark.parametrize("size", [1, 4, WIDTH])
def test_a_rotation_starts_where_it_is_told(size):
    start = torch.linalg.qr(draws(WIDTH, WIDTH, seed=6)).Q[:, :size]
    axes = Rotation(WIDTH, size, start=start).axes()
    assert torch.allclose(axes @ axes.T, start @ start.T, atol=1e-5)
    for column in range(size):  # up to the sign, which no swap depends on
        assert torch.isclose((axes[:, column] @ start[:, column]).abs(), torch.tensor(1.0))


def test_a_seed_gives_one_rotation_and_another_seed_another():
    first, again, other = (Rotation(WIDTH, 3, seed=s).axes() for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.allclose(first, other)


@pytest.mark.parametrize("size", [1, 3, WIDTH])
@pytest.mark.parametrize("map_", ["matrix_exp", "cayley"])
def test_a_swap_is_the_one_of_torchs_orthogonal_parametrisation(size, map_):
    torch.manual_seed(size)
    layer = orthogonal(nn.Linear(WIDTH, WIDTH, bias=False), orthogonal_map=map_)
    with torch.no_grad():
        layer.parametrizations.weight.original.add_(draws(WIDTH, WIDTH, seed=8))
        r = layer.weight  # h' = Rᵀ[(I − D) R base + D R source]
        kept = torch.diag((torch.arange(WIDTH) >= size).float())
        swapped = torch.eye(WIDTH) - kept
        expected = (BASE @ r.T @ kept + SOURCE @ r.T @ swapped) @ r
        rotation = Rotation(WIDTH, size, start=r.T[:, :size].clone())
        found = rotation.swap(BASE, SOURCE, list(range(size)))
    assert (found - expected).abs().max() < 1e-5


def test_a_rotations_own_swap_is_the_general_one():
    for name in ("low-rank rotation", "full rotation"):
        rotation = FEATURIZERS[name]()
        for named in ([2], [3, 0], list(range(rotation.size))):
            general = super(Rotation, rotation).swap(BASE, SOURCE, named)
            assert torch.allclose(rotation.swap(BASE, SOURCE, named), general, atol=1e-5)


def test_a_linear_map_is_the_published_one():
    linear = perturbed(Linear(WIDTH, WIDTH, seed=2))
    m, a, b = linear.mixing, linear.scale, linear.offset
    w = (m @ m.T + 0.1 * torch.eye(WIDTH)) @ torch.diag(a.tanh() + 0.1 * a.sign())
    assert torch.allclose(linear.encode(BASE), (BASE + b) @ w, atol=1e-5)


@pytest.mark.parametrize("bad", [1e8, float("nan")])
def test_an_ill_conditioned_map_is_stopped_with_its_number(bad):
    linear = Linear(WIDTH, WIDTH)
    with torch.no_grad():
        linear.mixing[0, 0] = bad
    with pytest.raises(ComputationFailed, match=r"ill-conditioned: .+ > 1e6"):
        linear.swap(BASE, SOURCE, [0])


def test_a_singular_map_is_stopped():
    linear = Linear(WIDTH, WIDTH)
    with torch.no_grad():
        linear.scale[0] = 0  # the sign of 0 is 0: a column of zeros
    with pytest.raises(ComputationFailed, match="ill-conditioned: inf"):
        linear.encode(BASE)


def test_principal_axes_are_the_known_ones_the_widest_first():
    spread = torch.tensor([0.1, 5.0, 0.2, 1.0, 0.05, 0.3])
    vectors = draws(4000, WIDTH, seed=3) * spread + 7
    pca = PCA(WIDTH, 2, vectors=vectors)
    assert torch.allclose(pca.mean, vectors.mean(0))
    assert pca.axes[1, 0].abs() > 0.999 and pca.axes[3, 1].abs() > 0.999
    assert torch.allclose(pca.encode(vectors).std(0), torch.tensor([5.0, 1.0]), rtol=0.05)


def test_principal_axes_reach_beyond_the_number_of_vectors():
    with pytest.warns(IllConditioned, match="span 2 directions: the other 4 are arbitrary"):
        axes = PCA(WIDTH, WIDTH, vectors=draws(3, WIDTH)).axes
    assert torch.allclose(axes.T @ axes, torch.eye(WIDTH), atol=1e-5)


@pytest.mark.parametrize("name", FEATURIZERS)
def test_a_configuration_makes_one_of_the_same_shape(name):
    made = FEATURIZERS[name]()
    again = type(made)(**made.config())
    again.load_state_dict(made.state_dict())
    assert torch.allclose(again.swap(BASE, SOURCE, [0]), made.swap(BASE, SOURCE, [0]))


def test_principal_axes_of_many_vectors_take_no_memory_of_the_square_of_their_number(monkeypatch):
    made, svd = [], torch.linalg.svd

    def counted(*given, **options):
        made.append(svd(*given, **options))
        return made[-1]

    monkeypatch.setattr(torch.linalg, "svd", counted)
    axes = PCA(WIDTH, WIDTH, vectors=draws(200, WIDTH)).axes
    assert torch.allclose(axes.T @ axes, torch.eye(WIDTH), atol=1e-5)
    assert made[0].U.shape == (200, WIDTH)
