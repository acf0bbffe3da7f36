"""Ordinary training and pruning: what is promised of the networks that others are compared with."""

from dataclasses import replace

import pytest
import torch

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.generate.baselines import (
    NEAR,
    Inputs,
    Plan,
    loss_of,
    nonzero,
    train_perceptron,
    untrained,
    with_l1_at,
)
from symscope.generate.by_hand import by_hand
from symscope.generate.pruning import least_cut, pruned_to
from symscope.models.perceptron import Weights
from symscope.tasks.functions import function

TASK, SIZES = function("l1_norm", 2), (2, 6, 1)
SHORT = Plan(steps=600, batch=128, rate=1e-2)


def equal(one, other):
    return all(
        torch.equal(a, b)
        for pair in zip(one, other, strict=True)
        for a, b in zip(*pair, strict=True)
    )


@pytest.fixture(scope="module")
def many():
    """Two seeds, without and with a penalty, in this order."""
    return train_perceptron(TASK, SIZES, [0, 1], [0.0, 1e-2], SHORT)


def test_training_brings_the_loss_down_for_every_seed(many):
    before = [float(loss_of(untrained(SIZES, seed), TASK)) for seed in (0, 1)]
    after = loss_of(many, TASK).tolist()
    assert min(before) > 0.5 and max(after[0], after[2]) < 0.2


def test_a_penalty_makes_the_weights_smaller(many):
    size = sum(m.abs().sum((1, 2)) for m in many.matrices)
    assert size[1] < 0.9 * size[0] and size[3] < 0.9 * size[2]


def test_training_again_gives_the_same_to_the_last_bit(many):
    assert equal(train_perceptron(TASK, SIZES, [0, 1], [0.0, 1e-2], SHORT), many)


def test_a_network_does_not_depend_on_what_trains_beside_it():
    few = replace(SHORT, steps=20)
    alone = train_perceptron(TASK, SIZES, [1], [1e-2], few).of(0)
    beside = train_perceptron(TASK, SIZES, [0, 1], [0.0, 1e-2], few).of(3)
    for parts, others in zip(alone, beside, strict=True):
        for part, other in zip(parts, others, strict=True):
            assert torch.allclose(part, other, atol=1e-4)


def test_seeds_differ_in_start_and_in_inputs_and_penalties_do_not():
    stream = Inputs(TASK, [3, 3, 4], 16)
    x, y = stream.next()
    again, _ = stream.next()
    assert torch.equal(x[0], x[1]) and not torch.equal(x[0], x[2])
    assert not torch.equal(x, again) and torch.allclose(y[2], TASK.correct(x[2]))
    assert not equal(untrained(SIZES, 3), untrained(SIZES, 4))


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train_perceptron(TASK, SIZES, [0], plan=Plan(2, 8))
    assert torch.equal(torch.rand(1), expected)


def test_a_loss_that_is_no_number_names_the_seed_and_the_step():
    with pytest.raises(ComputationFailed, match=r"loss of seed 7 is .* at training step"):
        train_perceptron(TASK, SIZES, [7], plan=Plan(300, 32, rate=1e30))


@pytest.mark.parametrize(("seeds", "penalties"), [([], [0.0]), ([0], []), ([0], [-1.0])])
def test_penalties_below_nothing_and_no_seeds_are_refused(seeds, penalties):
    with pytest.raises(SymscopeError, match="no penalty below 0"):
        train_perceptron(TASK, SIZES, seeds, penalties)


def test_a_penalty_is_found_for_the_loss_that_is_asked_for():
    found = with_l1_at(0.1, TASK, SIZES, seed=0, plan=SHORT)
    assert 0.1 <= found.loss <= 0.1 * (1 + 2 * NEAR) and found.penalty > 0
    assert found.loss == pytest.approx(float(loss_of(found.weights, TASK)))
    assert found.equal == (found.loss <= 0.1 * (1 + NEAR))


def test_a_loss_that_no_penalty_reaches_is_refused():
    with pytest.raises(SymscopeError, match="the loss stays below 3"):
        with_l1_at(3.0, TASK, SIZES, plan=Plan(5, 16))


def test_pruning_leaves_few_weights_and_no_idle_units():
    dense = by_hand("double_sided", (2, 8, 1), seed=0, noise=0.05)
    found = pruned_to(dense, TASK, 0.05, seed=0, steps=100, batch=256)
    assert found.loss <= found.asked == 0.05
    assert found.kept == nonzero(found.weights) <= 12 < nonzero(dense)
    matrix, out = found.weights.matrices
    idle = (matrix == 0).all(0)
    assert bool(idle.any()) and torch.equal(idle, (out == 0).all(1))
    assert not found.weights.biases[0][idle].any()


def test_a_unit_that_reads_nothing_or_is_not_read_goes_altogether():
    weights = Weights(
        (torch.tensor([[1e-3, 2.0, 5.0], [2e-3, 3.0, 5.0]]), torch.ones(3, 1)),
        (torch.zeros(3), torch.zeros(1)),
    )
    read = torch.tensor([[True], [True], [False]])
    into, out = least_cut(weights, [torch.ones(2, 3).bool(), read], 2)
    assert into.any(0).tolist() == out[:, 0].tolist() == [False, True, False]


def test_pruning_asks_for_a_loss_that_the_network_has():
    dense = by_hand("double_sided", (2, 8, 1), seed=0)
    with pytest.raises(SymscopeError, match="before it is pruned: ask for at least that"):
        pruned_to(dense, TASK, 1e-9)


def test_the_loss_of_a_network_that_says_nothing_is_one():
    nothing = Weights((torch.zeros(2, 3), torch.zeros(3, 1)), (torch.zeros(3), torch.zeros(1)))
    assert float(loss_of(nothing, TASK)) == pytest.approx(1, abs=0.03)
