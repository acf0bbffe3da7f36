"""Train many copies of a small network on an integer task side by side; the best one is kept.

The loss is 0.5·ln(1 + (ŷ − y)²) at every step of every sequence, and nothing else. With what makes
it fast: copies in one batched product, each with its own gradient clipped to 1 and its own Adam;
inputs scaled to −1..1 and outputs to unit variance; the length grows from 2 on over the first 40 %
of the steps; the worse half of the copies is dropped three times, and the others see more sequences
in their place; once a copy's errors on 8,192 sequences are small, the rate falls to 2 %.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from symscope.evidence import ComputationFailed, Evidence, SymscopeError, wilson
from symscope.models.copies import Copies, Scales, Shape
from symscope.models.real_rnn import Layers, RealRNN
from symscope.tasks.programmed import Programmed

ACCEPTED = 65_536
"""Fresh sequences on which a network must be right, or all there are if they are fewer."""
LOOKED_AT = 8192
EVERY = 250
ENOUGH = 0.35
"""The largest error on these at which a copy is good enough to be brought to its end."""
GROWN = 0.4
"""The share of the steps after which sequences have their full length."""
HALVED = (0.4, 0.6, 0.8)
"""When the worse half of the copies is dropped."""
COOLED = 4
"""How many copies at most are brought to an end."""
_POOL, _REDRAWN = 2**17, 1000
"""Sequences are taken from so many, which are drawn anew after so many steps."""
FLOOR = 0.02
"""The share of the rate that is left at the end."""

Progress = Callable[[int, int, str], None]
"""Receives steps done, steps in all, and a line about how it stands."""


@dataclass(frozen=True)
class Plan:
    """How much: `copies` with `batch` sequences each at first, at most `steps` and then `cool`."""

    copies: int = 8
    batch: int = 128
    steps: int = 6000
    rate: float = 1e-2
    cool: int = 1500
    double: bool = False


DEFAULT = Plan()


def train_copies(
    task: Programmed, width: int, f: Layers, g: Layers = (1, 1), plan: Plan = DEFAULT,
    seed: int = 0, progress: Progress = lambda *_: None,
) -> tuple[RealRNN, Evidence]:  # fmt: skip
    """The best of the copies as a module, and its share of 65,536 fresh sequences all right.

    `width` is that of the state; `f` and `g` are (hidden width, linear layers). The evidence's
    config has the margin 0.5 − max|y − round y|, the steps and the first step at which a copy was
    right. The share can be below 1. Raises `ComputationFailed` on NaN.
    """
    began = time.monotonic()
    copies, drawn = _start(task, width, f, g, plan, seed)
    shape, untrained = copies.shape, copies.network(0, drawn.scales)
    best, steps, first = _descend(copies, drawn, plan, progress)
    network = copies.network(best, drawn.scales)
    evidence = accepted(network, untrained, task, seed)
    config = {**evidence.config, "steps": steps, "first": first, "shape": asdict(shape),
              "plan": asdict(plan)}  # fmt: skip
    return network, replace(evidence, seconds=time.monotonic() - began, config=config)


def accepted(network: RealRNN, untrained: RealRNN, task: Programmed, seed: int) -> Evidence:
    """The share of 65,536 fresh sequences (or all) that a trained network has all right.

    The config has the margin 0.5 − max|y − answer|, the controls what the untrained one has right.
    """
    right, margin = answers_right(network, task, seed + 10**6)
    before = float(answers_right(untrained, task, seed + 10**6)[0].float().mean())
    low, high = wilson(int(right.sum()), len(right))
    return Evidence(
        f"train.{task.name}.accuracy", float(right.float().mean()), low, high, len(right),
        "accuracy", {"untrained": before}, [seed], 0.0, {"margin": margin},
        note="Wilson interval over fresh sequences, one seed",
    )  # fmt: skip


def untrained_copy(
    task: Programmed, width: int, f: Layers, g: Layers = (1, 1), plan: Plan = DEFAULT,
    seed: int = 0,
) -> RealRNN:  # fmt: skip
    """The first of the copies that `train_copies` begins with, before its first step."""
    copies, drawn = _start(task, width, f, g, plan, seed)
    return copies.network(0, drawn.scales)


def _start(
    task: Programmed, width: int, f: Layers, g: Layers, plan: Plan, seed: int
) -> tuple[Copies, "Sequences"]:
    dtype = torch.float64 if plan.double else torch.float32
    drawn = Sequences(task, dtype, seed)
    shape = Shape(drawn.inputs, width, drawn.outputs, f, g)
    return Copies(shape, plan.copies, torch.Generator().manual_seed(3 * seed), dtype), drawn


def answers_right(network: RealRNN, task: Programmed, seed: int) -> tuple[Tensor, float]:
    """Per sequence, whether every rounded answer is right; and 0.5 − max|y − answer|.

    On all sequences where they can be listed and are at most 65,536, else on so many drawn ones.
    """
    inputs = judged_on(task, seed)
    answers = task.answers(inputs)
    with torch.no_grad():
        given = network(inputs)
    if given.shape != answers.shape:
        gives, asks = (v[0, 0].numel() for v in (given, answers))
        raise SymscopeError(
            f"outputs: the network gives {gives} at a step, {task.name} asks for {asks}"
        )
    error = (given - answers).abs().flatten(1).amax(1)
    return error < 0.5, 0.5 - float(error.max())


def judged_on(task: Programmed, seed: int) -> Tensor:
    """The sequences on which a network is accepted."""
    if task.count <= ACCEPTED:
        return task.enumerate()
    return task.sample(ACCEPTED, torch.Generator().manual_seed(seed))


class Sequences:
    """Scaled sequences, step first: fresh ones to train on, and some to look at."""

    def __init__(self, task: Programmed, dtype: torch.dtype, seed: int):
        self.task, self.dtype = task, dtype
        self.generator = torch.Generator().manual_seed(3 * seed + 1)
        ranges = torch.tensor([(v.low, v.high) for v in task.program.inputs], dtype=dtype)
        self._middle, self._half = ranges.mean(1), (ranges[:, 1] - ranges[:, 0]) / 2
        self.x, self.y = self._draw(_POOL)
        self.looked_at = self._draw(LOOKED_AT)
        answers = self.y.flatten(0, 1)
        spread = answers.std(0).clamp(min=0.5)
        self.scales = Scales(self._middle, self._half, answers.mean(0), spread)
        self.inputs, self.outputs, self.used = len(ranges), self.y.shape[-1], 0

    def _draw(self, count: int) -> tuple[Tensor, Tensor]:
        tokens = self.task.sample(count, self.generator)
        answers = self.task.answers(tokens)
        x, y = (v.view(*v.shape[:2], -1).to(self.dtype).transpose(0, 1).contiguous()
                for v in (tokens, answers))  # fmt: skip
        return (x - self._middle) / self._half, y

    def next(self, copies: int, batch: int, length: int) -> tuple[Tensor, Tensor]:
        """(length, copy, sample, input or output)."""
        if self.used == _REDRAWN:
            (self.x, self.y), self.used = self._draw(_POOL), 0
        self.used += 1
        rows = torch.randint(_POOL, (copies * batch,), generator=self.generator)
        x, y = (v[:length].index_select(1, rows).unflatten(1, (copies, batch))
                for v in (self.x, self.y))  # fmt: skip
        return x, y


def _descend(
    copies: Copies, drawn: Sequences, plan: Plan, progress: Progress
) -> tuple[int, int, int | None]:
    """Adam on all copies at once; the best one, the steps made and the first that was right."""
    rows = plan.copies * plan.batch
    length = len(drawn.y)
    momentum, square = torch.zeros_like(copies.weights), torch.zeros_like(copies.weights)
    halve = [int(share * plan.steps) // EVERY * EVERY for share in HALVED]
    step, first, end, top = 0, None, plan.steps, plan.rate

    def keep(chosen: list[int]) -> None:
        nonlocal momentum, square
        copies.keep(chosen)
        momentum, square = momentum[chosen], square[chosen]

    while True:
        if first is None:
            rate = plan.rate * cosine(step / plan.steps)
        else:
            rate = top * max(FLOOR, (end - step) / plan.cool)
        long = length if first is not None else 2 + int((length - 1) * step / plan.steps / GROWN)
        count = len(copies.weights)
        x, y = drawn.next(count, rows // count, min(length, long))
        slopes = _slopes(copies, drawn.scales, x, y)
        step += 1
        momentum.lerp_(slopes, 0.1)
        square.mul_(0.999).addcmul_(slopes, slopes, value=0.001)
        scale = (square / (1 - 0.999**step)).sqrt_().add_(1e-8)
        copies.weights.addcdiv_(momentum, scale, value=-rate / (1 - 0.9**step))
        if step % EVERY and step != end:
            continue
        share, worst = _look(copies, drawn)
        order = sorted(range(count), key=lambda i: (-share[i], worst[i]))
        best = order[0]
        progress(step, end, f"right {share[best]:.4f}, worst error {worst[best]:.3f}")
        if step == end:
            return best, step, first
        if first is None and worst[best] < ENOUGH:
            first, end, top = step, step + plan.cool, rate
            keep(order[:COOLED])
        elif first is None and step in halve and count > 1:
            keep(order[: (count + 1) // 2])


def cosine(share: float) -> float:
    """From 1 down to `FLOOR` along half a cosine, after a share of the steps."""
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * share))


def _slopes(copies: Copies, scales: Scales, x: Tensor, y: Tensor) -> Tensor:
    """Each copy's gradient of the mean loss, its norm at most 1."""
    done = copies.run(x)
    error = done.outputs.mul_(scales.spread).add_(scales.mean).sub_(y)
    arriving = error / (1 + error * error) * (scales.spread / error[:, 0, :, 0].numel())
    slopes = copies.slopes(done, arriving)
    norm = slopes.norm(dim=1, keepdim=True)
    if not bool(torch.isfinite(norm).any()):
        raise ComputationFailed("the loss of every copy is not finite; use a lower rate")
    return slopes.mul_((1 / norm).clamp(max=1)).nan_to_num_(0, 0, 0)


def _look(copies: Copies, drawn: Sequences) -> tuple[list[float], list[float]]:
    """Of each copy, the share of the sequences that are all right, and the largest error."""
    x, y = drawn.looked_at
    outputs = copies.run(x[:, None]).outputs
    error = (outputs * drawn.scales.spread + drawn.scales.mean - y[:, None]).abs()
    error = error.nan_to_num(torch.inf).amax((0, 3))
    return (error < 0.5).float().mean(1).tolist(), error.amax(1).tolist()
