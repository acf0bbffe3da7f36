"""Layouts of least energy: known optima, and no other layout that is tried is better."""

import itertools

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.generate.drawing import (
    energy,
    laid_out,
    laid_out_along,
    pulls_of,
    standard_layouts,
)
from symscope.models.perceptron import Perceptron, Weights


def weights(*sizes: int, seed: int = 0) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    pairs = list(itertools.pairwise(sizes))
    return Weights(
        tuple(torch.randn(a, b, generator=generator) for a, b in pairs),
        tuple(torch.zeros(b) for _, b in pairs),
    )


def constant(value: float, *sizes: int) -> Weights:
    made = weights(*sizes)
    return Weights(tuple(torch.full_like(m, value) for m in made.matrices), made.biases)


def far(positions: torch.Tensor) -> torch.Tensor:
    return torch.pdist(positions)


def test_two_nodes_joined_by_a_weight_are_where_the_energy_is_least():
    """1/r + r² + 2 (r/2)², whatever the weight, since it is the largest of its layer."""
    for value in (0.01, 1.0, -7.0):
        found = laid_out(constant(value, 1, 1), steps=800, restarts=2)
        assert far(found.positions).item() == pytest.approx(3 ** (-1 / 3), abs=1e-3)
        assert found.positions.mean(0).abs().max() < 1e-3
        assert found.energy == pytest.approx(1.5 * 3 ** (1 / 3), abs=1e-4)


def test_three_nodes_without_a_weight_make_a_triangle_of_equal_sides():
    """Σ|x|² is a third of Σ r², so that each side has r³ = 3/2."""
    found = laid_out(constant(0.0, 1, 1, 1), steps=800, restarts=2)
    assert far(found.positions).tolist() == pytest.approx([1.5 ** (1 / 3)] * 3, abs=2e-3)


def test_the_energy_is_the_published_sum():
    made = weights(2, 3, 1)
    places = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
    matrices = [m / m.abs().max() for m in made.matrices]
    joined = [(i, 2 + j, matrices[0][i, j]) for i in range(2) for j in range(3)]
    joined += [(2 + j, 5, matrices[1][j, 0]) for j in range(3)]
    apart = sum(1 / (places[a] - places[b]).norm() for a, b in itertools.combinations(range(6), 2))
    pulled = sum(w.abs() * (places[a] - places[b]).square().sum() for a, b, w in joined)
    wanted = apart + pulled + places.square().sum()
    assert energy(pulls_of(made), places).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_a_layout_cannot_be_made_better_by_a_small_step():
    made = weights(3, 6, 1)
    found = laid_out(made, steps=1500, restarts=3)
    assert found.positions.shape == (10, 2)
    assert found.energy == pytest.approx(energy(pulls_of(made), found.positions).item())
    places = found.positions.clone().requires_grad_()
    energy(pulls_of(made), places).backward()
    assert places.grad.abs().max() < 0.02


def test_a_layout_is_better_than_random_places_and_than_those_of_networkx():
    made = weights(5, 12, 1)
    found = laid_out(made, steps=1000, restarts=3)
    standard = standard_layouts(made)
    assert "spring" in standard
    for layout in standard.values():
        assert layout.positions.shape == (18, 2)
        assert found.energy < layout.energy
    places = torch.randn(200, 18, 2, generator=torch.Generator().manual_seed(0))
    assert found.energy < energy(pulls_of(made), places).min()


def test_the_layouts_of_networkx_are_at_their_best_scale_and_place():
    made = weights(3, 5, 1)
    for layout in standard_layouts(made).values():
        assert layout.positions.mean(0).abs().max() < 1e-5
        for factor in (0.97, 1.03):
            assert energy(pulls_of(made), factor * layout.positions) > layout.energy


def test_more_starts_and_more_steps_find_no_more_energy():
    made = weights(4, 8, 1)
    by_starts = [laid_out(made, steps=300, restarts=n).energy for n in (1, 8)]
    by_steps = [laid_out(made, steps=n, restarts=2).energy for n in (10, 400)]
    assert by_starts[1] <= by_starts[0] and by_steps[1] < by_steps[0]


def test_the_same_seed_draws_the_same_picture_and_touches_no_global_state():
    made = weights(3, 5, 1)
    before = torch.get_rng_state()
    one, same, other = (laid_out(made, seed=s, steps=100, restarts=2) for s in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.positions, same.positions)
    assert not torch.equal(one.positions, other.positions)
    standard = [standard_layouts(made, seed=4)["spring"].positions for _ in range(2)]
    assert torch.equal(*standard)


def test_strongly_joined_nodes_are_near_and_unjoined_ones_far():
    chain = weights(2, 2, 2)
    eye = Weights(tuple(torch.eye(2) for _ in chain.matrices), chain.biases)
    places = laid_out(eye, steps=800, restarts=3).positions
    assert (places[0] - places[2]).norm() < (places[0] - places[3]).norm()
    assert (places[2] - places[4]).norm() < (places[2] - places[5]).norm()


def test_networks_of_a_sequence_move_little_from_one_to_the_next():
    start, end = weights(3, 6, 1), weights(3, 6, 1, seed=1)
    mixed = [
        Weights(tuple(a + t / 4 * (b - a) for a, b in zip(start.matrices, end.matrices,
                                                          strict=True)), start.biases)
        for t in range(5)
    ]  # fmt: skip
    along = laid_out_along(mixed, steps=600, restarts=2)
    alone = [laid_out(w, seed=i, steps=600, restarts=2) for i, w in enumerate(mixed)]
    moved = [[float((b.positions - a.positions).norm()) for a, b in itertools.pairwise(layouts)]
             for layouts in (along, alone)]  # fmt: skip
    assert max(moved[0]) < 0.5 * min(moved[1])
    assert torch.equal(along[0].positions, alone[0].positions)
    assert all(a.energy < 1.1 * b.energy for a, b in zip(along, alone, strict=True))
    assert along[4].energy < energy(pulls_of(mixed[4]), along[0].positions)
    assert laid_out_along([]) == []


def test_weights_of_a_module_can_be_drawn_and_are_left_alone():
    module = Perceptron((2, 3, 1))
    before = [p.detach().clone() for p in module.parameters()]
    assert not laid_out(module.weights, steps=20, restarts=1).positions.requires_grad
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_what_cannot_be_drawn_is_refused():
    many = Weights(tuple(torch.zeros(4, 2, 2) for _ in range(2)), (torch.zeros(4, 2),) * 2)
    with pytest.raises(
        SymscopeError, match=r"weights of 4 networks: choose one with \.of\(index\)"
    ):
        laid_out(many)
    with pytest.raises(SymscopeError, match="layer 1 has a weight that is not finite"):
        made = weights(2, 2, 1)
        made.matrices[1][0, 0] = torch.nan
        laid_out(made)
    with pytest.raises(SymscopeError, match=r"sizes \[\(2, 2, 1\), \(2, 3, 1\)\]: .* one size"):
        laid_out_along([weights(2, 3, 1), weights(2, 2, 1)])
