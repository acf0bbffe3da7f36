"""What a few elements of a dictionary say of vectors, without all the others."""

from collections.abc import Sequence

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.features.geometry.cloud import finite, principal
from symscope.featurizer import Featurizer

COMPONENTS, MOST, CHUNK = 5, 20_000, 1024


@torch.no_grad()
def reconstructions(
    dictionary: Featurizer, vectors: Tensor, cluster: Sequence[int], active: float = 1e-6
) -> tuple[Tensor, Tensor]:
    """The cluster's share of vectors (n, width), of those on which one of it is active.

    Returns (kept, width) and their rows (kept,): the vectors are encoded, all coordinates outside
    of the cluster set to zero, and decoded, less what nothing at all decodes to. At most 20,000,
    the first. An element is active where its coordinate is above `active` in size. Raises
    `NotFinite`, and `SymscopeError` for another width or an element that is not there.
    """
    finite(vectors)
    chosen = torch.as_tensor(list(cluster))
    if vectors.shape[1] != dictionary.width:
        raise SymscopeError(
            f"vectors of width {vectors.shape[1]}, and the dictionary's is {dictionary.width}"
        )
    if not len(chosen) or not 0 <= int(chosen.min()) <= int(chosen.max()) < dictionary.size:
        raise SymscopeError(f"a cluster is elements of 0..{dictionary.size - 1}: {list(cluster)}")
    parts, rows, held = [], [], 0
    for some in torch.arange(len(vectors)).split(CHUNK):
        coordinates = dictionary.encode(vectors[some])[:, chosen]
        on = coordinates.abs().amax(1) > active
        kept = coordinates.new_zeros(int(on.sum()), dictionary.size)
        kept[:, chosen] = coordinates[on]
        parts.append(dictionary.decode(kept) - dictionary.decode(torch.zeros_like(kept)))
        rows.append(some[on])
        held += len(kept)
        if held >= MOST:
            break
    return torch.cat(parts)[:MOST], torch.cat(rows)[:MOST]


def in_components(vectors: Tensor, count: int = COMPONENTS) -> Tensor:
    """Vectors (n, width) in their own principal components, (n, up to `count`), the widest first.

    Fewer where the vectors span fewer directions, without a warning: a cluster of three elements
    has no fourth component.
    """
    rank = int(torch.linalg.matrix_rank((vectors - vectors.mean(0)).double()))
    if rank == 0:
        return vectors.new_zeros(len(vectors), 0)
    mean, axes = principal(vectors, min(count, rank))
    return (vectors.double() - mean) @ axes.T
