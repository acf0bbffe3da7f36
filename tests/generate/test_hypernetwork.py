"""The graph transformer that writes networks: its parts against slow literal versions, its laws."""

import math
from itertools import pairwise

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.generate.edges import attended, positions
from symscope.generate.files import load_hypernetwork, save_hypernetwork
from symscope.generate.hypernetwork import (
    CHANNEL,
    HEAD,
    LOG_SIGMA,
    WIDTH,
    Hypernetwork,
    _sent,
    edge_count,
)
from symscope.generate.sampling import Extrapolated, losses, sampled
from symscope.models.perceptron import Weights, perceptron
from symscope.tasks.functions import function

SIZES = (3, 4, 2)


@pytest.fixture
def hypernetwork() -> Hypernetwork:
    return Hypernetwork(SIZES, seed=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def edges_of(sizes):
    return [(layer, i, j) for layer, (a, b) in enumerate(pairwise(sizes))
            for i in range(a) for j in range(b)]  # fmt: skip


def literal_attention(heads, sizes):
    """One edge, one neuron, one pair at a time."""
    edges = edges_of(sizes)
    heard = torch.zeros(len(edges), 2, HEAD)
    ends = [((layer + 1, j), (layer, i)) for layer, i, j in edges]
    triples = heads.view(len(edges), 2, 3, HEAD)
    for e, mine in enumerate(ends):
        for end, neuron in enumerate(mine):
            query = triples[e, end, 0]
            there = [(f, which) for f, theirs in enumerate(ends)
                     for which, n in enumerate(theirs) if n == neuron]  # fmt: skip
            scores = [math.exp(float(query @ triples[f, w, 1]) / HEAD**0.5) for f, w in there]
            for score, (f, w) in zip(scores, there, strict=True):
                heard[e, end] += score / sum(scores) * triples[f, w, 2]
    return heard.flatten(1)


@pytest.mark.parametrize("sizes", [SIZES, (2, 3, 2, 1)])
def test_attention_is_one_head_over_all_edges_at_a_neuron(sizes):
    heads = torch.randn(edge_count(sizes), 6 * HEAD, generator=generator())
    assert torch.allclose(attended(heads, sizes), literal_attention(heads, sizes), atol=1e-6)


def literal_network(h, beta, drawn, sizes):
    """The whole of it as the publication's text says, edge by edge; `drawn` has all randomness."""
    parts = {k: v[0] for k, v in h.hyperweights(torch.tensor([beta])).items()}
    edges, where = edges_of(sizes), positions(sizes, 4, h.wavelength)
    states, nats = None, 0.0
    for depth in range(4):
        read = []
        for side in (0, 1):
            if depth == 0:
                read.append(parts["first bias"].expand(len(edges), -1))
            else:
                matrix, bias = parts["maps"][depth - 1], parts["biases"][depth - 1]
                read.append(torch.stack([row @ matrix + bias for row in states[side]]))
        noise, latent = drawn[depth][:, :5], drawn[depth][:, 5:]
        q, p = (r[:, 50:] for r in read)
        sample = q[:, :4] + q[:, 4:].clamp(-6, 3).exp() * latent
        for (m, s_), (m0, s0) in [((q[:, :4], q[:, 4:].clamp(-6, 3)),
                                   (p[:, :4], p[:, 4:].clamp(-6, 3)))]:  # fmt: skip
            ratio = (s_.exp() / s0.exp()).square()
            nats += float((((m - m0) / s0.exp()).square() + ratio - 1 - ratio.log()).sum() / 2)
        learned = [parts["learned"][depth], torch.zeros(len(edges), 5)]
        states = [
            torch.cat([r[:, :20] * r[:, :20].sigmoid(), where, noise,
                       literal_attention(r[:, 20:50], sizes), known, sample], 1)
            for r, known in zip(read, learned, strict=True)
        ]  # fmt: skip
    final = states[1] @ parts["final"] + parts["final bias"]
    matrices = [torch.zeros(a, b) for a, b in pairwise(sizes)]
    biases = [torch.zeros(b) for b in sizes[1:]]
    for (layer, i, j), (weight, bias) in zip(edges, final, strict=True):
        matrices[layer][i, j] = weight
        biases[layer][j] += bias / sizes[layer]
    return matrices, biases, nats


def test_the_network_is_the_one_of_the_literal_version(hypernetwork):
    same = generator(5)
    drawn = [torch.randn((1, edge_count(SIZES), 9), generator=same)[0] for _ in range(4)]
    with torch.no_grad():
        matrices, biases, nats = literal_network(hypernetwork, 1e-4, drawn, SIZES)
    found = sampled(hypernetwork, 1e-4, seed=5)
    for one, other in zip((*matrices, *biases), (p[0] for part in found.weights for p in part),
                          strict=True):  # fmt: skip
        assert torch.allclose(one, other, atol=1e-4)
    assert float(found.nats[0]) == pytest.approx(nats, rel=1e-3)


def test_hidden_units_have_no_position():
    where = positions(SIZES, 4, 10.0).view(-1, 3, 4)
    edges = edges_of(SIZES)
    for (layer, i, j), (before, after, number) in zip(edges, where, strict=True):
        slow, fast = torch.tensor([1.0, 0.1]) * i, torch.tensor([1.0, 0.1]) * j
        expected = torch.cat([slow.sin(), slow.cos()]) if layer == 0 else torch.zeros(4)
        assert torch.allclose(before, expected, atol=1e-6)
        expected = torch.cat([fast.sin(), fast.cos()]) if layer == 1 else torch.zeros(4)
        assert torch.allclose(after, expected, atol=1e-6)
        assert number[0] == pytest.approx(math.sin(layer), abs=1e-6)


@pytest.mark.parametrize(("sizes", "count"), [((16, 48, 1), 26_410), ((8, 24, 1), 14_410)])
def test_the_number_of_hyperweights_is_that_of_the_blocks(sizes, count):
    assert Hypernetwork(sizes).count == count


def test_the_channel_costs_the_divergence_of_two_normals():
    from torch.distributions import Normal, kl_divergence

    channel = torch.randn(2, 2, 5, 2 * CHANNEL, generator=generator())
    _, nats = _sent(channel, torch.zeros(2, 5, CHANNEL))
    mu, log_sigma = channel.chunk(2, -1)
    assert log_sigma.abs().max() < max(LOG_SIGMA)
    sides = [Normal(mu[:, s], log_sigma[:, s].exp()) for s in (0, 1)]
    assert torch.allclose(nats, kl_divergence(*sides).sum((1, 2)), rtol=1e-4)


def test_nothing_is_paid_without_the_encoder(hypernetwork):
    found = sampled(hypernetwork, [1e-6, 1e-3], encoder=False)
    assert found.nats.tolist() == [0, 0]
    assert (sampled(hypernetwork, [1e-6, 1e-3]).nats > 0).all()


def test_hidden_units_are_told_apart_by_noise_alone_without_the_encoder(hypernetwork):
    silent = sampled(hypernetwork, 1e-3, encoder=False, silent=("noise", "channel"))
    columns = silent.weights.matrices[0][0].T
    assert torch.allclose(columns, columns[:1].expand_as(columns), atol=1e-6)
    noisy = sampled(hypernetwork, 1e-3, encoder=False).weights.matrices[0][0].T
    assert (noisy - noisy[:1]).abs().max() > 1e-3


def test_learned_features_reach_the_weights_only_through_the_channel(hypernetwork):
    known = sampled(hypernetwork, 1e-3).weights.matrices[0]
    with torch.no_grad():
        learned = math.prod(hypernetwork.shapes["learned"])
        hypernetwork.last.bias[hypernetwork.count - learned : hypernetwork.count] += 1
    assert (sampled(hypernetwork, 1e-3).weights.matrices[0] - known).abs().max() > 1e-4
    closed = {"silent": ("channel",), "seed": 3}
    before = sampled(hypernetwork, 1e-3, **closed).weights.matrices[0]
    with torch.no_grad():
        hypernetwork.last.bias[hypernetwork.count - learned : hypernetwork.count] += 1
    assert torch.equal(sampled(hypernetwork, 1e-3, **closed).weights.matrices[0], before)


def test_the_same_seed_writes_the_same_network_and_another_another(hypernetwork):
    one, same, other = (sampled(hypernetwork, 1e-3, seed).weights.matrices[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_networks_drawn_alike_differ_by_beta_alone(hypernetwork):
    found = sampled(hypernetwork, [1e-3, 1e-3, 1e-9], alike=True).weights.matrices[0]
    assert torch.allclose(found[0], found[1], atol=1e-5)
    assert (found[0] - found[2]).abs().max() > 1e-3


def test_batches_of_networks_are_those_of_one_by_one(hypernetwork, monkeypatch):
    whole = sampled(hypernetwork, [1e-9, 1e-3], alike=True)
    parts = [sampled(hypernetwork, beta, alike=True) for beta in (1e-9, 1e-3)]
    for i, part in enumerate(parts):
        assert torch.allclose(whole.weights.matrices[0][i], part.weights.matrices[0][0], atol=1e-6)


def test_other_sizes_are_written_by_the_decoder_alone(hypernetwork):
    found = sampled(hypernetwork, 1e-3, sizes=(5, 9, 1), encoder=False)
    assert found.weights.sizes == (5, 9, 1)
    with pytest.raises(SymscopeError, match=r"\(3, 4, 2\) alone.*encoder=False"):
        sampled(hypernetwork, 1e-3, sizes=(5, 9, 1))


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan, math.inf])
def test_a_beta_is_a_positive_number(hypernetwork, beta):
    with pytest.raises(SymscopeError, match="positive number"):
        sampled(hypernetwork, beta)


def test_a_beta_outside_the_trained_range_is_said_to_be_extrapolated(hypernetwork):
    with pytest.warns(Extrapolated, match=r"1e-12, 1\.0"):
        sampled(hypernetwork, 10.0)
    sampled(hypernetwork, torch.logspace(-12, 0, 7))


def test_an_unknown_block_is_refused_with_those_there_are(hypernetwork):
    with pytest.raises(SymscopeError, match=r"noise.*learned.*channel"):
        sampled(hypernetwork, 1e-3, silent=("sound",))


@pytest.mark.parametrize("sizes", [(3, 4), (3, 0, 1), (3, 4.0, 1)])
def test_sizes_that_are_no_perceptron_are_refused(sizes):
    with pytest.raises(SymscopeError, match="one hidden layer"):
        Hypernetwork(sizes)


def test_weights_and_module_compute_the_same(hypernetwork):
    weights = sampled(hypernetwork, [1e-3, 1e-6]).weights
    inputs = torch.randn(7, 3, generator=generator())
    for i in range(2):
        module = perceptron(weights.of(i))
        assert torch.allclose(module(inputs), weights.run(inputs)[i], atol=1e-6)
        assert torch.equal(module.weights.matrices[0], weights.matrices[0][i])


def test_a_batch_of_networks_is_no_module(hypernetwork):
    with pytest.raises(SymscopeError, match="2 networks"):
        perceptron(sampled(hypernetwork, [1e-3, 1e-6]).weights)


def test_the_loss_is_that_of_the_task():
    task = function("l1_norm", 3)
    zero = Weights((torch.zeros(3, 4), torch.zeros(4, 1)), (torch.zeros(4), torch.zeros(1)))
    assert losses(zero, task, 50_000).mean() == pytest.approx(1, abs=0.03)


def test_the_state_of_every_hyperlayer_is_as_wide_as_its_blocks(hypernetwork):
    assert hypernetwork.shapes["maps"][1] == WIDTH == 56


def test_what_was_saved_is_read_again(tmp_path, hypernetwork):
    path = tmp_path / "h.safetensors"
    save_hypernetwork(path, hypernetwork, "l1_norm_3")
    found = load_hypernetwork(path, SIZES, "l1_norm_3")
    one, other = (sampled(h, 1e-3).weights.matrices[0] for h in (hypernetwork, found))
    assert torch.equal(one, other)


def test_a_checkpoint_of_another_hypernetwork_is_refused_with_both(tmp_path, hypernetwork):
    path = tmp_path / "h.safetensors"
    save_hypernetwork(path, hypernetwork, "l1_norm_3")
    with pytest.raises(SymscopeError, match=r"\(3, 4, 2\).*\(3, 5, 1\)"):
        load_hypernetwork(path, (3, 5, 1))
    with pytest.raises(SymscopeError, match=r"l1_norm_3.*maximum"):
        load_hypernetwork(path, task="maximum")
    with pytest.raises(SymscopeError, match="no file"):
        load_hypernetwork(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(SymscopeError, match="is not a hypernetwork"):
        load_hypernetwork(tmp_path / "text")
