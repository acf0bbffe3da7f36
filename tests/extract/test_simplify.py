"""The normal form: frames, stages, and what is undone."""

import numpy as np
import pytest
import torch
from torch import nn

import by_hand
from symscope.evidence import SymscopeError
from symscope.extract.pipeline import simplify as simplifying
from symscope.extract.pipeline.debias import debias
from symscope.extract.pipeline.frame import in_frame
from symscope.extract.pipeline.jordan import chains, jordan
from symscope.extract.pipeline.quantise import quantise
from symscope.extract.pipeline.simplify import simplify
from symscope.extract.pipeline.toeplitz import blocks, toeplitz
from symscope.extract.pipeline.weights import outputs, sequences, states, weights_of
from symscope.extract.pipeline.whiten import whiten
from symscope.models.real_rnn import build_real
from symscope.program import Variable

FORMS = {"affine": (1, 1), "deep": (7, 3)}


def seen_by(weights, inputs, length=10):
    return states(weights, sequences(inputs, length, 0, 500))[:, 1:].reshape(-1, weights.width)


def frame_of(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, n)) + 2 * np.eye(n)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("g", [(1, 1), (5, 2)])
def test_another_frame_leaves_the_outputs_and_its_inverse_the_weights(form, g):
    weights = weights_of(build_real("real_mlp", 2, 3, 2, f=FORMS[form], g=g, seed=2).double())
    x, frame = sequences(by_hand.PUSHES, 6, 0, 100), frame_of(3)
    turned = in_frame(weights, frame)
    assert np.allclose(outputs(turned, x), outputs(weights, x), atol=1e-9)
    assert np.allclose(states(turned, x), states(weights, x) @ frame.T, atol=1e-9)
    back = in_frame(turned, np.linalg.inv(frame))
    for a, b in zip((*back.f, *back.g), (*weights.f, *weights.g), strict=True):
        assert np.allclose(a.weight, b.weight) and np.allclose(a.bias, b.bias)


def test_plain_numbers_compute_what_the_module_does():
    module = build_real("real_mlp", 2, 3, 2, f=(7, 3), g=(5, 2), seed=2).double()
    x = sequences(by_hand.PUSHES, 6, 0, 100)
    with torch.no_grad():
        assert np.allclose(outputs(weights_of(module), x), module(torch.tensor(x)), atol=1e-9)


def test_all_sequences_are_listed_where_they_are_few():
    listed = sequences((Variable("x", -1, 1), Variable("y", 4, 5)), 3, 0)
    assert listed.shape == (6**3, 3, 2) and len(np.unique(listed, axis=0)) == 6**3
    assert listed.min((0, 1)).tolist() == [-1, 4] and listed.max((0, 1)).tolist() == [1, 5]
    drawn = sequences(by_hand.PUSH, 9, 0, 400)
    assert drawn.shape == (400, 9, 1) and drawn.min() == -10 and drawn.max() == 10


def test_whitened_states_have_the_same_size_everywhere():
    weights = weights_of(by_hand.hidden(by_hand.freebody()))
    move = whiten(weights, seen_by(weights, by_hand.PUSH))
    after = seen_by(move.weights, by_hand.PUSH)
    assert np.allclose(after.T @ after / len(after), np.eye(2))


def test_a_direction_in_which_nothing_happens_is_not_blown_up():
    flat = by_hand.network(([[1, 0, 1], [0, 0, 0]], [0, 0]), g=[([1, 0], 0)])
    move = whiten(weights_of(flat), seen_by(weights_of(flat), by_hand.PUSH))
    assert move.weights.largest < 100


@pytest.mark.parametrize("seed", range(3))
def test_a_hidden_free_body_comes_back_in_integers(seed):
    found = simplify(by_hand.hidden(by_hand.freebody(), seed), by_hand.PUSH, 10)
    assert [step.kept for step in found.steps] == [True] * 5
    assert found.weights.f[0].weight.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert found.weights.g[0].weight.tolist() == [[1, 1]]
    assert found.weights.f[0].bias.tolist() == [0, 0]


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_a_hidden_shift_register_is_one_toeplitz_block(k):
    found = simplify(by_hand.hidden(by_hand.last(k), k), (Variable("x", 0, 99),), 20).weights
    assert blocks(found.transition) == [(0, k, 1)]
    assert found.transition.tolist() == np.eye(k, k=1).tolist()
    assert found.entry.T.tolist() == [[0] * (k - 1) + [1]]
    assert found.g[0].weight.tolist() == [[1] * k]


