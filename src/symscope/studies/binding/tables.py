"""The tables of the study's page, from its joined evidence."""

from collections.abc import Callable, Sequence
from functools import partial

from symscope.align.accept import verdict
from symscope.evidence import Evidence
from symscope.report.tables import Maker, Records, published, score, seeds, table, word

_LIMITS = ("everything patched", "whole vector", "pairs trained on", "halves")
"""What is shown elsewhere, or is the most there can be: no floor to compare with."""
_OTHERS = ("plateaus_explain", "classifier", "das", "widest axes", "accuracy", "distance", "spread",
           "pca", "probe", "neurons", "on_the_pairs_it_was_chosen_on")  # fmt: skip


def _floor(record: Evidence) -> str:
    """The highest control that nothing was claimed for, with its name."""
    if record.claim.endswith("iia"):
        found = verdict(record)
        return "–" if found.floor is None else f"{found.floor:.3f} ({found.name.replace('_', ' ')})"
    for name, value in floors(record).items():
        return f"{value:.3f} ({name.replace('_', ' ')})"
    return "–"


def floors(record: Evidence) -> dict[str, float]:
    """The controls that nothing was claimed for, the highest first."""
    known = {k: v for k, v in record.controls.items()
             if k not in _LIMITS and not any(part in k for part in _OTHERS)}  # fmt: skip
    return dict(sorted(known.items(), key=lambda c: -c[1]))


def _found(record: Evidence, key: str) -> str:
    """A setting of each network's own: one where they agree, else all of them."""
    value = record.config.get(key)
    return (
        ", ".join("–" if v is None else str(v) for v in value)
        if isinstance(value, list)
        else ""
        if value is None
        else str(value)
    )


def listing(
    records: Records, claims: Sequence[tuple[str, str]], columns: Sequence[tuple[str, str]] = (),
    preset: str = "small",
) -> str:  # fmt: skip
    """A row for each (claim, label): networks, score, highest floor, published, and `columns`."""
    head = ["", "networks", "score", "highest floor", *(label for _, label in columns), "published"]
    rows = []
    for claim, label in claims:
        record = records.get(f"binding.{preset}.{claim}")
        if record is None:
            continue
        shown = score(record) if claim.endswith("iia") else score(record).replace(word(record), "")
        own = (_found(record, key) for key, _ in columns)
        rows.append([label, seeds(record), shown, _floor(record), *own, published(record)])
    return table(head, rows)


_BLOCK = [("block", "block")]
_ROLES = [
    ("right_1", "the digit"), ("right_2", "second line of the chain"), ("right_3", "third line"),
    ("query", "the query's letter"), ("colon", "the colon"),
]  # fmt: skip


_PARTS = (("head", "head"), ("mlp", "MLP"))
_CHECKS = (("mean_shift", "vectors exchanged"), ("position", "steps exchanged"),
           ("factorisation", "taken from another program"))  # fmt: skip
_MOVED = ("none", "attribute", "entity", "both")
_ESTIMATED = (("residual", "residual stream, every block and step"),
              ("heads_and_mlps", "heads and MLPs"), ("edges", "edges"))  # fmt: skip


def _residual(kind: str, hops: int) -> Maker:
    claims = [(f"residual.{kind}.hops{hops}.{role}", label) for role, label in _ROLES]
    return partial(listing, claims=claims, columns=_BLOCK)


def kinds(records: Records) -> str:
    """Success by kind of pair and role, chains of three hops."""
    names = ("root", "values", "rebind", "query", "distractor", "order")
    rows = []
    for kind in names:
        found = [records.get(f"binding.small.residual.{kind}.hops3.{role}") for role, _ in _ROLES]
        if any(found):
            rows.append([kind, *("" if r is None or r.score is None else f"{r.score:.3f}"
                                 for r in found)])  # fmt: skip
    return table(["what is changed", *(label for _, label in _ROLES)], rows)


def first_steps(records: Records) -> str:
    """The published size for a few steps: what it took, and how many of its claims have a score."""
    asked = [r for claim, r in records.items() if not claim.endswith(".training")]
    scored = sum(r.score is not None for r in asked)
    head = [
        "accuracy",
        "digit of line 1",
        "took",
        "claims with a score",
        "… not analysed: too few pairs answered right",
    ]
    record = records["binding.published.training"]
    (speed,) = _numbers(record, "steps_per_second")
    (part,) = _numbers(record, "share_of_peak")
    took = f"{record.seconds:.0f} s, {speed:.2f} steps per second, {part:.0%} of the measured peak"
    line_1 = f"{record.controls['digit of line 1']:.3f}"
    return table(head, [[score(record), line_1, took, str(scored), str(len(asked) - scored)]])


def training(records: Records) -> str:
    """What the training of each network took."""
    record = records.get("binding.small.training")
    if record is None:
        return table(_TRAINING, [])
    seconds, count = record.seconds / len(record.seeds), len(record.seeds)
    speed, share_ = (_numbers(record, key) for key in ("steps_per_second", "share_of_peak"))
    return table(_TRAINING, [[str(count), f"{seconds:.0f}",
                              ", ".join(f"{x:.1f}" for x in speed),
                              ", ".join(f"{x:.0%}" for x in share_)]])  # fmt: skip


_TRAINING = ["networks", "CPU seconds each", "steps per second", "share of the measured peak"]


def _numbers(record: Evidence, key: str) -> list[float]:
    """A number of each network's own; one where all agree."""
    found = record.config[key]
    return found if isinstance(found, list) else [found]


