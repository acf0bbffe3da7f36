"""Independent components (FastICA, Hyvärinen & Oja, 2000), by scikit-learn: a baseline.

Where the iteration does not end, scikit-learn's `ConvergenceWarning` says so.
"""

import torch
from torch import Tensor

from symscope.conditioning import spanned
from symscope.evidence import SymscopeError
from symscope.features.dictionaries.dictionary import Dictionary, Method
from symscope.features.dictionaries.pca import codes


def solve(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor | None, steps: int, seed: int
) -> None:
    """The mixing directions as features of length 1, `steps` iterations at most."""
    from sklearn.decomposition import FastICA

    width, size = dictionary.width, dictionary.size
    if size > width:
        raise SymscopeError(f"{size} independent components of {width} units: at most as many")
    x = vectors.double().cpu()
    sizes = torch.linalg.svdvals(x - x.mean(0))
    if size > (there := spanned(vectors.cpu(), sizes, size)):
        raise SymscopeError(
            f"{size} independent components of vectors that span {there} directions: at most as"
            " many, the others would be rounding made as wide as the rest"
        )
    ica = FastICA(size, whiten="unit-variance", random_state=seed, max_iter=steps)
    ica.fit(x.numpy())
    mixing = torch.from_numpy(ica.mixing_.T).to(dictionary.decoder)
    lengths = mixing.norm(dim=1)
    dictionary.decoder.copy_(mixing / lengths[:, None])
    dictionary.encoder.copy_(torch.from_numpy(ica.components_.T).to(lengths) * lengths)
    dictionary.bias.copy_(torch.from_numpy(ica.mean_).to(lengths))


ICA = Method("ica", codes, ("encoder",), solve=solve, signed=True)
