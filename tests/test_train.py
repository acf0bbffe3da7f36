"""Training goes on after a kill as if nothing had happened, and hears its own answers."""

import copy
import signal
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from laws import LENGTH, TOKENS, Stacked
from oracles import UP_DOWN
from symscope import train as training
from symscope.evidence import ComputationFailed, SymscopeError
from symscope.models.rnn import RNN, HalfDropout
from symscope.models.transformer import Transformer
from symscope.task import IGNORE
from symscope.tasks import Counting
from symscope.tasks.numbers import EOS, PAD, R
from symscope.train import Schedule, answers_right, rate, train, with_own_answers

TASK = Counting("multi", highest=3, held_out=(2,))
SMALL = {"BATCH": 16, "UPDATES": 2, "SAVE_EVERY": 2, "GATE_EVERY": 3}
SCHEDULE = Schedule(epochs=7, checkpoints=(0, 3, 6))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(training, name, value)


def fresh(cell: str = "gru", width: int = 4, seed: int = 1) -> RNN:
    torch.manual_seed(seed)
    return RNN(cell, TOKENS, width)


def equal(left: nn.Module, right: nn.Module) -> bool:
    return all(map(torch.equal, left.state_dict().values(), right.state_dict().values()))


def history(evidence) -> list[dict]:
    return [{k: v for k, v in h.items() if k != "seconds"} for h in evidence.config["history"]]


# Resuming


CHILD = f"""
import sys, time, torch
from pathlib import Path
from symscope import train as training
from symscope.models.rnn import RNN
from symscope.tasks import Counting
torch.set_num_threads(1)
for name, value in {SMALL}.items():
    setattr(training, name, value)
def progress(done, of, line):
    if done == 5:
        print("five", flush=True)
        time.sleep(600)
torch.manual_seed(1)
training.train(
    RNN("gru", {TOKENS}, 4), Counting("multi", highest=3, held_out=(2,)), Path(sys.argv[1]),
    training.Schedule(epochs=7, checkpoints=(0, 3, 6)), 3, progress,
)
"""


def test_a_training_that_was_killed_goes_on_bit_for_bit(tmp_path):
    whole = fresh()
    expected = train(whole, TASK, tmp_path / "whole", SCHEDULE, seed=3)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "killed")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "five\n"
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()
    kept = tmp_path / "killed" / "training.safetensors"
    with safe_open(kept, "pt") as file:
        assert '"epoch": 4' in file.metadata()["symscope"]
        assert '"epoch": 5' not in file.metadata()["symscope"]
    resumed = fresh(seed=99)  # whatever it starts from is overwritten by what was kept
    found = train(resumed, TASK, tmp_path / "killed", SCHEDULE, seed=3)
    assert equal(resumed, whole)
    assert history(found) == history(expected)
    for folder in ("whole", "killed"):
        names = [p.name for p in sorted((tmp_path / folder / "checkpoints").iterdir())]
        assert names == [f"epoch-0000{n}.safetensors" for n in (0, 3, 6)]
        for name in names:
            one, other = (load_file(tmp_path / f / "checkpoints" / name) for f in ("whole", folder))
            assert all(torch.equal(one[key], other[key]) for key in one)
    states = [load_file(tmp_path / f / "training.safetensors") for f in ("whole", "killed")]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_finished_training_is_not_trained_again(tmp_path):
    first, again = fresh(), fresh(seed=2)
    train(first, TASK, tmp_path, SCHEDULE)
    train(again, TASK, tmp_path, SCHEDULE)
    assert equal(first, again)


def test_training_without_a_folder_is_the_same_training(tmp_path):
    kept, unkept = fresh(), fresh()
    train(kept, TASK, tmp_path, SCHEDULE)
    torch.manual_seed(4)
    state = torch.get_rng_state()
    train(unkept, TASK, None, SCHEDULE)
    assert equal(kept, unkept)
    assert torch.equal(torch.get_rng_state(), state)
    other = fresh()
    train(other, TASK, None, SCHEDULE, seed=1)
    assert not equal(kept, other)


@pytest.fixture
def kept(tmp_path):
    train(fresh(), TASK, tmp_path, Schedule(epochs=2))
    return tmp_path / "training.safetensors"


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.999])
def test_a_truncated_state_is_refused(kept, share):
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SymscopeError, match="is not the state of this training"):
        train(fresh(), TASK, kept.parent, SCHEDULE)
    assert len(kept.read_bytes()) == int(share * len(whole))


@pytest.mark.parametrize("module", [fresh(width=5), fresh("lstm"), Transformer(TOKENS, 4)])
def test_the_state_of_another_architecture_is_refused(kept, module):
    with pytest.raises(SymscopeError, match="is not the state of this training"):
        train(module, TASK, kept.parent, SCHEDULE)


def test_a_file_of_weights_alone_is_refused(kept):
    save_file(fresh().state_dict(), kept)
    with pytest.raises(SymscopeError, match="is not the state of this training"):
        train(fresh(), TASK, kept.parent, SCHEDULE)


def test_another_seed_is_refused(kept):
    with pytest.raises(SymscopeError, match="was trained with seed 0, not 1"):
        train(fresh(), TASK, kept.parent, SCHEDULE, seed=1)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(tmp_path):
    module, kept = fresh(), tmp_path / "training.safetensors"
    good = []

    def poison(done, of, line):
        if done == 5:
            good.append(kept.read_bytes())
            with torch.no_grad():
                module.embed.weight[:, 0] = float("nan")

    with pytest.raises(ComputationFailed, match="the loss is nan at update 11"):
        train(module, TASK, tmp_path, SCHEDULE, progress=poison)
    assert kept.read_bytes() == good[0]
    assert all(t.isfinite().all() for t in load_file(kept).values())
    train(fresh(), TASK, tmp_path, SCHEDULE)  # and from there it goes on


