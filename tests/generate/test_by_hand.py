"""Networks written by hand: each computes its function, by the algorithm that it is said to."""

from itertools import pairwise

import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.generate.by_hand import ALGORITHMS, by_hand
from symscope.generate.by_hand_other import BY_HAND, by_hand_other
from symscope.tasks.functions import function

SIZES = (8, 24, 1)
FRESH = torch.Generator().manual_seed(999)
INPUTS = function("l1_norm", 8).sample(5_000, FRESH)
RIGHT = function("l1_norm", 8).correct(INPUTS)
OTHER = [(name, algorithm) for name, algorithms in BY_HAND.items() for algorithm in algorithms]


def error(weights, inputs=INPUTS, activation="silu"):
    right = function("l1_norm", inputs.shape[1]).correct(inputs)
    return float((weights.run(inputs, activation) - right).square().mean())


def owners(weights):
    """For each input the signs of the units that read no other but a little."""
    matrix = weights.matrices[0]
    found = [set() for _ in matrix]
    largest, second = matrix.abs().topk(2, dim=0).values
    for unit in (largest > 2 * second).nonzero()[:, 0].tolist():
        i = int(matrix[:, unit].abs().argmax())
        if largest[unit] > 1:
            found[i].add(int(matrix[i, unit].sign()))
    return found


WORST = [("double_sided", 0.02), ("pudding", 0.05)]


@pytest.mark.parametrize(("algorithm", "worst"), WORST)
def test_a_network_with_kinks_at_each_input_computes_the_norm(algorithm, worst):
    assert max(error(by_hand(algorithm, SIZES, seed)) for seed in range(30)) < worst


def test_convexity_comes_near_what_the_radius_says_and_not_below():
    many = [error(by_hand("convexity", (8, 96, 1), seed)) for seed in range(15)]
    few = [error(by_hand("convexity", SIZES, seed)) for seed in range(15)]
    assert min(many) > 0.09 and sum(many) / 15 < 0.115 < sum(few) / 15 < 0.15


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_noise_costs_and_more_of_it_costs_more(algorithm):
    losses = [sum(error(by_hand(algorithm, SIZES, s, noise)) for s in range(12)) / 12
              for noise in (0, 0.1, 0.3)]  # fmt: skip
    assert losses[0] + 0.003 < losses[1] < losses[2] - 0.01 and losses[2] < 0.3


@pytest.mark.parametrize("seed", range(8))
def test_double_sided_has_units_of_both_signs_for_every_input(seed):
    weights = by_hand("double_sided", SIZES, seed, noise=0.1)
    assert owners(weights) == [{1, -1}] * 8


@pytest.mark.parametrize("seed", range(8))
def test_pudding_has_units_of_one_sign_and_others_with_a_large_bias(seed):
    weights = by_hand("pudding", SIZES, seed, noise=0.1)
    signs = owners(weights)
    assert signs in ([{1}] * 8, [{-1}] * 8)
    rest = weights.biases[0] > 2
    assert rest.any()
    linear = weights.matrices[0][:, rest] @ weights.matrices[1][rest, 0]
    assert bool((linear.sign() == -next(iter(signs[0]))).all())


def test_the_sign_of_a_pudding_can_be_asked_for_and_is_otherwise_either():
    assert owners(by_hand("pudding_positive", SIZES, 0)) == [{-1}] * 8
    assert owners(by_hand("pudding_negative", SIZES, 0)) == [{1}] * 8
    signs = [owners(by_hand("pudding", SIZES, seed))[0] for seed in range(12)]
    assert {1} in signs and {-1} in signs


@pytest.mark.parametrize("sizes", [SIZES, (8, 9, 1), (3, 12, 1), (1, 3, 1)])
def test_the_directions_of_convexity_cancel_and_favour_none(sizes):
    for seed in range(6):
        matrix = by_hand("convexity", sizes, seed).matrices[0]
        spread = matrix @ matrix.T
        assert matrix.sum(1).abs().max() < 1e-4 * matrix.abs().max() * sizes[1]
        assert torch.allclose(spread / spread[0, 0], torch.eye(sizes[0]), atol=1e-4)


def test_turning_the_inputs_matters_to_double_sided_and_not_to_convexity():
    turn = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(1))).Q

    def ratio(algorithm):
        weights = by_hand(algorithm, (8, 48, 1), 0)
        turned = weights._replace(matrices=(turn @ weights.matrices[0], weights.matrices[1]))
        return error(turned) / error(weights)

    assert ratio("double_sided") > 3 and 0.8 < ratio("convexity") < 1.25


@pytest.mark.parametrize("algorithm", ["double_sided", "pudding"])
def test_in_some_networks_inputs_have_two_or_three_units_and_in_some_few_have(algorithm):
    units = []
    for seed in range(15):
        weights = by_hand(algorithm, SIZES, seed)
        matrix = weights.matrices[0]
        largest, second = matrix.abs().topk(2, dim=0).values
        units.append(int(((largest > 2 * second) & (largest > 1)).sum()))
    fewest = 16 if algorithm == "double_sided" else 8
    assert min(units) <= fewest + 2 and max(units) >= fewest + 4


