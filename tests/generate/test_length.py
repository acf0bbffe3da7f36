"""Bits and counts: known answers, and that what is simple by construction comes out as simple."""

import math

import pytest
import torch

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.generate.by_hand import by_hand
from symscope.generate.length import (
    TOLERANCE,
    code_length,
    description_length,
    selectivity,
    values_needed,
    weights_needed,
)
from symscope.models.perceptron import Weights
from symscope.tasks.functions import function

TASK, SIZES = function("l1_norm", 4), (4, 8, 1)


def gaussian(seed):
    g = torch.Generator().manual_seed(seed)
    return Weights(
        (torch.randn(4, 8, generator=g), torch.randn(8, 1, generator=g)),
        (torch.randn(8, generator=g), torch.randn(1, generator=g)),
    )


def double_sided():
    """Exact but for the gain, with two values in each matrix: weights 4 and out."""
    eye, gain = torch.eye(4), 4.0
    out = torch.full((8, 1), 1 / gain) / TASK.scale
    return Weights(
        (gain * torch.cat([eye, -eye], 1), out), (torch.zeros(8), -TASK.centre / TASK.scale)
    )


@pytest.fixture(scope="module")
def clean():
    return double_sided()


@pytest.fixture(scope="module")
def noisy():
    return by_hand("double_sided", SIZES, seed=0, noise=0.1)


def test_the_code_of_numbers_is_long_enough_to_tell_them_apart():
    for count, kinds in ((1, 1), (10, 2), (40, 5), (200, 200)):
        levels = torch.arange(count) % kinds
        ways = math.lgamma(count + 1) - kinds * math.lgamma(count / kinds + 1)
        assert code_length(levels) > ways / math.log(2)
        shuffled = levels[torch.randperm(count, generator=torch.Generator().manual_seed(0))]
        assert code_length(shuffled) == code_length(levels)
        assert code_length(-levels) == pytest.approx(code_length(levels), abs=2 * 16)


def test_more_kinds_of_numbers_take_more_bits():
    lengths = [code_length(torch.arange(64) % kinds) for kinds in (1, 2, 4, 8, 16, 32)]
    assert lengths == sorted(lengths) and lengths[0] < 5


def test_rounding_costs_no_more_loss_than_is_tolerated(noisy):
    found = description_length(noisy, TASK)
    assert found.after <= (1 + TOLERANCE + 0.02) * found.loss  # on other inputs than chosen on
    outputs = noisy.run(torch.zeros(1, 4)), found.rounded.run(torch.zeros(1, 4))
    assert not torch.equal(*outputs)
    values = torch.cat([m.flatten() for m in found.rounded.matrices])
    assert found.nonzero == int((values != 0).sum())
    assert found.per_weight == pytest.approx(found.bits / (4 * 8 + 8 + 8 + 1))


def test_more_tolerance_takes_fewer_bits(noisy):
    lengths = [description_length(noisy, TASK, t).bits for t in (0.0, 0.02, 0.1, 0.5)]
    assert lengths == sorted(lengths, reverse=True) and lengths[-1] < 0.8 * lengths[0]


def test_few_values_take_fewer_bits_than_many(clean, noisy):
    regular, irregular = (description_length(w, TASK) for w in (clean, noisy))
    assert regular.bits < 0.6 * irregular.bits and regular.levels < irregular.levels
    assert regular.nonzero == 16


def test_the_order_of_the_units_changes_no_bit(noisy):
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    (matrix, out), (inner, outer) = noisy
    turned = Weights((matrix[:, order], out[order]), (inner[order], outer))
    assert description_length(turned, TASK).bits == pytest.approx(
        description_length(noisy, TASK).bits, rel=1e-3
    )
    assert weights_needed(turned, TASK) == weights_needed(noisy, TASK)


def test_what_is_needed_of_a_regular_network_is_what_it_is_made_of(clean, noisy):
    assert weights_needed(clean, TASK) == 16
    assert values_needed(clean, TASK) == 3  # of the first matrix: 4, 0 and −4
    assert values_needed(noisy, TASK) > 3


def test_a_weight_that_does_nothing_is_not_needed(clean):
    (matrix, out), biases = clean
    idle = Weights(
        (torch.cat([matrix, torch.ones(4, 1)], 1), torch.cat([out, torch.zeros(1, 1)])),
        (torch.zeros(9), biases[1]),
    )
    assert weights_needed(idle, TASK) == 16
    assert selectivity(idle).used == 8


def test_owners_read_one_input_and_random_directions_several(clean):
    found, mixed = selectivity(clean), selectivity(gaussian(0))
    assert (found.used, found.owned, found.second, found.participation) == (8, 1, 0, 1)
    assert mixed.owned < 0.6 and mixed.second > 0.3 and mixed.participation > 1.3
    equal = Weights((torch.ones(4, 3), torch.ones(3, 1)), (torch.zeros(3), torch.zeros(1)))
    assert selectivity(equal).participation == pytest.approx(4) and selectivity(equal).owned == 0


def test_a_unit_that_is_hardly_read_does_not_count_among_the_owners(clean):
    (matrix, out), biases = clean
    faint = Weights(
        (torch.cat([matrix, torch.ones(4, 1)], 1), torch.cat([out, out[:1] / 500])), biases
    )
    assert selectivity(faint) == selectivity(clean)


def test_a_network_without_weights_has_no_units_and_few_bits():
    nothing = Weights((torch.zeros(4, 3), torch.zeros(3, 1)), (torch.zeros(3), torch.zeros(1)))
    assert selectivity(nothing).used == 0
    assert weights_needed(nothing, TASK) == 0 and values_needed(nothing, TASK) == 1
    assert description_length(nothing, TASK).bits < 50


def test_several_networks_at_once_and_broken_ones_are_refused(clean):
    both = Weights(*(tuple(torch.stack([p, p]) for p in parts) for parts in clean))
    with pytest.raises(SymscopeError, match=r"choose one with \.of"):
        description_length(both, TASK)
    broken = Weights(clean.matrices, (clean.biases[0], torch.tensor([torch.nan])))
    with pytest.raises(ComputationFailed, match="loss is nan"):
        weights_needed(broken, TASK)


def test_a_network_without_any_loss_has_a_length():
    exact = gaussian(0)

    class Said:
        sample = staticmethod(TASK.sample)
        correct = staticmethod(exact.run)

    found = description_length(exact, Said())
    assert found.loss == 0 and found.after <= 1.1e-6 and found.bits > 0
    assert weights_needed(exact, Said()) > 0
