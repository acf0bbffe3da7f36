"""A trained recurrent MLP in a normal form that computes the same outputs.

Michaud et al. (2024), section "Simplification": f and g stay what they are up to the frame of the
state, biases that nothing reads, and weights that are nearly integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from symscope.extract.pipeline.debias import debias
from symscope.extract.pipeline.frame import Move, Stage
from symscope.extract.pipeline.jordan import jordan
from symscope.extract.pipeline.quantise import quantise
from symscope.extract.pipeline.toeplitz import toeplitz
from symscope.extract.pipeline.weights import (
    Array,
    Weights,
    check_inputs,
    outputs,
    sequences,
    states,
    weights_of,
)  # fmt: skip
from symscope.extract.pipeline.whiten import whiten
from symscope.program import Variable

STAGES: tuple[Stage, ...] = (whiten, jordan, toeplitz, debias, quantise)
LARGEST = 1e4
SEEN = 4096
"""Sequences whose states the stages are shown."""


@dataclass(frozen=True)
class Step:
    """One stage: the network before and after it, whether it was kept, and why or what it did.

    `accuracy` is the share of the sequences on which all rounded outputs stayed the same.
    """

    name: str
    kept: bool
    note: str
    before: Weights
    after: Weights
    accuracy: float


@dataclass(frozen=True)
class Simplified:
    """The network in its normal form; its state is `frame` · h + `shift` (from the first step on).

    Up to what `quantise` rounds. A direction e_i of the normal form is the row i of `frame` in the
    original state: the variable there is frame[i] · h + shift[i].
    """

    weights: Weights
    frame: Array
    shift: Array
    steps: tuple[Step, ...]


def simplify(
    module: nn.Module, inputs: Sequence[Variable], length: int, seed: int = 0
) -> Simplified:
    """Whiten, Jordan, Toeplitz, de-bias, quantise; a stage that changes an answer is undone.

    In float64. After each stage all rounded outputs must be the same on 65,536 sequences of
    `length` steps (or all there are), and weights below 10⁴. `inputs` are integers.
    """
    weights = weights_of(module)
    check_inputs(inputs, length, weights)
    judged = sequences(inputs, length, seed)
    answers = np.round(outputs(weights, judged))
    seen = judged[np.random.default_rng(seed).permutation(len(judged))[:SEEN]]
    frame, shift, steps = np.eye(weights.width), np.zeros(weights.width), []
    for stage in STAGES:
        move = stage(weights, states(weights, seen)[:, 1:].reshape(-1, weights.width))
        step = _judge(stage.__name__, weights, move, judged, answers)
        steps.append(step)
        if step.kept:
            weights, frame, shift = (
                move.weights,
                move.frame @ frame,
                move.frame @ shift + move.shift,
            )
    return Simplified(weights, frame, shift, tuple(steps))


def _judge(name: str, before: Weights, move: Move, judged: Array, answers: Array) -> Step:
    largest = move.weights.largest
    if not largest < LARGEST:
        note = f"undone, the largest weight is {largest:.2g}; {move.note}"
        return Step(name, False, note, before, move.weights, 0.0)
    same = (np.round(outputs(move.weights, judged)) == answers).all((1, 2))
    changed = int((~same).sum())
    undone = f"undone, {changed} of {len(same)} sequences changed; " if changed else ""
    return Step(name, not changed, undone + move.note, before, move.weights, float(same.mean()))
