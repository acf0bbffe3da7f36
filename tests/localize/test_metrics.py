"""Scores of patched runs, on logits written by hand."""

import pytest
import torch

from symscope.localize.metrics import (
    LEAST,
    logit_difference,
    logit_shift,
    normalised,
    probability,
    recovery,
    success,
)

BASE = torch.tensor([[1.0, 4.0, 0.0], [2.0, 0.0, 5.0]])
PATCHED = torch.tensor([[[3.0, 4.0, 0.0], [2.0, 6.0, 5.0]], [[5.0, 4.0, 9.0], [2.0, 0.0, 5.0]]])
ANSWER, OTHER = torch.tensor([0, 1]), torch.tensor([1, 2])


def test_the_shift_is_the_answer_s_logit_less_what_it_was_place_by_place():
    assert logit_shift(PATCHED, BASE, ANSWER).tolist() == [[2.0, 6.0], [4.0, 0.0]]


def test_a_logit_difference_is_between_each_pair_s_own_tokens():
    assert logit_difference(BASE, ANSWER, OTHER).tolist() == [-3.0, -5.0]
    assert logit_difference(PATCHED, ANSWER, OTHER).tolist() == [[-1.0, 1.0], [1.0, -5.0]]


def test_a_probability_is_a_share_of_the_whole_vocabulary():
    found = probability(PATCHED, ANSWER)
    torch.testing.assert_close(found[0, 0], PATCHED[0, 0].softmax(-1)[0])
    assert found.shape == (2, 2)


def test_success_is_to_be_the_first_of_the_whole_vocabulary():
    assert success(PATCHED, ANSWER).tolist() == [[False, True], [False, False]]
    assert success(torch.tensor([[7.0, 4.0, 9.0]]), torch.tensor([0])).tolist() == [False]


def test_recovery_is_zero_where_nothing_moved_and_one_at_the_source():
    source = torch.tensor([[4.0, 1.0, 0.0], [2.0, 3.0, 5.0]])
    runs = torch.stack([BASE, source, (BASE + source) / 2, 2 * source - BASE])
    assert recovery(runs, BASE, source, ANSWER, OTHER).tolist() == [0.0, 1.0, 0.5, 2.0]


@pytest.mark.parametrize("effect", [0.0, LEAST / 2, -LEAST / 2])
def test_recovery_of_no_effect_is_nan_and_not_a_quotient_of_noise(effect):
    source = BASE.clone()
    source[:, 0] += 2 * effect  # the answer of one pair of two
    assert recovery(PATCHED, BASE, source, ANSWER, OTHER).isnan().all()
    source[:, 0] += 4 * LEAST
    assert recovery(PATCHED, BASE, source, ANSWER, OTHER).isfinite().all()


def test_a_map_is_divided_by_its_largest_shift():
    found, divided = normalised(torch.tensor([[1.0, -2.0], [4.0, 0.0]]))
    assert divided and found.tolist() == [[0.25, -0.5], [1.0, 0.0]]


@pytest.mark.parametrize("shifts", [[-1.0, -4.0], [0.0, 0.0]])
def test_a_map_without_a_positive_shift_is_left_as_it_is_and_says_so(shifts):
    found, divided = normalised(torch.tensor(shifts))
    assert not divided and found.tolist() == shifts
