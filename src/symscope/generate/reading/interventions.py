"""Does the algorithm run that the weights suggest? Five changes that tell one from another.

All tests and their bounds are our choice; the algorithms are those of Liao, Liu and Tegmark (2023).
Each returns an `Evidence` whose `score` is a ratio of losses (mean squared errors on the same
`samples` fresh inputs, after the change and before) or a share explained, with the control beside
it: as many random units (mean of `draws`), or the change that the algorithm would not survive.
"""

from collections.abc import Callable

import numpy as np
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import Evidence
from symscope.generate.reading.drawn import Drawn, draw, explained, ratio_interval
from symscope.generate.reading.formula_network import ALGORITHMS, formula_network
from symscope.generate.reading.one_layer import OneLayer, one_layer
from symscope.generate.reading.ownership import Owners, owners_of
from symscope.models.perceptron import Weights
from symscope.task import Task

ABLATED = ("double_sided", "pudding_positive", "pudding_negative")
SPARSE, FAR = 0.25, 5.0
"""The share of inputs that are not 0 in sparse inputs, and the factor of the far ones."""


def rotation(
    weights: Weights, task: Task, seed: int = 0, samples: int = 20_000, draws: int = 20
) -> Evidence:
    """Loss after W ← QW over loss before, the mean over random orthogonal Q.

    About 1 where no coordinate is special, as in convexity; a network that treats each input by
    itself breaks. The control is Q that only renumber inputs, which every algorithm survives. The
    interval is the middle 95 % of the Q drawn.
    """
    layer, drawn, rng = _start(weights, task, seed, samples)
    before = _loss(layer.run(drawn.x), drawn)
    turns = [np.linalg.qr(rng.normal(size=(layer.inputs,) * 2))[0] for _ in range(draws)]
    swaps = [np.eye(layer.inputs)[rng.permutation(layer.inputs)] for _ in range(draws)]
    turned, swapped = (
        [_loss(layer._replace(first=q @ layer.first).run(drawn.x), drawn) / before for q in some]
        for some in (turns, swaps)
    )
    low, high = np.percentile(turned, [2.5, 97.5])
    return Evidence(
        "rotation", float(np.mean(turned)), float(low), float(high), samples, "loss ratio",
        {"inputs renumbered": float(np.mean(swapped))}, [seed], config={"draws": draws},
    )  # fmt: skip


def sided_ablation(
    weights: Weights, task: Task, algorithm: str, seed: int = 0, samples: int = 20_000,
    draws: int = 20,
) -> Evidence:  # fmt: skip
    """How much of the change, when the owners of one side of one input are zeroed, is predicted.

    With c the target's slope, zeroing the positive owners of x_i takes away c·max(x_i, 0) from a
    double-sided network, 2c·max(x_i, 0) from a pudding of negative sign, and negative owners the
    mirror image, in a pudding of positive sign. The score is the median over inputs and the
    algorithm's sides of 1 − |change − predicted|² / |change|², both without their means, not below
    0; 0 where there is no owner. The controls are the other algorithms' predictions, and as many
    random units. `own_side` in the configuration is the share of |change|² that falls where x_i has
    the owners' sign, and the interval is over inputs and sides.
    """
    if algorithm not in ABLATED:
        raise UnknownName("algorithm with owners", algorithm, ABLATED)
    layer, drawn, rng = _start(weights, task, seed, samples)
    parts, found = layer.parts(drawn.x), owners_of(layer)
    named = {name: _ablated(parts, drawn, found, name) for name in ABLATED}
    scores, own = named[algorithm]
    random = [np.median(_ablated(parts, drawn, found, algorithm, rng)[0]) for _ in range(draws)]
    picks = np.random.default_rng(0).integers(len(scores), size=(400, len(scores)))
    low, high = np.percentile(np.median(np.asarray(scores)[picks], 1), [2.5, 97.5])
    controls = {n: float(np.median(s)) for n, (s, _) in named.items() if n != algorithm}
    controls["random units"] = float(np.mean(random))
    return Evidence(
        "sided_ablation", float(np.median(scores)), float(low), float(high), samples,
        "share of the change", controls, [seed],
        config={"algorithm": algorithm, "draws": draws, "own_side": float(np.median(own))},
    )  # fmt: skip


def linear_replacement(
    weights: Weights, task: Task, seed: int = 0, samples: int = 20_000, draws: int = 20
) -> Evidence:
    """Loss after all units that belong to no input became a linear function, over loss before.

    Their sum is replaced by its least-squares linear function of the inputs, fitted on other
    inputs. A pudding changes little: what nobody owns there is a linear function; convexity, which
    is all unowned, breaks. The control replaces as many random units: it is the same where all are
    unowned, and says nothing where none are. `added` in the configuration is the difference of the
    losses.
    """
    layer, drawn, rng = _start(weights, task, seed, samples)
    fit = draw(task, layer.inputs, seed + 1_000_003, samples).x
    free = ~owners_of(layer).any
    before = (layer.run(drawn.x) - drawn.target) ** 2

    columns = np.hstack([np.ones((len(fit), 1)), fit])
    linear = np.linalg.lstsq(columns, layer.parts(fit), rcond=None)[0]  # of each unit
    parts = layer.parts(drawn.x)

    def after(units: np.ndarray) -> np.ndarray:
        constant, *slopes = linear[:, units].sum(1)
        kept = parts[:, ~units].sum(1) + layer.offset
        return (kept + constant + drawn.x @ np.array(slopes) - drawn.target) ** 2

    replaced = after(free)
    random = [after(rng.permutation(free)).sum() / before.sum() for _ in range(draws)]
    return Evidence(
        "linear_replacement", *ratio_interval(replaced, before), samples, "loss ratio",
        {"random units": float(np.mean(random))}, [seed],
        config={"draws": draws, "replaced": int(free.sum()), "units": layer.units,
                "added": float((replaced - before).mean())},
    )  # fmt: skip


