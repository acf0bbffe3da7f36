"""Circuits: the smallest set of top edges that answers as the whole network does.

A circuit is a set of edges. It is run with every other edge patched from the source, so that the
whole network is the run on the base, and the empty circuit the run on the source.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError
from symscope.localize.attribution import Metric, metric_of_rows, towards_source
from symscope.localize.circuit_checks import Value, completeness, minimality
from symscope.localize.eap import edge_scores
from symscope.localize.edge_view import moved
from symscope.localize.edges import Edge, edge_runs, edges, require_aligned, view_of
from symscope.network import Network

Circuit = frozenset[Edge]
"""The edges that a circuit keeps."""
RANDOM_CIRCUITS = 5
CHECKED_PAIRS = 64
"""Pairs on which completeness and minimality are measured: they take some hundred runs."""


def find_circuit(
    network: Network, base: Tensor, source: Tensor, claim: str, metric: Metric | None = None,
    target: float = 0.9, steps: int = 5,
) -> tuple[Circuit, list[Evidence]]:  # fmt: skip
    """The circuit and its faithfulness, completeness and minimality, on pairs it was not chosen on.

    Edges are ranked by EAP-IG (`steps` 0: EAP) and pruned on a random half of the pairs until the
    faithfulness there is still within 1 − `target` of 1; the other half scores what is left.
    Control of each: random connected circuits of at least the same size.
    """
    require_aligned(base, source)
    metric = metric or towards_source(network, base, source)
    halves = torch.randperm(len(base), generator=torch.Generator().manual_seed(0)).chunk(2)
    if len(halves) < 2:
        raise SymscopeError("a circuit is chosen on one half of the pairs and scored on the other")
    choosing, scoring = (values(network, base, source, metric, rows) for rows in halves)
    few = partial(metric_of_rows, metric, rows=halves[0], pairs=len(base))
    scores = edge_scores(network, base[halves[0]], source[halves[0]], few, steps)
    circuit = prune(network, choosing, scores.mean(1), target)
    whole = faithfulness(network, scoring, circuit, claim, choosing)
    checked = values(network, base, source, metric, halves[1][:CHECKED_PAIRS])
    rival = random_circuit(network, len(circuit), seed=0)
    everything = frozenset(edges(network))
    return circuit, [
        whole,
        completeness(checked, everything, circuit, rival, f"{claim}.completeness"),
        minimality(checked, everything, circuit, rival, f"{claim}.minimality"),
    ]


def values(network: Network, base: Tensor, source: Tensor, metric: Metric, rows: Tensor) -> Value:
    """A function from circuits to the metric of each pair in `rows`, (pair,)."""
    run, everything = edge_runs(network, base[rows], source[rows]), frozenset(edges(network))

    def value(circuit: Iterable[Edge]) -> Tensor:
        logits = run(everything - frozenset(circuit))
        return metric_of_rows(metric, logits, rows, len(base))

    return value


def prune(network: Network, value: Value, scores: Tensor, target: float = 0.9) -> Circuit:
    """The fewest top edges by |score|, dangling ones removed, that are faithful: |1 − F| ≤ 1 − t.

    A binary search over how many; faithfulness may rise and fall with the number, so another
    number below the one found may do as well, but the one found does.
    """
    everything = edges(network)
    order = scores.abs().argsort(descending=True).tolist()
    none, full = float(value([]).mean()), float(value(everything).mean())
    require_effect(none, full)
    too_few, enough = 0, len(order)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        found = connected(network, (everything[i] for i in order[:middle]))
        share = (float(value(found).mean()) - none) / (full - none)
        too_few, enough = (too_few, middle) if abs(1 - share) <= 1 - target else (middle, enough)
    return connected(network, (everything[i] for i in order[:enough]))


def require_effect(none: float, full: float) -> None:
    """Raise `SymscopeError` where base and source do not differ in the metric."""
    if abs(full - none) < 1e-6:
        raise SymscopeError(
            "the metric is the same on base and source, so no circuit can be told from another;"
            " give pairs that the network answers differently, or another metric"
        )


def connected(network: Network, circuit: Iterable[Edge]) -> Circuit:
    """The edges on a path from "embed" to "logits" within the circuit.

    The rest dangle: they carry the source's value, or nothing reads what they reach, so the run is
    the same without them. An edge into a key that several heads share reaches them all.
    """
    kept, moves = frozenset(circuit), moved(view_of(network))
    while True:
        reached = {"embed"}.union(*(moves[receiver] for _, receiver in kept))
        read = {"logits"} | {sender for sender, _ in kept}
        fewer = frozenset((s, r) for s, r in kept if s in reached and moves[r] & read)
        if fewer == kept:
            return kept
        kept = fewer


def random_circuit(network: Network, size: int, seed: int) -> Circuit:
    """The connected edges of a random set just large enough that they are `size` or more."""
    everything = edges(network)
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(seed)).tolist()
    too_few, enough = 0, len(everything)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        fits = len(connected(network, (everything[i] for i in order[:middle]))) >= size
        too_few, enough = (too_few, middle) if fits else (middle, enough)
    return connected(network, (everything[i] for i in order[:enough]))


def faithfulness(
    network: Network, value: Value, circuit: Circuit, claim: str, choosing: Value | None = None
) -> Evidence:
    """F(C) = (m(C) − m(∅)) / (m(M) − m(∅)), m the mean metric, M the whole network.

    The interval draws pairs again. Controls: random connected circuits of at least the same size,
    their mean and the best of five, the circuit's complement, and F on the pairs that `choosing`
    gives the values of.
    """
    started = time.monotonic()
    none, full, here = value([]), value(edges(network)), value(circuit)
    require_effect(float(none.mean()), float(full.mean()))
    rivals = [random_circuit(network, len(circuit), seed) for seed in range(RANDOM_CIRCUITS)]
    found = [_share(value(c), none, full) for c in rivals]
    rest = connected(network, frozenset(edges(network)) - circuit)
    controls = {
        "random_circuits": float(np.mean(found)),
        "best_random_circuit": max(found, key=lambda f: -abs(1 - f)),
        "complement": _share(value(rest), none, full),
    }
    if choosing is not None:
        ends = choosing([]), choosing(edges(network))
        controls["on_the_pairs_it_was_chosen_on"] = _share(choosing(circuit), *ends)
    low, high = _interval(lambda d: _share(here[d], none[d], full[d]), len(none))
    return Evidence(
        f"{claim}.faithfulness", _share(here, none, full), low, high, len(none), "faithfulness",
        controls, seconds=time.monotonic() - started,
        config={"edges": len(circuit), "of": len(edges(network)),
                "random_edges": [len(c) for c in rivals]},
    )  # fmt: skip


def _share(here: Tensor, none: Tensor, full: Tensor) -> float:
    return float((here.mean() - none.mean()) / (full.mean() - none.mean()))


def _interval(of: Callable[[Tensor], float], pairs: int) -> tuple[float, float]:
    generator = torch.Generator().manual_seed(0)
    drawn: Sequence[float] = [
        of(torch.randint(pairs, (pairs,), generator=generator)) for _ in range(1000)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
