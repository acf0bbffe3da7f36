"""Train one GRU or Elman network on an integer task: numbers in, numbers out, as they are.

The loss, the scales of inputs and outputs, the growing length, gradients clipped to 1 and the end
once all errors are small are those of `train_copies`; here there is one network and torch's own
gradients, because a cell's are not worth writing out.
"""

import copy
import time
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn

from symscope.evidence import ComputationFailed, Evidence
from symscope.models.copies import Scales
from symscope.models.real_rnn import RealRNN, build_real
from symscope.tasks.programmed import Programmed
from symscope.train_copies import (
    ENOUGH,
    EVERY,
    FLOOR,
    GROWN,
    Progress,
    Sequences,
    accepted,
    cosine,
)


@dataclass(frozen=True)
class CellPlan:
    """How much: at most `steps` of `batch` sequences, then `cool` with a falling rate."""

    batch: int = 128
    steps: int = 8000
    rate: float = 5e-3
    cool: int = 1500


DEFAULT = CellPlan()


def train_cell(
    task: Programmed, architecture: str, width: int, plan: CellPlan = DEFAULT, seed: int = 0,
    progress: Progress = lambda *_: None,
) -> tuple[RealRNN, Evidence]:  # fmt: skip
    """A trained "real_gru" or "real_elman" with an affine g, and how often it is right.

    The evidence is that of `train_copies`; the share can be below 1. Raises `ComputationFailed`
    where the loss is not finite.
    """
    began = time.monotonic()
    drawn = Sequences(task, torch.float32, seed)
    network = build_real(architecture, drawn.inputs, width, drawn.outputs, seed=seed)
    shape = {"inputs": drawn.inputs, "width": width, "outputs": drawn.outputs}
    untrained = _as_they_are(network, drawn.scales)
    steps, first = _descend(network, drawn, plan, progress)
    network = _as_they_are(network, drawn.scales)
    evidence = accepted(network, untrained, task, seed)
    config = {**evidence.config, "steps": steps, "first": first, "shape": shape,
              "plan": asdict(plan)}  # fmt: skip
    return network, replace(evidence, seconds=time.monotonic() - began, config=config)


def _descend(
    network: RealRNN, drawn: Sequences, plan: CellPlan, progress: Progress
) -> tuple[int, int | None]:
    """Adam; the steps made and the first at which all errors were small."""
    adam = torch.optim.Adam(network.parameters())
    length, first, end, top = len(drawn.y), None, plan.steps, plan.rate
    for step in range(plan.steps + plan.cool):
        if first is None:
            rate = plan.rate * cosine(step / plan.steps)
        else:
            rate = top * max(FLOOR, (end - step) / plan.cool)
        long = length if first is not None else 2 + int((length - 1) * step / plan.steps / GROWN)
        x, y = drawn.next(1, plan.batch, min(length, long))
        for group in adam.param_groups:
            group["lr"] = rate
        adam.zero_grad()
        loss = torch.log1p(_errors(network, drawn.scales, x[:, 0], y[:, 0]).square()).mean() / 2
        if not bool(torch.isfinite(loss)):
            raise ComputationFailed(f"the loss is {loss.item()} at step {step}; use a lower rate")
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        if (step + 1) % EVERY and step + 1 != end:
            continue
        with torch.no_grad():
            worst = _errors(network, drawn.scales, *drawn.looked_at).abs().amax((0, 2))
        share = float((worst < 0.5).float().mean())
        progress(step + 1, end, f"right {share:.4f}, worst error {float(worst.max()):.3f}")
        if step + 1 == end:
            break
        if first is None and float(worst.max()) < ENOUGH:
            first, end, top = step + 1, step + 1 + plan.cool, rate
    return end, first


def _errors(network: RealRNN, scales: Scales, x: Tensor, y: Tensor) -> Tensor:
    """Answer minus right answer, (step, sample, output), of inputs in −1..1, step first."""
    states = network.rnn(x.transpose(0, 1))[0].transpose(0, 1)
    return network.g(states) * scales.spread + scales.mean - y


def _as_they_are(network: RealRNN, scales: Scales) -> RealRNN:
    """The same network for numbers that are not scaled: the scales become part of its weights."""
    made = copy.deepcopy(network)
    cell, last = made.rnn, made.g[-1]
    assert isinstance(cell, nn.RNNBase) and isinstance(last, nn.Linear), "as built above"
    weight, bias = cell.get_parameter("weight_ih_l0"), cell.get_parameter("bias_ih_l0")
    with torch.no_grad():
        weight.div_(scales.half)
        bias.sub_(weight @ scales.middle)
        last.weight *= scales.spread[:, None]
        last.bias.copy_(last.bias * scales.spread + scales.mean)
    return made
