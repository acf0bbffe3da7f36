"""Seeds joined: one evidence per claim, with an interval over seeds and samples."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np

from symscope.evidence import Evidence, bootstrap, wilson

CELLS = ("phase", "difference", "value", "held_out", "seen", "cells")
OWN = (
    "size", "width", "site", "redrawn", "epochs", "text", "length", "agrees_to", "block", "first",
    "last", "half", "place", "edges", "learnt", "strongest", "crossed",
    "steps_per_second", "share_of_peak", "ranking", "sparsity",
    "found", "used", "there", "keys", "of", "group",
)  # fmt: skip
"""Settings and findings of each network: one value where all agree, else a list."""
MEANS = ("sweep", "course", "seconds", "table", "by_kind", "r2", "having", "others")
"""Tables of numbers of which the mean over networks is kept, where all have the same entries."""
NO_SHARES = (
    "area under the curve", "attention", "bits", "bound", "cosine", "difference of accuracy",
    "faithfulness", "features", "held-out r²", "held-out R²", "inputs", "interchange R²",
    "Jaccard index", "layer", "length in the nearer plane", "logit(old) − logit(new)", "logits",
    "loss ratio", "loss recovered", "mean best cosine", "mean gap in faithfulness", "nats",
    "order parameter", "prompts per second", "rank", "rank correlation", "ratio of spreads", "R²",
    "share of hypernetworks", "share of the change", "share of the clean difference",
    "share of the full effect", "share of units", "share of variance", "share of β",
    "share that answers the nearest value", "share that answers the new", "squared error",
    "values", "weights",
)  # fmt: skip
"""Units of scores that are no share of n answers: an interval is over seeds, or the seed's own."""


def pool(
    records: Iterable[Evidence], sources: Mapping[str, Mapping[str, Any]] = {}
) -> list[Evidence]:
    """One record per claim: the mean over seeds, bootstrap interval, mean controls, summed cells.

    Seeds that were not analysed are named in the note. `sources` holds published values by claim.
    """
    by_claim: dict[str, list[Evidence]] = defaultdict(list)
    for record in records:
        by_claim[record.claim].append(record)
    return [_joined(claim, group, sources.get(claim)) for claim, group in by_claim.items()]


def _joined(claim: str, group: Sequence[Evidence], source: Mapping[str, Any] | None) -> Evidence:
    done = [r for r in group if r.score is not None and "not analysed" not in r.note]
    failed = [r for r in group if r not in done]
    note = "; ".join(
        (f"seed {r.seeds[0]} not analysed" if r.seeds else "one record not analysed")
        + (f" (accuracy {r.score:.3f})" if r.score is not None else f" ({r.note})")
        for r in failed
    )
    seeds = [s for r in done for s in r.seeds]
    seconds = sum(r.seconds for r in group)
    if not done:
        return Evidence(claim, None, None, None, 0, group[0].unit, seeds=seeds, seconds=seconds,
                        source=source, note=note)  # fmt: skip
    scores = [float(r.score) for r in done if r.score is not None]
    if done[0].unit in NO_SHARES:
        alone = len(done) == 1
        low, high = (done[0].low, done[0].high) if alone else bootstrap([[x] for x in scores])
        note = "; ".join(filter(None, [note, done[0].note if alone else "interval over seeds"]))
    elif len(done) == 1:
        low, high = wilson(round(scores[0] * done[0].n), done[0].n)
        note = "; ".join(filter(None, [note, "Wilson interval, one seed"]))
    else:
        answers = [_answers(score, r.n) for score, r in zip(scores, done, strict=True)]
        low, high = bootstrap(answers)
    config = {key: _summed([r.config[key] for r in done if key in r.config]) for key in CELLS}
    config |= {key: _averaged([r.config[key] for r in done if key in r.config]) for key in MEANS}
    config |= {"by_seed": scores}
    for key in OWN:
        values = [r.config[key] for r in done if key in r.config]
        config |= {key: values[0] if len(set(values)) == 1 else values} if values else {}
    made = [r.config["made"] for r in group if "made" in r.config]
    config |= {"made": {k: sorted({m[k] for m in made}) for k in made[0]}} if made else {}
    return Evidence(
        claim, mean(scores), low, high, sum(r.n for r in done), done[0].unit, _controls(done),
        seeds, seconds, {k: v for k, v in config.items() if v not in (None, {}, [])}, source, note,
    )  # fmt: skip


def _answers(score: float, n: int) -> np.ndarray:
    right = round(score * n)
    return np.repeat([1.0, 0.0], [right, n - right])


def _controls(records: Sequence[Evidence]) -> dict[str, float]:
    names = dict.fromkeys(name for r in records for name in r.controls)
    return {n: mean(r.controls[n] for r in records if n in r.controls) for n in names}


def _summed(cells: Sequence[Any]) -> Any:
    if not cells:
        return None
    if isinstance(cells[0], Mapping):
        keys = dict.fromkeys(key for c in cells for key in c)
        return {key: _summed([c[key] for c in cells if key in c]) for key in keys}
    return [sum(column) for column in zip(*cells, strict=True)]


def _averaged(tables: Sequence[Any]) -> Any:
    """The mean of numbers, entry by entry, in dicts and lists; None where entries differ."""
    if not tables:
        return None
    first = tables[0]
    if isinstance(first, Mapping):
        if any(set(t) != set(first) for t in tables):
            return None
        return {key: _averaged([t[key] for t in tables]) for key in first}
    if isinstance(first, list):
        return [_averaged(entries) for entries in zip(*tables, strict=True)]
    return mean(tables)
