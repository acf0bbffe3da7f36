"""What the claims about variables add up to, method by method, beside all claims themselves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

from symscope.align.accept import verdict
from symscope.evidence import Evidence, bootstrap, wilson
from symscope.report.pool import pool
from symscope.studies.dictionaries.settings import COUNTING

Groups = Mapping[tuple[str, str], Sequence[Evidence]]
"""Records of single seeds, under the kind of network and the method."""


def counted(records: Sequence[Evidence]) -> list[Evidence]:
    """All claims pooled over seeds, and for each method the mean IIA and how many are found."""
    return [*pool(records), *sums(records)]


def sums(records: Sequence[Evidence]) -> list[Evidence]:
    """`dictionaries.compiled.METHOD.iia` and `.found`, and those of networks that count.

    The interval of the mean is a bootstrap over variables and seeds. Found is what the rule of
    `align.accept` says of each variable and seed, by the controls there are.
    """
    groups: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for record in records:
        parts = record.claim.split(".")
        if parts[:2] == ["dictionaries", "causal"] and record.score is not None:
            kind = "counting" if parts[2] in COUNTING else "compiled"
            groups[kind, parts[4]].append(record)
    return [e for (kind, method), group in groups.items()
            for e in _sums(f"dictionaries.{kind}.{method}", group)]  # fmt: skip


def _sums(name: str, group: Sequence[Evidence]) -> list[Evidence]:
    by_claim: dict[str, list[float]] = defaultdict(list)
    for record in group:
        assert record.score is not None, "only what was analysed is summed"
        by_claim[record.claim].append(record.score)
    low, high = bootstrap(list(by_claim.values()))
    seeds = sorted({s for r in group for s in r.seeds})
    named = dict.fromkeys(k for r in group for k in r.controls)
    controls = {k: mean(r.controls[k] for r in group if k in r.controls) for k in named}
    won = sum(verdict(r).word == "found" for r in group)
    seconds = sum(r.seconds for r in group)
    coordinates = mean(r.config["size"] for r in group)
    score = mean(mean(scores) for scores in by_claim.values())
    return [
        Evidence(f"{name}.iia", score, low, high, len(group), "mean IIA", controls, seeds, seconds,
                 {"variables": len(by_claim), "coordinates": coordinates, "course": _course(group)},
                 note="bootstrap over variables and seeds"),
        Evidence(f"{name}.found", won / len(group), *wilson(won, len(group)), len(group),
                 "share of claims", {"seconds_per_claim": seconds / len(group)}, seeds,
                 note="Wilson interval over claims"),
    ]  # fmt: skip


def _course(group: Sequence[Evidence]) -> dict[str, float]:
    """The mean IIA of the first 1, 2, 4 … features; where there are no more, that of all."""
    each = [{int(k): v for k, v in r.config.get("course", {}).items() if k.isdigit()}
            for r in group]  # fmt: skip
    numbers = sorted({n for course in each for n in course})
    return {str(n): mean(c[max(k for k in c if k <= n)] for c in each if c) for n in numbers}
