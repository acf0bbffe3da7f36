"""Three kinds of heads that make and follow abstract variables (Yang et al., 2025).

Symbol abstraction heads turn the end of each example into a variable, "as the first" or "as the
second"; symbolic induction heads predict at the last step which variable comes next; retrieval
heads bring the token that the variable stands for.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.localize.head_roles import head_names, head_sites
from symscope.localize.metrics import logit_difference
from symscope.localize.patching import patched
from symscope.localize.permutation import above_zero, holm
from symscope.localize.places import Place
from symscope.network import Network
from symscope.task import Pairs
from symscope.tasks.identity_rules import IdentityRules

KINDS = {"abstraction": "second", "induction": "second", "retrieval": "item"}
"""The variable in which base and source differ."""


def symbolic_heads(
    network: Network, task: IdentityRules, claim: str, pairs: int = 200, seed: int = 0
) -> list[Evidence]:
    """Evidence for each kind and head: s = [logit(y*) − logit(y)]_patched − the same unpatched.

    y* is the program's answer when the variable is swapped, y the one on the base. A head's output
    is patched at the examples' ends for abstraction, at the last step for induction and retrieval.
    `config["p"]` is the permutation test's, Holm-corrected over heads and kinds, on pairs that are
    not scored, and `config["selected"]` says whether it is below 0.05. Controls: s when the step
    before is patched; at the last step also s with a source in which the other variable is swapped,
    so that there is nothing to bring (at the examples' ends such a source is the base). Departure
    from Yang et al.: heads are tested on other pairs than those they are scored on.
    """
    started = time.monotonic()
    places = {kind: _places(network, task, kind) for kind in KINDS}
    choosing, scoring = (
        {v: task.pairs(task.program, (v,), pairs, seed, split) for v in ("second", "item")}
        for split in ("fit", "test")
    )
    chosen = {kind: _effects(network, choosing[v], places[kind]) for kind, v in KINDS.items()}
    p = holm(torch.stack([above_zero(effects) for effects in chosen.values()]))
    records = []
    for row, (kind, variable) in zip(p, KINDS.items(), strict=True):
        here = scoring[variable]
        (other,) = (pairs.source for name, pairs in scoring.items() if name != variable)
        effects = _effects(network, here, places[kind])
        controls = {"step_before": _effects(network, here, _places(network, task, kind, 1)).mean(1)}
        if kind != "abstraction":
            rest = replace(here, source=other)
            controls["other_variable"] = _effects(network, rest, places[kind]).mean(1)
        for i, name in enumerate(head_names(head_sites(network))):
            mean, half = _mean(effects[i])
            records.append(Evidence(
                f"{claim}.{kind}.{name}", mean, mean - half, mean + half, len(here), "logits",
                {control: float(values[i]) for control, values in controls.items()}, [seed],
                (time.monotonic() - started) / p.numel(),
                {"p": float(row[i]), "selected": bool(row[i] < 0.05)},
            ))  # fmt: skip
    return records


def _places(network: Network, task: IdentityRules, kind: str, earlier: int = 0) -> list[Place]:
    """Where each head is patched; `earlier` moves all steps."""
    steps = task.example_ends if kind == "abstraction" else [4 * task.examples + 1]
    return [tuple(site.at(step - earlier) for step in steps) for site in head_sites(network)]


def _effects(network: Network, pairs: Pairs, places: Sequence[Place]) -> Tensor:
    """s of each head and pair, (head, pair)."""
    old, new = pairs.labels["item.base"], pairs.target[:, -1]
    with torch.no_grad():
        plain = logit_difference(network.run(pairs.base).output[:, -1], new, old)
        edited = patched(network, pairs.base, pairs.source, places)
    return logit_difference(edited, new, old) - plain


def _mean(effects: Tensor) -> tuple[float, float]:
    return float(effects.mean()), 1.96 * float(effects.std(correction=0)) / len(effects) ** 0.5
