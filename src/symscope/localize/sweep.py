"""A patching sweep as evidence: the place is chosen on one half of the pairs, scored on the other.

With a task's counterfactual pairs the answer expected after a patch is the program's, so the share
of successes at a place is the interchange accuracy of the claim that the variable is there.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize.metrics import logit_shift, normalised, success
from symscope.localize.patching import patched
from symscope.localize.places import Place
from symscope.network import Network
from symscope.site import Site
from symscope.task import IGNORE, Pairs

TOGETHER = 256
"""Pairs of which logits are kept at a time, (place, pair, vocabulary)."""


@dataclass(frozen=True)
class Scores:
    """Of each place on each pair, (place, pair): the `shift` of the expected answer, and whether
    it `won`; `unpatched` (pair,) says whether it wins without a patch.
    """

    shift: Tensor
    won: Tensor
    unpatched: Tensor


def sweep(
    network: Network, pairs: Pairs | Mapping[str, Pairs], places: Mapping[Any, Place],
    claim: str = "patching", seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """One record per set of pairs: how often its best place gives the program's answer.

    `pairs` are swapped inputs with the answer expected after the swap, read at the last step;
    several named sets (kinds of counterfactual) of the same bases share the bases' runs, and
    positions per sample are those of one set's pairs. `places` are as `places()` lists them. The
    best place is the one with the largest share of successes, then the largest mean shift, on half
    of the pairs drawn by `seed`; `score` is its share of successes on the other half, with the
    Wilson interval. Controls on that half: `no_op`, the base unchanged; `other_source`, the same
    place as it is in another pair's source; `any_place`, the mean over all places.

    `config` holds the map over all pairs: `places`, and in their order the mean `shift` of the
    expected answer's logit (Δ), the same divided by the largest under `normalised` with
    `is_normalised` (see `metrics.normalised`), and `success`. Raises `SymscopeError` where the
    last step is not scored, or there are fewer than four pairs.
    """
    began = time.monotonic()
    sets = {"": pairs} if isinstance(pairs, Pairs) else dict(pairs)
    scores = scores_of_sets(network, list(sets.values()), list(places.values()))
    found = []
    for (name, one), score in zip(sets.items(), scores, strict=True):
        chosen, held = halves(len(one), seed)
        best = _best(score, chosen)
        control = _other_source(network, one[held], of_rows(list(places.values())[best], held))
        controls = {
            "no_op": _mean(score.unpatched[held]),
            "other_source": control,
            "any_place": _mean(score.won[:, held]),
        }
        right = score.won[best, held]
        config = {"best": _named(list(places)[best]), "chosen_on": len(chosen),
                  **_map(list(places), score)}  # fmt: skip
        found.append(Evidence(
            f"{claim}.{name}".strip("."), _mean(right), *wilson(int(right.sum()), len(right)),
            len(right), "IIA", controls, [seed], (time.monotonic() - began) / len(sets), config,
        ))  # fmt: skip
    return found


def scores_of_sets(
    network: Network, sets: Sequence[Pairs], places: Sequence[Place]
) -> list[Scores]:
    """The scores of each set of pairs; sets of the same size are patched together."""
    if len({one.base.shape for one in sets}) > 1:
        return [scores_of_sets(network, [one], places)[0] for one in sets]
    count, kinds = len(sets[0]), len(sets)
    found = []
    for rows in torch.arange(count).split(max(1, TOGETHER // kinds)):
        base, source = (_interleaved([getattr(one, side)[rows] for one in sets])
                        .to(network.device) for side in ("base", "source"))  # fmt: skip
        target = _interleaved([answers(one)[rows] for one in sets])
        here = [of_rows(place, rows.repeat_interleave(kinds)) for place in places]
        logits = patched(network, base, source, [*here, ()])
        shift = logit_shift(logits[:-1], logits[-1], target)
        found.append((shift, success(logits, target)))
    shift, won = (torch.cat(parts, 1).unflatten(1, (count, kinds)).cpu()
                  for parts in zip(*found, strict=True))  # fmt: skip
    return [Scores(shift[..., k], won[:-1, :, k], won[-1, :, k]) for k in range(kinds)]


def _interleaved(sides: list[Tensor]) -> Tensor:
    """The pairs of several sets, those with the same base beside each other."""
    return torch.stack(sides, 1).flatten(0, 1)


def answers(pairs: Pairs) -> Tensor:
    """The expected answer at the last step, (pair,); raises where it is not scored."""
    target = pairs.target if pairs.target.dim() == 1 else pairs.target[:, -1]
    if bool((target == IGNORE).any()):
        raise SymscopeError("the last step is not scored in all pairs; patching reads no other")
    return target


def halves(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Two disjoint halves of the pairs, to choose on and to score on."""
    if count < 4:
        raise SymscopeError(f"{count} pairs are too few to choose on one half, score on the other")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[: count // 2], order[count // 2 :]


def of_rows(place: Place, rows: Tensor) -> tuple[Site, ...]:
    """A place on these pairs only, where its positions differ between pairs."""
    sites = (place,) if isinstance(place, Site) else place
    return tuple(
        site.at(torch.tensor(site.position)[rows]) if isinstance(site.position, tuple) else site
        for site in sites
    )


def _best(score: Scores, rows: Tensor) -> int:
    won, shift = score.won[:, rows].float().mean(1), score.shift[:, rows].float().mean(1)
    return max(range(len(won)), key=lambda place: (float(won[place]), float(shift[place])))


def _other_source(network: Network, pairs: Pairs, place: tuple[Site, ...]) -> float:
    """How often the answer is the expected one though the source is the next pair's."""
    other = torch.arange(len(pairs)).roll(1)
    base, source = (x.to(network.device) for x in (pairs.base, pairs.source[other]))
    found = patched(network, base, source, [place], [of_rows(place, other)])
    return _mean(success(found[0], answers(pairs)))


def _map(keys: list[Any], score: Scores) -> dict[str, Any]:
    shift = score.shift.float().mean(1)
    divided, is_divided = normalised(shift)
    return {
        "places": [_named(key) for key in keys],
        "shift": shift.tolist(),
        "normalised": divided.tolist(),
        "is_normalised": is_divided,
        "success": score.won.float().mean(1).tolist(),
    }


def _named(key: Any) -> Any:
    return list(key) if isinstance(key, tuple) else key


def _mean(right: Tensor) -> float:
    return float(right.float().mean())