def cells(records: Records) -> str:
    """Accuracy by lines (rows) and hops, all networks together."""
    record = records.get("binding.small.generalisation.lengths")
    found = {} if record is None else record.config["cells"]
    keys = [tuple(map(int, key.split(":"))) for key in found]
    lines, hops = sorted({k[0] for k in keys}), sorted({k[1] for k in keys})
    rows = [[str(n), *(f"{found[f'{n}:{h}'][0] / found[f'{n}:{h}'][1]:.2f}"
                       if (n, h) in keys else "" for h in hops)] for n in lines]  # fmt: skip
    return table(["lines", *(f"{h} hops" for h in hops)], rows)


def strongest(records: Records) -> str:
    """The edges that patched by themselves move the answer most, network by network."""
    record = records.get("binding.small.estimate.edges.gradient")
    named = [] if record is None else record.config["strongest"]
    named = [named] if isinstance(named, str) else named  # one where all networks agree
    seeds_of = [] if record is None else record.seeds[: len(named)]
    rows = [[str(seed), edges] for seed, edges in zip(seeds_of, named, strict=True)]
    return table(["network", "edges, with their share of the whole change"], rows)


def search(records: Records) -> str:
    """What crosses the plateau: each setting, the end of its training, and the step it crossed."""
    rows = []
    for claim, record in records.items():
        name = claim.removeprefix("binding.search.").removesuffix(".accuracy")
        crossed = record.config.get("crossed")
        rows.append([name.replace("_", " "), score(record).replace(word(record), ""),
                     f"{max(record.controls.values()):.3f}", f"{record.seconds:.0f}",
                     "no" if crossed is None else str(crossed)])  # fmt: skip
    return table(["setting", "accuracy", "shallow rules", "CPU seconds", "crossed at step"], rows)


def _list(*claims: tuple[str, str], columns: Sequence[tuple[str, str]] = ()) -> Maker:
    made: Callable[[Records], str] = partial(listing, claims=claims, columns=columns)
    return made


TABLES: dict[str, Maker] = {
    "phases": _list(("phase.random", "random digit"), ("phase.shallow", "shallow rules"),
                    ("phase.general", "general"),
                    columns=[("first", "first step"), ("last", "last step")]),
    "accuracy": _list(("accuracy", "all programs"),
                      *((f"accuracy.hops.{d}", f"{d} hop{'s' * (d > 1)}") for d in (1, 2, 3)),
                      ("accuracy.root_on.line_1", "root on line 1"),
                      ("accuracy.root_on.line_2", "root on line 2"),
                      ("accuracy.root_on.a_later_line", "root on a later line"),
                      columns=[("learnt", "above 0.9 from step")]),
    "tiny": partial(listing, claims=[("accuracy", "all programs"), ("accuracy.hops.1", "1 hop"),
                                     ("accuracy.hops.2", "2 hops")],
                    columns=[("learnt", "above 0.9 from step")], preset="tiny"),
    "root3": _residual("root", 3),
    "root2": _residual("root", 2),
    "kinds": kinds,
    "birth": _list(*((f"birth.{role}", label) for role, label in _ROLES),
                   columns=[("half", "half of it from step")]),
    "subspaces": _list(*((f"subspace.{g}.{m}", f"{g}, {label}") for g in ("constants", "names")
                         for m, label in (("classifier", "classifier axes"), ("das", "DAS"))),
                       columns=_BLOCK),
    "hops": _list(*((f"chain.{k}_{h}.iia", f"chain: {k} {h}") for h in (1, 2, 3)
                    for k in ("value", "name")),
                  ("first_wins.value_1.iia", "first wins: value 1"),
                  ("query_time.value_2.iia", "query-time look-up: value 2"),
                  ("first_line.constant.iia", "line 1's digit"), columns=_BLOCK),
    "heads": _list(*((f"{part}.{k}.{c}", f"{k} pairs: {label}")
                     for k in ("root", "rebind") for part, called in _PARTS
                     for c, label in (("best", f"the best {called} alone"),
                                      ("smallest_set", f"smallest set of {called}s, share"))),
                   *((f"head.attends.{r}", f"attention: {r.replace('_', ' ')}") for r in (
                       "own_line", "previous_hop", "same_name", "dereference", "gather",
                       "colon_to_query", "colon_to_line_1")), columns=[("place", "place")]),
    "estimates": _list(*((f"estimate.{part}.{how}", f"{label}, {how}")
                         for part, label in _ESTIMATED for how in ("gradient", "integrated"))),
    "strongest": strongest,
    "circuit": _list(("circuit.root.faithfulness", "faithfulness"),
                     ("circuit.root.completeness", "completeness (gap)"),
                     ("circuit.root.minimality", "minimality"), columns=[("edges", "edges")]),
    "beyond": _list(("generalisation.held_out_pairs", "letter–digit pairs never trained on"),
                    ("generalisation.lengths", "other lengths and depths, all cells"),
                    ("persistence.pull_of_line_1", "answers that follow line 1 off the chain"),
                    ("persistence.circuit.root_1", "circuit in use, root on line 1"),
                    ("persistence.circuit.root_2", "circuit in use, root on line 2"),
                    ("persistence.circuit.root_later", "circuit in use, later root")),
    "probes": _list(*((f"probe.{p}.{w}", f"{p.replace('_', ' ')}: {label}")
                      for p in ("colon", "last_line_end")
                      for w, label in (("asked", "letter asked for"), ("others", "others")))),
    "vectors": _list(*((f"binding_vectors.{check}.{part}.calibrated", f"{label}: {part}")
                       for check, label in _CHECKS for part in _MOVED)),
    "relatives": _list(("successor.best", "successor heads, the best of all"),
                       *((f"identity_rules.{k}", f"identity rules: {k}")
                         for k in ("accuracy", "abstraction", "induction", "retrieval")),
                       columns=[("place", "place")]),
    "training": training,
    "cells": cells,
    "search": search,
    "first_steps": first_steps,
}  # fmt: skip
