"""Sparse dictionaries: a featurizer's laws, known features found, each method's own promise."""

from functools import cache

import pytest
import torch
from torch.nn.functional import normalize

from symscope.evidence import SymscopeError
from symscope.features.dictionaries import METHODS, Training, fit_dictionary
from symscope.features.dictionaries.bench import cosines, random_like
from symscope.features.dictionaries.dictionary import Dictionary, Moment
from symscope.features.dictionaries.jumprelu import WIDTH as RECTANGLE
from symscope.features.dictionaries.matching_pursuit import pursued
from symscope.features.dictionaries.methods import empty
from symscope.features.dictionaries.semi_nmf import factorised

LINEAR = ("pca", "ica", "difference_in_means")
SPARSITY = {"relu": 0.2, "topk": 2, "batchtopk": 2, "jumprelu": 0.05, "gated": 0.7,
            "matching_pursuit": 2}  # fmt: skip
SPARSE = pytest.mark.parametrize("method", SPARSITY)
OF_THE_SAME = [m for m in METHODS if m != "transcoder"]
EACH = pytest.mark.parametrize("method", OF_THE_SAME)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@cache
def truth(features: int = 16, width: int = 8) -> torch.Tensor:
    """Directions in fewer dimensions, pushed apart until none is close to another."""
    directions = normalize(normal(features, width), dim=1)
    for _ in range(300):
        directions.requires_grad_()
        (directions @ directions.T - torch.eye(features)).relu().pow(4).sum().backward()
        directions = normalize((directions - 0.3 * directions.grad).detach(), dim=1)
    return directions


@cache
def mixed(count: int = 5000) -> torch.Tensor:
    """Sums of a few of the true directions, each between 0.5 and 1.5 times, away from 0."""
    generator = torch.Generator().manual_seed(1)
    there = torch.rand(count, 16, generator=generator) < 0.06
    amount = there * (0.5 + torch.rand(count, 16, generator=generator))
    return amount[there.any(1)] @ truth() + 0.3


@cache
def fitted(method: str) -> Dictionary:
    """One of each, fitted for a moment: far from the start, and no more."""
    vectors = mixed()[:1000]
    size = {"pca": 4, "ica": 5, "difference_in_means": 2}.get(method, 12)
    labels = (vectors[:, 0] > 0.2).long() + (vectors[:, 1] > 0.4).long()
    targets = labels if method == "difference_in_means" else None
    training = Training(steps=60, batch=64, warm_up=10, rate=5e-3)
    if method == "ica":
        training = Training(steps=1000)
    return fit_dictionary(
        vectors, method, size=size, sparsity=SPARSITY.get(method), targets=targets,
        training=training,
    )  # fmt: skip


BASE, SOURCE = mixed()[1000:1040], mixed()[1040:1080]


def close(found, expected):
    return torch.allclose(found, expected, atol=2e-5, rtol=1e-4)


@EACH
def test_swapping_a_vector_with_itself_or_nothing_changes_nothing(method):
    f = fitted(method)
    for coordinates in ([0], list(range(f.size))):
        assert close(f.swap(BASE, BASE.clone(), coordinates), BASE)
    assert close(f.swap(BASE, SOURCE, []), BASE)


@EACH
def test_a_swap_moves_along_the_named_features_and_keeps_the_residual(method):
    f = fitted(method)
    base, source = f.encode(BASE), f.encode(SOURCE)
    named = [0, f.size - 1]
    moved = (source - base)[:, named] @ f.decoder[named]
    assert close(f.swap(BASE, SOURCE, named), BASE + moved)
    assert moved.abs().max() > 0.1
    whole = f.swap(BASE, SOURCE, list(range(f.size)))
    assert close(whole - f.decode(source), BASE - f.decode(base))


@pytest.mark.parametrize("method", LINEAR)
def test_linear_dictionaries_obey_every_law(method):
    f = fitted(method)
    coordinates = normal(40, f.size, seed=22)
    assert close(f.encode(f.decode(coordinates)), coordinates)
    once = f.decode(f.encode(BASE))
    assert close(f.decode(f.encode(once)), once) and not close(once, BASE)
    swapped = f.swap(BASE, SOURCE, [0])
    assert close(f.encode(swapped)[:, 0], f.encode(SOURCE)[:, 0])
    assert close(f.encode(swapped)[:, 1:], f.encode(BASE)[:, 1:])
    assert close(f.swap(swapped, BASE, [0]), BASE)


