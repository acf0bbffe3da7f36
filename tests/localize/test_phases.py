"""Plateaus of a training curve, and the step from which it is past half."""

import numpy as np
import pytest

from symscope.evidence import SymscopeError
from symscope.localize.phases import explained, half_onset, onset, plateaus

RISES = [0.12] * 8 + [0.3, 0.45] + [0.57] * 20 + [0.65, 0.75, 0.85, 0.95] + [0.995] * 10
STEPS = [10 * i for i in range(len(RISES))]


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_three_plateaus_are_found_with_the_steps_between_left_out(noise):
    curve = np.array(RISES) + np.random.default_rng(0).normal(0, noise, len(RISES))
    first, second, third = plateaus(STEPS, curve)
    assert abs(first.level - 0.12) < 0.02 and abs(second.level - 0.57) < 0.02
    assert abs(third.level - 0.995) < 0.02
    assert first.first == 0 and first.last == 70
    assert second.first == 100 and second.last == 290
    assert 330 <= third.first <= 340 and third.last == STEPS[-1]


def test_more_pieces_never_explain_less_and_three_are_much_better_than_two():
    shares = [explained(RISES, k) for k in (1, 2, 3, 4)]
    assert shares[0] == pytest.approx(0) and shares == sorted(shares)
    assert shares[2] - shares[1] > 0.2 and shares[3] - shares[2] < 0.05


def test_the_share_explained_asks_for_as_many_checkpoints():
    with pytest.raises(SymscopeError, match="4 plateaus need at least 12"):
        explained([0.0] * 11, 4)


def test_too_few_checkpoints_say_how_many_are_needed():
    with pytest.raises(SymscopeError, match="need at least 9"):
        plateaus([0, 1, 2], [0, 0, 1])


def test_an_onset_has_to_last_for_three_checkpoints():
    assert onset([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 1, 1], 0.5) == 4
    assert onset([1, 2, 3], [0, 0, 1], 0.5) == 3  # to the end
    assert onset([1, 2, 3], [0, 0, 0], 0.5) is None
    assert half_onset([1, 2, 3, 4], [0.0, 0.5, 0.9, 0.8]) == 2
    assert half_onset([1, 2], [0.0, 0.0]) is None
