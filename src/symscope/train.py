"""One training loop: seeded, checkpointed, resumable with bit-identical results.

All randomness of an update comes from (seed, update), so nothing but weights, optimiser state and
history has to be kept to go on as if nothing had happened.
"""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.evidence import ComputationFailed, Evidence, wilson
from symscope.task import IGNORE, Task
from symscope.train_state import checkpoint, keep, restore

BATCH = 128
UPDATES = 8
"""Updates per epoch (Grant et al., 2025)."""
GATE_EVERY = 5
SAVE_EVERY = 25
STOP_AFTER = 200
"""No early stop before this epoch; then after two perfect gates in a row."""
_KEPT = {"history": [{"epoch": 1, "loss": 0.0, "seconds": 0.0}]}

Progress = Callable[[int, int, str], None]
"""Receives epochs done, epochs in all, and a line about how it stands."""


@dataclass(frozen=True)
class Schedule:
    """How long and with what: `stop` allows the early stop, `own_answers` the network's own input.

    With `own_answers` each answer is given back to the network as its next input in training, as
    it will be in use; otherwise the right one is.
    """

    epochs: int = 600
    stop: bool = True
    own_answers: bool = True
    checkpoints: Sequence[int] = ()


DEFAULT = Schedule()


def rate(update: int) -> float:
    """The learning rate: 1e-3·s/100 up to s = 100, then 1e-3·(s/100)^−½, at least 1e-7."""
    s = update + 1
    return 1e-3 * s / 100 if s <= 100 else max(1e-7, 1e-3 * (s / 100) ** -0.5)


