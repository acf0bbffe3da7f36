"""Recurrent MLPs written by hand, and the same with their state turned by a random frame."""

import numpy as np
import torch
from torch import nn

from symscope.models.real_rnn import RealRNN, build_real
from symscope.program import Variable


def network(*layers, g=None):
    """The `RealRNN` with these (weight, bias) of f, in float64; g reads the state by default."""
    f = [(np.atleast_2d(np.array(w, float)), np.atleast_1d(np.array(b, float))) for w, b in layers]
    width = len(f[-1][1])
    g = [(np.eye(width), np.zeros(width))] if g is None else g
    g = [(np.atleast_2d(np.array(w, float)), np.atleast_1d(np.array(b, float))) for w, b in g]
    made = build_real("real_mlp", f[0][0].shape[1] - width, width, len(g[-1][1]),
                      f=(len(f[0][1]), len(f)), g=(len(g[0][1]), len(g))).double()  # fmt: skip
    with torch.no_grad():
        for part, given in ((made.rnn.f, f), (made.g, g)):
            for layer, (w, b) in zip(part[::2], given, strict=True):
                layer.weight.copy_(torch.tensor(w))
                layer.bias.copy_(torch.tensor(b))
    return made


def hidden(made: RealRNN, seed: int = 0) -> RealRNN:
    """The same function of its inputs, its state turned by a random invertible matrix."""
    n = made.rnn.width
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.normal(size=(n, n)))[0] * rng.uniform(0.4, 1.6, n)
    frame, inverse = torch.tensor(frame), torch.tensor(np.linalg.inv(frame))
    first, last, out = made.rnn.f[0], made.rnn.f[-1], made.g[0]
    with torch.no_grad():
        first.weight[:, :n] = first.weight[:, :n] @ inverse
        last.weight.copy_(frame @ last.weight)
        last.bias.copy_(frame @ last.bias)
        out.weight.copy_(out.weight @ inverse)
    return made


def freebody():
    """v += x; p += v; y = p."""
    return network(([[1, 0, 1], [1, 1, 1]], [0, 0]), g=[([0, 1], 0)])


def spring():
    """v += x - p; p += v; y = p: a rotation by 60 degrees."""
    return network(([[1, -1, 1], [1, 0, 1]], [0, 0]), g=[([0, 1], 0)])


def magnetic():
    """Two inputs, two outputs; registers vx, vy, px, py."""
    rows = [[1, -1, 0, 0, 1, 0], [1, 1, 0, 0, 0, 1], [1, -1, 1, 0, 1, 0], [1, 1, 0, 1, 0, 1]]
    return network((rows, [0] * 4), g=[([[0, 0, 1, 0], [0, 0, 0, 1]], [0, 0])])


def last(k):
    """The sum of the last k inputs, which a shift register keeps."""
    rows = np.hstack([np.eye(k, k=-1), np.eye(k)[:, :1]])
    return network((rows, np.zeros(k)), g=[(np.ones(k), 0)])


def parity():
    """h' = h xor x = relu(h + x) - 2 relu(h + x - 1)."""
    return network(([[1, 1], [1, 1]], [0, -1]), ([1, -2], 0))


def addition():
    """The carry and the digit of s + t + carry."""
    to_hidden = [[1, 0, 1, 1]] * 3, [0, -1, -2]
    return network(to_hidden, ([[0, 1, -1], [1, -2, 2]], [0, 0]), g=[([0, 1], 0)])


def size_of():
    """h' = |x| + 0.3: the first state, 0, is no state that comes later."""
    return network(([[0, 1], [0, -1]], [0, 0]), ([1, 1], 0.3), g=[(1, -0.3)])


BIT = (Variable("x", 0, 1),)
BITS = Variable("s", 0, 1), Variable("t", 0, 1)
PUSH = (Variable("x", -10, 10),)
PUSHES = Variable("a", -10, 10), Variable("b", -10, 10)


class Odd(nn.Module):
    """No network of numbers."""
