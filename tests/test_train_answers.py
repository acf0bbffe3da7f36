"""Training on queries: branches equal samples, a killed training goes on, plans are kept to."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from symscope.causal_model import UnknownName
from symscope.evidence import ComputationFailed, SymscopeError
from symscope.models.load import build
from symscope.tasks.arithmetic import Arithmetic
from symscope.tasks.binding import Binding
from symscope.tasks.long_addition import LongAddition
from symscope.tasks.modular import ModularAddition
from symscope.train_answers import (
    Plan,
    _loss,
    answers,
    checkpoints_in,
    fan_in,
    log_spaced,
    operations,
    train_answers,
)

TASK = Binding(lines=3, letters=4, digits=4, hops=2)
PLAN = Plan(steps=120, batch=8, warmup=10, queries=2)


def network(seed=0, **options):
    module = build("transformer", len(TASK.vocabulary), 16, seed, layers=2, heads=2, **options)
    return fan_in(module, seed)


@pytest.mark.parametrize("program_too", [False, True])
def test_several_queries_of_a_program_cost_what_as_many_samples_would(program_too):
    module = network()
    tokens = TASK.drawn(6, torch.Generator().manual_seed(0))
    asked, target = TASK.asked_too(tokens, 3, torch.Generator().manual_seed(1))
    together = _loss(module, tokens, asked, target, program_too)
    alone = 0.0
    for k in range(3):
        other = tokens.clone()
        other[:, -2] = asked[:, k]
        logits = module(other)
        alone = alone + torch.nn.functional.cross_entropy(logits[:, -1], target[:, k]) / 3
        if program_too and k == 0:
            found = logits[:, :-1].flatten(0, 1)
            alone = alone + torch.nn.functional.cross_entropy(found, other[:, 1:].flatten())
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_branch_sees_its_trunk_and_no_other_branch():
    module = network()
    tokens = TASK.drawn(4, torch.Generator().manual_seed(0))
    trunk, end = tokens[:, :-3], tokens[:, -3:]
    other = end.roll(1, 0)
    _, found = module.branched(trunk, torch.stack([end, other], 1))
    alone = torch.stack([module.hidden(torch.cat([trunk, e], 1))[:, -3:] for e in (end, other)], 1)
    assert torch.allclose(found, alone, atol=1e-5)


def test_training_lowers_the_loss_and_tells_its_speed():
    module = network()
    evidence = train_answers(module, TASK, replace(PLAN, steps=300), 0)
    losses = evidence.config["losses"]
    assert losses[-1][1] < losses[0][1] and losses[-1][0] == evidence.config["steps"] == 300
    assert evidence.config["steps_per_second"] > 0
    assert evidence.config["operations_per_second"] > 0
    assert "digit of line 1" in evidence.controls and 0 <= evidence.score <= 1


def test_a_training_that_was_ended_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("symscope.train_answers.KEEP_EVERY", 50)
    whole = network(dropout=0.1)
    train_answers(whole, TASK, PLAN, 0, tmp_path / "whole", [0, 60, 120])

    def stop(done, total, text):
        if done == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_answers(network(dropout=0.1), TASK, PLAN, 0, tmp_path / "parts", [0, 60, 120], stop)
    resumed = network(seed=3, dropout=0.1)  # what it starts from is replaced by what was kept
    train_answers(resumed, TASK, PLAN, 0, tmp_path / "parts", [0, 60, 120])
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert list(checkpoints_in(tmp_path / "whole")) == [0, 60, 120]
    for step, path in checkpoints_in(tmp_path / "whole").items():
        other = checkpoints_in(tmp_path / "parts")[step]
        assert path.read_bytes() == other.read_bytes()


def test_a_state_of_another_plan_is_refused(tmp_path):
    short = replace(PLAN, steps=50)
    train_answers(network(), TASK, short, 0, tmp_path)
    with pytest.raises(SymscopeError, match="trained with plan"):
        train_answers(network(), TASK, replace(short, rate=1e-3), 0, tmp_path)


def test_a_finite_training_set_is_used_and_only_that():
    from symscope.train_answers import _chunk, _pool

    plan = replace(PLAN, programs=20)
    pool = _pool(TASK, plan, 0)
    assert len(pool) == 20 and len(torch.unique(pool, dim=0)) == 20
    drawn, _, _ = _chunk(TASK, plan, pool, 0, 0)
    assert len(drawn) == 50 * plan.batch
    known = set(map(tuple, pool.tolist()))
    assert set(map(tuple, drawn.tolist())) <= known


def test_the_curriculum_binds_digits_alone_and_then_ends():
    from symscope.train_answers import _chunk

    plan = replace(PLAN, one_hop=50)
    early, later = (_chunk(TASK, plan, None, 0, step)[0] for step in (0, 50))
    assert int(TASK.trace(early).depth.max()) == 1 and int(TASK.trace(later).depth.max()) > 1


def test_the_rate_rises_and_falls_in_straight_lines():
    plan = Plan(steps=100, warmup=10, rate=1.0)
    assert plan.rate_at(4) == pytest.approx(0.5) and plan.rate_at(10) == pytest.approx(1.0)
    assert plan.rate_at(55) == pytest.approx(0.5)


def test_a_loss_that_is_not_finite_says_so():
    module = network()
    with torch.no_grad():
        module.readout.bias.fill_(float("nan"))
    with pytest.raises(ComputationFailed, match="the loss is nan"):
        train_answers(module, TASK, PLAN, 0)


def test_an_unknown_loss_names_those_there_are():
    with pytest.raises(UnknownName, match="'answer', 'program'"):
        Plan(steps=1, loss="all")


def test_checkpoints_are_spread_evenly_over_the_logarithm():
    steps = log_spaced(6_000, 20)
    assert steps[:2] == [0, 10] and steps[-1] == 6_000
    ratios = torch.tensor(steps[10:-1]).double().diff() / torch.tensor(steps[10:-2]).double()
    assert bool((ratios - (10 ** (1 / 20) - 1)).abs().lt(0.03).all())


def test_answers_are_the_most_likely_token_of_all():
    module, tokens = network(), TASK.drawn(5, torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(answers(module, tokens), module(tokens)[:, -1].argmax(-1))


def test_operations_count_the_weights_that_are_multiplied_with():
    module = build("transformer", 11, 8, layers=1, heads=2)
    products = 4 * 8 * 8 + 2 * 8 * 32 + 8 * 11  # attention, MLP, readout; no embedding
    plan = Plan(steps=1, batch=3, queries=2)
    assert operations(module, plan, TASK) == 6 * products * 3 * (4 * TASK.lines + 6)


ADDITION = Arithmetic("+", operands=10, numbers=20)
PLAIN = Plan(steps=200, batch=64, warmup=20, rate=5e-3, queries=0, power=0.5)


def test_a_task_without_queries_is_trained_on_its_prompts_as_they_are(tmp_path):
    def adder():
        module = build("transformer", len(ADDITION.vocabulary), 32, 0, layers=1, heads=2)
        return fan_in(module, 0)

    module = adder()
    found = train_answers(module, ADDITION, PLAIN, 0, tmp_path, [0, 200])
    assert found.claim == "train.arithmetic.accuracy" and found.score > 0.4
    assert set(found.controls) == {"commonest answer", "first operand", "second operand"}
    seen = ADDITION.prompts("train")
    assert float((answers(module, seen) == ADDITION.answers(seen)).float().mean()) > 0.95
    tokens, target = seen[:5], ADDITION.answers(seen[:5])
    none, logits = tokens[:, :0], module(tokens)
    plain = cross_entropy(logits[:, -1], target)
    every = ADDITION.correct(tokens)
    torch.testing.assert_close(_loss(module, tokens, none, every, False), plain)
    others = cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    torch.testing.assert_close(_loss(module, tokens, none, every, True), plain + others)


def test_an_answer_of_several_tokens_is_right_where_all_are(tmp_path):
    task = LongAddition(1)
    module = fan_in(build("transformer", len(task.vocabulary), 32, 0, layers=1, heads=2), 0)
    found = train_answers(module, task, PLAIN, 0, tmp_path)
    assert 0.5 < found.controls["no carry"] < 0.7  # 45 of 100 sums of two digits have one
    tokens = task.drawn(2_000, torch.Generator().manual_seed(10**6), "test")
    said, wanted = module(tokens).argmax(-1), task.correct(tokens)
    assert found.score == float((said[:, 3:] == wanted[:, 3:]).all(1).float().mean())


def test_the_rate_falls_with_the_power_of_what_is_left():
    plan = replace(PLAIN, steps=120, warmup=20, rate=1.0)
    assert plan.rate_at(19) == 1 and plan.rate_at(95) == 0.5 and plan.rate_at(120) == 0


def test_queries_and_hops_are_for_the_task_that_has_them():
    for wrong in ({"queries": 2}, {"one_hop": 10}):
        with pytest.raises(SymscopeError, match="arithmetic has no queries and no hops"):
            train_answers(network(), ADDITION, replace(PLAIN, **wrong))


MODULAR = ModularAddition(7)
WHOLE = Plan(steps=120, batch=0, rate=1e-2, warmup=0, decay=0.5, power=0, queries=0,
             programs=int(MODULAR.trained_on.sum()))  # fmt: skip


def modular(seed=0):
    return build("transformer", 8, 16, seed, layers=1, heads=2, norm=False, activation="relu")


def by_hand(module, tokens, target, steps):
    """AdamW's weights after some steps on these prompts, written out (Loshchilov & Hutter 2019)."""
    mean = [torch.zeros_like(p) for p in module.parameters()]
    square = [torch.zeros_like(p) for p in module.parameters()]
    for step in range(1, steps + 1):
        loss = cross_entropy(module(tokens)[:, -1], target)
        slopes = torch.autograd.grad(loss, list(module.parameters()), materialize_grads=True)
        length = torch.stack([g.norm() for g in slopes]).norm()
        with torch.no_grad():
            for p, g, m, v in zip(module.parameters(), slopes, mean, square, strict=True):
                g = g * (1 / (length + 1e-6)).clamp(max=1)
                m.mul_(0.9).add_(0.1 * g)
                v.mul_(WHOLE.second).add_((1 - WHOLE.second) * g**2)
                change = m / (1 - 0.9**step) / ((v / (1 - WHOLE.second**step)).sqrt() + 1e-8)
                p.mul_(1 - WHOLE.rate * WHOLE.decay).sub_(WHOLE.rate * change)
    return module


