"""Many copies of one small `RealRNN` of MLPs, computed at once.

All weights of a copy are one row of a matrix, (copy, weight), and each layer is one batched product
(copy, in, out). Gradients are written out: the slope of the states is the only thing that goes
back step by step, the weights' are one product over all steps. They equal autograd's.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
from torch import Tensor

from symscope.models.real_rnn import Layers, RealRNN, build_real

Parameters = list[tuple[Tensor, Tensor]]
"""Weights (copy, in, out) and biases (copy, 1, out) of the layers of an MLP."""


@dataclass(frozen=True)
class Shape:
    """The form of a network: numbers in, state and numbers out, and the MLPs f and g."""

    inputs: int
    width: int
    outputs: int
    f: Layers = (1, 1)
    g: Layers = (1, 1)

    @property
    def layers(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """(in, out) of the layers of f and of g."""
        f = [self.width + self.inputs, *[self.f[0]] * (self.f[1] - 1), self.width]
        g = [self.width, *[self.g[0]] * (self.g[1] - 1), self.outputs]
        return list(pairwise(f)), list(pairwise(g))


@dataclass(frozen=True)
class Pass:
    """What one pass computed, as the slopes need it; step, copy and sample first."""

    inputs: Tensor
    states: Tensor  # the state before the first step too
    hidden: list[Tensor]  # f's layers after ReLU; of an affine f the states
    read: list[Tensor]  # the state after each step, g's layers after ReLU, the output

    @property
    def outputs(self) -> Tensor:
        """(step, copy, sample, output)."""
        return self.read[-1]


class Copies:
    """`count` copies of a network whose inputs lie in −1..1.

    A hidden f starts with input weights of order 1 and its kinks uniform over the inputs' range,
    an affine one with a random rotation by 0.9 for the states.
    """

    def __init__(self, shape: Shape, count: int, generator: torch.Generator, dtype: torch.dtype):
        self.shape = shape
        size = sum((a + 1) * b for layers in shape.layers for a, b in layers)
        self.weights = torch.zeros(count, size, dtype=dtype)
        self._start(generator)

    def views(self, rows: Tensor) -> tuple[Parameters, Parameters]:
        """The layers of f and of g in `rows`, (copy, weight); they share its memory."""
        at, found = 0, []
        f, g = self.shape.layers
        for a, b in (*f, *g):
            weight = rows[:, at : at + a * b].unflatten(1, (a, b))
            found.append((weight, rows[:, None, at + a * b : at + (a + 1) * b]))
            at += (a + 1) * b
        return found[: len(f)], found[len(f) :]

    def _start(self, generator: torch.Generator) -> None:
        f, g = self.views(self.weights)
        width = self.shape.width

        def normal(part: Tensor, scale: float) -> None:
            part.copy_(scale * torch.randn(part.shape, generator=generator, dtype=part.dtype))

        for weight, bias in (*f, *g):
            for part in (weight, bias):
                drawn = torch.rand(part.shape, generator=generator, dtype=part.dtype)
                part.copy_((2 * drawn - 1) / math.sqrt(weight.shape[1]))
        first, bias = f[0]
        states, inputs = first[:, :width], first[:, width:]
        normal(inputs, 1)
        if len(f) == 1:
            normal(states, 1)
            states.copy_(0.9 * torch.linalg.qr(states)[0])
            bias.zero_()
            return
        normal(states, width**-0.5)
        kinks = torch.rand(inputs.shape, generator=generator, dtype=inputs.dtype)
        bias.copy_((inputs * (1 - 2 * kinks)).sum(1, keepdim=True))
        normal(f[-1][0], f[-1][0].shape[1] ** -0.5)
        f[-1][1].zero_()

    def run(self, inputs: Tensor) -> Pass:
        """All copies on `inputs` (step, copy, sample, input), or with 1 in place of copy."""
        f, g = self.views(self.weights)
        copies, width = len(self.weights), self.shape.width
        length, _, samples, _ = inputs.shape
        first, bias = f[0]
        entering = torch.matmul(inputs, first[:, width:]).add_(bias)
        shapes = [(length, copies, samples, w.shape[2]) for w, _ in f[1:-1]]
        hidden = [entering, *(entering.new_empty(shape) for shape in shapes)]
        states = entering.new_zeros(length + 1, copies, samples, width)
        for t in range(length):
            a = hidden[0][t].baddbmm_(states[t], first[:, :width])
            if len(f) == 1:
                states[t + 1] = a
                continue
            a.relu_()
            for (weight, b), out in zip(f[1:-1], hidden[1:], strict=True):
                a = torch.baddbmm(b, a, weight, out=out[t]).relu_()
            torch.baddbmm(f[-1][1], a, f[-1][0], out=states[t + 1])
        read = [states[1:]]
        for i, (weight, b) in enumerate(g):
            y = torch.matmul(read[-1], weight).add_(b)
            read.append(y.relu_() if i < len(g) - 1 else y)
        return Pass(inputs, states, hidden, read)

    def slopes(self, done: Pass, arriving: Tensor) -> Tensor:
        """The gradient of all weights, (copy, weight), where the outputs' is `arriving`."""
        f, g = self.views(self.weights)
        found = torch.empty_like(self.weights)
        of_f, of_g = self.views(found)
        for i in reversed(range(len(g))):
            _into(of_g[i], done.read[i], arriving)
            arriving = torch.matmul(arriving, g[i][0].transpose(1, 2))
            if i:
                arriving.mul_(done.read[i] > 0)
        of_states = arriving  # from g; what comes back through time is added to it
        back = [torch.empty_like(h) for h in done.hidden]
        through = f[0][0][:, : self.shape.width].transpose(1, 2)
        for t in reversed(range(len(of_states))):
            now = of_states[t]
            if len(f) == 1:
                back[0][t] = now
            for i in reversed(range(len(f) - 1)):
                out, weight = back[i][t], f[i + 1][0]
                torch.bmm(now, weight.transpose(1, 2), out=out)
                now = out.mul_(done.hidden[i][t] > 0)
            if t:
                of_states[t - 1].baddbmm_(back[0][t], through)
        for i in range(1, len(f)):
            _into(of_f[i], done.hidden[i - 1], back[i] if i < len(f) - 1 else of_states)
        wide = (*done.states.shape[:3], self.shape.inputs)
        entering = done.inputs.expand(wide[0] - 1, *wide[1:])
        _into(of_f[0], torch.cat([done.states[:-1], entering], -1), back[0])
        return found

    def keep(self, chosen: Sequence[int]) -> None:
        """Go on with some of the copies."""
        self.weights = self.weights[list(chosen)].clone()

    def network(self, copy: int, scales: "Scales") -> RealRNN:
        """One copy as a module of its own that reads and writes numbers as they are."""
        f, g = ([(w[copy].double(), b[copy, 0].double()) for w, b in part]
                for part in self.views(self.weights))  # fmt: skip
        weight, bias = f[0]
        reads = weight[self.shape.width :] / scales.half.double()[:, None]
        bias = bias - scales.middle.double() @ reads
        f[0] = torch.cat([weight[: self.shape.width], reads]), bias
        weight, bias = g[-1]
        spread = scales.spread.double()
        g[-1] = weight * spread, bias * spread + scales.mean.double()
        made = build_real("real_mlp", **asdict(self.shape))
        tensors: dict[str, Tensor] = {}
        for path, layers in (("rnn.f", f), ("g", g)):
            for i, (weight, bias) in enumerate(layers):
                tensors |= {f"{path}.{2 * i}.weight": weight.T, f"{path}.{2 * i}.bias": bias}
        made.load_state_dict(tensors)
        return made


@dataclass(frozen=True)
class Scales:
    """x = middle + half · (what the copies read), y = mean + spread · (what they write)."""

    middle: Tensor
    half: Tensor
    mean: Tensor
    spread: Tensor


def _into(layer: tuple[Tensor, Tensor], read: Tensor, arriving: Tensor) -> None:
    """A layer's slopes, summed over all steps and samples."""
    copies = len(layer[0])
    left = read.transpose(0, 1).reshape(copies, -1, read.shape[-1])
    right = arriving.transpose(0, 1).reshape(copies, -1, arriving.shape[-1])
    layer[0].copy_(torch.bmm(left.transpose(1, 2), right))
    layer[1].copy_(right.sum(1, keepdim=True))
