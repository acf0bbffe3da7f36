"""The same work twice is the same to the last bit; and what two threads make is looked at."""

import pytest
import torch
from torch import ones

from reliability.threads import METHODS, _largest, _share, threads


@pytest.mark.parametrize("name", ["extraction", "hypernetwork"])
def test_the_same_twice_on_one_thread_is_the_same_to_the_last_bit(name):
    (one, first), (again, second) = METHODS[name](0), METHODS[name](0)
    assert first == second and one.keys() == again.keys()
    assert all(torch.equal(one[part], again[part]) for part in one)


def test_processes_of_one_and_two_threads_are_compared(tmp_path):
    (found,) = threads(tmp_path, ["extraction"], ["one_and_two"])
    assert found.claim == "reliability.threads.extraction.one_and_two" and found.score == 1


def test_a_tensor_that_differs_in_one_number_is_no_identical_one():
    one, other = {"a": ones(3), "b": ones(2)}, {"a": ones(3), "b": torch.tensor([1.0, 2.0])}
    assert (_share(one, other), _largest(one, other)) == (0.5, 1.0)
    assert (_share(one, one), _largest(one, one)) == (1.0, 0.0)
