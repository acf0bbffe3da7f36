"""Vectors of a network: streamed with little in memory, and replaced by a dictionary's."""

import pytest
import torch
from torch import nn

from symscope.evidence import SymscopeError
from symscope.features.dictionaries import Training, fit_dictionary, spliced, streamed
from symscope.features.dictionaries.methods import empty
from symscope.featurizer import Identity
from symscope.network import Network, UnknownSite
from symscope.site import Site

WIDTH = 5


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Numbered(nn.Module):
    """Each token is its own vector, so that one can tell which were streamed."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(1000, WIDTH)
        with torch.no_grad():
            self.embed.weight.copy_(torch.arange(1000.0)[:, None].expand(1000, WIDTH))

    def forward(self, input_ids, attention_mask=None):
        return self.embed(input_ids)


NUMBERED = Network(Numbered())
SITE = Site("embed")
TOKENS = torch.arange(630).view(70, 9)


class Watched:
    """Inputs that count how many vectors the network has been asked for."""

    def __init__(self, batches):
        self.batches, self.read = batches, 0

    def __iter__(self):
        for batch in self.batches:
            self.read += batch.numel()
            yield batch


@pytest.mark.parametrize("batch, buffer", [(10, 10), (10, 64), (50, 400), (7, 5000)])
def test_every_vector_is_streamed_once_and_no_more_than_the_buffer_is_held(batch, buffer):
    inputs = Watched(TOKENS.split(4))  # 36 vectors a run
    given = []
    for vectors in streamed(NUMBERED, SITE, inputs, batch=batch, buffer=buffer):
        assert inputs.read - len(given) <= buffer + 36
        given += vectors[:, 0].tolist()
    assert sorted(given) == list(range(630))


def test_batches_have_the_size_asked_for_and_a_pass_is_like_the_one_before():
    stream = streamed(NUMBERED, SITE, TOKENS.split(4), batch=50, buffer=200)
    first, second = list(stream), list(stream)
    assert [len(b) for b in first] == 12 * [50] + [30]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    other = list(streamed(NUMBERED, SITE, TOKENS.split(4), batch=50, buffer=200, seed=1))
    assert not torch.equal(first[0], other[0])


def test_the_order_is_mixed_over_the_buffer():
    stream = streamed(NUMBERED, SITE, TOKENS.split(4), batch=50, buffer=400)
    first = next(iter(stream))[:, 0]
    assert first.max() > 250 and first.min() < 150
    assert not torch.equal(first, first.sort().values)


def test_the_last_position_alone_can_be_streamed_and_padding_is_left_out():
    last = torch.cat(list(streamed(NUMBERED, SITE.at(-1), TOKENS.split(4))))
    assert sorted(last[:, 0].tolist()) == TOKENS[:, -1].tolist()
    mask = torch.ones(70, 9, dtype=torch.long)
    mask[:, :3] = 0
    padded = [{"input_ids": TOKENS, "attention_mask": mask}]
    real = torch.cat(list(streamed(NUMBERED, SITE, padded)))
    assert sorted(real[:, 0].tolist()) == TOKENS[:, 3:].flatten().tolist()


def test_a_dictionary_is_fitted_on_a_stream():
    network, inputs, _ = reader()
    stream = streamed(network, Site("first"), inputs.split(50), batch=64, buffer=256)
    training = Training(steps=200, rate=1e-2, warm_up=20)
    f = fit_dictionary(stream, "topk", size=12, sparsity=3, training=training)
    vectors = torch.cat(list(stream))
    error = (vectors - f.decode(f.encode(vectors))).square().sum()
    assert error < 0.3 * (vectors - vectors.mean(0)).square().sum()


def test_a_stream_that_cannot_be_is_refused():
    with pytest.raises(SymscopeError, match="batches of 20 from a buffer of 10"):
        streamed(NUMBERED, SITE, [TOKENS], batch=20, buffer=10)
    with pytest.raises(UnknownSite, match="'embd'; there is 'embed'"):
        streamed(NUMBERED, Site("embd"), [TOKENS])


class Reader(nn.Module):
    """Two layers; the answer is at every step."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 6)
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        hidden = self.first(x).relu()
        return self.last(hidden + self.second(hidden).relu())