def test_a_hidden_rotation_is_a_real_block():
    found = simplify(by_hand.hidden(by_hand.spring()), by_hand.PUSH, 10).weights
    a, b = 0.5, np.sqrt(3) / 2
    assert np.allclose(np.abs(found.transition), [[a, b], [b, a]])
    assert found.transition[0, 1] == pytest.approx(-found.transition[1, 0])
    assert np.allclose(found.entry[:, 0], [1, 0], atol=1e-6)


def test_two_linked_rotations_are_linked_blocks_and_inputs_enter_the_last():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    linked = np.block([[turn, np.eye(2)], [np.zeros((2, 2)), turn]])
    entry = np.array([[0.3], [0.7], [-0.5], [1.2]])
    made = by_hand.hidden(by_hand.network((np.hstack([linked, entry]), np.zeros(4))))
    weights = weights_of(made)
    seen = seen_by(weights, by_hand.PUSH)
    move = jordan(weights, seen)
    assert blocks(move.weights.transition) == [(0, 2, 2)]
    after = toeplitz(move.weights, seen).weights
    assert np.allclose(after.transition, move.weights.transition, atol=1e-6)
    assert np.allclose(after.entry[:, 0], [0, 0, 1, 0], atol=1e-6)
    assert np.allclose(after.transition[:2, 2:], np.eye(2), atol=1e-6)


def test_what_no_input_drives_is_left_out_of_the_block():
    made = by_hand.network(([[0, 1, 0, 3], [0, 0, 1, 2], [0, 0, 0, 0]], [0, 0, 0]))
    after = toeplitz(weights_of(made), np.zeros((1, 3))).weights
    assert np.allclose(after.entry[:, 0], [0, 1, 0])
    assert np.allclose(after.transition[:2, :2], [[0, 1], [0, 0]])


def test_eigenvalues_that_fall_into_no_groups_call_for_a_smaller_epsilon():
    frame = frame_of(3)
    transition = frame @ np.diag([0, 0.6, 1.2]) @ np.linalg.inv(frame)
    assert chains(transition, 0.7) is None
    made = by_hand.network((np.hstack([transition, np.ones((3, 1))]), np.zeros(3)))
    move = jordan(weights_of(made), np.zeros((1, 3)))
    assert "ε 0.3" in move.note or "ε 0.1" in move.note or "ε 0.03" in move.note
    assert np.allclose(np.sort(np.diag(move.weights.transition)), [0, 0.6, 1.2])
    assert np.allclose(move.weights.transition, np.diag(np.diag(move.weights.transition)))


def test_chains_of_different_length_with_one_eigenvalue_are_all_found():
    blocked = np.zeros((6, 6))
    blocked[0, 1] = blocked[1, 2] = blocked[3, 4] = 1
    axes = np.linalg.qr(frame_of(6))[0]
    transition = axes @ blocked @ axes.T
    found = chains(transition, 0.7)
    assert [chain.shape[1] for _, chain in found] == [3, 2, 1]
    for value, chain in found:
        shifted = transition @ chain - value * chain
        assert np.allclose(shifted, np.hstack([np.zeros((6, 1)), chain[:, :-1]]))


def test_noise_of_a_thousandth_leaves_the_jordan_form():
    noisy = by_hand.hidden(by_hand.last(4), 3)
    with torch.no_grad():
        noisy.rnn.f[0].weight += 1e-3 * torch.randn(
            4, 5, generator=torch.Generator().manual_seed(0)
        )
    weights = weights_of(noisy)
    move = whiten(weights, seen_by(weights, by_hand.PUSH))
    after = jordan(move.weights, seen_by(move.weights, by_hand.PUSH)).weights
    assert blocks(after.transition) == [(0, 4, 1)]
    assert np.allclose(after.transition, np.eye(4, k=1), atol=0.03)


def test_a_second_pass_finds_what_a_bad_frame_hid():
    frame = np.random.default_rng(52).normal(size=(6, 6))
    transition = frame @ np.eye(6, k=1) @ np.linalg.inv(frame)
    made = by_hand.network((np.hstack([transition, np.ones((6, 1))]), np.zeros(6)))
    move = jordan(weights_of(made), np.zeros((1, 6)))
    assert move.note.count("residual") > 1
    assert np.allclose(move.weights.transition, np.eye(6, k=1), atol=1e-6)


