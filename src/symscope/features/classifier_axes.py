"""The principal axes that a sparse classifier uses: a subspace for a variable, fitted on labels.

After Wu, Geiger & Millière (2025), who give no details. Ours: the vectors' first principal
components, each scaled to unit variance, an L1 logistic regression one class against the rest, its
strength chosen on a fifth of the vectors, and the components with the largest total |weight|.
"""

import warnings

import numpy as np
import torch
from torch import Tensor

from symscope.conditioning import IllConditioned
from symscope.evidence import SymscopeError
from symscope.featurizer import PCA, Rotation

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""sklearn's C: the smaller, the sparser."""


def classifier_axes(
    vectors: Tensor, labels: Tensor, size: int, components: int = 64, seed: int = 0
) -> Rotation:
    """`size` orthonormal axes, of the principal ones, that tell `labels` (sample,) best.

    `vectors` are (sample, width). Raises `SymscopeError` where there are fewer than `size`
    components, or fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    width = vectors.shape[1]
    kept = min(components, width, len(vectors))
    if not 1 <= size <= kept or labels.unique().numel() < 2:
        raise SymscopeError(
            f"{size} axes of {kept} components for {labels.unique().numel()} classes: at least one"
            f" axis, at most {kept}, and two classes or more"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IllConditioned)  # of axes without spread none is chosen
        pca = PCA(width, kept, vectors)
    found = pca.encode(vectors)
    rounding = torch.finfo(found.dtype).eps * float(vectors.abs().amax(0).norm())
    scale = found.std(0)
    scale = torch.where(scale > rounding, scale, torch.inf)  # noise is not made as wide as the rest
    x, y = (found / scale).double().numpy(), labels.numpy()
    order = np.random.default_rng(seed).permutation(len(x))
    cut = len(x) // 5
    best, weights = -1.0, np.zeros((1, kept))
    for strength in STRENGTHS:
        model = OneVsRestClassifier(
            LogisticRegression(C=strength, l1_ratio=1.0, solver="liblinear", max_iter=200)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that has not quite ended still orders the axes
            model.fit(x[order[cut:]], y[order[cut:]])
        score = float(model.score(x[order[:cut]], y[order[:cut]]))
        if score > best:
            best = score
            weights = np.concatenate([one.coef_ for one in model.estimators_])
    strongest = (-np.abs(weights).sum(0)).argsort(kind="stable")[:size]  # of equals the widest
    return Rotation(width, size, start=pca.axes[:, torch.from_numpy(np.sort(strongest))])
