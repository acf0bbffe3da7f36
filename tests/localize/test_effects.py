"""Effects of heads and MLPs, and whether a circuit suffices when the rest is its mean."""

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.localize import places
from symscope.localize.heuristics.effects import (
    ablated,
    effects,
    means,
    normalised_logit,
    suffices,
)
from symscope.models.load import build
from symscope.network import Network
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=8, numbers=16)
PROMPTS = TASK.prompts()


@pytest.fixture(scope="module")
def network() -> Network:
    module = build("transformer", len(TASK.vocabulary), 16, 0, layers=2, heads=2)
    with torch.no_grad():
        for weight in module.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    return Network(module)


def both(network: Network) -> dict:
    return places(network, "head") | places(network, "mlp")


def test_effects_are_what_patching_does_to_logits_and_probabilities(network):
    pairs = TASK.counterfactuals("all", 5, 0)
    site = network.layout.site(1, "mlp").at(-1)
    found = effects(network, pairs, {"mlp": site})
    with torch.no_grad():
        donor = network.run(pairs.source, read=[site]).values[site]
        after = network.run(pairs.base, do={site: lambda _: donor}).output[:, -1]
        before = network.run(pairs.base).output[:, -1]
    for i in range(5):
        new, old = int(pairs.target[i, -1]), int(pairs.labels["answer.base"][i])
        shift = (after[i, new] - after[i, old]) - (before[i, new] - before[i, old])
        assert float(found["shift"][0, i]) == pytest.approx(float(shift), abs=1e-4)
        p, q = before[i].softmax(-1), after[i].softmax(-1)
        wanted = ((q[new] - p[new]) / p[new] + (p[old] - q[old]) / q[old]) / 2
        assert float(found["published"][0, i]) == pytest.approx(float(wanted), rel=1e-3, abs=1e-4)


def test_means_are_over_prompts_at_each_step(network):
    sites = list(both(network).values())
    found = means(network, PROMPTS, sites)
    with torch.no_grad():
        values = network.run(PROMPTS, read=sites).values
    for site in sites:
        torch.testing.assert_close(found[site], values[site].mean(0), atol=1e-5, rtol=1e-5)


def test_with_everything_ablated_all_prompts_are_answered_alike(network):
    sites = both(network)
    instead = means(network, PROMPTS, sites.values())
    logits = ablated(network, PROMPTS, sites.values(), instead)
    same = PROMPTS[:, -1] == PROMPTS[0, -1]  # the stream itself still holds the last token
    assert bool(same.all())
    torch.testing.assert_close(logits, logits[:1].expand_as(logits), atol=1e-4, rtol=0)


def test_the_whole_network_and_nothing_are_the_ends_of_the_scale(network):
    sites, answers = both(network), TASK.answers(PROMPTS)
    instead = means(network, PROMPTS, sites.values())
    given = network, PROMPTS, answers
    whole = suffices(*given, sites, sites, instead, "x")
    empty = suffices(*given, [], sites, instead, "x")
    assert whole.score == pytest.approx(1) and empty.score == pytest.approx(0)
    assert whole.config["kl"] == pytest.approx(0, abs=1e-6) and empty.config["kl"] > 1e-3
    right = (network.run(PROMPTS).output[:, -1].argmax(-1) == answers).float().mean()
    assert whole.config["accuracy"]["all"] == pytest.approx(float(right))
    assert whole.config["size"] == len(sites) == 6 and whole.n == len(PROMPTS)


def test_random_circuits_are_as_large_as_the_circuit(network):
    sites, answers = both(network), TASK.answers(PROMPTS)
    instead = means(network, PROMPTS, sites.values())
    given = network, PROMPTS, answers
    whole, empty = (suffices(*given, c, sites, instead, "x").controls for c in (sites, []))
    assert list(whole.values()) == pytest.approx([1, 1])
    assert list(empty.values()) == pytest.approx([0, 0], abs=1e-6)
    single = suffices(*given, [(1, None)], sites, instead, "x")
    assert single.low <= single.score <= single.high
    assert len(set(single.controls.values())) == 2
    with pytest.raises(SymscopeError, match="no place"):
        suffices(*given, ["9.9"], sites, instead, "x")


def test_the_normalised_logit_does_not_change_with_a_shift_of_all(network):
    logits = torch.randn(4, 7, generator=torch.Generator().manual_seed(0))
    answers = logits.argmax(-1)
    assert normalised_logit(logits, answers).tolist() == [1, 1, 1, 1]
    other = torch.tensor([0, 1, 2, 3])
    shifted = normalised_logit(logits + 5, other)
    torch.testing.assert_close(shifted, normalised_logit(logits, other), atol=1e-5, rtol=1e-4)
