"""The tables of the study of the 62 tasks, and the records that they are made from."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

from symscope.evidence import Evidence, wilson
from symscope.report.tables import Maker, Records, table
from symscope.studies.programs.extraction import LISTED
from symscope.studies.programs.published import BY_GPT, GPT_RIGHT, SOLVED
from symscope.studies.programs.settings import CELL_TASKS, CELLS
from symscope.tasks import ALGORITHMS, algorithm
from symscope.tasks.algorithms import EXTRAS

CLAIMS = ("solved", "generalises", "proof", "length", "network.accuracy")
PER_SEED = (
    "route", "said", "rules", "output", "start", "source", "grounding", "tried", "memory_mb",
    "undecided", "seconds_to_prove", "right", "margin", "attempts",
)  # fmt: skip
"""What is kept of each seed."""
COSTS = (
    ("to train", "network.accuracy", "seconds", "seconds"),
    ("to extract", "solved", "seconds", "seconds"),
    ("to prove", "solved", "seconds_to_prove", "seconds"),
    ("most memory while extracting", "solved", "memory_mb", "MB"),
)
"""What it is, the claim and the entry of its config that it stands in, the unit."""


def counted(records: Iterable[Evidence]) -> list[Evidence]:
    """One record per claim: the mean over seeds (of lengths the median), each seed's details."""
    groups: dict[str, list[Evidence]] = defaultdict(list)
    for record in records:
        groups[record.claim].append(record)
    return [_joined(claim, group) for claim, group in sorted(groups.items())]


def _joined(claim: str, group: Sequence[Evidence]) -> Evidence:
    group = sorted(group, key=lambda e: e.seeds[0])
    scores = [e.score or 0.0 for e in group]
    seeds = [s for e in group for s in e.seeds]
    config: dict[str, Any] = {
        "by_seed": scores, "seconds": [e.seconds for e in group], "n": [e.n for e in group],
    }  # fmt: skip
    for key in PER_SEED:
        if any(key in e.config for e in group):
            config[key] = [e.config.get(key) for e in group]
    name = claim.split(".")[1]
    source = {"source": "Michaud et al. (2024), Table 1", "value": float(name in SOLVED)}
    low: float | None = None
    high: float | None = None
    if claim.endswith((".solved", ".proof")):
        low, high = wilson(round(sum(scores)), len(scores))
    score = median(scores) if claim.endswith(".length") else mean(scores)
    note = "; ".join(f"seed {e.seeds[0]}: {e.note}" for e in group if e.note)
    return Evidence(
        claim, score, low, high, len(group), group[0].unit, {}, seeds,
        sum(e.seconds for e in group), config,
        source if claim == f"programs.{name}.solved" else None, note,
    )  # fmt: skip


def tasks_table(records: Records) -> str:
    """All 62 tasks: the share of seeds solved, how, how long, how surely, how fast."""
    rows = []
    for name in ALGORITHMS:
        found = {k: records.get(f"programs.{name}.{k}") for k in CLAIMS}
        solved = found["solved"]
        published = ["yes" if name in names else "no" for names in (SOLVED, BY_GPT)]
        if solved is None:
            rows.append([f"`{name}`", *published, *["–"] * 10])
            continue
        config = solved.config
        trained = found["network.accuracy"]
        rows.append([
            f"`{name}`", *published,
            f"{round(sum(config['by_seed']))} of {len(config['by_seed'])}",
            _each(_routes(config)), _mean(found["length"], ".0f"), _each(_right(name, config)),
            _mean(found["generalises"], ".4g"), _each(map(_kind, config.get("said", ()))),
            _each(_place(g) for g in config.get("grounding", ())),
            "–" if trained is None else f"{mean(trained.config['seconds']):.0f}",
            f"{mean(config['seconds']):.0f}", _seconds(config.get("seconds_to_prove", ())),
        ])  # fmt: skip
    head = ["task", "MIPS", "GPT-4 Turbo", "seeds solved", "route", "length",
            "right at the trained length", "right at ten times it", "proof", "in the states",
            "seconds to train", "to extract", "to prove"]  # fmt: skip
    return table(head, rows)


def totals_table(records: Records) -> str:
    """How many tasks are solved, here and as published."""
    solved = {n: r for n in ALGORITHMS if (r := records.get(f"programs.{n}.solved")) is not None}
    most = [n for n, r in solved.items() if (r.score or 0) > 0.5]
    proven = [n for n in most if (p := records.get(f"programs.{n}.proof")) and (p.score or 0) > 0.5]
    inside = [n for n in most if mean(map(_inside, solved[n].config["grounding"])) > 0.5]
    written = [n for n in most if any("table" in r for r in _routes(solved[n].config) if r)]
    return table(
        ["", "tasks of 62"],
        [["tried so far", str(len(solved))],
         ["solved in most seeds", str(len(most))],
         ["… and proven in most seeds", str(len(proven))],
         ["… and shown to be in the states in most seeds", str(len(inside))],
         ["… or shown by the answers alone", str(len(most) - len(inside))],
         ["… written as a table", str(len(written))],
         ["… that neither published system solved", str(len({*most} - {*SOLVED, *BY_GPT}))],
         ["published: MIPS", str(len(SOLVED))],
         ["published: GPT-4 Turbo, as counted there", str(len(BY_GPT))],
         ["… and right on fresh inputs, counted again", str(GPT_RIGHT)],
         ["published: MIPS, not GPT-4 Turbo", str(len({*SOLVED} - {*BY_GPT}))],
         ["published: GPT-4 Turbo, not MIPS", str(len({*BY_GPT} - {*SOLVED}))]],
    )  # fmt: skip


