"""Integers in disguise: bases from vectors, lattices of states."""

import sys

import numpy as np
import pytest

import by_hand
from symscope.evidence import SymscopeError
from symscope.extract.pipeline.common_basis import common_basis, shortened
from symscope.extract.pipeline.lattice import gcd_lattices, linear_lattice, unit_lattice
from symscope.extract.pipeline.weights import sequences, states, weights_of


def scrambled(d, rng):
    """The unit basis after 6·d additions of one vector to another."""
    basis = np.eye(d)
    for _ in range(6 * d):
        i, j = rng.choice(d, 2, replace=False)
        basis[i] += rng.choice([-1, 1]) * basis[j]
    return basis


def same_lattice(a, b, within=1e-6):
    turn = a @ np.linalg.pinv(b)
    return (
        np.allclose(turn, np.round(turn), atol=within)
        and abs(np.linalg.det(np.round(turn))) == 1
        and np.allclose(np.round(turn) @ b, a, atol=within)
    )


def seen_by(weights, inputs, length=10):
    return states(weights, sequences(inputs, length, 0, 300))[:, 1:].reshape(-1, weights.width)


@pytest.mark.parametrize("d", range(2, 8))
def test_the_unit_basis_of_a_scrambled_lattice_is_always_found(d):
    rng = np.random.default_rng(d)
    for _ in range(30):
        assert (np.sort(np.abs(shortened(scrambled(d, rng))).ravel())[-d:] == 1).all()
        assert np.abs(shortened(scrambled(d, rng))).sum() == d


def test_the_published_four_points_are_one_and_a_half_times_integers():
    points = np.array([[1.7], [3.2], [6.2], [7.7]])
    best = gcd_lattices(points)[0]
    assert abs(best.basis[0, 0]) == pytest.approx(1.5)
    assert (best.origin[0] - 0.2) / 1.5 == pytest.approx(round((best.origin[0] - 0.2) / 1.5))
    steps = np.diff(best.coordinates(points)[:, 0]) * np.sign(best.basis[0, 0])
    assert steps.tolist() == [1, 2, 1]


@pytest.mark.parametrize("scale", [0.7, 1e-5, 1e5])
@pytest.mark.parametrize("vectors, basis", [([[6], [10], [15]], [[1]]), ([[4], [6]], [[2]]),
    ([[2, 0], [0, 3], [1, 1]], [[1, 0], [0, 1]]), ([[2, 2], [0, 4], [2, 6]], [[2, 2], [0, 4]]),
    ([[2, 4], [3, 6]], [[1, 2]])])  # fmt: skip
def test_a_basis_generates_what_the_vectors_generate_in_any_units(vectors, basis, scale):
    found = common_basis(np.array(vectors, float) * scale, 0.01)
    assert same_lattice(found / scale, np.array(basis))


def test_vectors_with_no_common_measure_have_a_basis_as_small_as_epsilon():
    vectors = np.random.default_rng(0).normal(size=(30, 1))
    found = [abs(common_basis(vectors, epsilon)[0, 0]) for epsilon in (0.1, 0.01, 0.003)]
    assert found == sorted(found, reverse=True) and found[-1] < 0.01 * np.abs(vectors).mean()


def test_vectors_that_are_all_zero_have_no_basis():
    assert common_basis(np.zeros((5, 2)), 0.1) is None


@pytest.mark.parametrize("d, noise", [(1, 0.05), (2, 0.02), (3, 0.01)])
def test_a_lattice_is_found_under_noise(d, noise):
    rng = np.random.default_rng(d)
    z = rng.integers(0, 9, (2000, d))
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0] + 0.2 * rng.normal(size=(d, d))
    z_noisy = z + noise * rng.uniform(-1, 1, z.shape)
    best = gcd_lattices(z_noisy @ basis + rng.normal(size=d))[0]
    assert same_lattice(best.basis, basis, 0.05)


