"""What is measured of a network before its algorithm is named, each a number with one meaning.

Of the weights and the outputs alone (`measures`, a millisecond), and by interventions
(`causal_measures`, a second). All are our choice.

loss            mean squared error; 1 is the best linear predictor of the L1 norm
beyond_radius   how much of what the L1 norm adds to |x|₂ the network has: 0 of it, 1 all
kink            owned kinks, in units of the formula's, of the inputs but a fifth with the least
stray_kink      the same, of the inputs but a fifth with the most: that of an input rich in it
balance         smaller side of an input's kink over the larger: 1 double-sided, 0 one-sided
right, left     how one-sided it is, −1 … 1
one_sided       the same, whichever the side; it and the three before hold but for a fifth of inputs

rotation        log₂ of the loss ratio after rotations of the inputs
free_bends      what is added to the loss when unowned units are made linear
permuted        log loss ratio, owners moved together, over that of owners scattered: 0 … about 1
ablation.A      share of the change by sided ablation that algorithm A predicts
rebuilt.A       R² of the network's outputs by A's formula; `sparse` and `far` inputs likewise
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from symscope.evidence import Evidence
from symscope.generate.reading.drawn import Drawn
from symscope.generate.reading.interventions import (
    ABLATED,
    linear_replacement,
    permuted_owners,
    rebuilt,
    rotation,
    sided_ablation,
)
from symscope.generate.reading.ownership import MOST, Owners, kinks
from symscope.models.perceptron import Weights
from symscope.task import Task


def measures(weights: Weights, found: Owners, drawn: Drawn) -> dict[str, float]:
    """The measures of weights and outputs by name, as the module's text lists them."""
    outputs = _outputs(weights, drawn)
    slopes = kinks(found) / (2 * drawn.slope)
    total, (right, left) = slopes.sum(1), slopes.T
    side = (right - left) / np.maximum(total, 1e-12)
    fewest = 1 - MOST
    return {
        "loss": float(((outputs - drawn.target) ** 2).mean()),
        "beyond_radius": _beyond_radius(outputs, drawn),
        "kink": float(np.quantile(total, fewest)),
        "stray_kink": float(np.quantile(total, MOST)),
        "balance": float(np.quantile(slopes.min(1) / np.maximum(slopes.max(1), 1e-12), fewest)),
        "right": float(np.quantile(side, fewest)),
        "left": float(np.quantile(-side, fewest)),
        "one_sided": float(np.quantile(np.abs(side), fewest)),
    }


def causal_tests(
    weights: Weights, task: Task, algorithm: str, seed: int = 0, samples: int = 20_000,
    draws: int = 20,
) -> tuple[Evidence, ...]:  # fmt: skip
    """The five tests of `algorithm`; sided ablation only where the algorithm has owners.

    With "none" those two that predict what an algorithm does are left out.
    """
    asked = (weights, task)
    found = [
        rotation(*asked, seed, samples, draws),
        linear_replacement(*asked, seed, samples, draws),
        permuted_owners(*asked, seed, samples, draws),
    ]
    if algorithm in ABLATED:
        found.append(sided_ablation(*asked, algorithm, seed, samples, draws))
    if algorithm != "none":
        found.extend(rebuilt(*asked, algorithm, seed, samples))
    return tuple(found)


def causal_measures(tests: Sequence[Evidence]) -> dict[str, float]:
    """The measures by name, as the module's text lists them, of what `causal_tests` returned."""
    by_claim = {test.claim: test for test in tests}
    found = {
        "rotation": _log2(_score(by_claim["rotation"])),
        "free_bends": float(by_claim["linear_replacement"].config["added"]),
    }
    moved = by_claim["permuted_owners"]
    scattered = _log2(moved.controls["scattered"])
    if scattered > 0.1:  # with no owners, or one input, nothing is scattered
        found["permuted"] = _log2(_score(moved)) / scattered
    for claim, name in (
        ("sided_ablation", "ablation"), ("rebuilt.inputs", "rebuilt"),
        ("rebuilt.sparse", "rebuilt.sparse"), ("rebuilt.far", "rebuilt.far"),
    ):  # fmt: skip
        if claim in by_claim:
            found |= _by_algorithm(name, by_claim[claim])
    return found


def _outputs(weights: Weights, drawn: Drawn) -> np.ndarray:
    """In the weights' own precision: thousands of networks are looked at."""
    with torch.no_grad():
        found = weights.run(torch.from_numpy(drawn.x).to(weights.matrices[0]))
    return found[:, 0].double().cpu().numpy()


def _by_algorithm(name: str, test: Evidence) -> Mapping[str, float]:
    scores = {**test.controls, test.config["algorithm"]: _score(test)}
    scores.pop("random units", None)
    return {f"{name}.{algorithm}": score for algorithm, score in scores.items()}


def _score(test: Evidence) -> float:
    assert test.score is not None
    return test.score


def _log2(ratio: float) -> float:
    return float(np.log2(max(ratio, 1e-6)))


def _beyond_radius(outputs: np.ndarray, drawn: Drawn) -> float:
    """cov(output, t) / var(t), t being the target less its best affine function of the radius."""
    radius = np.linalg.norm(drawn.x, axis=1)
    radius -= radius.mean()
    off = drawn.off_centre
    rest = off - radius * (radius @ off) / max(radius @ radius, 1e-300)
    return float(rest @ outputs / max(rest @ rest, 1e-300))
