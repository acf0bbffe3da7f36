"""The loop that trains dictionaries: killed and gone on, unit length, dead features, streams."""

import itertools

import pytest
import torch
from torch.nn.functional import normalize

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.features.dictionaries import Training, fit_dictionary, load_dictionary
from symscope.features.dictionaries.dead import auxiliary, resample
from symscope.features.dictionaries.dictionary import Moment
from symscope.features.dictionaries.methods import empty, method_of
from symscope.features.dictionaries.training import (
    _anew,
    _batches,
    _off_the_radius,
    _State,
    _update,
    rescaled,
)

TRAINED = ("relu", "topk", "batchtopk", "jumprelu", "gated", "matching_pursuit")
EACH = pytest.mark.parametrize("method", TRAINED)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


VECTORS = normal(600, 6).pow(3) + 0.5


class Killed(BaseException):
    """Stands for a signal."""


def same(one, other) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def fit(method, vectors=VECTORS, folder=None, progress=lambda *_: None, seed=3, **changed):
    training = Training(**{
        "steps": 160, "batch": 32, "warm_up": 20, "dead_after": 20, "save_every": 30,
        "folder": folder, "progress": progress, "rate": 1e-2, **changed,
    })  # fmt: skip
    sparsity = 1 if method_of(method).counted else None  # so few that some features die
    return fit_dictionary(vectors, method, size=40, sparsity=sparsity, training=training, seed=seed)


def kill_at(moment):
    def progress(done, steps, line):
        if done >= moment:
            raise Killed

    return progress


@EACH
def test_a_killed_fit_goes_on_to_the_same_dictionary(method, tmp_path):
    told = []
    whole = fit(method, progress=lambda *said: told.append(said[2]))
    if method in ("topk", "matching_pursuit"):  # else nothing tells if the dead are kept
        assert not told[0].endswith(" 0 dead")
    for moment in (100, 160):  # the last state is of step 90, then that of the end
        with pytest.raises(Killed):
            fit(method, folder=tmp_path, progress=kill_at(moment))
    assert same(fit(method, folder=tmp_path), whole)
    assert same(fit(method, folder=tmp_path), whole)  # finished: nothing is done again
    assert not same(fit(method, seed=4), whole)


def test_a_killed_fit_of_a_stream_goes_on_to_the_same_dictionary(tmp_path):
    stream = VECTORS.split(50)
    whole = fit("relu", stream)
    with pytest.raises(Killed):
        fit("relu", stream, tmp_path, kill_at(100))
    assert same(fit("relu", stream, tmp_path), whole)


def test_a_fit_with_other_settings_does_not_go_on_from_this_one(tmp_path):
    fit("topk", folder=tmp_path, steps=60)
    with pytest.raises(SymscopeError, match="was trained with seed 3, not 4"):
        fit("topk", folder=tmp_path, steps=60, seed=4)
    with pytest.raises(SymscopeError, match=r"was trained with rate 0\.01, not 0\.02"):
        fit("topk", folder=tmp_path, steps=60, rate=0.02)


def test_checkpoints_are_dictionaries_for_the_vectors_as_they_are(tmp_path):
    whole = fit("relu", folder=tmp_path, checkpoints=(50, 160))
    assert same(load_dictionary(tmp_path / "checkpoints" / "step-000160.safetensors"), whole)
    early = load_dictionary(tmp_path / "checkpoints" / "step-000050.safetensors")
    assert early.decode(early.encode(VECTORS)).std() > 0.2 * VECTORS.std()
    assert torch.allclose(early.decoder.norm(dim=1), torch.ones(40), atol=1e-5)


@EACH
def test_the_scale_of_the_vectors_does_not_change_what_is_learned(method):
    one, large = fit(method, steps=100), fit(method, 1024 * VECTORS, steps=100)
    assert torch.equal(one.decoder, large.decoder)  # a power of two: nothing is rounded anew
    assert torch.allclose(one.encode(VECTORS), large.encode(1024 * VECTORS) / 1024, atol=1e-5)