@SPARSE
def test_a_swap_gives_gradients_to_the_weights(method):
    f = fitted(method)
    f.zero_grad()
    f.swap(BASE, SOURCE, list(range(6))).square().sum().backward()
    grads = [w.grad for name, w in f.named_parameters() if name in ("encoder", "decoder")]
    assert all(g is not None and g.isfinite().all() and g.abs().max() > 1e-3 for g in grads)


@EACH
def test_coordinates_do_not_depend_on_the_neighbours(method):
    f = fitted(method)
    assert close(f.encode(BASE)[3:7], f.encode(BASE[3:7]))


@EACH
def test_features_have_length_one_and_signs_are_as_the_method_says(method):
    f = fitted(method)
    assert torch.allclose(f.decoder.norm(dim=1), torch.ones(f.size), atol=1e-5)
    assert bool((f.encode(BASE) < 0).any()) == f.method.signed


@SPARSE
def test_known_features_are_found_and_random_ones_are_not_them(method):
    training = Training(steps=700, batch=128, rate=5e-3, warm_up=100, dead_after=150)
    found = fit_dictionary(
        mixed(), method, size=24, sparsity=SPARSITY[method], training=training, seed=1
    )
    best = cosines(found, truth())
    assert best.mean() > 0.9
    assert cosines(random_like(found), truth()).mean() < 0.75
    with torch.no_grad():
        codes = found.encode(mixed())
        error = (mixed() - found.decode(codes)).square().sum()
    assert error < 0.12 * (mixed() - mixed().mean(0)).square().sum()
    assert (codes != 0).sum(1).float().mean() < 4


def test_semi_nmf_finds_known_features_too_and_principal_axes_do_not():
    found = fit_dictionary(mixed(), "semi_nmf", size=16, training=Training(steps=200))
    assert cosines(found, truth()).mean() > 0.9
    assert cosines(fit_dictionary(mixed(), "pca", size=8), truth()).mean() < 0.7


def test_independent_components_find_orthogonal_features():
    generator = torch.Generator().manual_seed(3)
    turn = torch.linalg.qr(normal(6, 6)).Q
    amount = torch.rand(4000, 6, generator=generator).pow(12)  # seldom far from 0
    found = fit_dictionary(amount @ turn + 2, "ica", size=6, training=Training(steps=500))
    assert cosines(found, turn).min() > 0.98


def test_difference_in_means_points_from_one_class_to_the_other():
    labels = torch.arange(400) % 2 + 5
    axis = normalize(normal(8, seed=5), dim=0)
    vectors = 7 + 0.1 * normal(400, 8, seed=6) + 3 * (labels == 6)[:, None] * axis
    found = fit_dictionary(vectors, "difference_in_means", size=1, targets=labels)
    assert found.decoder[0] @ axis > 0.999
    found = found.encode(vectors).detach()
    assert found[labels == 6].mean().item() == pytest.approx(3, abs=0.05)
    assert abs(found[labels == 5].mean().item()) < 0.05


def test_a_top_k_vector_has_exactly_k_features():
    f = empty(8, 64, "topk", 5)
    with torch.no_grad():
        f.decoder.copy_(normalize(normal(64, 8), dim=1))
        f.encoder.copy_(f.decoder.T)
    assert bool(((f.encode(normal(500, 8, seed=2)) != 0).sum(1) == 5).all())
    few = empty(2, 2, "topk", 2)
    with torch.no_grad():
        few.encoder.copy_(torch.eye(2))
    assert few.encode(torch.tensor([[3.0, -1.0]])).tolist() == [[3, 0]]  # never a negative one


def test_batch_top_k_has_k_features_on_average_and_not_in_every_vector():
    training = Training(steps=500, batch=128, rate=5e-3, warm_up=50)
    f = fit_dictionary(mixed(), "batchtopk", size=24, sparsity=2, training=training)
    counts = (f.encode(mixed()) != 0).sum(1).float()
    assert counts.mean() == pytest.approx(2, rel=0.1)
    assert counts.std() > 0.5
    raw = f.raw(mixed()).detach()
    assert torch.equal(f.encode(mixed()) != 0, raw > f.threshold)


def test_matching_pursuit_never_leaves_more_than_there_was():
    f = fitted("matching_pursuit")
    f.sparsity = 9
    _, left = pursued(f, normal(300, 8, seed=4))
    lengths = torch.stack([r.norm(dim=1) for r in left])
    assert len(left) == 10
    assert bool((lengths.diff(dim=0) <= 1e-6).all())
    assert lengths[-1].mean() < 0.5 * lengths[0].mean()
    f.sparsity = 2


