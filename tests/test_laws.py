"""The equations that every featurizer, network and program obeys."""

import pytest
import torch

from laws import (
    EACH,
    FEATURIZERS,
    LENGTH,
    NETWORKS,
    PROGRAMS,
    SAMPLES,
    WIDTH,
    draws,
    exchanged,
    value_after,
    with_variable_set,
)  # fmt: skip
from symscope import featurizer
from symscope.causal_model import interchange
from symscope.intervention.downstream import downstream, hooked, natural_vectors
from symscope.network import NothingChanged

WHOLE = ("identity", "full rotation", "linear", "frame", "reversible", "full pca")
featurizers = pytest.mark.parametrize("name", FEATURIZERS)
networks = pytest.mark.parametrize("name", NETWORKS)
programs = pytest.mark.parametrize("name", PROGRAMS)
places = pytest.mark.parametrize("where", ["one", "last", "each"])
BASE, SOURCE = draws(SAMPLES, WIDTH, seed=20), draws(SAMPLES, WIDTH, seed=21)


def close(found, expected):
    return torch.allclose(found, expected, atol=2e-5, rtol=1e-4)


def test_every_featurizer_is_in_the_table_of_the_laws():
    assert {type(make()) for make in FEATURIZERS.values()} == set(featurizer.FEATURIZERS.values())


@featurizers
def test_swapping_a_vector_with_itself_changes_nothing(name):
    f = FEATURIZERS[name]()
    for coordinates in ([0], list(range(f.size))):
        assert close(f.swap(BASE, BASE.clone(), coordinates), BASE)


@featurizers
def test_swapping_no_coordinate_changes_nothing(name):
    assert close(FEATURIZERS[name]().swap(BASE, SOURCE, []), BASE)


@featurizers
def test_decoding_then_encoding_gives_the_coordinates_back(name):
    f = FEATURIZERS[name]()
    coordinates = draws(SAMPLES, f.size, seed=22)
    assert close(f.encode(f.decode(coordinates)), coordinates)


@featurizers
def test_encoding_then_decoding_is_a_projection(name):
    f = FEATURIZERS[name]()
    once = f.decode(f.encode(BASE))
    assert close(f.decode(f.encode(once)), once)
    assert close(once, BASE) == (name in WHOLE)


@featurizers
def test_a_swap_replaces_the_named_coordinates_and_no_others(name):
    f = FEATURIZERS[name]()
    named = [f.size - 1, 0]
    after, before = f.encode(f.swap(BASE, SOURCE, named)), f.encode(BASE)
    others = [c for c in range(f.size) if c not in named]
    assert close(after[:, named], f.encode(SOURCE)[:, named])
    assert close(after[:, others], before[:, others])


@featurizers
def test_a_swap_keeps_the_residual_of_the_base(name):
    f = FEATURIZERS[name]()
    after = f.swap(BASE, SOURCE, list(range(f.size)))
    assert close(after - f.decode(f.encode(after)), BASE - f.decode(f.encode(BASE)))


@featurizers
def test_swapping_twice_gives_the_base_back(name):
    f = FEATURIZERS[name]()
    mixed = f.swap(BASE, SOURCE, [0])
    assert not close(mixed, BASE)
    assert close(f.swap(mixed, BASE, [0]), BASE)


@featurizers
def test_a_swap_gives_gradients_to_every_weight(name):
    f = FEATURIZERS[name]()
    if weights := list(f.parameters()):
        f.swap(BASE, SOURCE, [0]).square().sum().backward()
        assert all(w.grad is not None and w.grad.isfinite().all() for w in weights)
        assert any(w.grad.abs().max() > 1e-3 for w in weights)


@networks
@places
def test_reading_does_not_change_the_output(name, where):
    case = NETWORKS[name]
    network, inputs = case.network(), case.inputs(0)
    output = network.run(inputs, read=[case.at(where)]).output
    assert torch.allclose(output, network.run(inputs).output, atol=1e-6, rtol=0)