# What is learned from


def test_the_rate_rises_to_a_thousandth_and_falls_with_the_root():
    assert [rate(s - 1) for s in (1, 50, 100)] == pytest.approx([1e-5, 5e-4, 1e-3])
    assert [rate(s - 1) for s in (400, 10_000)] == pytest.approx([5e-4, 1e-4])
    assert rate(10**13) == 1e-7


def literal(module, inputs, real, answered, seed):
    """Each answer is given back before the next is asked for, one by one."""
    fed = inputs.clone()
    for t in range(inputs.shape[1] - 1):
        torch.manual_seed(seed)
        if hasattr(module, "hidden"):
            found = module.readout(module.hidden(fed)[real])
        else:
            found = module(fed)[real]
        answers = torch.zeros_like(fed).masked_scatter(real, found.argmax(-1))
        fed[:, t + 1] = torch.where(answered[:, t], answers[:, t], fed[:, t + 1])
    torch.manual_seed(seed)
    return fed


MODULES = {
    "gru": lambda: fresh(width=6),
    "lstm": lambda: fresh("lstm", width=6),
    "transformer": lambda: Transformer(TOKENS, 8),
    "foreign": lambda: Stacked(nn.GRU, False),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("kind", ["multi", "same"])
def test_own_answers_are_those_given_one_by_one(name, kind):
    changed = 0
    for seed in range(6):
        torch.manual_seed(seed)
        module = MODULES[name]().train()
        with torch.no_grad():
            for weight in module.parameters():
                weight.mul_(3)  # so that answers differ
        task = Counting(kind, highest=5)
        tokens = task.sample(12, torch.Generator().manual_seed(seed))
        inputs, real = tokens[:, :-1], tokens[:, 1:] != PAD
        answered = task.correct(tokens)[:, :-1] != IGNORE
        found, fed = with_own_answers(module, inputs, real, answered, seed)
        assert torch.equal(fed, literal(module, inputs, real, answered, seed))
        torch.manual_seed(seed)
        again = module.readout(module.hidden(fed)[real]) if name != "foreign" else module(fed)[real]
        assert torch.allclose(found, again, atol=1e-6)
        changed += int((fed != inputs).sum())
    assert changed > 20


def free_running(module, task, inputs):
    """Whether each input is answered without a mistake by a network that hears only itself."""
    right, target = [], task.correct(inputs)
    for row, wanted in zip(inputs, target, strict=True):
        first = int((wanted != IGNORE).nonzero()[0])
        said = row[: first + 1].tolist()
        while len(said) < len(row) and said[-1] != EOS:
            said.append(int(module(torch.tensor([said]))[0, -1].argmax()))
        end = int((row == EOS).nonzero()[0])
        right.append(said[: end + 1] == row[: end + 1].tolist())
    return torch.tensor(right)


def test_answers_are_right_when_a_free_run_makes_no_mistake():
    module, task = copy.deepcopy(UP_DOWN.network.module), Counting("multi", highest=8)
    with torch.no_grad():
        module.embed.weight[R] *= 1.12  # too much is taken away: from 5 on it stops too soon
    inputs = task.gate(torch.Generator().manual_seed(0))
    right = answers_right(module, task, inputs)
    assert torch.equal(right, free_running(module, task, inputs))
    assert 0.2 < right.float().mean() < 0.8


def test_training_learns_and_says_so():
    module = fresh(width=16)
    evidence = train(module, TASK, None, Schedule(epochs=60, own_answers=False))
    losses = [h["loss"] for h in evidence.config["history"]]
    assert losses[-1] < 0.6 * losses[0]
    assert evidence.claim == "train.multi.accuracy" and evidence.n == 45
    right = answers_right(module, TASK, TASK.gate(torch.Generator().manual_seed(10**6)))
    assert evidence.score == pytest.approx(float(right.float().mean()))
    assert evidence.controls["untrained"] == 0


def test_it_stops_after_two_perfect_gates_in_a_row(monkeypatch):
    gates = iter([1.0, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0])
    monkeypatch.setattr(training, "GATE_EVERY", 1)
    monkeypatch.setattr(training, "STOP_AFTER", 3)
    monkeypatch.setattr(training, "accuracy", lambda *_, **__: next(gates))
    monkeypatch.setattr(training, "_untrained_accuracy", lambda *_: 0.0)
    assert len(train(fresh(), TASK, None, Schedule(epochs=7)).config["history"]) == 5
    gates = iter([1.0] * 7)
    assert len(train(fresh(), TASK, None, Schedule(epochs=7)).config["history"]) == 3
    gates = iter([1.0] * 7)
    whole = train(fresh(), TASK, None, Schedule(epochs=7, stop=False))
    assert len(whole.config["history"]) == 7


def test_half_of_the_units_drop_out_and_the_rest_is_doubled():
    x, dropout = torch.ones(200, LENGTH, 13), HalfDropout()
    torch.manual_seed(0)
    first, second = dropout(x), dropout(x)
    torch.manual_seed(0)
    assert torch.equal(dropout(x), first) and not torch.equal(first, second)
    assert set(first.unique().tolist()) == {0.0, 2.0}
    assert abs(float(first.mean()) - 1) < 0.03
    assert torch.equal(dropout.eval()(x), x)
