"""Dictionaries in files: each layout gives the same coordinates back, others are refused."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import normalize

from symscope.evidence import SymscopeError
from symscope.features.dictionaries import METHODS, load_dictionary, save_dictionary
from symscope.features.dictionaries.dictionary_learning import read_dictionary_learning
from symscope.features.dictionaries.methods import empty
from symscope.features.dictionaries.saelens import WRITTEN, read_saelens, write_saelens

WIDTH, SIZE = 5, 12


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


VECTORS = normal(300, WIDTH, seed=9)


def some(method):
    """A dictionary with random weights, none of them special."""
    counted = METHODS[method].counted
    outputs = 3 if method == "transcoder" else None
    f = empty(WIDTH, SIZE, method, 3 if counted else None, outputs)
    with torch.no_grad():
        for i, weight in enumerate(f.parameters()):
            weight.copy_(0.5 * normal(*weight.shape, seed=i))
        f.decoder.copy_(normalize(f.decoder, dim=1))
        if method == "batchtopk":
            f.threshold.fill_(0.3)
    return f


def agree(one, other):
    assert torch.equal(one.encode(VECTORS), other.encode(VECTORS))
    codes = one.encode(VECTORS)
    assert torch.equal(one.decode(codes), other.decode(codes))
    assert bool(codes.any())


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_dictionary_is_the_same_when_loaded(method, tmp_path):
    f = some(method)
    save_dictionary(tmp_path / "d.safetensors", f)
    again = load_dictionary(tmp_path / "d.safetensors")
    agree(f, again)
    assert again.config() == f.config() and again.method is f.method


@pytest.mark.parametrize("method", WRITTEN)
def test_saelens_files_give_the_same_coordinates_back(method, tmp_path):
    f = some(method)
    write_saelens(tmp_path, f)
    agree(f, read_saelens(tmp_path))
    tensors = load_file(tmp_path / "sae_weights.safetensors")
    assert tensors["W_enc"].shape == (WIDTH, SIZE)
    assert tensors["W_dec"].shape == (SIZE, f.outputs or WIDTH)
    assert {p.name for p in tmp_path.iterdir()} == {"cfg.json", "sae_weights.safetensors"}


@pytest.mark.parametrize("method", ["pca", "semi_nmf", "matching_pursuit"])
def test_a_method_that_saelens_has_not_is_not_written(method, tmp_path):
    with pytest.raises(SymscopeError, match=f"have no '{method}', only relu"):
        write_saelens(tmp_path, some(method))
    assert not list(tmp_path.iterdir())


def saelens(folder, config, **tensors):
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


def plain(seed=0):
    return {
        "W_enc": normal(WIDTH, SIZE, seed=seed), "b_enc": normal(SIZE, seed=seed + 1),
        "W_dec": normal(SIZE, WIDTH, seed=seed + 2), "b_dec": normal(WIDTH, seed=seed + 3),
    }  # fmt: skip


def test_a_folder_from_before_version_six_is_read(tmp_path):
    """Top-k was an activation function then, and the bias was taken off unless said otherwise."""
    w = plain()
    old = {"d_in": WIDTH, "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 4},
           "normalize_activations": False, "hook_point": "blocks.0"}  # fmt: skip
    f = read_saelens(saelens(tmp_path, old, scaling_factor=torch.ones(SIZE), **w))
    raw = (VECTORS - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
    kept = torch.zeros_like(raw).scatter(1, raw.topk(4).indices, raw.topk(4).values.relu())
    assert torch.equal(f.encode(VECTORS), kept) and f.method.name == "topk"
    assert torch.allclose(f.decode(kept), kept @ w["W_dec"] + w["b_dec"])


def test_the_bias_stays_where_the_folder_says_so(tmp_path):
    w = plain()
    config = {"architecture": "standard", "apply_b_dec_to_input": False}
    f = read_saelens(saelens(tmp_path, config, **w))
    assert torch.allclose(f.encode(VECTORS), (VECTORS @ w["W_enc"] + w["b_enc"]).relu())


def test_a_top_k_that_counts_feature_lengths_is_folded(tmp_path):
    w = plain()
    config = {"architecture": "topk", "k": 4, "rescale_acts_by_decoder_norm": True}
    f = read_saelens(saelens(tmp_path, config, **w))
    lengths = w["W_dec"].norm(dim=1)
    raw = ((VECTORS - w["b_dec"]) @ w["W_enc"] + w["b_enc"]) * lengths
    kept = torch.zeros_like(raw).scatter(1, raw.topk(4).indices, raw.topk(4).values.relu())
    assert torch.allclose(f.encode(VECTORS), kept, atol=1e-5)
    assert torch.allclose(
        f.decode(kept), kept / lengths @ w["W_dec"] + w["b_dec"], atol=1e-5
    )  # fmt: skip


def test_a_threshold_that_is_not_positive_lets_through_what_is(tmp_path):
    w = plain()
    threshold = torch.linspace(-1, 0, SIZE)
    f = read_saelens(saelens(tmp_path, {"architecture": "jumprelu"}, threshold=threshold, **w))
    assert torch.equal(f.encode(VECTORS), f.raw(VECTORS).relu())


REFUSED = [
    ({"architecture": "skip_transcoder"}, {}, r"'skip_transcoder' is not among.*W_dec \(12, 5\)"),
    ({"architecture": "gated"}, {}, r"gated has .*b_gate.*found W_dec.*W_enc"),
    ({"architecture": "standard"}, {"extra": torch.ones(2)}, r"found .*extra \(2,\)"),
    ({"architecture": "topk"}, {}, "top-k dictionary without its k"),
    ({"normalize_activations": "layer_norm"}, {}, "activations are normalised .'layer_norm'"),
    ({}, {"scaling_factor": torch.full((SIZE,), 2.0)}, "scaling_factor is not 1"),
    ({}, {"b_enc": torch.ones(3)}, r"encoder_bias has shape \(3,\), \(12,\)"),
    ({}, {"W_enc": torch.ones(3)}, "no matrices"),
    ([1], {}, "holds no mapping"),
]


@pytest.mark.parametrize("config, more, said", REFUSED, ids=[said for *_, said in REFUSED])
def test_other_saelens_folders_are_refused_with_what_they_hold(config, more, said, tmp_path):
    with pytest.raises(SymscopeError, match=said):
        read_saelens(saelens(tmp_path, config, **{**plain(), **more}))


def learned(folder, name, state, **trainer):
    torch.save(state, folder / "ae.pt")
    config = {"trainer": {"dict_class": name, **trainer}}
    (folder / "config.json").write_text(json.dumps(config))
    return read_dictionary_learning(folder)


def layers(**more):
    """Weights as torch's linear layers have them."""
    encoder, decoder = nn.Linear(WIDTH, SIZE), nn.Linear(SIZE, WIDTH, bias=False)
    state = {"encoder.weight": encoder.weight, "encoder.bias": encoder.bias,
             "decoder.weight": decoder.weight, **more}  # fmt: skip
    return {k: v.detach().clone() for k, v in state.items()}, encoder, decoder


