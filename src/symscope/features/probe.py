"""What a linear classifier can read from vectors, less what it reads from shuffled labels."""

import warnings
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from symscope.evidence import SymscopeError


@dataclass(frozen=True)
class Probed:
    """Accuracies on held-out samples, with the labels as they are and shuffled among the fitted.

    `majority` is what answering the commonest label scores; `n` the held-out samples.
    """

    accuracy: float
    shuffled: float
    majority: float
    n: int

    @property
    def selectivity(self) -> float:
        """Accuracy less accuracy with shuffled labels (Hewitt & Liang, 2019)."""
        return self.accuracy - self.shuffled


def probed(vectors: Tensor, labels: Tensor, seed: int = 0, held_out: float = 0.3) -> Probed:
    """A logistic regression from `vectors` (sample, width) to `labels` (sample,), and its controls.

    Raises `SymscopeError` where one class, or fewer than 20 samples, are left to fit on.
    """
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(vectors))
    cut = int(held_out * len(order))
    test, fit = order[:cut], order[cut:]
    x, y = vectors.double().numpy(), labels.numpy()
    if len(fit) < 20 or len(np.unique(y[fit])) < 2:
        raise SymscopeError(f"{len(fit)} samples of {len(np.unique(y[fit]))} classes to fit on")
    mean, spread = x[fit].mean(0), x[fit].std(0) + 1e-8
    x = (x - mean) / spread
    scores = []
    for target in (y[fit], rng.permutation(y[fit])):
        model = LogisticRegression(max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not quite converged is good enough for a probe
            scores.append(float((model.fit(x[fit], target).predict(x[test]) == y[test]).mean()))
    values, counts = np.unique(y[fit], return_counts=True)
    majority = float((y[test] == values[counts.argmax()]).mean())
    return Probed(scores[0], scores[1], majority, len(test))
