"""Who owns which unit, and how large the kinks are, in networks where it is known."""

import numpy as np
import pytest
import torch

from symscope.generate.by_hand import by_hand
from symscope.generate.reading import kinks, owners, shares
from symscope.models.perceptron import Weights
from symscope.tasks.functions import function


def network(columns, last, bias) -> Weights:
    """Units given one by one, by their weights from the inputs."""
    first, out, shift = (torch.tensor(v, dtype=torch.float32) for v in (columns, last, bias))
    return Weights((first.T, out[:, None]), (shift, torch.zeros(1)))


def test_a_unit_belongs_to_the_input_with_more_than_twice_the_second_largest_weight():
    found = owners(network([[4, 1.9], [4, 2], [-1, -3], [2, -1.9]], [1] * 4, [0] * 4))
    assert found.owned.tolist() == [0, -1, 1, -1]
    assert found.sign.tolist() == [1, 0, -1, 0]
    assert found.path.tolist() == [4, 0, 3, 0]
    assert found.units(1, -1).tolist() == [2] and not len(found.units(1, 1))


def test_a_unit_that_hardly_reaches_the_output_owns_nothing():
    assert owners(network([[4, 0], [4, 0]], [1, 0.01], [0, 0])).owned.tolist() == [0, -1]


def test_a_unit_that_is_linear_where_the_inputs_are_owns_nothing():
    assert owners(network([[1, 0], [0, 1]], [1, 1], [5, 0])).owned.tolist() == [-1, 1]


def test_units_without_weights_and_a_single_input_are_no_trouble():
    assert owners(network([[0, 0], [0, 0]], [1, 1], [0, 0])).owned.tolist() == [-1, -1]
    assert owners(network([[2], [-1]], [1, 1], [0, 0])).sign.tolist() == [1, -1]


def test_shares_of_inputs_add_up_to_one():
    weights = network([[4, 0, 0], [-4, 0, 0], [0, 3, 0], [0, 0.1, 0.1]], [1, 1, -1, 1], [0] * 4)
    found = shares(owners(weights))
    assert (found.both, found.positive, found.negative, found.none) == (1 / 3, 1 / 3, 0, 1 / 3)
    assert (found.twice, found.once, found.units) == (1 / 3, 1 / 3, 0.75)
    assert found.against == pytest.approx(1 / 3) and found.rule == "mixed"


@pytest.mark.parametrize("algorithm", ["double_sided", "pudding_positive", "pudding_negative"])
def test_shares_alone_name_networks_with_owners_and_without_noise(algorithm):
    for seed in range(5):
        assert shares(owners(by_hand(algorithm, (8, 24, 1), seed))).rule == algorithm


def test_random_directions_of_many_inputs_belong_to_none():
    assert shares(owners(by_hand("convexity", (32, 128, 1), 0))).rule == "convexity"


def test_kinks_have_the_size_and_the_side_of_the_formula():
    slope = 1 / float(function("l1_norm", 8).scale)
    wanted = {
        "double_sided": (1, 1), "pudding_positive": (0, 2), "pudding_negative": (2, 0),
    }  # fmt: skip
    for algorithm, sides in wanted.items():
        found = kinks(owners(by_hand(algorithm, (8, 24, 1), 3))) / slope
        np.testing.assert_allclose(found, np.tile(sides, (8, 1)), atol=0.2)


def test_a_unit_that_takes_away_lessens_the_kink_of_its_input_but_not_below_0():
    weights = network([[4, 0], [1, 0], [0, 4]], [1, -1, -1], [0] * 3)
    assert kinks(owners(weights)).tolist() == [[3, 0], [0, 0]]
