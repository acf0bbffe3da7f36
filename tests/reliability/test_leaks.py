"""After many runs no hook is left and memory is as it was, whatever happened in them."""

import pytest

from reliability.leaks import SUBJECTS, foreign, hooks, leaks

CHEAP = ["read", "do", "raised_in_do", "raised_midway", "dropped"]


def test_a_hundred_runs_of_a_recurrent_network_leave_nothing():
    for found in leaks(100, ["gru"], CHEAP):
        assert found.score == 1, found
        assert set(found.controls.values()) == {0.0}, found  # what is left is seen


@pytest.mark.parametrize("name", ["transformer", "hugging_face"])
def test_sweeps_searches_and_failures_in_decoders_leave_nothing(name):
    for found in leaks(20, [name], ["raised_in_do", "sweep", "das"]):
        assert found.score == 1, found


def test_every_kind_of_hook_is_seen():
    module = SUBJECTS["gru"]().network.modules["rnn"]
    before = hooks(module)
    with foreign(module):
        assert len(hooks(module)) == len(before) + 5
    assert hooks(module) == before
    module.forward = module.forward
    assert len(hooks(module)) == len(before) + 1
