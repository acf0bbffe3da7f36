"""The networks that ordinary training gives: Adam, and Adam with an L1 penalty.

They are what a generated network is compared with. Liao, Liu and Tegmark (2023, section 3.2.5) have
Adam alone and print no settings; all settings here, and the penalty, are our choice. The
rate falls as a cosine to 1 % of what it was; inputs are fresh at every step. Many networks train
side by side: those of one seed start from the same weights and see the same inputs, whatever else
trains beside them (which changes no more than the rounding).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.models.perceptron import Weights, checked_sizes

STEPS, BATCH, RATE = 20_000, 1024, 1e-3
LOOKED_AT = 32_768
"""Fresh inputs on which a loss is measured, the same for all networks of a task."""
PENALTIES = (1e-4, 1e-1)
"""Between these are the penalties that are tried first."""
ROUNDS, BESIDE, APART = 4, 8, 1.4
"""How often the penalty is refined, how many train side by side, by what factor they differ."""
NEAR = 0.03
"""How far above the asked one, relatively, a loss may lie to be called equal to it."""
_FRESH = 2**31 + 1
"""No seed of training."""
_POOL = 64
_FLOOR = 0.01

Progress = Callable[[int, int, str], None]
"""Receives steps done, steps in all, and a line about how it stands."""


class Regression(Protocol):
    """What is learned: a task with real inputs and outputs."""

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """Inputs, (sample, inputs)."""
        ...

    def correct(self, inputs: Tensor) -> Tensor:
        """The right outputs, (sample, outputs)."""
        ...


@dataclass(frozen=True)
class Plan:
    """How long and with what a network is trained."""

    steps: int = STEPS
    batch: int = BATCH
    rate: float = RATE


DEFAULT = Plan()


@dataclass(frozen=True)
class Trained:
    """One network, its loss on 32,768 fresh inputs, and what it was asked for.

    `penalty` is the factor of Σ|w| in its training, `kept` the number of weights that are not
    pruned, and `asked` the loss it should have, if one was asked for.
    """

    weights: Weights
    loss: float
    penalty: float = 0.0
    kept: int = 0
    asked: float | None = None

    @property
    def equal(self) -> bool:
        """Whether the loss is the asked one, or at most 3 % above it."""
        return self.asked is not None and self.asked <= self.loss <= (1 + NEAR) * self.asked


def train_perceptron(
    # the seventh is the task's own: which activation the networks have
    task: Regression, sizes: Sequence[int], seeds: Sequence[int] = (0,),
    penalties: Sequence[float] = (0.0,), plan: Plan = DEFAULT, activation: str = "silu",
    progress: Progress = lambda *_: None,
) -> Weights:  # fmt: skip
    """Networks of each seed with each penalty, seed by seed, along the first axis of the weights.

    The loss is the mean squared error plus penalty · Σ|w| over the matrices, not the biases.
    Raises `ComputationFailed` on NaN, naming the seed, and `SymscopeError` for a negative penalty.
    """
    if not seeds or not penalties or not all(p >= 0 for p in penalties):
        raise SymscopeError(f"seeds {tuple(seeds)}, penalties {tuple(penalties)}: one or more"
                            " of each, and no penalty below 0")  # fmt: skip
    each = [(seed, penalty) for seed in seeds for penalty in penalties]
    weights = _stacked([untrained(sizes, seed) for seed, _ in each])
    factors = torch.tensor([penalty for _, penalty in each])
    stream = Inputs(task, [seed for seed, _ in each], plan.batch)
    return descended(weights, stream, factors, plan, activation, progress)


def untrained(sizes: Sequence[int], seed: int) -> Weights:
    """Where training starts: uniform within ±1/√inputs of each layer, torch's own for `Linear`."""
    generator = torch.Generator().manual_seed(2 * seed)
    sizes = checked_sizes(sizes)
    matrices, biases = [], []
    for into, out in pairwise(sizes):
        drawn = 2 * torch.rand(into + 1, out, generator=generator) - 1
        matrices.append(drawn[:-1] / math.sqrt(into))
        biases.append(drawn[-1] / math.sqrt(into))
    return Weights(tuple(matrices), tuple(biases))


def loss_of(weights: Weights, task: Regression, activation: str = "silu") -> Tensor:
    """The mean squared error of each network on 32,768 fresh inputs, (…)."""
    inputs = task.sample(LOOKED_AT, torch.Generator().manual_seed(_FRESH))
    with torch.no_grad():
        return (weights.run(inputs, activation) - task.correct(inputs)).square().mean((-2, -1))