def test_owners_push_the_answer_up():
    for seed in range(6):
        weights = by_hand("double_sided", SIZES, seed, noise=0.2)
        large = weights.matrices[0].abs().amax(0) > 1
        assert bool((weights.matrices[1][large] > 0).all())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_seed_says_everything_and_the_global_generator_nothing(algorithm):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, other = by_hand(algorithm, SIZES, 3, 0.1), by_hand(algorithm, SIZES, 4, 0.1)
    assert torch.equal(torch.get_rng_state(), before)
    again = by_hand(algorithm, SIZES, 3, 0.1)
    for parts, repeated in zip(one, again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(parts, repeated, strict=True))
    assert not torch.allclose(one.matrices[0], other.matrices[0])
    assert one.sizes == SIZES and one.matrices[0].dtype == torch.float32


@pytest.mark.parametrize(("algorithm", "fewest"), [("double_sided", 8), ("pudding", 5)])
def test_as_many_units_as_the_algorithm_takes_suffice_and_one_less_is_refused(algorithm, fewest):
    inputs = INPUTS[:, :4]
    assert error(by_hand(algorithm, (4, fewest, 1), 0), inputs) < 0.03
    with pytest.raises(SymscopeError, match=f"{fewest - 1} hidden units: .* takes {fewest}"):
        by_hand(algorithm, (4, fewest - 1, 1), 0)


def test_what_cannot_be_written_is_refused():
    with pytest.raises(UnknownName, match="'double_sided', 'pudding', 'convexity'"):
        by_hand("single_sided", SIZES, 0)
    with pytest.raises(UnknownName, match="'silu', 'relu'"):
        by_hand("pudding", SIZES, 0, activation="gelu")
    for sizes in ((8, 24, 2), (8, 24, 24, 1)):
        with pytest.raises(SymscopeError, match=r"\(inputs, hidden, 1\)"):
            by_hand("pudding", sizes, 0)
    for noise in (-0.1, float("nan"), float("inf")):
        with pytest.raises(SymscopeError, match="0 or more"):
            by_hand("pudding", SIZES, 0, noise=noise)
    with pytest.raises(SymscopeError, match="takes 9 or more"):
        by_hand("convexity", (8, 8, 1), 0)


def score(name, algorithm, hidden, seed, noise=0.0, activation="relu"):
    task = function(name)
    weights = by_hand_other(name, algorithm, (task.inputs, hidden, task.outputs), seed, noise,
                            activation)  # fmt: skip
    inputs = task.sample(4_000, torch.Generator().manual_seed(999))
    found = weights.run(inputs, activation)
    return float((found - task.correct(inputs)).square().mean())


@pytest.mark.parametrize(("name", "algorithm"), OTHER)
def test_each_other_function_is_computed_by_two_algorithms(name, algorithm):
    assert len(BY_HAND[name]) >= 2
    assert max(score(name, algorithm, 24, seed) for seed in range(12)) < 0.01
    assert min(score(name, algorithm, 24, seed, activation="silu") for seed in range(12)) < 0.01
    clean, noisy = (sum(score(name, algorithm, 24, s, noise) for s in range(12))
                    for noise in (0, 0.3))  # fmt: skip
    assert noisy > 4 * clean


EXACT = [
    ("maximum", "difference", 3), ("maximum", "both_sides", 4), ("sorted_two", "difference", 5),
    ("sorted_two", "both_sides", 4), ("parity_3", "count", 3), ("parity_3", "table", 4),
    ("modular_addition", "piecewise", 3), ("modular_addition", "table", 18),
]  # fmt: skip


@pytest.mark.parametrize(("name", "algorithm", "units"), EXACT)
def test_with_no_unit_to_spare_a_function_of_straight_pieces_is_exact(name, algorithm, units):
    assert score(name, algorithm, units, 0) < 1e-8
    with pytest.raises(SymscopeError, match=f"takes {units} or more"):
        score(name, algorithm, units - 1, 0)


def test_the_three_units_of_a_table_s_entry_are_fitted_as_one():
    units = BY_HAND["modular_addition"]["table"](2, 18, torch.Generator().manual_seed(0))
    assert units.part.bincount().tolist() == [3] * 6


def test_more_pieces_follow_squares_more_closely():
    losses = [score("sum_of_squares", "squares", hidden, 0) for hidden in (8, 16, 24, 40)]
    assert all(a > 2 * b for a, b in pairwise(losses))


def test_rotated_squares_own_no_input():
    weights = by_hand_other("sum_of_squares", "rotated", (4, 24, 1), 0)
    largest, second = weights.matrices[0].abs().topk(2, dim=0).values
    assert float((largest > 2 * second).float().mean()) < 0.2


def test_other_functions_that_cannot_be_written_are_refused():
    with pytest.raises(UnknownName, match="'maximum', 'sorted_two'"):
        by_hand_other("l1_norm", "pudding", SIZES, 0)
    with pytest.raises(UnknownName, match="'difference', 'both_sides'"):
        by_hand_other("maximum", "sum", (2, 8, 1), 0)
    with pytest.raises(SymscopeError, match=r"\(2, hidden, 2\)"):
        by_hand_other("sorted_two", "difference", (2, 8, 1), 0)
    with pytest.raises(SymscopeError, match="has 2 inputs, not 3"):
        by_hand_other("maximum", "difference", (3, 8, 1), 0)