def test_a_rescaled_transcoder_gives_the_scaled_outputs():
    f = empty(4, 7, "transcoder", outputs=3)
    with torch.no_grad():
        for weight in f.parameters():
            weight.copy_(normal(*weight.shape, seed=weight.numel()))
    x = normal(50, 4)
    before = f.decode(f.encode(x))
    assert torch.allclose(rescaled(f, 5.0, 0.3).decode(f.encode(5 * x)), 0.3 * before, atol=1e-4)


def test_the_gradient_turns_features_and_does_not_lengthen_them():
    decoder = torch.nn.Parameter(normalize(normal(5, 6), dim=1))
    decoder.grad = normal(5, 6, seed=1)
    before = decoder.grad.clone()
    _off_the_radius(decoder)
    assert (decoder.grad * decoder).sum(1).abs().max() < 1e-6
    along = (before * decoder).sum(1, keepdim=True) * decoder
    assert torch.allclose(decoder.grad + along, before, atol=1e-6)


@EACH
def test_features_have_length_one_after_every_step(method, tmp_path):
    fit(method, folder=tmp_path, steps=5, checkpoints=range(1, 6))
    for path in sorted((tmp_path / "checkpoints").iterdir()):
        assert torch.allclose(load_dictionary(path).decoder.norm(dim=1), torch.ones(40), atol=1e-5)


def with_dead(method="relu"):
    """The first 15 features are there, the last five never are."""
    f = empty(6, 20, method, 2 if method == "topk" else None)
    with torch.no_grad():
        f.decoder.copy_(normalize(normal(20, 6), dim=1))
        f.encoder.copy_(f.decoder.T)
        f.encoder_bias[15:] = -1000
    return f, torch.arange(20) >= 15


def test_dead_features_start_anew_at_what_is_badly_explained():
    f, dead = with_dead()
    odd = torch.zeros(100, 6)
    odd[17] = torch.tensor([0, 0, 0, 50.0, 50, 0])  # one vector has all of the error, nearly
    before = f.decoder.clone()
    with torch.no_grad():
        f.encoder_bias.fill_(-1000)
    resample(f, odd, odd, dead, seed=0)
    assert torch.allclose(f.decoder[15:], normalize(odd[17:18], dim=1).expand(5, 6))
    assert torch.equal(f.decoder[:15], before[:15])
    assert bool((f.encode(odd)[17, 15:] > 0).all()) and not bool(f.encoder_bias[15:].any())


def test_a_fit_starts_dead_features_anew_and_the_optimiser_forgets_them():
    assert not same(fit("matching_pursuit"), fit("matching_pursuit", dead_after=1000))
    f, dead = with_dead()
    state, training = _State(f), Training(dead_after=10)
    optimiser = torch.optim.Adam(f.parameters())
    f.method.loss(f, VECTORS, VECTORS, Moment(dead, 1.0))[0].backward()
    f.encoder_bias.grad.fill_(1), f.encoder.grad.fill_(1), f.decoder.grad.fill_(1)
    optimiser.step()
    state.silent[dead] = 10
    _anew(state, optimiser, (VECTORS, VECTORS), training, 0)
    assert not bool(state.silent.any())
    for weight in (f.decoder, f.encoder.T, f.encoder_bias):
        name = next(w for w in f.parameters() if w.data_ptr() == weight.data_ptr())
        for key in ("exp_avg", "exp_avg_sq"):
            moment = optimiser.state[name][key]
            moment = moment.T if name is f.encoder else moment
            assert not bool(moment[15:].any()) and bool((moment[:15] != 0).all())


def test_a_step_turns_features_only():
    f, _ = with_dead()
    optimiser = torch.optim.Adam(f.parameters())
    before = f.decoder.detach().clone()
    _update(_State(f), optimiser, (VECTORS, VECTORS), 5, Training(), 0)
    assert bool(f.decoder.grad.any()) and not torch.equal(f.decoder, before)
    assert (f.decoder.grad * before).sum(1).abs().max() < 1e-5