BIAS = normal(WIDTH, seed=20)


def test_an_auto_encoder_of_dictionary_learning_is_read_with_features_of_length_one(tmp_path):
    state, encoder, decoder = layers(bias=BIAS)
    f = learned(tmp_path, "AutoEncoder", state)
    codes = encoder(VECTORS - BIAS).relu()
    lengths = decoder.weight.norm(dim=0)
    assert torch.allclose(f.encode(VECTORS), codes * lengths, atol=1e-5)
    assert torch.allclose(f.decode(f.encode(VECTORS)), decoder(codes) + BIAS, atol=1e-5)


def test_its_newer_auto_encoder_reads_vectors_as_they_are(tmp_path):
    state, encoder, decoder = layers(**{"decoder.bias": BIAS})
    f = learned(tmp_path, "AutoEncoderNew", state)
    codes = encoder(VECTORS).relu()
    assert torch.allclose(f.encode(VECTORS), codes, atol=1e-6)
    assert torch.allclose(f.decode(codes), decoder(codes) + BIAS, atol=1e-6)


@pytest.mark.parametrize("where", ["state", "config"])
def test_its_top_k_is_read_with_k_from_either_file(where, tmp_path):
    k = {"k": torch.tensor(3, dtype=torch.int), "threshold": torch.tensor(-1.0)}
    state, encoder, _ = layers(b_dec=BIAS, **(k if where == "state" else {}))
    f = learned(tmp_path, "AutoEncoderTopK", state, **({} if where == "state" else {"k": 3}))
    raw = encoder(VECTORS - BIAS).relu()
    top = raw.topk(3)
    assert torch.allclose(
        f.encode(VECTORS), torch.zeros_like(raw).scatter(1, top.indices, top.values), atol=1e-6
    )