def test_matching_pursuit_takes_off_what_a_feature_has_of_the_vector():
    f = empty(3, 3, "matching_pursuit", 2)
    with torch.no_grad():
        f.decoder.copy_(torch.eye(3))
    codes, left = pursued(f, torch.tensor([[1.0, 3.0, -5.0], [-1.0, -1.0, -1.0]]))
    assert codes.tolist() == [[1, 3, 0], [0, 0, 0]]
    assert left[-1].tolist() == [[0, 0, -5], [-1, -1, -1]]


@pytest.mark.parametrize("seed", [0, 1])
def test_semi_nmf_never_gets_worse_and_its_coordinates_are_not_negative(seed):
    vectors = mixed()[:400] - 0.6
    codes, features, errors = factorised(vectors, 10, 60, seed)
    steps = torch.tensor(errors).diff()
    assert bool((steps <= 1e-9 * errors[0]).all()) and errors[-1] < 0.9 * errors[0]
    assert bool((codes >= 0).all())
    exact = (vectors.double() - codes @ features).square().sum()
    assert errors[-1] == pytest.approx(float(exact))


def test_a_step_of_semi_nmf_is_the_published_one():
    vectors = mixed()[:50] - 0.6
    before, _, _ = factorised(vectors, 4, 3, seed=0)
    after, features, _ = factorised(vectors, 4, 4, seed=0)
    f = torch.linalg.lstsq(before, vectors.double()).solution
    assert torch.allclose(features, f)

    def parts(a):
        return (a.abs() + a) / 2, (a.abs() - a) / 2

    (cross, minus), (gram, gram_minus) = parts(vectors.double() @ f.T), parts(f @ f.T)
    ratio = (cross + before @ gram_minus) / (minus + before @ gram)
    assert torch.allclose(after, before * ratio.sqrt(), atol=1e-8)


def test_semi_nmf_reads_what_non_negative_least_squares_reads():
    from scipy.optimize import nnls

    f = fitted("semi_nmf")
    vectors = normal(20, 8, seed=9).double()
    reader = empty(8, f.size, "semi_nmf").double()
    with torch.no_grad():
        reader.decoder.copy_(f.decoder)
    found = reader.decode(reader.encode(vectors)).detach()
    for vector, given in zip(vectors, found, strict=True):
        _, left = nnls(reader.decoder.detach().T.numpy(), vector.numpy())
        assert float((vector - given).norm()) == pytest.approx(left, abs=1e-4)


def test_a_transcoder_learns_a_linear_map():
    read = mixed()
    given = read @ normal(8, 5, seed=7) / 3 + 1
    training = Training(steps=900, batch=128, rate=5e-3, warm_up=100)
    f = fit_dictionary(
        read, "transcoder", size=32, sparsity=0.001, targets=given, training=training
    )
    error = (given - f.decode(f.encode(read))).square().sum()
    assert f.decode(f.encode(read)).shape == given.shape
    assert error < 0.02 * (given - given.mean(0)).square().sum()
    with pytest.raises(SymscopeError, match="reads one place and writes another"):
        f.swap(read, read, [0])


def test_the_jump_has_the_gradient_of_a_rectangle():
    f = empty(1, 1, "jumprelu", 0.5)
    with torch.no_grad():
        f.encoder.fill_(1), f.decoder.fill_(1), f.log_threshold.fill_(0)
    near, far = 1 + RECTANGLE / 4, 1 + 0.75 * RECTANGLE
    for raw, inside in ((near, 1), (far, 0), (2 - near, 1)):
        f.zero_grad()
        x = torch.tensor([[raw]])
        loss, codes = f.method.loss(f, x, x + 1, Moment(torch.zeros(1, dtype=torch.bool), 1.0))
        above = raw > 1
        assert codes.item() == pytest.approx(raw if above else 0)
        loss.backward()
        error = 2 * (codes.item() - raw - 1)
        wanted = -(error + 0.5) * inside / RECTANGLE  # dθ/d(log θ) is 1 at θ = 1
        assert f.log_threshold.grad.item() == pytest.approx(wanted, rel=1e-4)


def test_the_gate_learns_from_its_own_reconstruction_and_leaves_the_decoder_alone():
    f = fitted("gated")
    f.zero_grad()
    x = mixed()[:64]
    with torch.no_grad():
        f.magnitude_bias.sub_(100)  # no magnitude is positive: only the gate's path is left
    loss, codes = f.method.loss(f, x, x, Moment(torch.zeros(f.size, dtype=torch.bool), 1.0))
    loss.backward()
    assert not bool(codes.any())
    assert f.gate_bias.grad.abs().max() > 1e-3 and f.encoder.grad.abs().max() > 1e-3
    assert f.decoder.grad is None or not bool(f.decoder.grad.any())
    with torch.no_grad():
        f.magnitude_bias.add_(100)
