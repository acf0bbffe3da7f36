"""Training a hypernetwork: it learns, goes on where it was, and stops where there is no sense."""

from dataclasses import replace

import pytest
import torch

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.generate import training
from symscope.generate.hypernetwork import BETAS
from symscope.generate.sampling import losses, sampled
from symscope.generate.training import (
    Plan,
    before_training,
    checkpoints,
    drawn_betas,
    place,
    train_hypernetwork,
)
from symscope.tasks.functions import function

SIZES, SHORT = (2, 6, 1), Plan(steps=60, betas=2, batch=64, warmup=20)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(training, "TOLD_EVERY", 20)
    monkeypatch.setattr(training, "KEEP_EVERY", 20)


@pytest.fixture(scope="module")
def task():
    return function("l1_norm", 2)


def test_it_learns_something_and_says_how_fast(task):
    module, history = train_hypernetwork(task, SIZES, replace(SHORT, steps=200))
    told = [loss for _, loss, _ in history["told"]]
    assert told[-1] < 0.6 * told[0]
    assert losses(sampled(module, 1e-6).weights, task, 2_000).mean() < 1
    assert history["step"] == 200 and history["seconds"] > 0


def test_killed_and_resumed_equals_uninterrupted(task, tmp_path):
    whole, _ = train_hypernetwork(task, SIZES, SHORT)

    def dies(done, *_):
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_hypernetwork(task, SIZES, SHORT, folder=tmp_path, progress=dies)
    resumed, history = train_hypernetwork(task, SIZES, SHORT, folder=tmp_path)
    assert [step for step, *_ in history["told"]] == [20, 40, 60]
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_checkpoints_are_kept_at_every_fiftieth(task, tmp_path):
    train_hypernetwork(task, SIZES, SHORT, folder=tmp_path)
    kept = sorted((tmp_path / "checkpoints").glob("*.safetensors"))
    assert [p.name for p in kept] == [place(tmp_path, s).name for s in sorted(checkpoints(60))]
    assert len(kept) == 51


def test_a_training_with_other_settings_is_not_gone_on_with(task, tmp_path):
    train_hypernetwork(task, SIZES, replace(SHORT, steps=40), folder=tmp_path)
    with pytest.raises(SymscopeError, match="plan"):
        train_hypernetwork(task, SIZES, SHORT, folder=tmp_path)


def test_sizes_that_do_not_fit_the_task_are_refused(task):
    with pytest.raises(SymscopeError, match=r"2 inputs and 1 outputs.* 3 and 1"):
        train_hypernetwork(task, (3, 6, 1), SHORT)


def test_a_loss_that_is_no_number_stops_with_the_step_and_keeps_what_was(
    task, tmp_path, monkeypatch
):
    real, steps = training.drawn_betas, iter(range(100))

    def broken(count, generator):
        found = real(count, generator)
        return found * float("nan") if next(steps) == 30 else found

    monkeypatch.setattr(training, "drawn_betas", broken)
    with pytest.raises(ComputationFailed, match=r"KL nan at step 31.*as it was before"):
        train_hypernetwork(task, SIZES, SHORT, folder=tmp_path)
    monkeypatch.setattr(training, "drawn_betas", real)
    resumed, _ = train_hypernetwork(task, SIZES, SHORT, folder=tmp_path)
    whole, _ = train_hypernetwork(task, SIZES, SHORT)
    assert torch.equal(resumed.last.weight, whole.last.weight)


def test_a_channel_that_says_nothing_beside_a_constant_answer_has_collapsed():
    nothing = [torch.tensor([1.0, 0.0])] * 3
    with pytest.raises(ComputationFailed, match=r"collapsed to 0\.0e\+00 nats by step 403"):
        training._checked(nothing, 400, None)
    assert training._checked([torch.tensor([0.02, 0.0])], 0, None) == (pytest.approx(0.02), 0)


def test_betas_are_log_uniform_over_the_trained_range():
    betas = drawn_betas(20_000, torch.Generator().manual_seed(0)).log10()
    assert betas.min() > -12 and betas.max() < 0 and BETAS == (1e-12, 1.0)
    assert betas.mean() == pytest.approx(-6, abs=0.1)
    assert betas.std() == pytest.approx(12 / 12**0.5, abs=0.05)


def test_the_rate_warms_up_and_falls_like_a_cosine():
    plan = Plan(steps=1200, warmup=200, rate=1e-2, last=0.1)
    assert plan.rate_at(0) == pytest.approx(5e-5)
    assert plan.rate_at(200) == pytest.approx(1e-2)
    assert plan.rate_at(700) == pytest.approx((1e-2 + 1e-3) / 2)
    assert plan.rate_at(1200) == pytest.approx(1e-3)


def test_a_step_descends_the_mean_log_of_loss_and_priced_kl_with_a_clipped_gradient(task):
    plan = replace(SHORT, steps=1, warmup=0, clip=0.01)
    moved, _ = train_hypernetwork(task, SIZES, plan)
    module, generator = before_training(SIZES, plan, 0), torch.Generator().manual_seed(0)
    betas = drawn_betas(2, generator)
    inputs = task.sample(2 * plan.batch, generator)
    written = module(betas, torch.Generator().manual_seed(0))
    error = written.weights.run(inputs.view(2, plan.batch, 2))
    loss = (error - task.correct(inputs).view(2, plan.batch, 1)).square().mean((1, 2))
    sum((loss + betas * written.nats).log() / 2).backward()
    gradients = [p.grad for p in module.parameters()]
    norm = torch.stack([g.norm() for g in gradients]).norm()
    assert norm > plan.clip
    rate = plan.rate_at(0)
    with torch.no_grad():
        for one, parameter, gradient in zip(moved.parameters(), module.parameters(), gradients,
                                            strict=True):  # fmt: skip
            clipped = gradient * plan.clip / norm
            expected = parameter - rate * clipped / (clipped.abs() + 1e-8)  # Adam's first step
            assert torch.allclose(one, expected, atol=rate * 1e-3)


def test_the_log_weighs_a_small_loss_as_much_as_a_large_one(task):
    module = before_training(SIZES, SHORT, 0)
    module.zero_grad()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.0)
    training._step(module, optimiser, task, replace(SHORT, clip=1e9), 3)
    of_log = [p.grad.clone() for p in module.parameters()]
    again = before_training(SIZES, SHORT, 0)
    generator = torch.Generator().manual_seed(3)
    betas = drawn_betas(2, generator)
    inputs = task.sample(2 * SHORT.batch, generator)
    written = again(betas, torch.Generator().manual_seed(3))
    error = written.weights.run(inputs.view(2, SHORT.batch, 2))
    loss = (error - task.correct(inputs).view(2, SHORT.batch, 1)).square().mean((1, 2))
    (loss + betas * written.nats).log().mean().backward()
    for one, parameter in zip(of_log, again.parameters(), strict=True):
        assert torch.allclose(one, parameter.grad, rtol=1e-3, atol=1e-6)
