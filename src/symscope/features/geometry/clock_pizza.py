"""Clock or pizza: by which algorithm does a network of two tokens add modulo p?

Two measures of Zhong, Liu, Tegmark & Andreas (NeurIPS 2023, section 4). A clock multiplies the
numbers' waves; a pizza averages them first, so its logits treat both tokens alike and are weak
where the two are opposite. Of their networks, a clock has a gradient symmetricity of 33 % and a
distance irrelevance of 0.85, a pizza 99 % and 0.17.
"""

import time
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry.cloud import not_told
from symscope.features.geometry.crossed import last_step
from symscope.features.geometry.intervention import clustered
from symscope.network import Network, NothingChanged
from symscope.site import Site

TRIPLES, BATCH, DRAWS, ROUNDING = 1000, 512, 2000, 1e-6
EMBEDDING = Site("embed")


def gradient_symmetricity(  # the network, what is asked of it, and what stands beside it
    network: Network, modulus: int, site: Site = EMBEDDING,
    triples: int = TRIPLES, claim: str = "geometry.gradient_symmetricity", seed: int = 0,
    untrained: Network | None = None, after: Sequence[int] = (),
) -> Evidence:  # fmt: skip
    """The mean cosine of ∂Q_abc/∂E_a and ∂Q_abc/∂E_b, over random a, b and c.

    Q_abc is the logit of c on the tokens a, b, and those that come `after`, and E the vectors of
    the first two at `site`, (n, step, width). Near 1 in a pizza. Control: the same of an
    `untrained` network, where one is given. The interval draws the triples again.
    """
    began = time.monotonic()
    rng = np.random.default_rng(seed)
    drawn = torch.from_numpy(rng.integers(modulus, size=(triples, 3)))
    alike = _alike(network, drawn, site, after)
    low, high = clustered(alike, torch.arange(len(alike)), seed)
    controls = {}
    if untrained is not None:
        controls["untrained"] = float(_alike(untrained, drawn, site, after).mean())
    return Evidence(
        claim, float(alike.mean()), low, high, len(alike), "cosine", controls, seeds=[seed],
        seconds=time.monotonic() - began, config={"site": str(site), "modulus": modulus},
    )  # fmt: skip


def distance_irrelevance(
    network: Network, modulus: int, claim: str = "geometry.distance_irrelevance",
    untrained: Network | None = None, after: Sequence[int] = (),
) -> Evidence:  # fmt: skip
    """How little the right answer's logit depends on the distance of the numbers, 0 to 1.

    q = mean over d of std(L_ij where i − j = d) / std(L), with L_ij the logit of i + j on i, j, and
    the tokens that come `after`. Near 1 in a clock. Control: the same of an `untrained` network,
    where one is given. The interval draws distances again, the whole spread fixed. None where that
    logit never differs.
    """
    began = time.monotonic()
    along, whole, size = _by_distance(network, modulus, after)
    if whole <= ROUNDING * size:
        reason = "the right answer's logit never differs"
        return not_told(claim, modulus**2, "ratio of spreads", reason)
    rows = np.random.default_rng(0).integers(modulus, size=(DRAWS, modulus))
    low, high = np.percentile(along[rows].mean(1) / whole, [2.5, 97.5])
    controls = {}
    if untrained is not None:
        other, spread, _ = _by_distance(untrained, modulus, after)
        controls["untrained"] = float(other.mean() / spread)
    return Evidence(
        claim, float(along.mean() / whole), float(low), float(high), modulus**2,
        "ratio of spreads", controls, seconds=time.monotonic() - began, config={"modulus": modulus},
    )  # fmt: skip


def _alike(network: Network, triples: Tensor, site: Site, after: Sequence[int]) -> Tensor:
    """The cosine of both tokens' gradients, (triple,)."""
    found = []
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)
        for some in triples.split(BATCH):
            held: list[Tensor] = []

            def leaf(old: Tensor, held: list[Tensor] = held) -> Tensor:
                held.append(old.detach().clone().requires_grad_())
                return held[-1]

            tokens = _followed(some[:, :2], after).to(network.device)
            output = network.run(tokens, do={site: leaf}).output
            logits = output if output.dim() == 2 else output[:, -1]
            wanted = logits[torch.arange(len(some)), some[:, 2]].sum()
            (slope,) = torch.autograd.grad(wanted, held[0])
            if slope.dim() != 3 or slope.shape[1] < 2:
                raise SymscopeError(f"{site} has no two vectors: {tuple(slope.shape)}")
            found.append(cosine_similarity(slope[:, 0], slope[:, 1], dim=1).double().cpu())
    return torch.cat(found)


@torch.no_grad()
def _by_distance(
    network: Network, modulus: int, after: Sequence[int]
) -> tuple[np.ndarray, float, float]:
    """The right logit's spread at each distance, (distance,), that of all, and its largest size."""
    numbers = torch.arange(modulus)
    pairs = torch.cartesian_prod(numbers, numbers)
    logits = torch.cat([last_step(network.run(p.to(network.device)).output, None)
                        for p in _followed(pairs, after).split(BATCH)])  # fmt: skip
    right = logits.gather(1, (pairs.sum(1) % modulus)[:, None])[:, 0].double()
    right = right.view(modulus, modulus)
    # row d holds the logits of (j + d, j)
    along = torch.stack([right[(numbers + d) % modulus, numbers] for d in numbers])
    spread = along.std(1, unbiased=False).numpy()
    return spread, float(right.std(unbiased=False)), float(right.abs().max())


def _followed(pairs: Tensor, after: Sequence[int]) -> Tensor:
    """The tokens of both numbers and those after them, (n, 2 + after)."""
    return torch.cat([pairs, torch.tensor(list(after)).long().expand(len(pairs), -1)], 1)
