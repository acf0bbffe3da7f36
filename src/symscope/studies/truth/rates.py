"""What the judgements add up to: how often true claims pass, how often false ones do."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean, median

import numpy as np

from symscope.evidence import Evidence, wilson

ALL = "all"


def rates(records: Iterable[Evidence]) -> list[Evidence]:
    """`truth.FAMILY.METHOD.tpr`, `.fpr`, `.auroc`, `.angle`, for each family and for all."""
    groups: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for record in records:
        _, family, method, *_ = record.claim.split(".")
        groups[family, method].append(record)
        if family != "untrained":
            groups[ALL, method].append(record)
    return [e for (family, method), group in sorted(groups.items())
            for e in _rates(f"truth.{family}.{method}", group)]  # fmt: skip


def _rates(name: str, group: Sequence[Evidence]) -> list[Evidence]:
    true = [e for e in group if ".true." in e.claim]
    false = [e for e in group if ".decoy." in e.claim]
    seeds = sorted({s for e in group for s in e.seeds})
    seconds = sum(e.seconds for e in group)
    per_claim = {"seconds_per_claim": seconds / len(group)}
    found = []
    for rate, claims in (("tpr", true), ("fpr", false)):
        if not claims:
            continue
        won = sum(e.config.get("word") == "found" for e in claims)
        without = sum(e.config.get("word_without") == "found" for e in claims) / len(claims)
        low, high = wilson(won, len(claims))
        found.append(Evidence(
            f"{name}.{rate}", won / len(claims), low, high, len(claims), rate.upper(),
            {"without_searched_controls": without, **per_claim}, seeds, seconds,
            note="Wilson interval over claims",
        ))  # fmt: skip
    if true and false:
        found.append(_auroc(name, true, false, seeds))
    angles = [e.config["angle"] for e in true if e.config.get("angle") is not None]
    if angles:
        low, high = np.percentile(angles, [2.5, 97.5])
        sizes = [e.config["size"] - e.config["claimed_size"] for e in true]
        found.append(Evidence(
            f"{name}.angle", median(angles), float(low), float(high), len(angles), "degrees",
            {"largest": max(angles), "dimensions_too_many": mean(sizes)}, seeds,
            note="median; 95 % of the claims",
        ))  # fmt: skip
    return found


def _auroc(
    name: str, true: Sequence[Evidence], false: Sequence[Evidence], seeds: list[int]
) -> Evidence:
    """How often a true claim scores above a false one (ties count half), by IIA alone."""
    from sklearn.metrics import roc_auc_score

    scores = np.array([e.score or 0.0 for e in (*true, *false)])
    labels = np.array([1] * len(true) + [0] * len(false))
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(500):
        rows = np.r_[rng.integers(len(true), size=len(true)),
                     len(true) + rng.integers(len(false), size=len(false))]  # fmt: skip
        draws.append(roc_auc_score(labels[rows], scores[rows]))
    low, high = np.percentile(draws, [2.5, 97.5])
    return Evidence(f"{name}.auroc", float(roc_auc_score(labels, scores)), float(low), float(high),
                    len(labels), "AUROC", {"chance": 0.5}, seeds,
                    note="bootstrap over claims")  # fmt: skip
