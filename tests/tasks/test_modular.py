"""Addition modulo m: every pair once, four in five of them to train on, the rest never drawn."""

import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.task import IGNORE
from symscope.tasks.modular import ModularAddition

TASK = ModularAddition(13)


def as_pairs(prompts: torch.Tensor) -> set[tuple[int, ...]]:
    return {tuple(p) for p in prompts.tolist()}


def test_every_pair_is_there_once_and_the_first_number_varies_slowest():
    prompts = TASK.prompts
    assert prompts[:, :2].tolist() == [[a, b] for a in range(13) for b in range(13)]
    assert prompts.shape == (169, TASK.length) and bool((prompts[:, 2] == 13).all())


SHARES = [(13, 0.8, 135), (59, 0.8, 2785), (7, 0.5, 24)]


@pytest.mark.parametrize(("modulus", "seen", "count"), SHARES)
def test_the_training_set_has_the_share_that_was_asked_for(modulus, seen, count):
    task = ModularAddition(modulus, seen)
    assert int(task.trained_on.sum()) == count == round(seen * modulus**2)
    assert len(task.trained_on) == modulus**2


def test_what_is_drawn_stays_in_its_split_and_all_of_the_split_is_drawn():
    found = {}
    for split in ("train", "test"):
        found[split] = as_pairs(TASK.drawn(5_000, torch.Generator().manual_seed(0), split))
    assert not found["train"] & found["test"]
    assert found["train"] == as_pairs(TASK.prompts[TASK.trained_on])
    assert found["test"] == as_pairs(TASK.prompts[~TASK.trained_on])
    default = as_pairs(TASK.drawn(500, torch.Generator().manual_seed(0)))
    assert default <= found["train"]


def test_the_split_seed_alone_decides_the_split_and_a_generator_the_draw():
    assert torch.equal(TASK.trained_on, ModularAddition(13).trained_on)
    assert not torch.equal(TASK.trained_on, ModularAddition(13, split_seed=1).trained_on)
    one, same, other = (TASK.drawn(50, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_the_answer_is_the_sum_at_the_last_step_and_nothing_is_asked_before():
    target = TASK.correct(TASK.prompts)
    wanted = [(a + b) % 13 for a in range(13) for b in range(13)]
    assert target[:, 2].tolist() == wanted and bool((target[:, :2] == IGNORE).all())
    assert TASK.floors(TASK.prompts) == {"chance": 1 / 13} and TASK.name == "add_mod_13"


@pytest.mark.parametrize("wrong", [{"modulus": 1}, {"modulus": -5}, {"seen": 0.0}, {"seen": 1.0}])
def test_a_modulus_or_a_share_that_leaves_nothing_to_ask_is_refused(wrong):
    with pytest.raises(SymscopeError, match="2 or more, between 0 and 1"):
        ModularAddition(**wrong)


def test_an_unknown_split_names_those_there_are():
    with pytest.raises(UnknownName, match="'train', 'test'"):
        TASK.drawn(3, torch.Generator(), "validation")
