"""Where to draw a network's nodes so that its structure is seen: the layout of least energy.

Nodes push each other away, weights pull theirs together, and all are drawn to the origin:

    energy = Σ_pairs 1/r + Σ_weights |w| r² + Σ_nodes |x|²

(Liao, Liu and Tegmark, 2023). Nodes start in four dimensions, where they can pass each other, and
are pressed into a plane. The published text gives the energy and the way through four dimensions.
Our choices are the rest: Adam with a rate of 0.05, 3,000 steps, a penalty on the two extra
dimensions that rises from 0 to 100, the last tenth of the steps in the plane alone with a rate
that falls to 0, the best of 10 starts, and weights divided by the largest of their layer, without
which the layer of the larger weights alone would be seen. Biases are not drawn.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.models.perceptron import Weights

RATE, PENALTY, FLAT = 0.05, 100.0, 0.1
"""Adam's rate; the last weight of the extra dimensions; the share of steps in the plane alone."""


class Layout(NamedTuple):
    """`positions` (node, 2) of inputs, hidden units layer by layer, and outputs; their `energy`."""

    positions: Tensor
    energy: float


def laid_out(weights: Weights, seed: int = 0, steps: int = 3000, restarts: int = 10) -> Layout:
    """The layout of least energy among `restarts` random starts, which descend side by side.

    Raises `SymscopeError` for weights of several networks.
    """
    pulls = pulls_of(weights)
    generator = torch.Generator().manual_seed(seed)
    places = torch.randn(restarts, len(pulls), 4, generator=generator)
    flat = max(round(FLAT * steps), 1)
    places = _descended(places, pulls, steps - flat)
    places = _descended(places[..., :2], pulls, flat)
    energies = energy(pulls, places)
    best = int(energies.argmin())
    return Layout(places[best], float(energies[best]))


def laid_out_along(
    sequence: Sequence[Weights], seed: int = 0, steps: int = 3000, restarts: int = 10
) -> list[Layout]:
    """One layout for each network; from one to the next the nodes move no more than they have to.

    The first is `laid_out`; each of the others descends in the plane from the layout before it, in
    a tenth of the steps. Raises `SymscopeError` where the networks are not of one size.
    """
    sizes = {weights.sizes for weights in sequence}
    if len(sizes) > 1:
        raise SymscopeError(f"networks of sizes {sorted(sizes)}: a sequence is of one size")
    found: list[Layout] = []
    for weights in sequence:
        if not found:
            found.append(laid_out(weights, seed, steps, restarts))
            continue
        pulls = pulls_of(weights)
        places = _descended(found[-1].positions, pulls, max(round(FLAT * steps), 1))
        found.append(Layout(places, float(energy(pulls, places))))
    return found


def standard_layouts(weights: Weights, seed: int = 0) -> dict[str, Layout]:
    """The layouts of networkx for the same pulls: `spring`, and `forceatlas2` where it has that.

    Each has the middle and the scale at which its energy here is least, so that the energies of
    layouts compare shapes and not units of length.
    """
    import networkx

    pulls = pulls_of(weights)
    graph = networkx.from_numpy_array(pulls.double().numpy())
    found = {"spring": networkx.spring_layout(graph, seed=seed)}
    if hasattr(networkx, "forceatlas2_layout"):  # networkx 3.4 and later
        found["forceatlas2"] = networkx.forceatlas2_layout(graph, weight="weight", seed=seed)
    placed = {
        name: torch.stack([torch.as_tensor(at[i]) for i in range(len(pulls))]).float()
        for name, at in found.items()
    }
    return {name: _scaled(pulls, places) for name, places in placed.items()}


def pulls_of(weights: Weights) -> Tensor:
    """How strongly each two nodes are pulled together, (node, node), symmetric and from 0 to 1.

    Raises `SymscopeError` for weights of several networks, or that are not finite.
    """
    if weights.matrices[0].dim() != 2:
        raise SymscopeError(
            f"weights of {weights.matrices[0].shape[0]} networks: choose one with .of(index)"
        )
    pulls = torch.zeros(sum(weights.sizes), sum(weights.sizes))
    start = 0
    for number, matrix in enumerate(weights.matrices):
        strong = matrix.detach().float().cpu().abs()
        if not strong.isfinite().all():
            raise SymscopeError(f"layer {number} has a weight that is not finite: nothing to draw")
        rows, columns = strong.shape
        ends = slice(start, start + rows), slice(start + rows, start + rows + columns)
        pulls[ends] = strong / strong.max().clamp_min(torch.finfo(strong.dtype).tiny)
        start += rows
    return pulls + pulls.T


def energy(pulls: Tensor, positions: Tensor) -> Tensor:
    """The energy (…,) of layouts (…, node, dimension); infinite where two nodes coincide."""
    far = _distances(positions)
    first, second = torch.triu_indices(len(pulls), len(pulls), 1)
    far = far[..., first, second]
    between = 1 / far + pulls[first, second] * far**2
    return between.sum(-1) + positions.square().sum((-2, -1))


def _descended(places: Tensor, pulls: Tensor, steps: int) -> Tensor:
    """The layouts (…, node, dimension) after so many steps of Adam.

    More dimensions than two have a penalty that rises; in the plane it is the rate that falls.
    """
    places = places.clone().contiguous()
    apart = torch.diag(torch.full((len(pulls),), torch.inf))  # no node pushes itself
    # Each slope is linear in the places, given the distances: row i is Σ_j c_ij (x_i − x_j).
    twice = 2 * pulls
    optimizer = torch.optim.Adam([places], lr=RATE)
    for step in range(steps):
        near = (_distances(places) + apart).reciprocal_()
        c = torch.addcmul(twice, near * near, near, value=-1)
        slope = (c.sum(-1, keepdim=True) + 2) * places - c @ places
        if places.shape[-1] > 2:
            slope[..., 2:] += 2 * PENALTY * step / steps * places[..., 2:]
        else:
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
        places.grad = slope
        optimizer.step()
    places.grad = None
    return places


def _distances(places: Tensor) -> Tensor:
    """(…, node, dimension) → (…, node, node), exact where nodes are close."""
    return torch.cdist(places, places, compute_mode="donot_use_mm_for_euclid_dist")


def _scaled(pulls: Tensor, places: Tensor) -> Layout:
    """Around the origin, and so large that the energy a/s + b s² is least: s³ = a / 2b."""
    places = places - places.mean(0)
    push = float(energy(torch.zeros_like(pulls), places) - places.square().sum())
    pull = float(energy(pulls, places)) - push
    places = places * (push / (2 * pull)) ** (1 / 3)
    return Layout(places, float(energy(pulls, places)))
