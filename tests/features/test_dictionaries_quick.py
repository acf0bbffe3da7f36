"""The quick losses are the losses as written: the same value, gradients and counts."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from symscope.features.dictionaries import (
    Dictionary,
    Training,
    few,
    fit_dictionary,
    relu,
    training,
)
from symscope.features.dictionaries.dictionary import Moment
from symscope.features.dictionaries.methods import METHODS, empty

QUICK = [name for name, method in METHODS.items() if method.quick is not None]


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


VECTORS = normal(100, 12) + 0.5


def drawn(method: str, sparse: bool = True) -> Dictionary:
    """Any weights, with every bias away from 0; few projections are positive, or half of them."""
    outputs = 5 if method == "transcoder" else None
    f = empty(12, 60, method, 3 if METHODS[method].counted else 0.3, outputs)
    with torch.no_grad():
        f.decoder.copy_(normalize(normal(*f.decoder.shape, seed=1), dim=1))
        f.encoder.copy_(normal(12, 60, seed=2) / 4)
        f.encoder_bias.copy_(normal(60, seed=3) / 4 - (2.2 if sparse else 0))
        f.bias.copy_(normal(len(f.bias), seed=4))
    return f


def step(f, loss, dead, vectors=VECTORS):
    """What the loss says, and the gradient of each weight."""
    targets = vectors if f.outputs is None else vectors[:, :5].square()
    f.zero_grad()
    value, second = loss(f, vectors, targets, Moment(dead, 0.7))
    value.backward()
    return value.item(), second, {name: w.grad.clone() for name, w in f.named_parameters()}


@pytest.mark.parametrize("at_once", [60 * 7, 2**22])  # portions of 7 vectors, or all in one
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("dead", [0, 4, 30])
@pytest.mark.parametrize("method", QUICK)
def test_the_quick_loss_is_the_loss(method, dead, sparse, at_once, monkeypatch):
    monkeypatch.setattr(few, "AT_ONCE", at_once)
    f, silent = drawn(method, sparse), torch.arange(60) % 59 >= 59 - dead
    value, codes, slopes = step(f, f.method.loss, silent)
    quick, counts, found = step(f, f.method.quick, silent)
    assert quick == pytest.approx(value, rel=1e-5)
    assert torch.equal(counts, (codes != 0).sum(0).float())
    assert slopes.keys() == found.keys()
    for name, slope in slopes.items():
        assert slope.abs().max() > 1e-3
        torch.testing.assert_close(found[name], slope, rtol=1e-4, atol=1e-5)


def test_relu_goes_over_the_features_there_are_where_they_are_few(monkeypatch):
    taken = []
    for name in ("_of_few", "_of_all"):
        whole = getattr(relu, name)
        monkeypatch.setattr(relu, name, lambda *a, n=name, w=whole: taken.append(n) or w(*a))
    for sparse in (True, False):
        f = drawn("relu", sparse)
        step(f, f.method.quick, torch.zeros(60, dtype=torch.bool))
    assert taken == ["_of_few", "_of_all"]


@pytest.mark.parametrize("method", ["relu", "topk"])
def test_vectors_without_any_feature_teach_the_bias_alone(method):
    f = drawn(method)
    with torch.no_grad():
        f.encoder_bias.fill_(-1000)
    dead = torch.zeros(60, dtype=torch.bool)
    value, _, slopes = step(f, f.method.loss, dead)
    quick, counts, found = step(f, f.method.quick, dead)
    assert quick == pytest.approx(value, rel=1e-5) and not bool(counts.any())
    assert not any(bool(found[name].any()) for name in ("encoder", "encoder_bias", "decoder"))
    torch.testing.assert_close(found["bias"], slopes["bias"])


@pytest.mark.parametrize("method", ["relu", "topk"])
def test_a_large_fit_takes_the_quick_loss_and_ends_where_the_literal_one_does(method, monkeypatch):
    called, times, found = [], [], []
    chosen = METHODS[method]

    def counted(*given):
        called.append(1)
        return chosen.quick(*given)

    monkeypatch.setitem(METHODS, method, replace(chosen, quick=counted))
    for large in (training.LARGE, 60 * 12, 60 * 12 + 1):
        called.clear()
        monkeypatch.setattr(training, "LARGE", large)
        fit = fit_dictionary(
            VECTORS, method, size=60, sparsity=2 if method == "topk" else None,
            training=Training(steps=40, batch=32, warm_up=10, dead_after=15),
        )  # fmt: skip
        times.append(len(called))
        found.append(fit.decoder)
    assert times == [0, 40, 0]
    torch.testing.assert_close(found[1], found[2], rtol=0, atol=1e-3)
    assert not torch.equal(found[1], found[2])


@pytest.mark.parametrize("large", [1, 2**16])
def test_a_step_counts_the_features_that_vectors_have(large, monkeypatch):
    monkeypatch.setattr(training, "LARGE", large)
    f = drawn("topk")
    state, adam = training._State(f), torch.optim.Adam(f.parameters())
    x = VECTORS[:9]
    there = (f.encode(x) != 0).sum(0)
    line = training._update(state, adam, (x, x), 0, Training(), 0)
    assert bool((there == 1).any()) and bool((there == 0).any())  # one is enough, none is not
    assert torch.equal(state.silent == 0, there > 0)
    assert f" {int(there.sum()) / 9:.1f} features" in line


def test_the_methods_with_a_quick_loss():
    assert sorted(QUICK) == ["relu", "topk", "transcoder"]