def test_a_bias_that_f_does_not_read_goes_to_the_output():
    made = by_hand.network(([[0, 1], [0, -1]], [0, 0]), ([1, 1], 0.3), g=[(2, 1)])
    weights = weights_of(made)
    move = debias(weights, np.zeros((1, 1)))
    assert move.weights.f[-1].bias == pytest.approx(0) and move.shift == pytest.approx(-0.3)
    assert move.weights.g[0].bias == pytest.approx(1.6)
    x = sequences(by_hand.PUSH, 5, 0, 50)
    assert np.allclose(outputs(move.weights, x), outputs(weights, x))


def test_a_bias_that_f_reads_stays():
    weights = weights_of(by_hand.network(([[1, 1]], [0.3])))
    assert debias(weights, np.zeros((1, 1))).weights.f[0].bias == pytest.approx(0.3)


def test_only_what_is_nearly_an_integer_is_rounded():
    made = by_hand.network(([[0.995, 0.98]], [-0.004]))
    layer = quantise(weights_of(made), np.zeros((1, 1))).weights.f[0]
    assert layer.weight.tolist() == [[1, 0.98]] and layer.bias.tolist() == [0]


def test_a_stage_that_changes_an_answer_is_undone_and_says_so():
    # y = 100 · 0.0095 · x on the nose: as integers the answer would be 0
    made = by_hand.network(([[0, 0.0095], [0, -0.0095]], [0, 0]), ([1, -1], 0), g=[(1 / 0.0095, 0)])
    found = simplify(made, by_hand.PUSH, 4)
    undone = [step for step in found.steps if not step.kept]
    assert [step.name for step in undone] == ["quantise"]
    assert undone[0].note.startswith("undone, ") and undone[0].accuracy < 1
    x = sequences(by_hand.PUSH, 4, 1, 500)
    assert np.allclose(outputs(found.weights, x), x)


def test_a_stage_that_makes_weights_large_is_undone(monkeypatch):
    def stretched(weights, seen):
        return simplifying.whiten(weights, seen * 1e-9)

    monkeypatch.setattr(simplifying, "STAGES", (stretched,))
    (step,) = simplify(by_hand.freebody(), by_hand.PUSH, 4).steps
    assert not step.kept and "largest weight" in step.note


@pytest.mark.parametrize("make", ["freebody", "spring", "parity", "addition", "size_of"])
def test_the_frame_leads_from_the_states_there_were_to_those_there_are(make):
    inputs = {"parity": by_hand.BIT, "addition": by_hand.BITS}.get(make, by_hand.PUSH)
    module = by_hand.hidden(getattr(by_hand, make)(), 4)
    found = simplify(module, inputs, 8)
    x = sequences(inputs, 8, 5, 200)
    expected = states(weights_of(module), x)[:, 1:] @ found.frame.T + found.shift
    assert np.allclose(states(found.weights, x)[:, 1:], expected, atol=1e-6)


def bad(change):
    module = by_hand.parity()
    change(module)
    return module


def put(path, layer):
    def change(module):
        part, place = path
        (module.rnn.f if part == "f" else module.g)[place] = layer

    return change


def spoil(value):
    def change(module):
        with torch.no_grad():
            module.rnn.f[2].bias[0] = value

    return change


@pytest.mark.parametrize(
    "module, named",
    [
        (by_hand.Odd(), "module: Odd"),
        (build_real("real_gru", 1, 3, 1), "GRU"),
        (bad(spoil(torch.nan)), "f.2.bias"),
        (bad(spoil(torch.inf)), "f.2.bias"),
        (bad(put(("f", 1), nn.Tanh())), "f.1 is Tanh"),
        (bad(put(("f", 2), nn.Linear(3, 1))), "f.2.weight reads 3"),
        (bad(put(("f", 2), nn.Linear(2, 2))), "f: its first layer"),
        (bad(put(("g", 0), nn.Linear(2, 1))), "g.0.weight"),
        (bad(lambda m: m.g.append(nn.ReLU())), "g.1 is ReLU"),
    ],
)
def test_networks_of_another_form_are_refused_by_the_field(module, named):
    with pytest.raises(SymscopeError, match=named):
        simplify(module, by_hand.BIT, 5)


@pytest.mark.parametrize(
    "inputs, length, named",
    [
        (by_hand.BIT, 1, "length 1"),
        (by_hand.BITS, 5, "inputs"),
        ((), 5, "inputs"),
        ((Variable("x", 1, 0),), 5, "x has an empty alphabet"),
        ((Variable("x", 0, 1, "real"),), 5, "x is no integer"),
        ((Variable("x", 0, 1.5),), 5, "x is no integer"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_the_field(inputs, length, named):
    with pytest.raises(SymscopeError, match=named):
        simplify(by_hand.parity(), inputs, length)
