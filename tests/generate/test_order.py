"""Order parameters: known answers, what they do not depend on, and where there are none."""

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.generate.by_hand import by_hand
from symscope.generate.reading import order_parameters, seed_dependence
from symscope.models.perceptron import Weights


def network(first, last=None) -> Weights:
    matrix = torch.tensor(first, dtype=torch.float32)
    units = matrix.shape[1]
    readout = torch.ones(units) if last is None else torch.tensor(last, dtype=torch.float32)
    return Weights((matrix, readout[:, None]), (torch.zeros(units), torch.zeros(1)))


def renumbered(weights: Weights, order: list[int]) -> Weights:
    (first, last), (bias, offset) = weights
    return Weights((first[:, order], last[order]), (bias[order], offset))


def test_double_sidedness_is_over_the_units_of_each_input():
    # input 0: min(−(−1), 3) = 1; input 1: min(2, 1) = 1; the median of |W| is 1.5
    order = order_parameters(network([[3, -1, 2], [1, -2, 1]]))
    assert order.double_sidedness == pytest.approx(1 / 1.5)
    # over the units' inputs instead it would be negative, all entries of unit 0 being positive
    assert order.strongest == 3 and not order.missing.keys() & {"double_sidedness"}


def test_an_input_without_one_side_makes_double_sidedness_negative_but_not_the_repaired_one():
    rows = [[3.0, -3.0]] * 19 + [[3.0, 0.5]]
    order = order_parameters(network(rows))
    assert order.double_sidedness == pytest.approx(-0.5 / 3)
    assert order.most_double_sided == pytest.approx(1)


def test_a_sparse_matrix_has_no_published_double_sidedness_and_the_reason_is_given():
    order = order_parameters(network([[1, -1, 0, 0, 0], [0, 0, 1, -1, 0], [0, 0, 0, 0, 0]]))
    assert order.double_sidedness is None
    assert order.missing["double_sidedness"] == "the median of |W| is 0"
    assert order.most_double_sided == pytest.approx(0.2)  # between inputs of 0, 1 and 1


def test_a_matrix_of_zeros_has_no_order_parameters_but_strengths_of_0():
    order = order_parameters(network([[0, 0], [0, 0]]), network([[0, 0], [0, 0]]))
    assert order.double_sidedness is order.most_double_sided is order.seed_dependence is None
    assert set(order.missing.values()) == {"all weights are 0"}
    assert order.strongest == order.strongest_path == 0


def test_moving_weight_between_layers_changes_the_strongest_weight_but_not_the_strongest_path():
    order = order_parameters(network([[3, -1], [1, -2]], [1, 2]))
    moved = order_parameters(network([[6, -1], [2, -2]], [0.5, 2]))
    assert order.strongest_path == moved.strongest_path == 4
    assert (order.strongest, moved.strongest) == (3, 6)


def test_a_network_depends_on_no_seed_when_it_is_memorised():
    weights = by_hand("double_sided", (4, 12, 1), 0, 0.1)
    assert seed_dependence(weights, weights) == pytest.approx((0, 0))


def test_a_renumbered_copy_is_another_network_only_before_units_are_matched():
    weights = by_hand("double_sided", (4, 12, 1), 0, 0.1)
    raw, matched = seed_dependence(weights, renumbered(weights, [*range(1, 12), 0]))
    assert raw > 0.5 and matched == pytest.approx(0)


def test_independent_networks_have_a_seed_dependence_of_about_1():
    pair = [network(torch.randn(20, 40, generator=torch.Generator().manual_seed(s)).tolist())
            for s in range(2)]  # fmt: skip
    raw, matched = seed_dependence(*pair)
    assert raw == pytest.approx(1, abs=0.15) and matched < raw


def test_one_sampling_seed_gives_no_seed_dependence_and_says_so():
    order = order_parameters(by_hand("convexity", (4, 12, 1), 0))
    assert order.seed_dependence is order.matched_dependence is None
    assert order.missing["seed_dependence"].startswith("one sampling seed")


def test_seed_dependence_refuses_networks_of_different_sizes():
    with pytest.raises(SymscopeError, match=r"\(2, 2, 1\) and \(2, 3, 1\)"):
        seed_dependence(network([[1, 2], [1, 2]]), network([[1, 2, 3], [1, 2, 3]]))


def test_networks_of_another_form_are_refused_with_what_is_asked_for():
    deep = Weights((torch.ones(2, 3), torch.ones(3, 3), torch.ones(3, 1)),
                   (torch.ones(3), torch.ones(3), torch.ones(1)))  # fmt: skip
    wide = Weights((torch.ones(2, 3), torch.ones(3, 2)), (torch.ones(3), torch.ones(2)))
    for other in (deep, wide):
        with pytest.raises(SymscopeError, match=r"one hidden layer and one output"):
            order_parameters(other)
    several = Weights((torch.ones(5, 2, 3), torch.ones(5, 3, 1)), (torch.ones(5, 3),
                      torch.ones(5, 1)))  # fmt: skip
    with pytest.raises(SymscopeError, match=r"5 networks: choose one with \.of"):
        order_parameters(several)
    with pytest.raises(SymscopeError, match="not finite"):
        order_parameters(network([[float("nan"), 1], [1, 1]]))