def with_l1_at(
    # the eighth is for a progress bar only
    loss: float, task: Regression, sizes: Sequence[int], seed: int = 0, plan: Plan = DEFAULT,
    activation: str = "silu", rounds: int = ROUNDS, progress: Progress = lambda *_: None,
) -> Trained:  # fmt: skip
    """Adam with the L1 penalty for which the loss is the asked one, or as little above as met.

    From above: the comparison then favours the baseline. First eight penalties train side by side.
    In each further round networks go on for a quarter of the steps, half of them from the nearest
    one below at higher penalties, half from the nearest above at lower ones: trained from the
    start, losses jump with the penalty. Raises `SymscopeError` where no loss is high enough.
    """
    low, high = PENALTIES
    tried = [low * (high / low) ** ((i + 1) / (BESIDE + 1)) for i in range(BESIDE)]
    weights = train_perceptron(task, sizes, [seed], tried, plan, activation, progress)
    met = _measured(loss, weights, task, tried, activation)
    shorter = replace(plan, steps=max(1, plan.steps // 4))
    for number in range(1, rounds + 1):
        below, above = _nearest(loss, met)
        if above is None:
            raise SymscopeError(
                f"even with a penalty of {tried[-1]:.2g} the loss stays below {loss:g}"
            )
        if above.equal:
            break
        power = [(i + 1) / number**2 for i in range(BESIDE // 2)]
        going = [(below or above, APART**p) for p in power] + [(above, APART**-p) for p in power]
        tried = [one.penalty * factor for one, factor in going]
        many = _stacked([one.weights for one, _ in going])
        stream = Inputs(task, [seed + 1000 * number] * BESIDE, plan.batch)
        moved = descended(many, stream, torch.tensor(tried), shorter, activation, progress)
        met += _measured(loss, moved, task, tried, activation)
    return min((one for one in met if one.loss >= loss), key=lambda one: one.loss)


def _measured(
    asked: float, weights: Weights, task: Regression, penalties: Sequence[float], activation: str
) -> list[Trained]:
    """The networks with their losses."""
    losses = loss_of(weights, task, activation).tolist()
    each = [weights.of(i) for i in range(len(losses))]
    return [
        Trained(one, found, penalty, nonzero(one), asked)
        for one, found, penalty in zip(each, losses, penalties, strict=True)
    ]


def _nearest(loss: float, met: Sequence[Trained]) -> tuple[Trained | None, Trained | None]:
    """The networks whose losses are next below and next above (or at) the one asked for."""
    below = [one for one in met if one.loss < loss]
    above = [one for one in met if one.loss >= loss]
    return (max(below, key=lambda one: one.loss, default=None),
            min(above, key=lambda one: one.loss, default=None))  # fmt: skip


def _stacked(networks: Sequence[Weights]) -> Weights:
    return Weights(*(tuple(map(torch.stack, zip(*parts, strict=True)))
                     for parts in zip(*networks, strict=True)))  # fmt: skip


class Inputs:
    """Fresh inputs and right outputs for networks of these seeds, (network, batch, …) a step."""

    def __init__(self, task: Regression, seeds: Sequence[int], batch: int):
        self.task, self.batch, self.step = task, batch, 0
        order = list(dict.fromkeys(seeds))
        self.of = torch.tensor([order.index(seed) for seed in seeds])
        self.generators = [torch.Generator().manual_seed(2 * seed + 1) for seed in order]

    def next(self) -> tuple[Tensor, Tensor]:
        """The inputs and outputs of the next step; 64 steps' worth are drawn at once."""
        at = self.step % _POOL
        if at == 0:
            drawn = [self.task.sample(_POOL * self.batch, g) for g in self.generators]
            self.x = torch.stack([x.view(_POOL, self.batch, -1) for x in drawn], 1)
            self.y = torch.stack(
                [self.task.correct(x).view(_POOL, self.batch, -1) for x in drawn], 1
            )
        self.step += 1
        alone = len(self.generators) == 1
        return (self.x[at], self.y[at]) if alone else (self.x[at][self.of], self.y[at][self.of])


def descended(
    # the eighth: masks are for pruning only
    weights: Weights, stream: Inputs, factors: Tensor, plan: Plan, activation: str = "silu",
    progress: Progress = lambda *_: None, masks: Sequence[Tensor] = (),
) -> Weights:  # fmt: skip
    """The weights after training; each network's loss is its own, so that none acts on another."""
    matrices = [m.clone().requires_grad_() for m in weights.matrices]
    biases = [b.clone().requires_grad_() for b in weights.biases]
    moving = Weights(tuple(matrices), tuple(biases))
    optimiser = torch.optim.Adam([*matrices, *biases], lr=plan.rate, foreach=True)
    penalised = bool((factors > 0).any())
    for step in range(plan.steps):
        _masked(moving, masks)
        inputs, outputs = stream.next()
        losses = (moving.run(inputs, activation) - outputs).square().mean((-2, -1))
        if penalised:
            losses = losses + factors * sum(m.abs().sum((-2, -1)) for m in matrices)
        _checked(losses, stream, step)
        share = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
        optimiser.param_groups[0]["lr"] = plan.rate * (_FLOOR + (1 - _FLOOR) * share)
        optimiser.zero_grad()
        losses.sum().backward()
        optimiser.step()
        if (step + 1) % 500 == 0:
            progress(step + 1, plan.steps, f"loss {float(losses.detach().mean()):.4f}")
    _masked(moving, masks)
    return moving.detached()


def _masked(weights: Weights, masks: Sequence[Tensor]) -> None:
    """Pruned weights, and the biases of hidden units that read nothing, are 0 again."""
    with torch.no_grad():
        for matrix, mask in zip(weights.matrices, masks, strict=False):
            matrix.mul_(mask)
        for bias, mask in zip(weights.biases[:-1], masks, strict=False):
            bias.mul_(mask.any(0))


def _checked(losses: Tensor, stream: Inputs, step: int) -> None:
    bad = (~losses.detach().isfinite()).nonzero().flatten().tolist()
    if bad:
        number = [g.initial_seed() // 2 for g in stream.generators][int(stream.of[bad[0]])]
        raise ComputationFailed(f"the loss of seed {number} is {losses[bad[0]].item()} at training"
                                f" step {step + 1}; a lower rate may help")  # fmt: skip


def nonzero(weights: Weights) -> int:
    """How many weights are not 0, biases apart."""
    return sum(int((m != 0).sum()) for m in weights.matrices)
