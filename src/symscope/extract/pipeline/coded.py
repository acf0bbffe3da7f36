"""Steps of a network in integers: its states as codes, beside its inputs and rounded outputs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from symscope.extract.pipeline.boolean_states import as_bits, bits_for, clusters, shortest_labels
from symscope.extract.pipeline.lattice import Lattice, gcd_lattices, linear_lattice, unit_lattice
from symscope.extract.pipeline.weights import Array, Weights, outputs, sequences, states
from symscope.program import Variable

SEEN = 2048
"""Sequences from which lattices, clusters and formulas are taken; programs are judged on others."""


@dataclass(frozen=True)
class Observed:
    """Steps of a network: rows of h before and after, of the inputs, and of the rounded outputs."""

    before: Array
    after: Array
    inputs: Array
    answers: Array


@dataclass(frozen=True)
class Coded:
    """Different steps in integers, (row, register), (row, input), (row, output); the code of h₀.

    Registers are named `prefix` and a number.
    """

    route: str
    prefix: str
    before: Array
    after: Array
    inputs: Array
    answers: Array
    start: tuple[int, ...]


def observe(weights: Weights, inputs: Sequence[Variable], length: int, seed: int) -> Observed:
    """All steps of a network on `SEEN` sequences."""
    x = sequences(inputs, length, seed, SEEN)
    h, y = states(weights, x), np.round(outputs(weights, x)).astype(np.int64)

    def rows(value: Array) -> Array:
        return value.reshape(-1, value.shape[-1])

    return Observed(rows(h[:, :-1]), rows(h[:, 1:]), rows(x), rows(y))


def integer_codes(weights: Weights, seen: Observed, seed: int) -> Iterator[Coded]:
    """Codes by the lattices of an affine f, or by what GCD lattices there are.

    A GCD lattice has no origin and no signs of its own: registers grow with the first output, and
    they begin at 0 or have 0 as their least.
    """
    of_weights = [find(weights, seen.after) for find in (unit_lattice, linear_lattice)]
    for lattice in of_weights:
        if lattice is not None:
            yield _by_lattice("linear", lattice, weights, seen)
    if any(of_weights):
        return
    start = np.zeros((1, weights.width))
    for lattice in gcd_lattices(np.concatenate([start, seen.after]), seed):
        turned = _with_outputs(lattice, seen)
        coded = _by_lattice("gcd", turned, weights, seen)
        least = np.minimum(coded.before.min(0), coded.after.min(0))
        for zero in {coded.start, tuple(least.tolist())}:
            yield _moved(coded, np.array(zero))


def boolean_codes(seen: Observed, cost: Callable[[Coded], float]) -> Iterator[Coded]:
    """Codes by clusters named with bits, for inputs that are bits; the labels of least cost."""
    if not np.isin(seen.inputs, (0, 1)).all():
        return
    start = np.zeros(seen.before.shape[1])
    for found in clusters(seen.before, seen.after, seen.inputs, seen.answers, start):
        steps = _different(found.before[:, None], found.after[:, None], seen)
        labels = shortest_labels(found.count, partial(_labelled_cost, steps, cost))
        yield _labelled(steps, labels)


Steps = tuple[Array, Array, Array, Array]


def _different(before: Array, after: Array, seen: Observed) -> Steps:
    """The different rows of codes, inputs and outputs."""
    parts = before, after, seen.inputs, seen.answers
    ends = np.cumsum([part.shape[1] for part in parts])[:-1]
    before, after, inputs, answers = np.split(np.unique(np.hstack(parts), axis=0), ends, 1)
    return before, after, inputs, answers


def _labelled(steps: Steps, labels: Sequence[int]) -> Coded:
    """Clusters, in `steps`, as the bits of their labels."""
    before, after, inputs, answers = steps
    names, bits = np.array(labels), max(1, bits_for(len(labels)))
    first, was, now = (as_bits(names[c], bits) for c in ([0], before[:, 0], after[:, 0]))
    return Coded("boolean", "q", was, now, inputs, answers, tuple(first[0].tolist()))


def _labelled_cost(steps: Steps, cost: Callable[[Coded], float], labels: Sequence[int]) -> float:
    return cost(_labelled(steps, labels))


def _by_lattice(route: str, lattice: Lattice, weights: Weights, seen: Observed) -> Coded:
    before, after = lattice.coordinates(seen.before), lattice.coordinates(seen.after)
    start = lattice.coordinates(np.zeros(weights.width))
    return Coded(route, "z", *_different(before, after, seen), tuple(start.tolist()))


def _with_outputs(lattice: Lattice, seen: Observed) -> Lattice:
    """The lattice with signs such that its coordinates rather grow with the first output."""
    z = lattice.coordinates(seen.after)
    centred = z - z.mean(0)
    signs = np.where(centred.T @ seen.answers[:, 0] < 0, -1, 1)
    return replace(lattice, basis=lattice.basis * signs[:, None])


def _moved(coded: Coded, zero: Array) -> Coded:
    start = tuple((np.array(coded.start) - zero).tolist())
    return replace(coded, before=coded.before - zero, after=coded.after - zero, start=start)