def permuted_owners(
    weights: Weights, task: Task, seed: int = 0, samples: int = 20_000, draws: int = 20
) -> Evidence:
    """Loss after the owners were given to other inputs, all of one input to one, over loss before.

    The loss stays where an algorithm only needs that each input has owners, whichever they are. In
    the controls each owner goes to an input drawn for it alone, or as many random units move with
    the owners' renumbering. The interval is the middle 95 % of the renumberings.
    """
    layer, drawn, rng = _start(weights, task, seed, samples)
    owner = np.flatnonzero(owners_of(layer).any)
    before = _loss(layer.run(drawn.x), drawn)

    def ratio(units: np.ndarray, order: Callable[[], np.ndarray]) -> float:
        first = layer.first.copy()
        first[:, units] = np.take_along_axis(first[:, units], order(), 0)
        return _loss(layer._replace(first=first).run(drawn.x), drawn) / before

    def together() -> np.ndarray:
        return np.repeat(rng.permutation(layer.inputs)[:, None], len(owner), 1)

    def apart() -> np.ndarray:
        return rng.permuted(together(), axis=0)

    moved = [ratio(owner, together) for _ in range(draws)]
    scattered = [ratio(owner, apart) for _ in range(draws)]
    others = [ratio(rng.permutation(layer.units)[: len(owner)], together) for _ in range(draws)]
    low, high = np.percentile(moved, [2.5, 97.5])
    return Evidence(
        "permuted_owners", float(np.mean(moved)), float(low), float(high), samples, "loss ratio",
        {"scattered": float(np.mean(scattered)), "random units": float(np.mean(others))}, [seed],
        config={"draws": draws, "owners": len(owner), "units": layer.units},
    )  # fmt: skip


def rebuilt(
    weights: Weights, task: Task, algorithm: str, seed: int = 0, samples: int = 20_000
) -> tuple[Evidence, ...]:
    """R² of the network's outputs by the algorithm's formula, fitted on other inputs as they come.

    Three: on inputs of the task; on `sparse` ones, of which a quarter of the entries is kept and
    the rest 0; on `far` ones, five times as large. The controls are the other algorithms' formulas.
    A formula says what is computed, not how: double-sided and pudding agree where both are exact.
    """
    if algorithm not in ALGORITHMS:
        raise UnknownName("algorithm", algorithm, ALGORITHMS)
    layer, drawn, rng = _start(weights, task, seed, samples)
    fit = draw(task, layer.inputs, seed + 1_000_003, samples).x[:4000]
    kinds = {"inputs": drawn.x, "far": FAR * drawn.x}
    kinds["sparse"] = drawn.x * (rng.random(drawn.x.shape) < SPARSE)
    built = {a: one_layer(formula_network(weights, a, fit, seed)) for a in ALGORITHMS}
    found = []
    for kind in ("inputs", "sparse", "far"):
        actual = layer.run(kinds[kind])
        scores = {a: explained(actual, other.run(kinds[kind])) for a, other in built.items()}
        error = (actual - built[algorithm].run(kinds[kind])) ** 2
        _, low, high = ratio_interval(error, (actual - actual.mean()) ** 2)
        controls = {a: s for a, s in scores.items() if a != algorithm}
        found.append(
            Evidence(f"rebuilt.{kind}", scores[algorithm], 1 - high, 1 - low, samples, "R²",
                     controls, [seed], config={"algorithm": algorithm})
        )  # fmt: skip
    return tuple(found)


def shuffled(weights: Weights, seed: int = 0) -> Weights:
    """The same weights with the entries of the first matrix in random order: a control."""
    matrix = weights.matrices[0]
    order = torch.randperm(matrix.numel(), generator=torch.Generator().manual_seed(seed))
    mixed = matrix.reshape(-1)[order.to(matrix.device)].reshape(matrix.shape)
    return Weights((mixed, *weights.matrices[1:]), weights.biases)


def _start(
    weights: Weights, task: Task, seed: int, samples: int
) -> tuple[OneLayer, Drawn, np.random.Generator]:
    layer = one_layer(weights)
    return layer, draw(task, layer.inputs, seed, samples), np.random.default_rng(seed)


def _loss(outputs: np.ndarray, drawn: Drawn) -> float:
    return max(float(((outputs - drawn.target) ** 2).mean()), 1e-300)


def _ablated(
    parts: np.ndarray, drawn: Drawn, found: Owners, algorithm: str,
    rng: np.random.Generator | None = None,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """For each input and side of the algorithm: explained share, and share on the owners' side.

    With a generator, as many random units are taken instead of the owners.
    """
    sides = {"double_sided": (1, -1), "pudding_negative": (1,)}.get(algorithm, (-1,))
    size = drawn.slope * (1 if algorithm == "double_sided" else 2)
    scores, own = [], []
    for index in range(found.inputs):
        for sign in sides:
            units = found.units(index, sign)
            if rng is not None:
                units = rng.permutation(parts.shape[1])[: len(units)]
            change = parts[:, units].sum(1)
            ahead = np.maximum(sign * drawn.x[:, index], 0)
            predicted = change.mean() + size * (ahead - ahead.mean())
            scores.append(max(0.0, explained(change, predicted)))
            total = (change**2).sum()
            side = (change[sign * drawn.x[:, index] > 0] ** 2).sum()
            own.append(float(side / total) if total > 0 else 0.0)
    return scores, own