def test_its_batch_top_k_is_read_with_its_threshold(tmp_path):
    state, encoder, _ = layers(b_dec=BIAS, k=torch.tensor(3), threshold=torch.tensor(0.4))
    f = learned(tmp_path, "BatchTopKSAE", state)
    raw = encoder(VECTORS - BIAS).relu()
    assert torch.allclose(f.encode(VECTORS), raw * (raw > 0.4), atol=1e-6)
    assert f.k == 3 and bool(f.encode(VECTORS).any())


def test_its_matrices_are_not_turned(tmp_path):
    w = plain()
    f = learned(tmp_path, "JumpReluAutoEncoder", {**w, "threshold": torch.full((SIZE,), 0.5)})
    raw = VECTORS @ w["W_enc"] + w["b_enc"]
    assert torch.allclose(f.encode(VECTORS), raw * (raw > 0.5), atol=1e-6)
    groups = {"k": torch.tensor(2), "threshold": torch.tensor(0.5), "group_sizes": torch.ones(2)}
    f = learned(tmp_path, "MatryoshkaBatchTopKSAE", {**w, **groups})
    raw = (VECTORS - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
    assert torch.allclose(f.encode(VECTORS), raw * (raw > 0.5), atol=1e-6)


def test_its_gated_dictionary_is_read(tmp_path):
    r, gate, magnitude = (normal(SIZE, seed=s) for s in (30, 31, 32))
    state, encoder, _ = layers(decoder_bias=BIAS, r_mag=r, gate_bias=gate, mag_bias=magnitude)
    del state["encoder.bias"]
    f = learned(tmp_path, "GatedAutoEncoder", state)
    raw = (VECTORS - BIAS) @ encoder.weight.T
    expected = (raw * r.exp() + magnitude).relu() * (raw + gate > 0)
    assert torch.allclose(f.encode(VECTORS), expected, atol=1e-6)


def test_other_folders_of_it_are_refused_with_what_they_hold(tmp_path):
    state, *_ = layers(bias=BIAS)
    with pytest.raises(SymscopeError, match=r"'Other' is not among.*encoder.weight \(12, 5\)"):
        learned(tmp_path, "Other", state)
    with pytest.raises(SymscopeError, match=r"BatchTopKSAE has .*b_dec.*; found bias"):
        learned(tmp_path, "BatchTopKSAE", state)
    state, *_ = layers(b_dec=BIAS)
    with pytest.raises(SymscopeError, match="without its k"):
        learned(tmp_path, "AutoEncoderTopK", state)
    with pytest.raises(SymscopeError, match="no state dict"):
        learned(tmp_path, "AutoEncoder", {"step": 3, "ae": state})


def test_what_is_no_dictionary_is_refused(tmp_path):
    with pytest.raises(SymscopeError, match="no dictionary file"):
        load_dictionary(tmp_path / "absent.safetensors")
    save_file({"weight": torch.ones(2, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(SymscopeError, match=r"is no dictionary .*; it has weight \(2, 3\)"):
        load_dictionary(tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("x")
    with pytest.raises(SymscopeError, match="truncated or no safetensors"):
        load_dictionary(tmp_path / "text.safetensors")