@pytest.mark.parametrize("steps", [1, 3])
def test_with_a_batch_of_0_each_step_is_one_of_adamw_on_the_whole_training_set(steps):
    """In float64, where no gradient is so small that its sign depends on the order of a sum."""
    module, other = modular().double(), modular().double()
    train_answers(module, MODULAR, replace(WHOLE, steps=steps), 0)
    seen = MODULAR.prompts[MODULAR.trained_on]
    by_hand(other, seen, MODULAR.correct(seen)[:, -1], steps)
    for (name, value), wanted in zip(module.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(value, wanted, msg=name)


def test_a_training_on_the_whole_set_that_was_ended_goes_on_to_the_same_weights(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("symscope.train_answers.KEEP_EVERY", 50)
    whole = modular()
    evidence = train_answers(whole, MODULAR, WHOLE, 0, tmp_path / "whole")

    def stop(done, total, text):
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_answers(modular(), MODULAR, WHOLE, 0, tmp_path / "parts", progress=stop)
    resumed = modular(seed=3)
    again = train_answers(resumed, MODULAR, WHOLE, 0, tmp_path / "parts")
    assert again.config["losses"] == evidence.config["losses"] and len(again.config["losses"]) == 3
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    seen = MODULAR.prompts[MODULAR.trained_on]
    right = answers(whole, seen) == MODULAR.correct(seen)[:, -1]
    assert float(right.float().mean()) > 0.9  # with one pair in five missing, in 120 steps


def test_a_batch_of_0_needs_a_training_set_and_costs_what_that_has():
    for wrong in ({"batch": 0}, {"batch": -1, "programs": 5}):
        with pytest.raises(SymscopeError, match="say how many programs"):
            Plan(steps=1, **wrong)
    alike = [operations(modular(), replace(WHOLE, batch=b), MODULAR) for b in (0, WHOLE.programs)]
    assert alike[0] == alike[1] > 0 and WHOLE.size == WHOLE.programs == 39


def test_more_programs_than_there_are_is_refused_and_does_not_go_on_for_ever():
    task = ModularAddition(5)
    plan = replace(Plan(1, 4), queries=0, programs=25)
    module = build("transformer", 6, 8, layers=1, heads=2, positions="learned", length=3)
    with pytest.raises(SymscopeError, match="25 different programs: add_mod_5 has 20"):
        train_answers(module, task, plan)
    for wrong in ({"programs": 0}, {"programs": 9, "one_hop": 2}):
        with pytest.raises(SymscopeError, match="say how many programs"):
            Plan(1, 0, **wrong)
