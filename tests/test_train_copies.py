"""Training copies side by side: perfect on easy tasks, the same again, and honest when not."""

import pytest
import torch

from symscope import train_copies as module
from symscope.evidence import ComputationFailed
from symscope.models.real_rnn import build_real
from symscope.tasks import algorithm
from symscope.train_copies import Plan, answers_right, judged_on, train_copies

QUICK = Plan(copies=3, batch=32, steps=500, rate=1e-2, cool=250)


@pytest.fixture(autouse=True)
def fewer_sequences(monkeypatch):
    for name, count in (("_POOL", 2048), ("LOOKED_AT", 512), ("ACCEPTED", 2000)):
        monkeypatch.setattr(module, name, count)


@pytest.mark.parametrize(
    ("name", "width", "f"), [("bitwise_not", 1, (1, 1)), ("bitwise_xor", 1, (8, 2))]
)
def test_an_easy_task_is_learned_and_the_same_seed_gives_the_same_network(name, width, f):
    task = algorithm(name)
    network, evidence = train_copies(task, width, f, plan=QUICK)
    assert evidence.score == 1 and evidence.controls["untrained"] < 0.1
    right, margin = answers_right(network, task, 77)
    assert bool(right.all()) and margin > 0.3
    assert evidence.config["first"] <= 500 and evidence.config["margin"] > 0.3
    again, _ = train_copies(task, width, f, plan=QUICK)
    other, _ = train_copies(task, width, f, plan=QUICK, seed=1)
    weights = [n.g[0].weight for n in (network, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_a_task_that_cannot_be_learned_so_is_reported_as_wrong():
    _, evidence = train_copies(algorithm("bitwise_xor"), 1, (1, 1), plan=QUICK)
    assert evidence.score < 0.1 and evidence.config["margin"] < 0
    assert evidence.config["first"] is None and evidence.config["steps"] == QUICK.steps


def test_a_network_is_judged_on_all_sequences_or_fresh_ones():
    assert len(judged_on(algorithm("parity_all"), 0)) == 1024
    drawn = judged_on(algorithm("sum_all"), 0)
    assert len(drawn) == 2000 and not torch.equal(drawn, judged_on(algorithm("sum_all"), 1))


def test_one_wrong_answer_makes_a_sequence_wrong():
    network = build_real("real_mlp", 1, 1, 1, f=(1, 1))
    with torch.no_grad():
        for layer, weights in ((network.rnn.f[0], [[1.0, 1.0]]), (network.g[0], [[1.002]])):
            layer.weight.copy_(torch.tensor(weights))
            layer.bias.zero_()
    task = algorithm("sum_all")
    right, margin = answers_right(network, task, 0)
    sums = task.answers(judged_on(task, 0))
    assert torch.equal(right, (sums < 250).all(1)) and 0 < right.sum() < len(right)
    assert margin == pytest.approx(0.5 - 0.002 * float(sums.max()), abs=1e-3)


def test_progress_is_told_and_a_loss_that_is_no_number_is_an_error():
    told = []
    tell = lambda *line: told.append(line)  # noqa: E731
    train_copies(algorithm("parity_all"), 1, (2, 2), plan=QUICK, progress=tell)
    assert told[-1][0] == told[-1][1] and "worst error" in told[-1][2]
    with pytest.raises(ComputationFailed, match="not finite"):
        train_copies(algorithm("newton_magnetic"), 4, (1, 1), plan=Plan(rate=1e30, steps=50))
