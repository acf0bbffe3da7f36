"""What an IIA has to be compared with before it says anything.

Each control is an IIA on the same test pairs, unless its name says otherwise.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from symscope.align.chosen import MOST_VECTORS, neurons, principal_axes
from symscope.align.swap import Interchange, Swap, Swaps, swaps
from symscope.causal_model import interchange
from symscope.evidence import SymscopeError
from symscope.featurizer import Featurizer, Identity, Rotation
from symscope.network import Network
from symscope.program import Program
from symscope.site import Site
from symscope.task import Pairs

Pairing = TypeVar("Pairing", bound=Interchange)


def floors(program: Program, pairs: Pairs) -> dict[str, float]:
    """What a flawless machine running `program` scores when nothing, or all its state, is swapped.

    These depend on how the pairs are drawn alone: a wrong program can score well above chance.
    """
    at = tuple(pairs.base_step.tolist()), tuple(pairs.source_step.tolist())
    whole = {
        (name, at[0]) if program.stepped else name: (name, at[1]) if program.stepped else name
        for name in program.names
    }
    outputs = {
        "machine_no_op": program.run(pairs.base).output,
        "machine_full_swap": interchange(program, pairs.base, pairs.source, whole),
    }
    if not program.stepped and pairs.target.dim() > 1:  # one answer, at the step that is scored
        outputs = {name: v[:, None] for name, v in outputs.items()}
    right = {
        name: (v - pairs.lowest == pairs.target) | ~pairs.scored for name, v in outputs.items()
    }
    return {name: float(v.view(len(v), -1).all(1).float().mean()) for name, v in right.items()}


def unfitted(fit: Swap, test: Swap, start: Featurizer, size: int, seed: int) -> dict[str, float]:
    """Controls that need no search.

    No swap; the whole vector; the rotation the search starts from and the mean of three other
    random subspaces; the `size` units that correlate best with the variable; the widest `size`
    principal axes; the direction of a linear probe; and that probe's exact accuracy.
    """
    width, chosen = test.width, list(range(size))
    random = [Rotation(width, size, seed=7919 * (seed + 1) + i) for i in range(3)]
    scores = {
        "no_op": test.right_with(test.base),
        "full_swap": test.right(Identity(width), list(range(width))),
        "untrained_rotation": test.right(copy.deepcopy(start).to(test.base), chosen),
        "random_subspace": torch.cat([test.right(r.to(test.base), chosen) for r in random]),
        "pca": test.right(principal_axes(fit.source, size).to(test.base.device), chosen),
    }
    values = _values(fit.pairs), _values(test.pairs)
    if values[0] is not None and values[1] is not None:
        mask = neurons(fit.source, values[0], size).to(test.base.device)
        direction, accuracy = probe(fit.source, values[0], test.source, values[1])
        along = Rotation(width, 1, start=direction[:, None]).to(test.base.device)
        scores["neurons"] = test.right(mask, chosen)
        scores["probe_direction"] = test.right(along, [0])
        scores["probe_accuracy"] = accuracy
    return {name: float(right.float().mean()) for name, right in scores.items()}


def permuted(swap: Pairing, seed: int) -> Pairing:
    """The same swap with sources that belong to other pairs: there is nothing to find in it.

    A source keeps its own labels; the base and what the program says of the pair stay.
    """
    other = copy.copy(swap)
    order = torch.randperm(len(swap), generator=torch.Generator().manual_seed(seed))
    moved = {k: v[order] for k, v in swap.pairs.labels.items() if k.endswith(".source")}
    other.pairs = replace(swap.pairs, labels={**swap.pairs.labels, **moved})
    other.source = swap.source[order]
    return other


def nothing_to_find(ready: Swaps, untrained: Network, site: Site, seed: int) -> dict[str, Swaps]:
    """Control → pairs on which a search can find no variable: what it finds is its own doing.

    Sources are permuted in the pairs that are scored as well, as in a permutation test. Scored on
    the true pairs, such a search could pass where the choice of pairs alone tells that something
    is swapped: it then finds the true place, and its score says nothing against it.
    """
    mixed = Swaps(*(permuted(swap, seed) for swap in (ready.fit, ready.validation, ready.test)))
    pairs = {split: getattr(ready, split).pairs for split in ("fit", "validation", "test")}
    return {"permuted_sources": mixed, "untrained_network": swaps(untrained, site, pairs)}


def distance(
    fit: Swap, test: Swap, featurizer: Featurizer, coordinates: Sequence[int]
) -> dict[str, float]:
    """How far edited vectors lie from the nearest natural one, on average.

    `edited_state_distance` is in units of the same distance of natural vectors, which is small
    where many natural vectors nearly coincide; `edited_state_spread` is in units of the distance
    between two natural vectors.
    """
    bank = fit.source[:MOST_VECTORS]
    edited = torch.cdist(test.edited(featurizer, coordinates), bank).amin(1).mean()
    natural = torch.cdist(test.source, bank)
    return {
        "edited_state_distance": float(edited / natural.amin(1).mean().clamp(min=1e-12)),
        "edited_state_spread": float(edited / natural.mean().clamp(min=1e-12)),
    }


def probe(
    vectors: Tensor, values: Tensor, new_vectors: Tensor, new_values: Tensor
) -> tuple[Tensor, Tensor]:
    """A ridge probe's unit direction (width,), and whether its rounded answers are right."""
    from sklearn.linear_model import Ridge

    ridge = Ridge(alpha=1e-3, solver="svd").fit(vectors.double().cpu().numpy(), values.numpy())
    direction = torch.as_tensor(ridge.coef_, dtype=vectors.dtype)
    if not float(direction.norm()):
        raise SymscopeError("a probe needs a variable with more than one value")
    found = torch.as_tensor(ridge.predict(new_vectors.double().cpu().numpy())).round()
    return direction / direction.norm(), found == new_values.round()


def _values(pairs: Pairs) -> Tensor | None:
    """The swapped variable's value at the source, if it is one and varies."""
    if len(pairs.variables) != 1:
        return None
    values = pairs.labels[f"{pairs.variables[0]}.source"].double()
    return values if len(values.unique()) > 1 else None
