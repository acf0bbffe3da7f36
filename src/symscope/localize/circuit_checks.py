"""Is a circuit complete and minimal? (Wang et al., 2023, §4, in a form that takes few runs.)

F is faithfulness; a set of nodes K is knocked out by patching every edge out of it from the
source, in the circuit C or in the whole network M. Wang et al. search over all K; here K is empty,
each node of the circuit alone, and some random halves of its nodes.
"""

import time
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.localize.edges import Edge

Value = Callable[[Iterable[Edge]], Tensor]
"""From a circuit to the metric of each pair, (pair,)."""
Nodes = frozenset[str]
HALVES = 4
LEAST = 0.01
"""A node counts where knocking it out moves faithfulness by this much."""


def nodes(circuit: Iterable[Edge]) -> list[str]:
    """The heads and MLPs that hand something on in the circuit."""
    return sorted({sender for sender, _ in circuit} - {"embed"})


def without(circuit: frozenset[Edge], knocked_out: Nodes) -> frozenset[Edge]:
    """The circuit without every edge out of some nodes."""
    return frozenset(edge for edge in circuit if edge[0] not in knocked_out)


def completeness(
    value: Value, everything: frozenset[Edge], circuit: frozenset[Edge],
    rival: frozenset[Edge], claim: str,
) -> Evidence:  # fmt: skip
    """The mean of |F(C∖K) − F(M∖K)| over K: 0 where the circuit is complete.

    Controls: the same for a random circuit, and for the empty one, |F(M∖K)|. The interval draws
    pairs again.
    """
    started = time.monotonic()
    names = nodes(circuit)
    knocked = [frozenset(), *(frozenset({name}) for name in names), *_halves(names, HALVES)]
    none, full = value([]), value(everything)
    whole = _all(value, [without(everything, k) for k in knocked])
    parts = {
        "circuit": _all(value, [without(circuit, k) for k in knocked]),
        "random_circuit": _all(value, [without(rival, k) for k in knocked]),
        "empty_circuit": none.expand(len(knocked), -1),
    }

    def gap(part: Tensor, draw: Tensor) -> float:
        scale = (full[draw].mean() - none[draw].mean()).abs()
        return float(((part[:, draw].mean(1) - whole[:, draw].mean(1)) / scale).abs().mean())

    found = {name: gap(part, torch.arange(len(none))) for name, part in parts.items()}
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randint(len(none), (len(none),), generator=generator) for _ in range(500)]
    low, high = np.percentile([gap(parts["circuit"], d) for d in draws], [2.5, 97.5])
    return Evidence(
        claim, found.pop("circuit"), float(low), float(high), len(none),
        "mean gap in faithfulness", found, seconds=time.monotonic() - started,
        config={"knocked_out": [sorted(k) for k in knocked]},
    )  # fmt: skip


def minimality(
    value: Value, everything: frozenset[Edge], circuit: frozenset[Edge],
    rival: frozenset[Edge], claim: str,
) -> Evidence:  # fmt: skip
    """The share of nodes v with max over K of |F(C∖(K∪{v})) − F(C∖K)| ≥ 0.01.

    K is empty, or the one of two random halves of the nodes that does not hold v. Control: the
    share of nodes in a random circuit. The interval draws pairs again; `config` holds what each
    node moves.
    """
    started = time.monotonic()
    if not nodes(circuit):
        note = "the circuit has no head and no MLP"
        return Evidence(claim, None, None, None, 0, "share of nodes that count", note=note)
    full = float((value(everything).mean() - value([]).mean()).abs())
    moved = {c: _moved(value, c) for c in (circuit, rival)}
    here = moved[circuit]
    share = {c: _share(changes, full) for c, changes in moved.items()}
    pairs = here.shape[2]
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randint(pairs, (pairs,), generator=generator) for _ in range(500)]
    low, high = np.percentile([_share(here[:, :, d], full) for d in draws], [2.5, 97.5])
    largest = (here.mean(2).abs().amax(1) / full).tolist()
    return Evidence(
        claim, share[circuit], float(low), float(high), pairs, "share of nodes that count",
        {"random_circuit": share[rival]}, seconds=time.monotonic() - started,
        config={"moves": dict(zip(nodes(circuit), largest, strict=True)), "least": LEAST},
    )  # fmt: skip


def _moved(value: Value, circuit: frozenset[Edge]) -> Tensor:
    """What knocking out each node changes, (node, K, pair): K is empty, or the half without it."""
    names = nodes(circuit)
    half = _halves(names, 1)[0]
    rest = half, frozenset(names) - half
    before = _all(value, [circuit, *(without(circuit, k) for k in rest)])
    found = [before[:0]]
    for name in names:
        which = int(name in half)
        after = [without(circuit, k | {name}) for k in (frozenset(), rest[which])]
        found.append(_all(value, after) - before[[0, 1 + which]])
    return torch.cat(found).view(len(names), 2, before.shape[1])


def _share(changes: Tensor, full: float) -> float:
    """0 where there are no nodes."""
    counts = changes.mean(2).abs().amax(1) / full >= LEAST if len(changes) else torch.zeros(1)
    return float(counts.float().mean())


def _all(value: Value, circuits: Iterable[frozenset[Edge]]) -> Tensor:
    return torch.stack([value(circuit) for circuit in circuits])


def _halves(names: list[str], count: int) -> list[Nodes]:
    """Random halves of some nodes."""
    rng, size = np.random.default_rng(0), (len(names) + 1) // 2
    return [frozenset(rng.choice(names, size, replace=False).tolist()) for _ in range(count)]
