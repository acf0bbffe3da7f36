"""What related work asks of such networks: binding vectors, successor heads, symbolic heads.

Binding vectors (Feng & Steinhardt, 2024) and successor heads (Gould et al., 2023) are looked for in
the binding networks themselves; the three kinds of symbolic heads (Yang et al., 2025) in a small
transformer that learns identity rules, ABA or ABB, which is their task.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from symscope.evidence import Evidence, wilson
from symscope.localize import (
    Contexts,
    factorisation,
    mean_shift,
    position_independence,
    successor_scores,
    symbolic_heads,
)
from symscope.models.load import build
from symscope.network import Network
from symscope.studies.binding.circuits import counted_from_1
from symscope.tasks.binding import Binding
from symscope.tasks.identity_rules import IdentityRules

RULES = IdentityRules(symbols=6, examples=1)
STEPS, BATCH, RATE = 500, 64, 4e-3
LOOKED_AT = {"abstraction": range(2, 5)}
"""Abstraction is looked for at all steps from the example's end on: small networks do it late."""


def contexts(task: Binding, count: int, seed: int) -> Contexts:
    """Programs that bind every line's letter to a digit, all of them different; one is asked."""
    generator = torch.Generator().manual_seed(seed)
    lines = min(task.lines, task.letters, task.digits)

    def different(of: int) -> Tensor:
        return torch.rand(count, of, generator=generator).argsort(1)[:, :lines]

    left, right = different(task.letters) + task.digits, different(task.digits)
    asked = torch.randint(lines, (count,), generator=generator)
    tokens = task.alphabet.written(left, right, left.gather(1, asked[:, None])[:, 0])
    entity = (4 * torch.arange(lines)).expand(count, -1)
    return Contexts(tokens, entity, entity + 2, asked, tokens.shape[1] - 2)


def binding_vectors(
    network: Network, task: Binding, count: int, name: str, seed: int
) -> list[Evidence]:
    """Are letters bound to digits by vectors that both carry, or is the name itself copied?"""
    fit, test, others = (contexts(task, count, 3 * seed + i) for i in range(3))
    claim = f"{name}.binding_vectors"
    records = mean_shift(network, fit, test, f"{claim}.mean_shift", seed)
    records += position_independence(network, test, f"{claim}.position")
    records += factorisation(network, test, others, f"{claim}.factorisation")
    return [replace(r, seeds=[seed]) for r in records]


def successors(network: Network, task: Binding, name: str, seed: int) -> list[Evidence]:
    """The head whose OV circuit most often prefers the next digit: none should count here."""
    found = successor_scores(network, range(task.digits), "heads")
    best = max(found, key=lambda e: float(e.score or 0.0))
    place = counted_from_1(best.claim.removeprefix("heads."))
    return [replace(best, claim=f"{name}.successor.best", seeds=[seed],
                    config={**best.config, "place": place},
                    note="the best of all heads; Wilson interval, one seed")]  # fmt: skip


def symbolic(name: str, seed: int, pairs: int) -> list[Evidence]:
    """A transformer is trained on identity rules; per kind, its strongest head that is selected.

    "chosen" are all heads that the permutation test selects for that kind.
    """
    module = build("transformer", len(RULES.vocabulary), 32, seed, layers=2, heads=4)
    fresh = symbolic_heads(Network(module), RULES, "untrained", pairs, seed, LOOKED_AT)
    _trained(module.train(), seed)
    network = Network(module)
    prompts = RULES.gate(torch.Generator().manual_seed(seed))[:, :-1]
    with torch.no_grad():
        right = network.run(prompts).output[:, -1].argmax(-1) == RULES.correct(prompts)[:, -1]
    low, high = wilson(int(right.sum()), len(right))
    claim = f"{name}.identity_rules"
    records = [Evidence(f"{claim}.accuracy", float(right.float().mean()), low, high, len(right),
                        "accuracy", {"either token": 0.5}, [seed],
                        config={"steps": STEPS}, note="Wilson interval, one seed")]  # fmt: skip
    found = symbolic_heads(network, RULES, "trained", pairs, seed, LOOKED_AT)
    for kind in ("abstraction", "induction", "retrieval"):
        mine = [e for e in found if e.claim.split(".")[1] == kind]
        best = max(mine, key=lambda e: (e.config["selected"], float(e.score or 0.0)))
        chosen = [_head(e) for e in mine if e.config["selected"]]
        untrained = max(float(e.score or 0.0) for e in fresh if e.claim.split(".")[1] == kind)
        records.append(
            replace(best, claim=f"{claim}.{kind}", config={**best.config, "chosen": chosen,
                                                           "place": _head(best)},
                    controls={**best.controls, "best untrained head": untrained})
        )  # fmt: skip
    return records


def _head(record: Evidence) -> str:
    return counted_from_1(record.claim.split(".", 2)[2])


def _trained(module: torch.nn.Module, seed: int) -> None:
    optimiser = torch.optim.AdamW(module.parameters(), lr=RATE)
    for step in range(STEPS):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        prompts = RULES.sample(BATCH, generator)[:, :-1]
        loss = cross_entropy(module(prompts)[:, -1], RULES.correct(prompts)[:, -1])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
