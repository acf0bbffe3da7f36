"""Three predictions of binding by vectors, each with its controls (Feng & Steinhardt, 2024).

Mean shift: exchanging the vectors of two entities, or of two attributes, exchanges the answers;
exchanging both changes nothing. Position: the vectors do it, not the steps at which they stand.
Factorisation: entities, or attributes, of another context take the place of one's own.
A network that copies each entity's name to its attribute's token instead answers as before when
attributes are shifted, and does not find attributes of another context whose names are not asked
for; with rotary positions, which are in no vector, it answers as before after any mean shift, and
with the other attribute when entities alone change steps.
"""

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize.binding_ids import (
    PARTS,
    Contexts,
    asking,
    binding_ids,
    correct,
    moved,
    natural,
    shifted,
    substituted,
)
from symscope.network import Network

RANDOM_DRAWS = 5


def mean_shift(
    network: Network, fit: Contexts, test: Contexts, claim: str, seed: int = 0
) -> list[Evidence]:
    """Accuracy for the original answer when binding vectors of the first two pairs are exchanged.

    Predicted: 1, 0, 0, 1 for none, attribute, entity and both. Vectors are fitted on `fit`; of
    `test`, the contexts that ask for one of these two pairs count. Controls: random vectors of the
    same length (Feng & Steinhardt's), five draws; and the share that answers with the other pair.
    Each condition has two records, raw and calibrated.
    """
    ids, test = binding_ids(network, fit), _asking_two(test)
    generator = torch.Generator().manual_seed(seed)
    rivals = [tuple(_random_like(v, generator) for v in ids) for _ in range(RANDOM_DRAWS)]
    records = []
    for name, parts in PARTS.items():
        started = time.monotonic()
        logits = shifted(network, test, ids, parts)
        noise = [shifted(network, test, (a, b), parts) for a, b in rivals]
        records += _records(f"{claim}.{name}", test, logits, {"random_vectors": noise}, started)
    return records


def position_independence(network: Network, test: Contexts, claim: str) -> list[Evidence]:
    """Accuracy for the original answer when the first two pairs' activity exchanges steps.

    Predicted: 1 throughout, where vectors bind; where steps do, 0 if one part moves alone.
    """
    test = _asking_two(test)
    records = []
    for name, parts in PARTS.items():
        started = time.monotonic()
        records += _records(f"{claim}.{name}", test, moved(network, test, parts), {}, started)
    return records


def factorisation(network: Network, test: Contexts, others: Contexts, claim: str) -> list[Evidence]:
    """Accuracy when entities or attributes come from another context, which is asked about then.

    Predicted: 1. The answer is the attribute now standing at the pair that is asked, out of the
    attributes now there. Control: the same question put to the context left as it was, an entity
    it then does not hold.
    """
    if len(test.tokens) != len(others.tokens):
        raise SymscopeError("there must be one other context for each")
    records = []
    for name, parts in PARTS.items():
        started = time.monotonic()
        logits = substituted(network, test, others, parts)
        plain = natural(network, asking(test, others, parts))
        shown = others if 1 in parts else test
        records += _records(
            f"{claim}.{name}", test, logits, {"left_as_it_was": [plain]}, started,
            shown.tokens.gather(1, shown.attribute),
        )  # fmt: skip
    return records


def _asking_two(contexts: Contexts) -> Contexts:
    kept = contexts[(contexts.asked < 2).nonzero()[:, 0]]
    if not len(kept.tokens):
        raise SymscopeError("no context asks for one of the first two pairs, which are exchanged")
    return kept


def _random_like(ids: Tensor, generator: torch.Generator) -> Tensor:
    """Random directions, as long as each difference, (block, pair, width)."""
    noise = torch.randn(ids.shape, generator=generator).to(ids)
    return noise * ids.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True)


def _records(
    claim: str, contexts: Contexts, logits: Tensor, rivals: Mapping[str, list[Tensor]],
    started: float, candidates: Tensor | None = None,
) -> list[Evidence]:  # fmt: skip
    """Raw and calibrated accuracy, with the same of the controls."""
    shown = contexts.tokens.gather(1, contexts.attribute) if candidates is None else candidates
    records = []
    for kind in ("raw", "calibrated"):

        def right(x: Tensor, answer: Tensor, calibrated: bool = kind == "calibrated") -> Tensor:
            return correct(x, shown, answer, calibrated).float()

        hit = right(logits, contexts.asked)
        controls = {
            name: float(torch.stack([right(x, contexts.asked) for x in several]).mean())
            for name, several in rivals.items()
        }
        if int(contexts.asked.max()) < 2:
            controls["other_pair"] = float(right(logits, 1 - contexts.asked).mean())
        controls["chance"] = 1 / shown.shape[1]
        low, high = wilson(int(hit.sum()), len(hit))
        records.append(Evidence(
            f"{claim}.{kind}", float(hit.mean()), low, high, len(hit), "accuracy", controls,
            seconds=time.monotonic() - started,
        ))  # fmt: skip
    return records
