"""Activation maps in groups that fit into memory, and what a neuron adds to an answer."""

from dataclasses import replace

import pytest
import torch

from families import folder
from symscope.evidence import SymscopeError
from symscope.localize.heuristics.maps import added_to, added_up, neuron_maps
from symscope.models.load import build
from symscope.network import Network
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=10, numbers=20)
PROMPTS = TASK.prompts()


def small(**options) -> Network:
    return Network(build("transformer", len(TASK.vocabulary), 8, 0, layers=3, heads=2, **options))


def everything(network, **options) -> dict:
    found: dict = {}
    for layer, neurons, maps in neuron_maps(network, PROMPTS, **options):
        found |= {(layer, int(n)): m for n, m in zip(neurons, maps, strict=True)}
    return found


def test_maps_are_the_activations_at_the_last_step_however_they_are_grouped():
    network = small(activation="gated")
    site = network.layout.site(1, "neuron").at(-1)
    with torch.no_grad():
        truth = network.run(PROMPTS, read=[site]).values[site]
    whole = everything(network)
    assert len(whole) == 3 * 32
    torch.testing.assert_close(torch.stack([whole[1, n] for n in range(32)], 1), truth)
    for budget in (1, 4 * 100 * 5, 4 * 100 * 40):
        parts = everything(network, budget=budget, batch=7)
        assert parts.keys() == whole.keys()
        assert all(torch.allclose(parts[k], whole[k], atol=1e-5) for k in whole)


def test_a_gated_neuron_is_silu_of_its_gate_times_what_comes_up():
    block = small(activation="gated").module.blocks[0]
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    gate, up = block.mlp[0](x).split(32, 1)
    torch.testing.assert_close(block.mlp[1](block.mlp[0](x)), gate * gate.sigmoid() * up)


@pytest.mark.parametrize(
    ("budget", "passes"), [(4 * 100 * 96, 1), (4 * 100 * 40, 3), (4 * 100 * 10, 12)]
)
def test_a_group_s_maps_fit_into_the_budget(budget, passes):
    network, ran = small(), []
    network.module.embed.register_forward_hook(lambda *_: ran.append(1))
    sizes: list[int] = [m.numel() * 4 for _, _, m in neuron_maps(network, PROMPTS, budget=budget)]
    assert len(ran) == passes and max(sizes) <= budget


def test_some_neurons_of_some_layers():
    found = everything(small(), neurons={2: [5, 1]})
    assert list(found) == [(2, 5), (2, 1)]


def test_what_is_no_number_is_said_with_layer_and_neuron():
    network = small()
    with torch.no_grad():
        network.module.blocks[1].mlp[0].bias[4] = torch.nan
    with pytest.raises(SymscopeError, match="layer 1, neuron 4"):
        everything(network)


def test_a_network_without_a_layout_is_refused():
    with pytest.raises(SymscopeError, match="layout of a Linear is not known"):
        everything(Network(torch.nn.Linear(2, 2)))


@pytest.mark.parametrize("family", ["own", "gpt2", "gemma", "llama"])
def test_in_the_last_block_a_unit_adds_what_the_readout_makes_of_it(family):
    """Up to the norm's scale: the difference a small change makes, at one prompt."""
    network = small() if family == "own" else Network.from_pretrained(folder(family))
    layout = network.layout
    last, tokens = layout.layers - 1, torch.tensor([[3, 5, 7]])
    network.module.double()
    site = layout.site(last, "neuron").at(-1)
    answers = torch.arange(10)
    found = added_to(network, last, answers)
    for neuron in (0, 5):
        logits = []
        for step in (-1e-4, 1e-4):
            add = torch.zeros(layout.neurons, dtype=torch.double)
            add[neuron] = step
            with torch.no_grad():
                logits.append(network.run(tokens, do={site: lambda x, a=add: x + a}).output[0, -1])
        slope = (logits[1] - logits[0]) / 2e-4
        slope = (slope - slope.mean())[:10].float()
        # what is along the stream itself changes the scale instead: compare without it
        norm, readout = (network.modules[path] for path in (layout.norm, layout.readout))
        shift = getattr(norm, "bias", None)
        constant = readout(torch.zeros_like(readout.weight[0]) if shift is None else shift)
        natural = (network.run(tokens).output[0, -1] - constant).detach()
        natural = (natural - natural.mean())[:10].float()
        basis = torch.stack([found[neuron], natural], 1)
        fit = torch.linalg.lstsq(basis, slope[:, None]).solution
        assert float(fit[0]) > 0
        torch.testing.assert_close(
            (basis @ fit)[:, 0], slope, atol=2e-2 * slope.abs().max(), rtol=0
        )


def test_all_neurons_and_the_rest_of_the_stream_add_up_to_the_logits():
    module = build("transformer", len(TASK.vocabulary), 8, 0, layers=1, heads=2, norm=False)
    network, answers = Network(module), torch.arange(len(TASK.vocabulary))
    maps = {layer: (neurons, m) for layer, neurons, m in neuron_maps(network, PROMPTS)}
    logits = network.run(PROMPTS).output[:, -1].detach()
    block = module.blocks[0]
    before = module.embed(PROMPTS)
    rest = (before + block.attention(before))[:, -1] + block.mlp[2].bias  # no neuron's
    own = module.readout(rest).detach()
    found = added_up(network, maps, answers)
    torch.testing.assert_close(
        found + own - own.mean(1, keepdim=True), logits - logits.mean(1, keepdim=True),
        atol=1e-5, rtol=1e-4,
    )  # fmt: skip


def test_what_neurons_add_is_summed_over_layers_and_over_those_named():
    network, answers = small(), torch.tensor([4, 1])
    maps = {layer: (neurons, m) for layer, neurons, m in neuron_maps(network, PROMPTS)}
    some = {layer: (n[[3, 9]], m[[3, 9]]) for layer, (n, m) in maps.items() if layer != 1}
    wanted = torch.zeros(len(PROMPTS), 2)
    for layer in (0, 2):
        for neuron in (3, 9):
            wanted += maps[layer][1][neuron][:, None] * added_to(network, layer, answers)[neuron]
    torch.testing.assert_close(added_up(network, some, answers), wanted)


def test_where_answers_have_another_order_rows_have_it_too():
    network = small()
    order = torch.randperm(len(TASK.vocabulary), generator=torch.Generator().manual_seed(0))
    turned = replace(network, answer=lambda output: output[..., order])
    answers = torch.tensor([2, 0, 5])
    found, plain = added_to(turned, 2, answers), added_to(network, 2, order[answers])
    assert torch.equal(found, plain)
    assert not torch.equal(found, added_to(network, 2, answers))