def test_all_points_are_fitted_so_that_far_ones_keep_their_integers():
    rng = np.random.default_rng(3)
    z = rng.integers(0, 100, (3000, 1))
    found = gcd_lattices(0.03 * (z + rng.uniform(-0.25, 0.25, z.shape)))[0]
    coordinates = found.coordinates(0.03 * z) * np.sign(found.basis[0, 0]).astype(int)
    assert len(np.unique(coordinates - z)) == 1


def test_a_shorter_description_comes_first_and_four_dimensions_are_too_many():
    rng = np.random.default_rng(1)
    found = gcd_lattices(rng.integers(0, 9, (500, 1)) + 0.01 * rng.normal(size=(500, 1)))
    assert [x.bits for x in found] == sorted(x.bits for x in found)
    assert gcd_lattices(rng.integers(0, 9, (500, 4)).astype(float)) == []


@pytest.mark.parametrize("make", ["freebody", "spring"])
def test_a_hidden_affine_network_moves_on_a_lattice_from_zero(make):
    weights = weights_of(by_hand.hidden(getattr(by_hand, make)(), 2))
    seen = seen_by(weights, by_hand.PUSH)
    lattice = linear_lattice(weights, seen)
    assert np.allclose(lattice.coordinates(seen) @ lattice.basis, seen)
    assert lattice.error < 1e-6 and not lattice.coordinates(np.zeros(2)).any()


def test_inputs_that_count_two_and_three_make_a_lattice_of_ones():
    weights = weights_of(by_hand.network(([[1, -1.4, -2.1]], [0])))
    lattice = linear_lattice(weights, seen_by(weights, by_hand.PUSHES))
    assert lattice.coordinates(weights.entry.T).tolist() == [[2], [3]]


def test_two_inputs_of_the_magnetic_field_make_a_lattice():
    weights = weights_of(by_hand.hidden(by_hand.magnetic(), 1))
    seen = seen_by(weights, by_hand.PUSHES)
    lattice = linear_lattice(weights, seen)
    assert lattice.error < 1e-6
    assert np.allclose(lattice.coordinates(seen) @ lattice.basis, seen)


def test_a_bias_alone_can_move_the_state():
    weights = weights_of(by_hand.network(([[-1, 0]], [1.3])))
    lattice = linear_lattice(weights, seen_by(weights, by_hand.BIT))
    assert np.abs(lattice.basis) == pytest.approx(1.3)


def test_a_bias_that_is_no_step_of_the_lattice_moves_its_origin():
    weights = weights_of(by_hand.network(([[0, 1]], [0.3])))
    lattice = linear_lattice(weights, seen_by(weights, by_hand.PUSH))
    assert lattice.origin == pytest.approx(0.3) and lattice.basis == pytest.approx(1)
    assert lattice.coordinates(np.zeros(1)) == 0


def test_only_affine_networks_have_a_lattice_of_their_weights():
    weights = weights_of(by_hand.parity())
    assert linear_lattice(weights, np.zeros((1, 1))) is None
    assert unit_lattice(weights, np.zeros((1, 1))) is None
    assert unit_lattice(weights_of(by_hand.spring()), np.ones((3, 2))).basis.tolist() == [
        [1, 0],
        [0, 1],
    ]
    assert unit_lattice(weights_of(by_hand.hidden(by_hand.spring())), np.ones((3, 2))) is None


def test_without_flint_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(SymscopeError, match=r"pip install 'symscope\[extract\]'"):
        shortened(np.eye(2))


def test_a_basis_that_rounding_makes_flat_is_none():
    nearly = 2.54355826e-06  # differences of states of a trained network
    steep = [2.62607129e-01, 2.8357953]
    vectors = np.array([
        [0, -nearly], [0, -2 * nearly], [0, nearly], [0.0707439859, 8.99867927],
        *([steep[0], steep[1] + k * nearly] for k in (3, 0, 1, 4, 2)),
    ])  # fmt: skip
    assert common_basis(vectors, 1e-3) is None