def costs_table(records: Records) -> str:
    """Seconds to train, to extract and to prove, and the most memory: median and worst network."""
    rows = []
    for what, claim, key, unit in COSTS:
        each = [(value, name) for name in ALGORITHMS
                if (r := records.get(f"programs.{name}.{claim}")) is not None
                for value in r.config.get(key, ()) if value is not None]  # fmt: skip
        if each:
            worst, name = max(each)
            middle = median(value for value, _ in each)
            total = f"{sum(v for v, _ in each) / 3600:.2g} hours" if unit == "seconds" else "–"
            rows.append([what, unit, f"{middle:.3g}", f"{worst:.4g} (`{name}`)", total,
                         str(len(each))])  # fmt: skip
    return table(["", "unit", "median", "worst", "all together", "networks"], rows)


def cells_table(records: Records) -> str:
    """GRUs and Elman networks: how many networks are perfect and solved, and how."""
    rows = []
    for name in CELL_TASKS:
        for cell in CELLS:
            found = {k: records.get(f"programs.{name}.{cell}.{k}") for k in CLAIMS}
            trained, solved = found["network.accuracy"], found["solved"]
            if trained is None or solved is None:
                continue
            config = solved.config
            rows.append([
                f"`{name}`", cell, _mean(trained, ".6g"), _mean(solved, ".2g"),
                _each(config.get("route")), _mean(found["length"], ".0f"),
                _mean(found["generalises"], ".4g"), _each(map(_kind, config.get("said", ()))),
                f"{mean(trained.config['seconds']):.0f}", f"{mean(config['seconds']):.0f}",
            ])  # fmt: skip
    head = ["task", "network", "sequences it has right", "solved", "route", "length",
            "right at ten times the length", "proof", "seconds to train",
            "to extract"]  # fmt: skip
    return table(head, rows)


def extras_table(records: Records) -> str:
    """Tasks outside the 62, each with one network."""
    rows = []
    for name in EXTRAS:
        found = {k: records.get(f"programs.{name}.{k}") for k in CLAIMS}
        trained, solved = found["network.accuracy"], found["solved"]
        if trained is None or solved is None:
            continue
        config = solved.config
        (rules,), (output,) = config.get("rules", [None]), config.get("output", [None])
        text = "; ".join([*(f"{n} = {r}" for n, r in (rules or {}).items()), f"output {output}"])
        rows.append([
            f"`{name}`", _mean(trained, ".6g"), _mean(solved, ".2g"), _each(config.get("route")),
            f"`{text}`" if rules else solved.note.partition(": ")[2],
            _mean(found["generalises"], ".4g"), _each(map(_kind, config.get("said", ()))),
            _each(_place(g) for g in config.get("grounding", ())),
        ])  # fmt: skip
    head = ["task", "sequences the network has right", "solved", "route", "program",
            "right at ten times the length", "proof", "in the states"]  # fmt: skip
    return table(head, rows)


TABLES: dict[str, Maker] = {
    "tasks": tasks_table, "totals": totals_table, "costs": costs_table, "cells": cells_table,
    "extras": extras_table,
}  # fmt: skip


def _routes(config: Mapping[str, Any]) -> list[str | None]:
    """Each seed's route; "table" beside it where a rule lists the numbers that it is true of."""
    seeds = range(len(config["by_seed"]))
    rules, outputs, routes = (
        config.get(k, [None] * len(seeds)) for k in ("rules", "output", "route")
    )
    found: list[str | None] = []
    for i in seeds:
        texts = [*(rules[i] or {}).values(), outputs[i] or ""]
        listed = routes[i] and any(re.search(r"\bin \(", text) for text in texts)
        found.append(f"{routes[i]}, table" if listed else routes[i])
    return found


def _right(name: str, config: Mapping[str, Any]) -> list[str | None]:
    """Each seed's share of the sequences that were graded, and how many those were."""
    listed = algorithm(name).count <= LISTED
    shares = [1.0 if score == 1 else share for score, share in
              zip(config["by_seed"], config.get("right", [None] * len(config["by_seed"])),
                  strict=True)]  # fmt: skip
    return [
        None if share is None else f"{share:.4g} of " + (f"all {n:,}" if listed else f"{n:,} drawn")
        for share, n in zip(shares, config["n"], strict=True)
    ]


def _inside(grounding: Mapping[str, Any] | None) -> bool:
    return grounding is not None and bool(grounding["grounded"])


def _seconds(values: Sequence[float | None]) -> str:
    known = [v for v in values if v is not None]
    return f"{mean(known):.2f}" if known else "–"


def _kind(said: str | None) -> str:
    if not said:
        return "none"
    return said.split(":")[0].removeprefix("proved ") if said.startswith("proved") else (
        said.split(":")[0])  # fmt: skip


def _place(grounding: dict[str, Any] | None) -> str:
    return "–" if grounding is None else "yes" if grounding["grounded"] else "not shown"


def _mean(record: Evidence | None, form: str) -> str:
    return "–" if record is None or record.score is None else f"{record.score:{form}}"


def _each(values: Iterable[Any] | None) -> str:
    """The value of all seeds, or each seed's where they differ."""
    listed = ["–" if v is None else str(v) for v in values or ()]
    return (listed[0] if len(set(listed)) == 1 else ", ".join(listed)) if listed else "–"
