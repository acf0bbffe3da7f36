"""Which neurons do the work: patched one by one, estimated, and by their own part alone."""

from functools import cache
from importlib import import_module

import pytest
import torch

from families import folder
from symscope.localize.heuristics import added_to, direct, estimated, exact, ranking
from symscope.models.load import build
from symscope.network import Network
from symscope.task import IGNORE, Pairs
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=8, numbers=16)


@cache
def network_of(family: str) -> Network:
    """Weights large enough that every neuron matters."""
    if family != "own":
        return Network.from_pretrained(folder(family))
    module = build("transformer", len(TASK.vocabulary), 16, 0, layers=2, heads=2)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in module.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=generator)
    return Network(module)


PAIRS = TASK.counterfactuals("all", 20, 0)
EFFECTS = import_module("symscope.localize.heuristics.effects")  # a function has its name


def shift(logits: torch.Tensor, pairs: Pairs) -> torch.Tensor:
    old, new = pairs.labels["answer.base"].tolist(), pairs.target[:, -1].tolist()
    return torch.stack(
        [logits[i, b] - logits[i, a] for i, (a, b) in enumerate(zip(old, new, strict=True))]
    )


@torch.no_grad()
@pytest.mark.parametrize("family", ["own", "llama"])
def test_exact_is_patching_each_neuron_by_hand(family):
    network, named = network_of(family), {0: [3, 11], 1: [20]}
    found = exact(network, PAIRS, named)
    assert list(found) == [0, 1] and [len(v) for v in found.values()] == [2, 1]
    before = shift(network.run(PAIRS.base).output[:, -1], PAIRS)
    for layer, neurons in named.items():
        site = network.layout.site(layer, "neuron")
        there = network.run(PAIRS.source, read=[site]).values[site]
        for number, neuron in enumerate(neurons):

            def put(old: torch.Tensor, there=there, neuron=neuron) -> torch.Tensor:
                new = old.clone()
                new[:, -1, neuron] = there[:, -1, neuron]
                return new

            after = shift(network.run(PAIRS.base, do={site: put}).output[:, -1], PAIRS)
            wanted = float((after - before).mean())
            assert abs(wanted) > 1e-3
            assert float(found[layer][number]) == pytest.approx(wanted, abs=2e-5)


@pytest.mark.parametrize("family", ["own", "llama", "gpt2"])
def test_the_estimate_is_the_change_times_the_gradient(family):
    network, neuron = network_of(family), 5
    found = estimated(network, PAIRS)
    assert [len(v) for v in found.values()] == [network.layout.neurons] * 2
    for layer in (0, 1):
        site = network.layout.site(layer, "neuron")
        values = {}
        for name, tokens in (("base", PAIRS.base), ("source", PAIRS.source)):
            with torch.no_grad():
                values[name] = network.run(tokens, read=[site]).values[site][:, -1, neuron]
        added = torch.zeros(len(PAIRS), requires_grad=True)

        def add(old: torch.Tensor, added=added) -> torch.Tensor:
            step = torch.zeros_like(old)
            step[:, -1, neuron] = 1.0
            return old + step * added[:, None, None]

        with torch.enable_grad(), pytest.warns(UserWarning, match="changed nothing"):
            moved = shift(network.run(PAIRS.base, do={site: add}).output[:, -1], PAIRS)
            (slope,) = torch.autograd.grad(moved.sum(), added)
        wanted = float(((values["source"] - values["base"]) * slope).mean())
        assert float(found[layer][neuron]) == pytest.approx(wanted, abs=1e-5)


def close_by(network: Network, by: float) -> Pairs:
    """Two tokens that are nearly the same to the network, and differ in the answer asked for."""
    with torch.no_grad():
        table = network.module.embed.weight
        table[1] = table[0] + by * (table[2] - table[0])
    base, at = torch.tensor([[3, 16, 0, 20]]), torch.tensor([3])
    source, target = base.clone(), torch.full_like(base, IGNORE)
    source[0, 2], target[0, -1] = 1, 5
    labels = {"answer.base": torch.tensor([9]), "answer.source": torch.tensor([5])}
    return Pairs(base, at, source, at, target, labels)


def test_the_estimate_is_exact_where_base_and_source_hardly_differ():
    module = build("transformer", len(TASK.vocabulary), 16, 0, layers=2, heads=2).double()
    network, errors = Network(module), []
    for by in (1.0, 0.1, 0.01):
        pairs = close_by(network, by)
        guess, true = estimated(network, pairs), exact(network, pairs, {0: range(64), 1: range(64)})
        off = torch.cat([guess[k] - true[k] for k in (0, 1)]).abs().max()
        errors.append(float(off / torch.cat([true[0], true[1]]).abs().max()))
    assert errors[0] > 1e-3 and errors[1] < errors[0] / 5 and errors[2] < errors[1] / 5


@pytest.mark.parametrize("activation", ["gelu", "gated"])
def test_without_a_norm_a_last_neuron_s_own_part_is_all_it_does(activation):
    options = {"layers": 2, "heads": 2, "norm": False, "activation": activation}
    network = Network(build("transformer", len(TASK.vocabulary), 16, 0, **options))
    found, true = direct(network, PAIRS), exact(network, PAIRS, {0: range(64), 1: range(64)})
    assert list(found) == [0, 1]
    torch.testing.assert_close(found[1], true[1], atol=1e-6, rtol=1e-4)
    assert not torch.allclose(found[0], true[0], atol=1e-4)  # later layers make something of it


def test_with_a_norm_a_neuron_s_own_part_is_its_change_times_what_a_unit_adds():
    network, layer, neuron = network_of("own"), 1, 7
    site = network.layout.site(layer, "neuron").at(-1)
    with torch.no_grad():
        here, there = (network.run(x, read=[site]).values[site][:, neuron]
                       for x in (PAIRS.base, PAIRS.source))  # fmt: skip
    added = added_to(network, layer, torch.arange(16))[neuron]
    toward = added[PAIRS.target[:, -1]] - added[PAIRS.labels["answer.base"]]
    wanted = float(((there - here) * toward).mean())
    assert float(direct(network, PAIRS)[layer][neuron]) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("family", ["own", "llama"])
def test_how_many_are_done_at_once_does_not_matter(family, monkeypatch):
    network, named = network_of(family), {0: [1, 2, 3], 1: [4, 5]}
    whole = [exact(network, PAIRS, named), estimated(network, PAIRS)]
    ran = []
    hook = network.modules[network.layout.readout].register_forward_hook(lambda *_: ran.append(1))
    estimated(network, PAIRS)
    once = len(ran)
    monkeypatch.setattr(ranking, "BATCH", 7)
    monkeypatch.setattr(EFFECTS, "HELD", 1)
    parts = [exact(network, PAIRS, named), estimated(network, PAIRS)]
    ran.clear()
    estimated(network, PAIRS)
    hook.remove()
    assert once == 2 and len(ran) == 6  # batches of 7, 7 and 6 pairs
    for one, other in zip(whole, parts, strict=True):
        for layer in (0, 1):
            torch.testing.assert_close(one[layer], other[layer], atol=1e-5, rtol=1e-4)
