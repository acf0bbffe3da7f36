"""Fresh inputs with their answers, and intervals of ratios of losses on them."""

from dataclasses import dataclass

import numpy as np
import torch

from symscope.evidence import SymscopeError
from symscope.task import Task


@dataclass(frozen=True)
class Drawn:
    """`x` (sample, inputs), `target` (sample,), and `slope`: target = slope · |x|₁ + constant."""

    x: np.ndarray
    target: np.ndarray
    slope: float

    @property
    def off_centre(self) -> np.ndarray:
        """The target less its mean, (sample,)."""
        return self.target - self.target.mean()


def draw(task: Task, inputs: int, seed: int, samples: int) -> Drawn:
    """`samples` fresh inputs of `task` and their answers.

    Raises `SymscopeError` where the task has not as many inputs, or is not a multiple of the L1
    norm plus a constant: the algorithms named here are algorithms of that function.
    """
    generator = torch.Generator().manual_seed(seed)
    sampled = task.sample(samples, generator, training=False)
    target = task.correct(sampled).reshape(samples, -1).double().numpy()
    x = sampled.double().numpy()
    if x.shape[1:] != (inputs,):
        raise SymscopeError(f"a network of {inputs} inputs, but {task.name} has {x.shape[1]}")
    norm = np.abs(x).sum(1)
    norm -= norm.mean()
    off = target[:, 0] - target[:, 0].mean()
    slope = float(norm @ off / (norm @ norm))
    if target.shape[1] != 1 or slope <= 0 or np.abs(off - slope * norm).max() > 1e-3:
        raise SymscopeError(
            f"{task.name} is not the L1 norm: double-sided, pudding and convexity are algorithms"
            " of that; fit a formula to networks of other functions"
        )
    return Drawn(x, target[:, 0], slope)


def ratio_interval(
    above: np.ndarray, below: np.ndarray, chunks: int = 100, draws: int = 400
) -> tuple[float, float, float]:
    """Σ above / Σ below with its 95 % bootstrap interval, over samples in `chunks` of them."""
    parts = min(chunks, len(above))
    sums = np.stack([[c.sum() for c in np.array_split(v, parts)] for v in (above, below)])
    rng = np.random.default_rng(0)
    times = rng.multinomial(parts, np.full(parts, 1 / parts), draws)
    top, bottom = times @ sums[0], times @ sums[1]
    low, high = np.percentile(top / np.maximum(bottom, 1e-300), [2.5, 97.5])
    return float(sums[0].sum() / max(sums[1].sum(), 1e-300)), float(low), float(high)


def explained(actual: np.ndarray, predicted: np.ndarray) -> float:
    """1 − Σ(actual − predicted)² / Σ(actual − mean)², or 0 where nothing varies."""
    spread = ((actual - actual.mean()) ** 2).sum()
    return float(1 - ((actual - predicted) ** 2).sum() / spread) if spread > 0 else 0.0