def train(
    module: nn.Module,
    task: Task,
    folder: Path | None = None,
    schedule: Schedule = Schedule(),
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> Evidence:
    """Train `module` in place on the next token; the evidence is its accuracy at the gate.

    With a `folder`, the state is kept there every 25 epochs and training goes on from it; weights
    at the listed checkpoints, (0 is the start), go to `checkpoints/epoch-00050.safetensors`.
    The evidence's config holds the history: epoch, loss, and accuracy where it was measured.
    Raises `ComputationFailed` when the loss is not finite; what was kept before stays.
    """
    optimiser = torch.optim.Adam(module.parameters(), lr=rate(0))
    history: list[dict[str, float]] = []
    kept = folder / "training.safetensors" if folder else None
    if kept is not None and kept.exists():
        history = restore(kept, module, optimiser, {"seed": seed}, _KEPT)["history"]
    elif folder and 0 in schedule.checkpoints:
        checkpoint(folder / "checkpoints" / "epoch-00000.safetensors", module)
    before = history[-1]["seconds"] if history else 0.0
    started = time.monotonic()
    with torch.random.fork_rng():
        while len(history) < schedule.epochs and not (schedule.stop and _passed(history)):
            epoch = len(history) + 1
            loss = _epoch(module, task, optimiser, epoch, schedule.own_answers, seed)
            record = {"epoch": epoch, "loss": loss}
            if epoch % GATE_EVERY == 0 or epoch == schedule.epochs:
                record["accuracy"] = accuracy(module, task, seed=epoch)
            record["seconds"] = before + time.monotonic() - started
            history.append(record)
            if kept is not None and folder is not None:
                if epoch in schedule.checkpoints:
                    checkpoint(folder / "checkpoints" / f"epoch-{epoch:05}.safetensors", module)
                if epoch % SAVE_EVERY == 0:
                    keep(kept, module, optimiser, {"history": history, "seed": seed})
            progress(epoch, schedule.epochs, f"loss {loss:.4f}")
    if kept is not None:
        keep(kept, module, optimiser, {"history": history, "seed": seed})
    return _evidence(module, task, history, seed)


def accuracy(module: nn.Module, task: Task, seed: int = 0) -> float:
    """The share of the gate's sequences on which every scored token is right."""
    right = answers_right(module, task, task.gate(torch.Generator().manual_seed(seed)))
    return float(right.float().mean())


def answers_right(module: nn.Module, task: Task, inputs: Tensor) -> Tensor:
    """Per input, whether every scored token is right, (sample,).

    All or nothing, so feeding the right tokens and feeding the network its own is the same.
    """
    was_training = module.training
    module.eval()
    device = next(module.parameters()).device
    with torch.no_grad():
        found = module(inputs.to(device)).argmax(-1).cpu()
    module.train(was_training)
    target = task.correct(inputs)
    return ((found == target) | (target == IGNORE)).all(1)


def _epoch(
    module: nn.Module, task: Task, optimiser: torch.optim.Adam, epoch: int, own: bool, seed: int
) -> float:
    module.train()
    device = next(module.parameters()).device
    losses = []
    for update in range((epoch - 1) * UPDATES, epoch * UPDATES):
        key = seed * 1_000_003 + update
        tokens = task.sample(BATCH, torch.Generator().manual_seed(key)).to(device)
        inputs, targets = tokens[:, :-1], tokens[:, 1:]
        real = targets != 0
        if own:
            answered = task.correct(tokens)[:, :-1] != IGNORE
            found, _ = with_own_answers(module, inputs, real, answered, key)
        else:
            torch.manual_seed(key)
            found = _logits(module, inputs, real)
        loss = cross_entropy(found, targets[real])
        if not torch.isfinite(loss):
            raise ComputationFailed(f"the loss is {loss.item()} at update {update + 1}")
        for group in optimiser.param_groups:
            group["lr"] = rate(update)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def with_own_answers(
    module: nn.Module, inputs: Tensor, real: Tensor, answered: Tensor, seed: int
) -> tuple[Tensor, Tensor]:
    """Logits at the `real` steps, and the inputs, when each answer is the network's next input.

    The fixed point of feeding all argmax answers back at once, which is what feeding them back one
    by one gives: each pass makes at least one more step right, and a network that answers right
    needs one pass. `seed` fixes the dropout, `real` says which steps are not padding.
    """
    follows = torch.nn.functional.pad(answered[:, :-1], (1, 0))
    last = torch.arange(inputs.shape[1], device=inputs.device) == inputs.shape[1] - 1
    asked = (answered & ~last)[real]
    while True:
        torch.manual_seed(seed)
        found = _logits(module, inputs, real)
        fed = inputs.masked_scatter(follows, found.detach().argmax(-1)[asked])
        if torch.equal(fed, inputs):
            return found, inputs
        inputs = fed


def _logits(module: nn.Module, inputs: Tensor, where: Tensor) -> Tensor:
    """Logits at the steps in `where` only, (steps, vocabulary)."""
    if hasattr(module, "hidden"):
        return module.readout(module.hidden(inputs)[where])  # type: ignore[operator]
    return module(inputs)[where]


def _passed(history: Sequence[Mapping[str, float]]) -> bool:
    gates = [h["accuracy"] for h in history if "accuracy" in h]
    return len(history) >= STOP_AFTER and gates[-2:] == [1.0, 1.0]


def _evidence(
    module: nn.Module, task: Task, history: list[dict[str, float]], seed: int
) -> Evidence:
    right = answers_right(module, task, task.gate(torch.Generator().manual_seed(10**6)))
    untrained = _untrained_accuracy(module, task)
    low, high = wilson(int(right.sum()), len(right))
    return Evidence(
        f"train.{task.name}.accuracy", float(right.float().mean()), low, high, len(right),
        unit="accuracy", controls={"untrained": untrained}, seeds=[seed],
        seconds=history[-1]["seconds"] if history else 0.0,
        config={"epochs": len(history), "history": history},
        note="Wilson interval, one seed",
    )  # fmt: skip


def _untrained_accuracy(module: nn.Module, task: Task) -> float:
    fresh = copy.deepcopy(module)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for part in fresh.modules():
            reset = getattr(part, "reset_parameters", None)
            if reset is not None:
                reset()
    return accuracy(fresh, task)
