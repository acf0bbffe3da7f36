"""Three kinds of heads that make and follow abstract variables (Yang et al., 2025).

Symbol abstraction heads turn the end of each example into a variable, "as the first" or "as the
second"; symbolic induction heads predict at the last step which variable comes next; retrieval
heads bring the token that the variable stands for.
"""

import time
import warnings
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.localize.head_roles import head_names, head_sites
from symscope.localize.metrics import logit_difference
from symscope.localize.patching import patched
from symscope.localize.permutation import above_zero, holm
from symscope.localize.places import Place
from symscope.network import Network, NothingChanged
from symscope.site import Site
from symscope.task import Pairs
from symscope.tasks.identity_rules import TRIPLE, IdentityRules

KINDS = {"abstraction": "second", "induction": "second", "retrieval": "item"}
"""The variable in which base and source differ."""


def symbolic_heads(
    network: Network, task: IdentityRules, claim: str, pairs: int = 200, seed: int = 0,
    steps: Mapping[str, Sequence[int]] | None = None,
) -> list[Evidence]:  # fmt: skip
    """Evidence for each kind and head: s = [logit(y*) − logit(y)]_patched − the same unpatched.

    y* is the program's answer when the variable is swapped, y the one on the base. A head's output
    is patched at the examples' ends for abstraction, at the last step for induction and retrieval;
    `steps` says where else, kind by kind, for a network that may do it elsewhere.
    Controls: s with a source in which the other variable is swapped, so that there is nothing of
    this kind to bring, and s when the steps before are patched. `config["p"]` is a permutation
    test's, of s above the first control, Holm-corrected over heads and kinds, on pairs that are not
    scored, and `config["selected"]` says whether it is below 0.05. Departures from Yang et al.:
    that control in the test, and other pairs for the test than for the score.
    """
    started = time.monotonic()
    places = {kind: _places(network, at) for kind, at in {**_steps(task), **(steps or {})}.items()}
    choosing, scoring = (
        {v: task.pairs(task.program, (v,), pairs, seed, split) for v in ("second", "item")}
        for split in ("fit", "test")
    )
    tested = [torch.sub(*_effects(network, choosing, kind, places[kind])) for kind in KINDS]
    p = holm(torch.stack([above_zero(excess) for excess in tested]))
    names = head_names(head_sites(network))
    records = []
    for row, kind in zip(p, KINDS, strict=True):
        effects, other = _effects(network, scoring, kind, places[kind])
        before = _effects(network, scoring, kind, [_earlier(place) for place in places[kind]])[0]
        for i, name in enumerate(names):
            mean, half = _mean(effects[i])
            controls = {"other_variable": other[i], "step_before": before[i]}
            records.append(Evidence(
                f"{claim}.{kind}.{name}", mean, mean - half, mean + half, pairs, "logits",
                {control: float(s.mean()) for control, s in controls.items()}, [seed],
                (time.monotonic() - started) / p.numel(),
                {"p": float(row[i]), "selected": bool(row[i] < 0.05)},
            ))  # fmt: skip
    return records


def _steps(task: IdentityRules) -> dict[str, Sequence[int]]:
    """Where Yang et al. patch each kind."""
    last = [TRIPLE * task.examples + 1]
    return {"abstraction": task.example_ends, "induction": last, "retrieval": last}


def _places(network: Network, steps: Sequence[int]) -> list[tuple[Site, ...]]:
    return [tuple(site.at(step) for step in steps) for site in head_sites(network)]


def _earlier(place: tuple[Site, ...]) -> tuple[Site, ...]:
    """The steps before, none twice."""
    steps = {max(0, site.position - 1) for site in place if isinstance(site.position, int)}
    return tuple(place[0].at(step) for step in sorted(steps))


def _effects(
    network: Network, pairs: Mapping[str, Pairs], kind: str, places: Sequence[Place]
) -> tuple[Tensor, Tensor]:
    """s of each head and pair, (head, pair), and s with the other variable's sources.

    Pairs of both variables have the same bases.
    """
    here = pairs[KINDS[kind]]
    old, new = here.labels["item.base"], here.target[:, -1]
    others = [pairs[name].source for name in pairs if name != KINDS[kind]]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)  # at the examples' ends others are the base
        plain = logit_difference(network.run(here.base).output[:, -1], new, old)
        found = [patched(network, here.base, x, places) for x in (here.source, *others)]
    effects, other = (logit_difference(logits, new, old) - plain for logits in found)
    return effects, other


def _mean(effects: Tensor) -> tuple[float, float]:
    return float(effects.mean()), 1.96 * float(effects.std(correction=0)) / len(effects) ** 0.5
