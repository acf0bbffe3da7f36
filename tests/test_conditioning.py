"""Below the bound nothing is said, above it the user is told what, how badly, and what to do."""

import math

import pytest
import torch

from laws import draws
from symscope.conditioning import HOPELESS, IllConditioned, conditioned, spanned, worst
from symscope.evidence import ComputationFailed, SymscopeError
from symscope.features.classifier_axes import classifier_axes
from symscope.features.dictionaries import Training, fit_dictionary
from symscope.features.geometry import FewerComponents, fit_circle
from symscope.featurizer import PCA, Frame, Linear, Rotation

WIDTH = 8
LIMIT = worst(torch.float32)


def matrix(condition: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Between random rotations, singular values from 1 down to 1 / condition."""
    left, right = (torch.linalg.qr(draws(WIDTH, WIDTH, seed=s).double()).Q for s in (1, 2))
    return (left * torch.logspace(0, -math.log10(condition), WIDTH).double() @ right).to(dtype)


def linear(condition: float) -> Linear:
    """W of this condition number: M has it but for the 0.1 that is added, the scales are equal."""
    made = Linear(WIDTH, WIDTH)
    sizes = torch.full((WIDTH,), 0.1)
    sizes[0] = 0.1 * condition
    turn = torch.linalg.qr(draws(WIDTH, WIDTH, seed=3)).Q
    with torch.no_grad():
        made.mixing.copy_(turn * (sizes - 0.1).sqrt())
        made.scale.fill_(0.5)
    return made


def rotation(size: float) -> Rotation:
    """A full rotation whose S turns one plane, further the larger S is."""
    made = Rotation(WIDTH, WIDTH, seed=4)
    with torch.no_grad():
        made.weight[0, 1] = size
    return made


def test_the_bound_is_where_a_thousandth_is_rounding():
    for dtype in (torch.float32, torch.float64):
        assert worst(dtype) * torch.finfo(dtype).eps == pytest.approx(1e-3)
    assert conditioned(matrix(0.9 * LIMIT), "it", "turn back") < LIMIT  # nothing is said
    with pytest.warns(IllConditioned, match=r"it is ill-conditioned.+2e\+04.+2e-03; turn back"):
        conditioned(matrix(2 * LIMIT), "it", "turn back")
    conditioned(matrix(1.5 * LIMIT, torch.float64), "it", "turn back")
    assert math.isnan(conditioned(torch.full((2, 2), torch.nan), "it", "turn back"))


@pytest.mark.parametrize("make", [linear, lambda c: Frame(WIDTH, WIDTH, matrix(c))])
def test_what_an_inverse_loses_at_the_bound_is_a_thousandth_at_most(make):
    vectors = draws(50, WIDTH, seed=5)
    featurizer = make(0.9 * LIMIT)
    back = featurizer.decode(featurizer.encode(vectors))
    assert 1e-7 < (back - vectors).norm() / vectors.norm() < 1e-3


def test_a_linear_map_is_warned_of_above_the_bound_and_refused_at_a_million():
    linear(0.9 * LIMIT).encode(draws(3, WIDTH))
    with pytest.warns(IllConditioned, match="the linear map is ill-conditioned.+lower the rate"):
        linear(1.5 * LIMIT).encode(draws(3, WIDTH))
    linear(1.5 * LIMIT).double().encode(draws(3, WIDTH).double())
    with pytest.raises(ComputationFailed, match="ill-conditioned"):
        linear(2 * HOPELESS).encode(draws(3, WIDTH))


def test_a_frame_is_warned_of_above_the_bound_and_refused_at_a_million():
    Frame(WIDTH, WIDTH, matrix(0.9 * LIMIT))
    with pytest.warns(IllConditioned, match="the frame is ill-conditioned.+give it in float64"):
        Frame(WIDTH, WIDTH, matrix(1.5 * LIMIT))
    Frame(WIDTH, WIDTH, matrix(1.5 * LIMIT, torch.float64))
    for bad in (matrix(2 * HOPELESS), torch.zeros(WIDTH, WIDTH), torch.eye(3)):
        with pytest.raises(SymscopeError, match="a frame needs an invertible 8 × 8 matrix"):
            Frame(WIDTH, WIDTH, bad)


def test_a_rotation_is_warned_of_near_a_half_turn_and_not_before():
    axes = rotation(0.9 * LIMIT / 2**0.5 - 10).axes()
    assert (axes.T @ axes - torch.eye(WIDTH)).abs().max() < 1e-3
    with pytest.warns(IllConditioned, match="the rotation, near a turn by 180°"):
        rotation(1.5 * LIMIT).axes()
    rotation(1.5 * LIMIT).double().axes()


def low_rank(seed: int = 6) -> torch.Tensor:
    """Vectors that span three directions but for rounding."""
    return draws(200, 3, seed=seed) @ draws(3, WIDTH, seed=seed + 1) + 100


def test_principal_axes_beyond_what_the_vectors_span_are_warned_of():
    PCA(WIDTH, 3, vectors=low_rank())
    with pytest.warns(IllConditioned, match="span 3 directions: the other 2 are arbitrary"):
        PCA(WIDTH, 5, vectors=low_rank())
    PCA(WIDTH, WIDTH, vectors=low_rank() + 1e-2 * draws(200, WIDTH, seed=8))  # small, and real


def test_rounding_of_one_large_unit_hides_no_direction_of_the_others():
    vectors = 1e-2 * draws(200, WIDTH, seed=9)
    vectors[:, 0] += 1e6  # steps of 0.06 here, none elsewhere
    centred = (vectors - vectors.mean(0)).double()
    assert spanned(vectors, torch.linalg.svdvals(centred), WIDTH) == WIDTH - 1


def test_a_circle_is_not_fitted_in_components_of_rounding():
    values = torch.arange(200) % 7
    turns = values * (2 * torch.pi / 7)
    states = torch.stack([turns.cos(), turns.sin()], 1) @ draws(2, WIDTH, seed=7) + 100
    with pytest.warns(FewerComponents, match="the vectors span 2: 2 are used"):
        assert len(fit_circle(states, values, 7, components=5).axes) == 2
    states = states + 1e-2 * draws(200, WIDTH, seed=8)
    assert len(fit_circle(states, values, 7, components=5).axes) == 5


def test_a_classifiers_axes_are_not_those_of_rounding():
    labels = (torch.arange(200) % 2).long()
    vectors = low_rank()
    vectors[:, 0] += 1e-5 * labels  # one step of rounding at 100, which tells the labels
    axes = classifier_axes(vectors, labels, 2).axes().detach()
    inside = torch.linalg.qr(draws(3, WIDTH, seed=7).T).Q
    assert float((inside.T @ axes).square().sum()) == pytest.approx(2, abs=1e-3)


def test_no_more_independent_components_are_looked_for_than_there_are():
    training = Training(steps=200)
    fit_dictionary(low_rank(), "ica", size=3, training=training)
    with pytest.raises(SymscopeError, match="4 independent components of vectors that span 3"):
        fit_dictionary(low_rank(), "ica", size=4, training=training)


def test_classes_on_one_line_are_warned_of():
    labels = torch.arange(300) % 3
    means = torch.stack([torch.zeros(WIDTH), torch.ones(WIDTH), 2 * torch.ones(WIDTH)])
    means[2, 0] += 1e-2  # nearly between, and told apart in seven digits
    fit_dictionary(means[labels], "difference_in_means", size=2, targets=labels)
    means[2, 0] -= 1e-2 - 1e-5
    with pytest.warns(IllConditioned, match="directions between class means is ill-conditioned"):
        fit_dictionary(means[labels], "difference_in_means", size=2, targets=labels)
