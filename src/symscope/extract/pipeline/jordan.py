"""A frame in which the state's transition is nearly in Jordan normal form.

Michaud et al. (2024), "Jordan normal form": trained weights are never exactly defective, so that
eigenvalues, kernels and chains are all taken up to ε.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import block_diag

from symscope.extract.pipeline.frame import Move, turned
from symscope.extract.pipeline.weights import Array, Weights

EPSILONS = (0.7, 0.3, 0.1, 0.03)
PASSES = 3
CLOSE = 0.1
"""The largest residual at which no smaller ε is tried."""
_REAL = 1e-6
_PAIR = np.array([[1, 1j], [1, -1j]]) / np.sqrt(2)
Chain = tuple[complex, Array]
"""An eigenvalue λ, and columns t₀, t₁, … with W·t₀ = λt₀ and W·t_{i+1} = λt_{i+1} + t_i."""


def jordan(weights: Weights, seen: Array) -> Move:
    """A = T⁻¹, the chains of W as the columns of T, a conjugate pair of chains as a real one.

    ε is 0.7; where eigenvalues within ε do not fall into groups, the chains are no basis or the
    residual max|A·W·A⁻¹ − J| is above 0.1, the smaller 0.3, 0.1 and 0.03 are tried, and the best
    is taken. Up to three passes, each in the frame that the one before found.
    """
    transition, total, best, notes = weights.transition, np.eye(weights.width), np.inf, []
    for _ in range(PASSES):
        found = [basis for e in EPSILONS if (basis := _basis(transition, e)) is not None]
        close = [basis for basis in found if basis[1] <= CLOSE]
        frame, residual, epsilon = min(close[:1] or found, key=lambda b: b[1], default=_NONE)
        if residual >= best:
            break
        total, best = frame @ total, residual
        transition = frame @ transition @ np.linalg.inv(frame)
        notes.append(f"ε {epsilon}, residual {residual:.2g}, condition {np.linalg.cond(total):.2g}")
    return turned(weights, total, "; ".join(notes) or "no ε gives a basis")


_NONE = (np.eye(0), np.inf, 0.0)


def chains(transition: Array, epsilon: float) -> list[Chain] | None:
    """The chains of all groups of eigenvalues, or None where ε gives no groups or no basis.

    Of a conjugate pair of groups the one with positive imaginary part is listed.
    """
    values = np.linalg.eigvals(transition).astype(complex)
    groups = _groups(values, epsilon)
    if groups is None:
        return None
    found: list[Chain] = []
    for group in groups:
        mean = complex(np.mean(values[group]))
        if mean.imag < -_REAL:
            continue
        value = mean if mean.imag > _REAL else complex(mean.real)
        tops = _chains_of(transition, value, epsilon)
        if sum(t.shape[1] for t in tops) != len(group):
            return None
        found += [(value, t if value.imag else t.real) for t in tops]
    return found


def _groups(values: Array, epsilon: float) -> list[list[int]] | None:
    """Eigenvalues that are within ε of each other; None where that is not transitive."""
    near = np.abs(values[:, None] - values) <= epsilon
    groups = {tuple(np.flatnonzero(row).tolist()) for row in near}
    disjoint = sum(len(g) for g in groups) == len(values)
    return [list(g) for g in sorted(groups)] if disjoint else None


def _chains_of(transition: Array, value: complex, epsilon: float) -> list[Array]:
    """The chains of one eigenvalue, the longest first.

    X = W − λI with its singular values below ε set to 0; F₀ its kernel. J_k is the ε-kernel of
    (I − F_{k−1}F_{k−1}*)·X, and F_k what J_k has beside F₀. From the deepest k up to 0, directions
    of F_k that are no image X·F_{k+1} begin new chains, and t_i = F_i·F_i*·X·t_{i+1}.
    """
    n = len(transition)
    shifted = transition - value * np.eye(n)
    if not value.imag:
        shifted = shifted.real
    left, sizes, right = np.linalg.svd(shifted)
    small = sizes < epsilon
    levels = [right[small].conj().T]
    shifted = (left * np.where(small, 0, sizes)) @ right
    while levels[-1].shape[1] and sum(f.shape[1] for f in levels) < n:
        _, sizes, right = np.linalg.svd(shifted - _onto(levels[-1]) @ shifted)
        kernel = right[sizes < epsilon].conj().T
        count = kernel.shape[1] - levels[0].shape[1]
        if count <= 0 or count > levels[-1].shape[1]:
            break
        levels.append(_leading(_onto(kernel) - _onto(levels[0]), count))
    return _descend(levels, shifted)


def _descend(levels: Sequence[Array], shifted: Array) -> list[Array]:
    """Chains from their tops down, each with its eigenvector first."""
    whole: list[Array] = []
    for k in reversed(range(len(levels))):
        deeper = levels[k + 1] if k + 1 < len(levels) else np.zeros((len(shifted), 0))
        images = np.linalg.qr(shifted @ deeper)[0]
        count = levels[k].shape[1] - deeper.shape[1]
        tops = _leading(_onto(levels[k]) - _onto(images), count)
        for top in tops.T:
            chain = [top]
            for level in reversed(levels[:k]):
                chain.insert(0, _onto(level) @ shifted @ chain[0])
            whole.append(np.stack(chain, 1))
    return whole


def _onto(columns: Array) -> Array:
    """The projection on the span of orthonormal columns."""
    return columns @ columns.conj().T


def _leading(matrix: Array, count: int) -> Array:
    return np.linalg.svd(matrix)[0][:, :count]


def _basis(transition: Array, epsilon: float) -> tuple[Array, float, float] | None:
    """The frame T⁻¹, its residual, and ε; None where T is no basis."""
    listed = chains(transition, epsilon)
    if listed is None:
        return None
    columns, blocks = [], []
    for value, chain in listed:
        one = np.array([[value.real]])
        if value.imag:
            pairs = np.stack([chain, chain.conj()], 2)  # (state, place in the chain, of the pair)
            chain = (pairs @ _PAIR).real.reshape(len(chain), -1)
            one = np.array([[value.real, -value.imag], [value.imag, value.real]])
        size = chain.shape[1] // len(one)
        columns.append(chain)
        blocks.append(np.kron(np.eye(size), one) + np.kron(np.eye(size, k=1), np.eye(len(one))))
    basis = np.hstack(columns)
    if np.linalg.cond(basis) > 1e8:
        return None
    frame = np.linalg.inv(basis)
    residual = np.abs(frame @ transition @ basis - block_diag(*blocks)).max()
    return frame, float(residual), epsilon
