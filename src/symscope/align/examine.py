"""One claim from beginning to end: pairs, search, score on fresh pairs, beside all controls."""

import time
from collections.abc import Mapping
from dataclasses import replace

import torch

from symscope.align.agreement import agreement, splits
from symscope.align.controls import distance, floors, nothing_to_find, unfitted
from symscope.align.das import coordinates, fit, iia
from symscope.align.descend import DEFAULT, Search
from symscope.align.swap import Swap, swaps
from symscope.alignment import Alignment
from symscope.evidence import ClaimFailed, Evidence, SymscopeError, wilson
from symscope.network import Network
from symscope.site import Site
from symscope.task import IGNORE, Pairs, Task

COUNTS = {"fit": 10_000, "validation": 1_000, "test": 1_000}
"""Pairs per split (Grant et al., 2025)."""


def draw(
    task: Task,
    program: str,
    variables: tuple[str, ...],
    seed: int,
    counts: Mapping[str, int] = COUNTS,
) -> dict[str, Pairs]:
    """Disjoint pairs for the three splits."""
    hypothesis = task.hypothesis(program)
    return {s: task.pairs(hypothesis, variables, counts[s], seed, s) for s in COUNTS}


def examine(
    network: Network,
    task: Task,
    start: Alignment,
    untrained: Network | None = None,
    search: Search = DEFAULT,
    seed: int = 0,
    counts: Mapping[str, int] = COUNTS,
) -> tuple[Alignment, Evidence]:
    """Fit `start`, which claims one variable, and score it with every control.

    With an `untrained` network of the same form, the search is repeated on it and on permuted
    sources: what it finds there is what searching alone can find.
    """
    (variable, handle), *others = start.handles.items()
    if others:
        raise SymscopeError("examine one variable at a time; fit() takes several")
    began = time.monotonic()
    pairs = draw(task, start.program, (variable,), seed, counts)
    ready = swaps(network, handle.site, pairs)
    found = fit(start, [ready.fit], [ready.validation], search, seed)
    best, chosen = found[variable].featurizer, coordinates(found, ready.test)
    controls = unfitted(ready.fit, ready.test, handle.featurizer, len(chosen), seed)
    controls |= floors(task.program, pairs["test"])
    if untrained is not None:
        for name, nothing in nothing_to_find(ready, untrained, handle.site, seed).items():
            searched = fit(start, [nothing.fit], [nothing.validation], search, seed)
            controls[name] = iia(searched, nothing.test)
    controls |= distance(ready.fit, ready.test, best, chosen)
    scored = agreement(found, ready.test, controls=controls, seed=seed)
    config = dict(scored.config) | {
        "size": len(chosen),
        "width": ready.test.width,
        "site": str(handle.site),
        "featurizer": type(best).__name__,
        "method": "das_once",
        "how": ready.test.down.how,
        "redrawn": pairs["test"].redrawn,
    }
    return found, replace(scored, config=config, seconds=time.monotonic() - began)


def unchanged(
    network: Network, task: Task, site: Site, seed: int = 0, count: int = 1_000
) -> Evidence:
    """Ctx-Distr: how often replacing the whole vector, by one of the same phase, changes nothing.

    A network that keeps its variables at the site is changed by it; one that computes them anew
    from the history is not.
    """
    began = time.monotonic()
    pairs = task.pairs(task.hypothesis("ctx_distr"), (), count, seed, "test", same_phase=True)
    swap = Swap(network, site, pairs)
    right = swap.right_with(swap.source)
    controls = {"no_op": float(swap.right_with(swap.base).float().mean())}
    controls |= floors(task.program, pairs)
    low, high = wilson(int(right.sum()), count)
    return Evidence(
        "ctx_distr.unchanged.iia",
        float(right.float().mean()),
        low,
        high,
        count,
        unit="unchanged",
        controls=controls,
        seeds=[seed],
        seconds=time.monotonic() - began,
        config=splits(right, pairs) | {"site": str(site)},
        note="Wilson interval, one seed",
    )


def require_gate(network: Network, task: Task, seed: int = 0) -> float:
    """1.0, or `ClaimFailed` with the network's accuracy at the task's gate."""
    inputs = task.gate(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        found = network.run(inputs.to(network.device)).output.argmax(-1).cpu()
    target = task.correct(inputs)
    right = ((found == target) | (target == IGNORE)).flatten(1).all(1)
    accuracy = float(right.float().mean())
    if accuracy < 1:
        raise ClaimFailed(
            f"the network answers {accuracy:.1%} of the gate's {len(right)} sequences right and"
            " is not analysed below 100%; train it longer, or say --anyway (anyway=True)"
        )
    return accuracy
