"""Silenced neurons: who is chosen for a prompt, beside whom, and what it does to the answer."""

import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.localize.heuristics.knockout import CONTROLS, Bag, chosen, silenced, widened
from symscope.models.load import build
from symscope.network import Network

HAS = torch.tensor([[True, False, True], [False, True, True], [False, False, False]])
SHARE = torch.tensor([[0.9, 0.0, 0.0], [0.7, 0.0, 0.0], [0.0, 0.8, 0.0], [0.0, 0.0, 0.95],
                      [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # fmt: skip
ACTIVE = torch.tensor([[5.0, 1.0, 2.0], [1.0, 1.0, 4.0], [0.0, 3.0, 1.0], [4.8, 0.0, 0.0],
                       [1.2, 2.0, 3.9], [0.1, 2.9, 0.5]])  # fmt: skip
BAG = Bag(torch.tensor([10, 11, 12, 13, 14, 15]), SHARE, ACTIVE)


def test_a_neuron_fits_a_prompt_by_its_best_pattern_that_the_prompt_has():
    wanted = [[0.9, 0, 0.9], [0.7, 0, 0.7], [0, 0.8, 0.8], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    torch.testing.assert_close(BAG.fit(HAS), torch.tensor(wanted))


def test_the_best_fitting_are_chosen_and_no_more_than_match():
    one, two = chosen(BAG, BAG.fit(HAS), 1), chosen(BAG, BAG.fit(HAS), 2)
    assert [row.nonzero()[:, 0].tolist() for row in one] == [[0], [2], [0]]
    assert [row.nonzero()[:, 0].tolist() for row in two] == [[0, 1], [2], [0, 2]]


@pytest.mark.parametrize("which", CONTROLS)
def test_controls_silence_as_many_and_none_that_match(which):
    matching = chosen(BAG, BAG.fit(HAS), 2)
    found = chosen(BAG, BAG.fit(HAS), 2, which, seed=3)
    assert found.sum(1).tolist() == matching.sum(1).tolist()
    if which != "any":
        assert not bool((found & (BAG.fit(HAS).T > 0)).any())


def test_the_most_active_and_the_ones_as_active():
    most = chosen(BAG, BAG.fit(HAS), 2, "most active")
    assert most[0].nonzero()[:, 0].tolist() == [3, 4]  # 4.8 and 1.2, not the matching 5.0
    same = chosen(BAG, BAG.fit(HAS), 2, "as active")
    assert same[0].nonzero()[:, 0].tolist() == [3, 4]  # 4.8 for 5.0, then 1.2 for 1.0
    assert same[1].nonzero()[:, 0].tolist() == [5]  # 2.9 for 3.0


def test_random_ones_differ_from_seed_to_seed_and_prompt_to_prompt():
    many = Bag(torch.arange(40), torch.cat([SHARE[:1].expand(2, -1), torch.zeros(38, 3)]),
               torch.rand(40, 3))  # fmt: skip
    first, again, other = (chosen(many, many.fit(HAS), 2, "random", seed) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert not torch.equal(first[0], first[2])
    with pytest.raises(UnknownName, match="neurons"):
        chosen(BAG, BAG.fit(HAS), 1, "loudest")


def test_silenced_neurons_are_silent_at_the_last_step_of_their_prompts_alone():
    network = Network(build("transformer", 9, 8, 0, layers=2, heads=2))
    tokens = torch.randint(9, (3, 4), generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(3, 32, dtype=torch.bool)
    mask[0, 4] = mask[2, 7] = True
    site = network.layout.site(0, "neuron").at(-1)
    with torch.no_grad():
        plain = network.run(tokens, read=[site])
        for value in (0.0, 1.5):
            new = plain.values[site].clone()
            new[0, 4] = new[2, 7] = value
            wanted = network.run(tokens, do={site: lambda _, n=new: n}).output[:, -1]
            means = None if value == 0 else {0: torch.full((32,), value)}
            found = silenced(network, tokens, {0: mask}, means)
            torch.testing.assert_close(found, wanted)
            torch.testing.assert_close(found[1], plain.output[1, -1])


def test_a_choice_among_the_bag_is_one_among_the_layer():
    found = widened(chosen(BAG, BAG.fit(HAS), 2), BAG, 20)
    assert found.shape == (3, 20) and found[0].nonzero()[:, 0].tolist() == [10, 11]
