"""Silencing the neurons of a pattern, in a network in which it is known what they are for."""

import pytest
import torch

from symscope.localize.heuristics import Bag, Knocked, by_pattern
from symscope.models.load import build
from symscope.network import Network
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=12, numbers=24)
PROMPTS = TASK.prompts()
FIRST = PROMPTS[:, 0]
HAS = torch.stack([rest == FIRST % 3 for rest in range(3)] + [FIRST >= 0])
EACH = 10
RIGHT, WRONG = 1, 0


def by_hand() -> Network:
    """Answers 1 as long as a neuron is awake whose pattern the prompt has, else 0.

    Neuron n fires on a first operand of n mod 3: `EACH` neurons for each of three patterns.
    """
    form = {"layers": 1, "heads": 1, "norm": False, "activation": "relu"}
    module = build("transformer", len(TASK.vocabulary), 8, 0, **form)
    block = module.blocks[0]
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
        for number in range(12):
            module.embed.weight[number, number % 3] = 1.0
        block.attention.v.weight.copy_(torch.eye(8))
        block.attention.out.weight.copy_(torch.eye(8))  # the mean of all steps, to the last one
        for neuron in range(3 * EACH):
            block.mlp[0].weight[neuron, neuron % 3] = 1.0
            block.mlp[2].weight[7, neuron] = 1.0
        module.readout.weight[RIGHT, 7] = 1.0
        module.readout.bias[WRONG] = 1e-3
    return Network(module)


def without_second(prompts: torch.Tensor) -> torch.Tensor:
    """The prompts with a sign where the second operand was: the first alone is seen."""
    alone = prompts.clone()
    alone[:, 2] = TASK.equals
    return alone


SEEN, ANSWERS = without_second(PROMPTS), torch.full((len(PROMPTS),), RIGHT)


def bag(share: torch.Tensor) -> Bag:
    return Bag(torch.arange(len(share)), share, torch.ones(len(share), len(PROMPTS)))


def shares(neurons: int = 3 * EACH) -> torch.Tensor:
    found = torch.zeros(neurons, len(HAS))
    found[torch.arange(neurons), torch.arange(neurons) % 3] = 0.9
    return found


def test_the_neurons_of_a_pattern_break_exactly_the_prompts_that_have_it():
    found = list(by_pattern(by_hand(), SEEN, ANSWERS, {0: bag(shares())}, HAS))
    assert [k.heuristic for k in found] == [0, 1, 2]
    for knocked in found:
        count = int(HAS[knocked.heuristic].sum())
        assert knocked == Knocked(
            knocked.heuristic, EACH, (count, 0, count), (144 - count, 144 - count, 144 - count)
        )
        assert knocked.specificity == 1 and knocked.error == 0


def test_neurons_of_another_pattern_break_others_alone():
    turned = shares().roll(1, 1)  # labelled with the pattern before their own
    turned[:, 0], turned[:, 3] = turned[:, 3].clone(), 0
    found = list(by_pattern(by_hand(), SEEN, ANSWERS, {0: bag(turned)}, HAS))
    assert len(found) == 3
    for knocked in found:
        assert knocked.having[0] == knocked.having[1] == knocked.having[2] == 48
        assert knocked.others == (96, 48, 96)
        assert knocked.specificity == -0.5


def test_neurons_that_stay_awake_leave_the_answer_as_it_was():
    """Of three patterns' neurons all but one each are silenced."""
    found = list(by_pattern(by_hand(), SEEN, ANSWERS, {0: bag(shares(27))}, HAS, least=9))
    assert [k.neurons for k in found] == [9, 9, 9] and [k.specificity for k in found] == [0, 0, 0]


@pytest.mark.parametrize(("least", "count"), [(1, 4), (5, 4), (6, 3), (10, 3), (11, 0)])
def test_only_patterns_with_neurons_enough_are_asked(least, count):
    share = shares()
    share[:5, 3] = 0.7
    found = list(by_pattern(by_hand(), SEEN, ANSWERS, {0: bag(share)}, HAS, least))
    assert len(found) == count
    if count == 4:
        assert found[3].neurons == 5 and found[3].others == (0, 0, 0)
        assert found[3].specificity == 0  # no prompt is without it, so none fell


def test_neurons_are_counted_and_silenced_in_all_layers_together():
    module = build("transformer", len(TASK.vocabulary), 8, 0, layers=2, heads=2)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in module.parameters():
            weight += 0.5 * torch.randn(weight.shape, generator=generator)
    network, halves = Network(module), shares(12)
    bags = {0: bag(halves), 1: Bag(torch.arange(12) + 5, halves, torch.ones(12, 144))}
    found = list(by_pattern(network, PROMPTS, TASK.answers(PROMPTS), bags, HAS, 8))
    assert [k.neurons for k in found] == [8, 8, 8]
    sites = {layer: network.layout.site(layer, "neuron").at(-1) for layer in (0, 1)}

    def silent(value: torch.Tensor, neurons: torch.Tensor) -> torch.Tensor:
        value = value.clone()
        value[:, neurons] = 0
        return value

    kept = torch.arange(0, 12, 3)  # those of pattern 0

    def saying(shift: int) -> torch.Tensor:
        do = {sites[0]: lambda v: silent(v, kept), sites[1]: lambda v: silent(v, kept + shift)}
        return network.run(PROMPTS, do=do).output[:, -1].argmax(-1)

    said = saying(5)
    assert not torch.equal(said, saying(0))
    again = next(by_pattern(network, PROMPTS, said, bags, HAS, 8))
    assert again.having[1:] == (48, 48) and again.others[1:] == (96, 96)


def test_the_error_is_that_of_the_difference_of_two_shares():
    knocked = Knocked(0, 10, (90, 40, 100), (180, 160, 200))
    assert knocked.specificity == pytest.approx(0.5 - 0.1)
    assert knocked.error == pytest.approx((0.5 * 0.5 / 100 + 0.1 * 0.9 / 200) ** 0.5)
    gained = Knocked(0, 10, (40, 90, 100), (180, 160, 200))
    assert gained.specificity == pytest.approx(-0.5 - 0.1)
    assert gained.error == pytest.approx(knocked.error)