@networks
@places
def test_an_interchange_between_identical_inputs_changes_nothing(name, where):
    case = NETWORKS[name]
    network, inputs = case.network(), case.inputs(0)
    with pytest.warns(NothingChanged):
        output = interchange(network, inputs, inputs.clone(), [case.at(where)])
    assert close(output, network.run(inputs).output)


@networks
@places
def test_a_value_read_after_its_edit_is_the_edited_one(name, where):
    case = NETWORKS[name]
    network, inputs, site = case.network(), case.inputs(0), case.at(where)
    natural = network.run(inputs, read=[site]).values[site]
    change = draws(*natural.shape, seed=8)
    run = network.run(inputs, read=[site], do={site: lambda v: v + change})
    assert close(run.values[site], natural + change)
    assert not close(run.output, network.run(inputs).output)


@networks
@places
def test_the_fast_downstream_is_the_hooked_one(name, where):
    case = NETWORKS[name]
    network, inputs, scored = case.network(), case.inputs(0), case.scored(where)
    site = case.at(where)
    fast, slow = downstream(network, inputs, site, scored), hooked(network, inputs, site, scored)
    assert fast.how == case.how
    assert torch.equal(fast.natural, slow.natural)
    donors = natural_vectors(network, case.inputs(1), site)
    for rows in (torch.arange(SAMPLES), torch.tensor([10, 3, 0, 4])):
        found, gradient = _with_gradient(fast, donors, rows)
        assert all(p.grad is None and p.requires_grad for p in network.module.parameters())
        expected, reference = _with_gradient(slow, donors, rows)
        assert torch.allclose(found, expected, atol=1e-5, rtol=1e-4)
        assert torch.equal(found.argmax(-1), expected.argmax(-1))
        assert torch.allclose(gradient, reference, atol=1e-5, rtol=1e-4)
        assert reference.abs().max() > 1e-3
        network.module.zero_grad()


def _with_gradient(down, donors, rows):
    vectors = donors[rows].clone().requires_grad_()
    found = down.from_vectors(vectors, rows)
    (found * draws(*found.shape, seed=9)).sum().backward()
    return found.detach(), vectors.grad


def test_a_fast_downstream_that_differs_is_not_used():
    case = NETWORKS["gru"]
    network, scored = case.network(), case.scored("one")
    readout = network.module.readout
    network.module.forward = lambda tokens: 2 * readout(network.module.hidden(tokens))
    fast = downstream(network, case.inputs(0), case.at("one"), scored)
    slow = hooked(network, case.inputs(0), case.at("one"), scored)
    assert fast.how == "resumed"
    vectors, rows = draws(SAMPLES, WIDTH), torch.arange(SAMPLES)
    assert close(fast.from_vectors(vectors, rows), slow.from_vectors(vectors, rows))


@programs
def test_an_interchange_is_a_run_with_the_variable_set(name):
    ruled = PROGRAMS[name]
    base_step, source_step = EACH, EACH[::-1]
    for variable in ruled.program.names:
        found = exchanged(ruled, variable, base_step, source_step)
        for i in range(SAMPLES):
            base, source = ruled.base[i].tolist(), ruled.source[i].tolist()
            value = value_after(ruled.program, source, variable, source_step[i])
            expected = with_variable_set(ruled.program, base, variable, base_step[i], value)
            assert found[i].tolist() == pytest.approx(expected)


@programs
def test_a_programs_interchange_between_identical_inputs_changes_nothing(name):
    ruled = PROGRAMS[name]
    everything = [(v, t) for v in ruled.program.names for t in (0, LENGTH - 1, EACH)]
    output = interchange(ruled.program, ruled.base, ruled.base, everything)
    assert torch.equal(output, ruled.program.run(ruled.base).output)
    assert torch.equal(output, ruled.program.run(ruled.base, read=everything).output)
