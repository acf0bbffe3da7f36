"""A recurrent MLP as plain numbers: its layers in float64, its states and its outputs.

h' = f([h, x]) from h = 0 on, y = g(h); f and g are linear layers with ReLU between them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.models.real_rnn import MLPStep, RealRNN
from symscope.program import Variable

Array = np.ndarray
JUDGED = 65_536
"""Sequences on which two networks are compared, or all there are if they are fewer."""
_AT_ONCE = 8192


@dataclass(frozen=True)
class Layer:
    """weight · input + bias; the weight is (out, in)."""

    weight: Array
    bias: Array


@dataclass(frozen=True)
class Weights:
    """The layers of f, the first of which reads [h, x], and those of g."""

    f: tuple[Layer, ...]
    g: tuple[Layer, ...]

    @property
    def width(self) -> int:
        """How many numbers the state has."""
        return len(self.f[-1].bias)

    @property
    def inputs(self) -> int:
        """How many numbers come in at each step."""
        return self.f[0].weight.shape[1] - self.width

    @property
    def affine(self) -> bool:
        """Whether f is one layer."""
        return len(self.f) == 1

    @property
    def product(self) -> Array:
        """f without its biases and ReLUs, (state, state + input)."""
        return reduce(lambda product, layer: layer.weight @ product, self.f[1:], self.f[0].weight)

    @property
    def transition(self) -> Array:
        """W, how `product` reads the state, (state, state)."""
        return self.product[:, : self.width]

    @property
    def entry(self) -> Array:
        """V, how `product` reads the input, (state, input)."""
        return self.product[:, self.width :]

    @property
    def largest(self) -> float:
        """The largest absolute weight or bias; NaN or infinite if one is."""
        values = [v for layer in (*self.f, *self.g) for v in (layer.weight, layer.bias)]
        return float(np.max([np.abs(v).max() for v in values]))


def weights_of(module: nn.Module) -> Weights:
    """The weights of a `RealRNN` whose step is an MLP.

    Raises `SymscopeError` for another form, shapes that do not fit, layers that are neither linear
    nor ReLU, and numbers that are not finite; the message names the field.
    """
    if not isinstance(module, RealRNN) or not isinstance(module.rnn, MLPStep):
        inner = type(module.rnn).__name__ if isinstance(module, RealRNN) else "no rnn"
        raise SymscopeError(
            f"module: {type(module).__name__} with {inner}; a RealRNN whose rnn is an MLPStep is"
            " needed, as build_real('real_mlp', …) and from_published give it"
        )
    weights = Weights(_layers(module.rnn.f, "f"), _layers(module.g, "g"))
    read, width = weights.f[0].weight.shape[1], weights.width
    if module.rnn.width != width or read <= width:
        raise SymscopeError(
            f"f: its first layer reads {read} numbers and its last gives {width}; the state has"
            f" {module.rnn.width}, which must be the latter and less than the former"
        )
    if weights.g[0].weight.shape[1] != width:
        raise SymscopeError(f"g.0.weight reads {weights.g[0].weight.shape[1]} of {width} numbers")
    return weights


def _layers(part: nn.Module, name: str) -> tuple[Layer, ...]:
    found: list[Layer] = []
    modules = list(part) if isinstance(part, nn.Sequential) else [part]
    for i, module in enumerate(modules):
        wanted = nn.ReLU if i % 2 else nn.Linear
        if not isinstance(module, wanted) or (i % 2 and i == len(modules) - 1):
            raise SymscopeError(
                f"{name}.{i} is {type(module).__name__}; linear layers with ReLU between them are"
                " needed"
            )
        if isinstance(module, nn.ReLU):
            continue
        bias = np.zeros(module.out_features) if module.bias is None else _array(module.bias)
        layer = Layer(_array(module.weight), bias)
        for field, value in (("weight", layer.weight), ("bias", layer.bias)):
            if not np.isfinite(value).all():
                raise SymscopeError(f"{name}.{i}.{field} has values that are not finite")
        if layer.weight.ndim != 2 or layer.bias.shape != layer.weight.shape[:1]:
            shapes = layer.weight.shape, layer.bias.shape
            raise SymscopeError(f"{name}.{i}: weight and bias have shapes {shapes}")
        if found and layer.weight.shape[1] != len(found[-1].bias):
            raise SymscopeError(
                f"{name}.{i}.weight reads {layer.weight.shape[1]} numbers, the layer before gives"
                f" {len(found[-1].bias)}"
            )
        found.append(layer)
    if not found:
        raise SymscopeError(f"{name} has no layers")
    return tuple(found)


def _array(value: Tensor) -> Array:
    return value.detach().cpu().double().numpy().copy()


def check_inputs(inputs: Sequence[Variable], length: int, weights: Weights) -> None:
    """Raises `SymscopeError` naming the field where inputs or length do not fit the network."""
    if length < 2:
        raise SymscopeError(f"length {length}: 2 or more steps are needed")
    if len(inputs) != weights.inputs:
        names = [v.name for v in inputs]
        raise SymscopeError(f"inputs: {names} were given, the network reads {weights.inputs}")
    for v in inputs:
        if v.kind != "int" or v.low != int(v.low) or v.high != int(v.high):
            raise SymscopeError(f"inputs: {v.name} is no integer between integers")
        if v.low > v.high:
            raise SymscopeError(f"inputs: {v.name} has an empty alphabet, {v.low} to {v.high}")


def sequences(inputs: Sequence[Variable], length: int, seed: int, count: int = JUDGED) -> Array:
    """`count` uniform sequences, or all there are if they are fewer; (sample, step, input)."""
    lows = np.array([int(v.low) for v in inputs])
    sizes = [int(v.high - v.low) + 1 for v in inputs]
    if math.prod(sizes) ** length <= count:
        listed = np.indices(sizes * length).reshape(length * len(sizes), -1).T
        return listed.reshape(-1, length, len(sizes)) + lows
    return np.random.default_rng(seed).integers(0, sizes, (count, length, len(sizes))) + lows


def states(weights: Weights, x: Array) -> Array:
    """The state before the first step and after each, (sample, step + 1, width)."""
    h = np.zeros((len(x), weights.width))
    seen = [h]
    for t in range(x.shape[1]):
        h = _mlp(weights.f, np.concatenate([h, x[:, t]], 1))
        seen.append(h)
    return np.stack(seen, 1)


def outputs(weights: Weights, x: Array) -> Array:
    """y after each step, (sample, step, output)."""
    parts = [x[i : i + _AT_ONCE] for i in range(0, len(x), _AT_ONCE)]
    return np.concatenate([_mlp(weights.g, states(weights, part)[:, 1:]) for part in parts])


def _mlp(layers: Sequence[Layer], value: Array) -> Array:
    for layer in layers[:-1]:
        value = np.maximum(value @ layer.weight.T + layer.bias, 0)
    return value @ layers[-1].weight.T + layers[-1].bias
