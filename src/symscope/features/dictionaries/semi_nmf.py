"""Vectors ≈ non-negative coordinates × free features, by alternating updates (Ding et al., 2010).

X ≈ G F with G ≥ 0: F is the least-squares solution for G, and then G is multiplied by
√(((X Fᵀ)⁺ + G (F Fᵀ)⁻) / ((X Fᵀ)⁻ + G (F Fᵀ)⁺)), where A⁺ and A⁻ are the positive and negative
parts of A; neither makes ‖X − G F‖² larger. G starts at the classes of k-means plus 0.2. Vectors
that were not fitted are read by non-negative least squares.
"""

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.features.dictionaries.dictionary import Dictionary, Method

READING = 500
"""Steps of the projected gradient that reads coordinates; it ends earlier where nothing moves."""
TINY = 1e-12


def factorised(
    vectors: Tensor, size: int, steps: int = 200, seed: int = 0
) -> tuple[Tensor, Tensor, list[float]]:
    """G (sample, size), F (size, width), and ‖X − G F‖² after each step, which never grows.

    Computed in float64. Raises `SymscopeError` where there are fewer vectors than features.
    """
    from sklearn.cluster import KMeans

    if size > len(vectors):
        raise SymscopeError(f"{size} features of {len(vectors)} vectors: as many vectors at least")
    x = vectors.double()
    classes = KMeans(size, n_init=1, random_state=seed).fit(x.cpu().numpy()).labels_
    g = torch.nn.functional.one_hot(torch.from_numpy(classes).long(), size).to(x) + 0.2
    errors = []
    for _ in range(steps):
        f = torch.linalg.pinv(g) @ x
        g = g * (_upper(x, g, f) / (_lower(x, g, f) + TINY)).sqrt()
        errors.append(float((x - g @ f).square().sum()))
    return g, f, errors


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """The non-negative coordinates that leave the least squared error.

    An accelerated projected gradient (Beck & Teboulle, 2009) from 0.
    """
    x, features = dictionary.without_bias(vectors), dictionary.decoder
    gram, target = features @ features.T, x @ features.T
    rate = 1 / torch.linalg.matrix_norm(gram, 2).clamp(min=TINY)
    z = ahead = torch.zeros_like(target)
    t = 1.0
    for _ in range(READING):
        moved = (ahead - rate * (ahead @ gram - target)).relu()
        after = (1 + (1 + 4 * t * t) ** 0.5) / 2
        ahead = moved + (t - 1) / after * (moved - z)
        done = bool((moved - z).abs().max() <= 1e-7 * moved.abs().max())
        z, t = moved, after
        if done:
            break
    return z


def solve(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor | None, steps: int, seed: int
) -> None:
    """Features of length 1; the bias stays 0."""
    features = factorised(vectors, dictionary.size, steps, seed)[1]
    dictionary.decoder.copy_(torch.nn.functional.normalize(features, dim=1))


def _upper(x: Tensor, g: Tensor, f: Tensor) -> Tensor:
    return (x @ f.T).clamp(min=0) + g @ (-(f @ f.T)).clamp(min=0)


def _lower(x: Tensor, g: Tensor, f: Tensor) -> Tensor:
    return (-(x @ f.T)).clamp(min=0) + g @ (f @ f.T).clamp(min=0)


SEMI_NMF = Method("semi_nmf", codes, (), solve=solve)