def reader(steps=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Reader()
    inputs = normal(300, 4) if steps is None else normal(300, steps, 4)
    with torch.no_grad():
        module.last.weight.mul_(20)
        module.last.bias.sub_(module(inputs).flatten(0, -2).mean(0))  # each answer is as common
        targets = module(inputs).argmax(-1)
    return Network(module), inputs, targets


@pytest.mark.parametrize("steps", [None, 3])
def test_the_identity_recovers_the_whole_loss_and_a_zero_nothing(steps):
    found = spliced(*with_site(reader(steps), "first"))
    assert (found.score, found.low, found.high) == (1, 1, 1)
    assert found.controls["zero"] == 0 and found.controls["mean"] < 0.9
    assert found.n == 300
    found = spliced(*with_site(reader(steps), "first", zeros(6)))
    assert found.score == pytest.approx(0, abs=1e-6)


def with_site(case, site, dictionary=None):
    network, inputs, targets = case
    return network, Site(site), dictionary or Identity(6), inputs, targets


def zeros(width):
    """A dictionary that gives 0 for whatever it reads."""
    return empty(width, 4, "relu")


def test_a_dictionary_that_gives_the_mean_scores_as_the_mean():
    network, inputs, targets = reader()
    mean = zeros(6)
    vectors = network.run(inputs, read=[Site("first")]).values[Site("first")]
    with torch.no_grad():
        mean.bias.copy_(vectors.mean(0))
    found = spliced(network, Site("first"), mean, inputs, targets)
    assert found.score == pytest.approx(found.controls["mean"], abs=1e-5)


def test_a_fitted_dictionary_recovers_most_and_random_features_less():
    network, inputs, targets = reader()
    vectors = network.run(inputs, read=[Site("first")]).values[Site("first")].detach()
    training = Training(steps=400, rate=1e-2, warm_up=20, batch=64)
    f = fit_dictionary(vectors, "topk", size=16, sparsity=4, training=training)
    found = spliced(network, Site("first"), f, inputs, targets)
    assert found.score > 0.9 > found.controls["random"]
    assert found.low <= found.score <= found.high
    losses = found.config["losses"]
    share = (losses["zero"] - losses["spliced"]) / (losses["zero"] - losses["natural"])
    assert found.score == pytest.approx(share)
    assert losses["natural"] < losses["spliced"] < losses["zero"]


def test_a_transcoder_stands_in_for_the_layer_it_was_fitted_on():
    """One that is the layer itself: its features are the layer's own units."""
    network, inputs, targets = reader()
    second = network.module.second
    f = empty(6, 6, "transcoder", outputs=6)
    with torch.no_grad():
        f.encoder.copy_(second.weight.T), f.encoder_bias.copy_(second.bias)
        f.decoder.copy_(torch.eye(6))  # gives relu(second): the relu after it changes nothing
    read, write = Site("second", "input"), Site("second")
    found = spliced(network, read, f, inputs, targets, writes=write)
    assert found.score == pytest.approx(1, abs=1e-5)


def test_where_a_zero_does_no_harm_there_is_no_score():
    network, inputs, _ = reader()
    with torch.no_grad():
        network.module.last.weight.zero_()
    found = spliced(*with_site((network, inputs, torch.zeros(300, dtype=torch.long)), "first"))
    assert found.score is None and "does not raise the loss" in found.note


def test_what_does_not_fit_a_network_is_refused():
    network, inputs, targets = reader()
    with pytest.raises(SymscopeError, match=r"this dictionary reads \(sample, 4\)"):
        spliced(network, Site("first"), zeros(4), inputs, targets)
    with pytest.raises(SymscopeError, match="width 4, the site's have 6"):
        f = empty(6, 3, "transcoder", outputs=4)
        spliced(network, Site("first"), f, inputs, targets)
    with pytest.raises(SymscopeError, match=r"need targets \(128,\), not \(128, 1\)"):
        spliced(network, Site("first"), zeros(6), inputs, targets[:, None])
