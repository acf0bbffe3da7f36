"""Recurrent networks that read numbers and write numbers, as in Michaud et al. (2024).

Their form is h' = f([h, x]), y = g(h), from h = 0 on; f and g are MLPs, linear layers with ReLU
between them. A GRU or an Elman network can stand in place of f.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.files import shapes_alone
from symscope.network import Network
from symscope.visit import Recurrent

CELLS = {"real_gru": nn.GRU, "real_elman": nn.RNN}
ARCHITECTURES = ("real_mlp", *CELLS)
Layers = Sequence[int]
"""The width of the hidden layers of an MLP, and how many linear layers it has; 1 is affine."""


class MLPStep(Recurrent):
    """h' = f([h, x]) from 0 on."""

    def __init__(self, inputs: int, width: int, f: Layers):
        super().__init__()
        self.width, self.f = width, mlp(width + inputs, f, width)

    def forward(self, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(batch, step, input) → states (batch, step, width) and the last (1, batch, width)."""
        h = inputs.new_zeros(len(inputs), self.width) if state is None else state[0]
        states = []
        for x in inputs.unbind(1):
            h = self.f(torch.cat([h, x], 1))
            states.append(h)
        return torch.stack(states, 1), h[None]


class RealRNN(nn.Module):
    """Numbers at every step, (batch, step) or (batch, step, input) → the same with outputs.

    An axis of one input or one output is left out. The answer to an integer task is `y.round()`.
    The state after each step is at `Site("rnn", "state")`; `g` reads it.
    """

    def __init__(self, rnn: nn.Module, width: int, outputs: int, g: Layers = (1, 1)):
        super().__init__()
        self.rnn, self.g = rnn, mlp(width, g, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """y at every step; integers are taken as numbers."""
        x = inputs.to(next(self.g.parameters()).dtype)
        y = self.g(self.rnn(x[..., None] if x.dim() == 2 else x)[0])
        return y[..., 0] if y.shape[-1] == 1 else y


def mlp(inputs: int, layers: Layers, outputs: int) -> nn.Sequential:
    """Linear layers with ReLU between them; they are at the even places."""
    hidden, depth = layers
    if depth < 1 or hidden < 1:
        raise SymscopeError(f"an MLP of {depth} layers of width {hidden}: both are 1 or more")
    widths = [inputs, *[hidden] * (depth - 1), outputs]
    made: list[nn.Module] = []
    for left, right in pairwise(widths):
        made += [nn.Linear(left, right), nn.ReLU()]
    return nn.Sequential(*made[:-1])


def build_real(
    architecture: str, inputs: int, width: int, outputs: int, f: Layers | None = None,
    g: Layers = (1, 1), seed: int = 0,
) -> RealRNN:  # fmt: skip
    """A fresh network with torch's default initialisation; `f` is for "real_mlp" alone.

    >>> build_real("real_mlp", 1, 2, 1, f=(5, 2))(torch.zeros(3, 10)).shape
    torch.Size([3, 10])
    """
    if architecture not in ARCHITECTURES:
        raise UnknownName("architecture", architecture, ARCHITECTURES)
    if (architecture == "real_mlp") != (f is not None):
        raise SymscopeError(f"f is for 'real_mlp', which needs it; {architecture} got f={f}")
    if min(inputs, width, outputs) < 1:
        raise SymscopeError(f"{inputs} inputs, width {width}, {outputs} outputs: all 1 or more")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if f is not None:
            return RealRNN(MLPStep(inputs, width, f), width, outputs, g)
        return RealRNN(CELLS[architecture](inputs, width, batch_first=True), width, outputs, g)


def shape_of(module: RealRNN) -> dict[str, Any]:
    """The arguments with which `build_real` makes such a network.

    >>> shape_of(build_real("real_mlp", 1, 2, 1, f=(5, 2)))["f"]
    (5, 2)
    """
    g = _linear(module.g)
    shape: dict[str, Any] = {"width": g[0][0], "outputs": g[-1][1], "g": _form(g)}
    if isinstance(module.rnn, MLPStep):
        f = _linear(module.rnn.f)
        return {"architecture": "real_mlp", "inputs": f[0][0] - f[-1][1], "f": _form(f), **shape}
    assert isinstance(module.rnn, nn.RNNBase), "made by build_real"
    cell = next(name for name, kind in CELLS.items() if isinstance(module.rnn, kind))
    return {"architecture": cell, "inputs": module.rnn.input_size, **shape}


def _linear(mlp: nn.Sequential) -> list[tuple[int, int]]:
    """(in, out) of each layer."""
    return [(m.in_features, m.out_features) for m in mlp if isinstance(m, nn.Linear)]


def choosing(module: nn.Module, classes: range) -> Network:
    """A network of numbers as a causal model that chooses one of `classes`, the nearest.

    Its answers are logits −(y − k)² of each k, so that `argmax` is the place of the rounded y
    among the classes, as `Programmed.correct` gives it, and a search can follow the slope.

    >>> from symscope.tasks import algorithm
    >>> task = algorithm("diff_last2")
    >>> network = choosing(build_real("real_gru", 1, 4, 1), task.classes)
    >>> network.run(task.sample(3, torch.Generator())).output.shape
    torch.Size([3, 10, 399])
    """
    places = torch.arange(classes.start, classes.stop)

    def closeness(y: Tensor) -> Tensor:
        return -((y[..., None] - places.to(y.device)) ** 2)

    return Network(module, answer=closeness)


def from_published(tensors: Mapping[str, Tensor], source: str | Path = "these weights") -> RealRNN:
    """The network of a state dict in the published layout; `source` is named in errors.

    The layers of f are `f.0.weight`, `f.0.bias`, `f.2.weight`, …, those of g likewise; weights are
    (out, in). The first layer of f reads the state before the inputs, and its last gives the state.
    """
    for name, value in tensors.items():
        if not bool(torch.isfinite(value).all()):
            raise SymscopeError(f"{source}: {name} has values that are not finite")
    f, g = (_layers(tensors, part, source) for part in "fg")
    width, outputs = f[-1][1], g[-1][1]
    inputs = f[0][0] - width
    if inputs < 1:
        raise SymscopeError(
            f"{source}: f.0.weight has shape {f[0][::-1]}, expected {f[0][1], width + 1} or wider:"
            f" it reads the {width} numbers of the state and at least one input"
        )
    shape = (inputs, width, outputs, _form(f), _form(g))
    with shapes_alone():  # no memory is taken before the shapes are seen to be these
        wanted = build_real("real_mlp", *shape).state_dict()
    named = {f"rnn.{k}" if k.startswith("f.") else k: k for k in tensors}
    for name, value in wanted.items():
        own = name.removeprefix("rnn.")
        if own not in tensors:
            raise SymscopeError(f"{source} has no tensor {own!r}")
        if tensors[own].shape != value.shape:
            raise SymscopeError(
                f"{source}: {own} has shape {tuple(tensors[own].shape)}, expected"
                f" {tuple(value.shape)}"
            )
    unknown = sorted(set(named) - set(wanted))
    if unknown:
        raise SymscopeError(f"{source} has a tensor {named[unknown[0]]!r} that is of no layer")
    made = build_real("real_mlp", *shape)
    made.load_state_dict({name: tensors[own] for name, own in named.items()})
    return made


def _layers(tensors: Mapping[str, Tensor], part: str, source: str | Path) -> list[tuple[int, int]]:
    """(in, out) of each layer."""
    found: list[tuple[int, int]] = []
    while (weight := tensors.get(f"{part}.{2 * len(found)}.weight")) is not None:
        if weight.dim() != 2:
            shape = tuple(weight.shape)
            name = f"{part}.{2 * len(found)}.weight"
            raise SymscopeError(f"{source}: {name} has shape {shape}, expected (out, in)")
        found.append((weight.shape[1], weight.shape[0]))
    if not found:
        raise SymscopeError(f"{source} has no tensor '{part}.0.weight'")
    return found


def _form(layers: list[tuple[int, int]]) -> Layers:
    return (layers[0][1] if len(layers) > 1 else 1), len(layers)
