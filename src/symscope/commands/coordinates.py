"""What a run's picture shows: natural states along the direction that tells the count best."""

from typing import Any

import torch

from symscope.alignment import Handle
from symscope.network import Network
from symscope.tasks.numbers import BOS, EOS, PAD, Counting


def coordinates_of(network: Network, task: Counting, handle: Handle) -> dict[str, Any]:
    """Natural states in Count's subspace, seen along the direction that tells the count best.

    The states after each item of one sequence per count. The direction is the least-squares one
    inside the subspace, fitted on the even counts; `second` is the widest axis at right angles.
    """
    tokens = task.enumerate()
    rows, steps = ((tokens != PAD) & (tokens != BOS) & (tokens != EOS)).nonzero(as_tuple=True)
    tokens = tokens[rows]
    place, names = handle.site.at(steps), [(n, tuple(steps.tolist())) for n in ("count", "phase")]
    with torch.no_grad():
        states = network.run(tokens.to(network.device), read=[place]).values[place]
        states = states.float() if states.element_size() < 4 else states
        inside = handle.featurizer.to(states).encode(states)[:, list(handle.coordinates)]
    count, phase = (task.program.run(tokens, read=names).values[n] for n in names)
    centred = (inside - inside.mean(0)).double().cpu()
    even = count % 2 == 0
    target = (count - count.double().mean())[even]
    slope = torch.linalg.lstsq(centred[even], target[:, None], driver="gelsd").solution[:, 0]
    axis = slope / slope.norm()
    along = centred @ axis
    rest = centred - along[:, None] * axis
    second = rest @ torch.linalg.svd(rest, full_matrices=False).Vh[0]
    return {
        "count": count.tolist(),
        "phase": phase.tolist(),
        "coordinate": along.tolist(),
        "second": second.tolist(),
        "axis": "the direction inside Count's subspace that tells the count best, fitted on even"
        " counts (least squares)",
    }
