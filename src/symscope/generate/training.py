"""Train a hypernetwork on all trades of loss against complexity at once: seeded, resumable.

The objective is log(L + β · KL) (Liao, Liu and Tegmark, 2023), with a new β, log-uniform over the
trained range, for each of several networks at every step. How long, with what and in what batches
is not said there; the plan's defaults were found by a small search, which is recorded.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.generate.hypernetwork import BETAS, Hypernetwork
from symscope.speed import clock
from symscope.task import Task
from symscope.train_state import checkpoint, keep, restore

TOLD_EVERY, KEEP_EVERY = 100, 500
COLLAPSED_NATS, COLLAPSED_LOSS = 1e-6, 0.98
"""Below so little information and above this loss a network says nothing of its inputs."""

Progress = Callable[[int, int, str], None]
"""Receives steps done, steps in all, and a line about how it stands."""


@dataclass(frozen=True)
class Plan:
    """`betas` networks of `batch` fresh inputs each at every step; Adam, warm-up, then cosine.

    The rate ends at the share `last` of `rate`; gradients are clipped to norm `clip`. `gain`,
    `wavelength` and `response` are the hypernetwork's.
    """

    steps: int = 12_000
    betas: int = 4
    batch: int = 512
    rate: float = 3e-3
    warmup: int = 200
    last: float = 0.05
    clip: float = 1.0
    gain: float = 2.0
    wavelength: float = 10.0
    response: float = 0.1

    def rate_at(self, step: int) -> float:
        """Linear up, then half a cosine down."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        way = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (self.last + (1 - self.last) * (1 + math.cos(math.pi * way)) / 2)


DEFAULT = Plan()


def train_hypernetwork(
    task: Task, sizes: Sequence[int], plan: Plan = DEFAULT, seed: int = 0,
    folder: Path | None = None, device: str = "cpu", progress: Progress = lambda *_: None,
) -> tuple[Hypernetwork, dict[str, Any]]:  # fmt: skip
    """The trained hypernetwork and its history: step, seconds, and every 100 steps what it costs.

    With a `folder` the state is kept there and training goes on from it; at every fiftieth of the
    steps the weights go to `checkpoints/step-000240.safetensors`. Raises `ComputationFailed` where
    loss or KL is not finite, or where the network has come to say nothing; what was kept stays.
    """
    checked_plan(task, sizes, plan)
    module = before_training(sizes, plan, seed).to(device)
    optimiser = torch.optim.Adam(module.parameters(), lr=plan.rate, fused=True)
    settings = {"task": task.name, "sizes": list(sizes), "plan": asdict(plan), "seed": seed}
    history: dict[str, Any] = {"step": 0, "seconds": 0.0, "told": []}
    kept = folder / "training.safetensors" if folder else None
    if kept is not None and kept.exists():
        form = {"history": history | {"told": [[0.0, 0.0]]}}
        history = restore(kept, module, optimiser, settings, form)["history"]
    while (first := history["step"]) < plan.steps:
        began, costs = clock(torch.device(device)), []
        for step in range(first, min(first + TOLD_EVERY, plan.steps)):
            if folder and step in checkpoints(plan.steps):
                checkpoint(place(folder, step), module)
            for group in optimiser.param_groups:
                group["lr"] = plan.rate_at(step)
            costs.append(_step(module, optimiser, task, plan, seed * 1_000_003 + step))
        history["seconds"] += clock(torch.device(device)) - began
        history["step"] = step + 1
        history["told"].append([step + 1, *_checked(costs, first, kept)])
        if kept is not None and (step + 1 == plan.steps or (step + 1) % KEEP_EVERY == 0):
            keep(kept, module, optimiser, {"history": history, **settings})
        progress(step + 1, plan.steps, f"loss {history['told'][-1][1]:.4f}")
    if folder:
        checkpoint(place(folder, plan.steps), module)
    return module, history


def before_training(sizes: Sequence[int], plan: Plan, seed: int) -> Hypernetwork:
    """The hypernetwork as it is before training."""
    return Hypernetwork(sizes, seed, plan.gain, plan.wavelength, plan.response)


def checkpoints(steps: int) -> set[int]:
    """Every fiftieth of the way, the start and the end.

    >>> sorted(checkpoints(100))[:3]
    [0, 2, 4]
    """
    return {round(steps * k / 50) for k in range(51)}


def place(folder: Path, step: int) -> Path:
    """Where the weights after so many steps are kept."""
    return folder / "checkpoints" / f"step-{step:06}.safetensors"


def checked_plan(task: Task, sizes: Sequence[int], plan: Plan) -> None:
    """Raises `SymscopeError` where task, sizes and plan do not fit."""
    wanted = (
        len(task.sample(1, torch.Generator())[0]),
        task.correct(task.sample(1, torch.Generator())).shape[-1],
    )
    if (sizes[0], sizes[-1]) != wanted:
        raise SymscopeError(
            f"{task.name} has {wanted[0]} inputs and {wanted[1]} outputs; the sizes {tuple(sizes)}"
            f" are for {sizes[0]} and {sizes[-1]}"
        )
    if plan.steps < 1 or plan.betas < 1 or plan.batch < 1:
        raise SymscopeError(f"steps, betas and batch are at least 1: {plan}")


def drawn_betas(count: int, generator: torch.Generator) -> Tensor:
    """Log-uniform over the trained range, (network,)."""
    low, high = (math.log10(b) for b in BETAS)
    return 10 ** (low + (high - low) * torch.rand(count, generator=generator))


def _step(
    module: Hypernetwork, optimiser: torch.optim.Optimizer, task: Task, plan: Plan, key: int
) -> Tensor:
    """One update; the mean loss and the mean KL, (2,)."""
    like = module.last.weight
    generator = torch.Generator().manual_seed(key)
    betas = drawn_betas(plan.betas, generator).to(like)
    inputs = task.sample(plan.betas * plan.batch, generator)
    target = task.correct(inputs).view(plan.betas, plan.batch, -1).to(like)
    inputs = inputs.view(plan.betas, plan.batch, -1).to(like)
    noise = torch.Generator(device=like.device).manual_seed(key)
    written = module(betas, noise)
    loss = (written.weights.run(inputs) - target).square().mean((1, 2))
    objective = (loss + betas * written.nats).log().mean()
    optimiser.zero_grad()
    objective.backward()
    nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
    optimiser.step()
    return torch.stack([loss.mean(), written.nats.mean()]).detach()


def _checked(costs: Sequence[Tensor], first: int, kept: Path | None) -> tuple[float, float]:
    """Mean loss and KL of these steps; raises where there is nothing to go on with."""
    table = torch.stack(list(costs)).cpu()
    stays = f"; {kept} is as it was before" if kept is not None and kept.exists() else ""
    for number, (loss, nats) in enumerate(table.tolist()):
        if not (math.isfinite(loss) and math.isfinite(nats)):
            raise ComputationFailed(
                f"loss {loss}, KL {nats} at step {first + number + 1}; use a lower rate{stays}"
            )
    loss, nats = table.mean(0).tolist()
    if nats < COLLAPSED_NATS and loss > COLLAPSED_LOSS:
        raise ComputationFailed(
            f"the KL has collapsed to {nats:.1e} nats by step {first + len(costs)}, and the loss of"
            f" {loss:.2f} is that of a constant{stays}"
        )
    return loss, nats