def test_every_step_has_its_own_batch_which_seed_and_step_alone_decide():
    first, second = itertools.islice(_batches(VECTORS, None, 32, 3, 0), 2)
    again = next(_batches(VECTORS, 2 * VECTORS, 32, 3, 1))
    assert not torch.equal(first[0], second[0])
    assert torch.equal(again[0], second[0]) and torch.equal(again[1], 2 * second[0])
    assert not torch.equal(next(_batches(VECTORS, None, 32, 4, 0))[0], first[0])


def test_the_auxiliary_loss_teaches_dead_features_alone():
    f, dead = with_dead("topk")
    with torch.no_grad():
        f.encoder_bias[15:] = 0
    raw = f.raw(VECTORS)
    error = VECTORS - f.decode(f.encode(VECTORS))
    found = auxiliary(f, raw, error, dead)
    found.backward()
    assert bool(f.decoder.grad[15:].any()) and not bool(f.decoder.grad[:15].any())
    assert bool(f.encoder.grad[:, 15:].any()) and not bool(f.encoder.grad[:, :15].any())
    codes = torch.zeros_like(raw)
    values, places = raw[:, 15:].topk(3, 1)
    codes.scatter_(1, places + 15, values.relu())
    assert found.item() == pytest.approx(
        (error - codes @ f.decoder).square().sum(1).mean().item() / 32, rel=1e-4
    )
    assert auxiliary(f, raw, error, torch.zeros(20, dtype=torch.bool)).item() == 0


def test_the_penalty_grows_with_the_warm_up():
    f, _ = with_dead()
    moment = method_of("relu").loss
    none, half, all_ = (
        moment(f, VECTORS, VECTORS, type("Moment", (), {"warm": w, "dead": None}))[0].item()
        for w in (0.0, 0.5, 1.0)
    )
    assert half - none == pytest.approx(all_ - half, rel=1e-3)
    assert all_ > none


def test_a_loss_that_is_not_finite_stops_with_its_step(tmp_path):
    with pytest.raises(ComputationFailed, match=r"the loss is (nan|inf) at step"):
        fit("relu", folder=tmp_path, rate=1e30)
    with pytest.raises(ComputationFailed, match="variance is not finite"):
        fit("relu", VECTORS * 1e20)
    with pytest.raises(ComputationFailed, match="variance is not finite"):
        fit("relu", VECTORS.double() * 1e300)
    with pytest.raises(SymscopeError, match="row 0 of the vectors is not finite"):
        fit("relu", VECTORS * 1e300)


def test_progress_is_told_every_hundred_steps_and_at_the_end():
    told = []
    fit("topk", progress=lambda *said: told.append(said), steps=250)
    assert [(done, steps) for done, steps, _ in told] == [(100, 250), (200, 250), (250, 250)]
    assert "loss" in told[0][2] and " features, " in told[0][2]


def test_torchs_own_chance_is_left_alone_and_gradients_may_be_off():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with torch.no_grad():
        found = fit("topk", steps=30)
    assert torch.equal(torch.get_rng_state(), before)
    assert same(found, fit("topk", steps=30))


def test_an_iterator_is_refused_because_it_can_be_read_once_only():
    with pytest.raises(SymscopeError, match="can be read once only"):
        fit("topk", iter(VECTORS.split(50)))
    with pytest.raises(SymscopeError, match="the stream gives no vectors"):
        fit("topk", [])
    with pytest.raises(SymscopeError, match="pca needs all vectors at once"):
        fit_dictionary(VECTORS.split(50), "pca", size=2)
    bad = [*VECTORS.split(50), torch.full((3, 6), float("nan"))]
    with pytest.raises(SymscopeError, match="row 0 of the vectors is not finite"):
        fit("topk", bad)
