"""What the judgements add up to: how often true claims pass, how often false ones do."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import mean, median

import numpy as np

from symscope.align.accept import BAR
from symscope.evidence import Evidence, wilson
from symscope.report.pool import pool
from symscope.studies.truth.units import QUIET

ALL = "all"
PER_SEED = ("word", "accuracy", "loss")
"""What is kept of each seed where seeds are pooled."""


def rates(records: Iterable[Evidence]) -> list[Evidence]:
    """`truth.FAMILY.METHOD.tpr`, `.fpr`, `.auroc`, `.angle`, for each family and for all."""
    groups: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for record in filter(_known, records):
        _, family, method, *_ = record.claim.split(".")
        groups[family, method].append(record)
        if family != "untrained" and not family.startswith(QUIET):
            groups[ALL, method].append(record)
    return [e for (family, method), group in sorted(groups.items())
            for e in _rates(f"truth.{family}.{method}", group)]  # fmt: skip


def beside(records: Iterable[Evidence]) -> list[Evidence]:
    """What is not counted as a true or a false claim, pooled over seeds; each seed's word stays."""
    groups: dict[str, list[Evidence]] = defaultdict(list)
    for record in records:
        if not _known(record):
            groups[record.claim].append(record)
    found = []
    for group in groups.values():
        (pooled,) = pool(group)
        kept = {k: [e.config[k] for e in group if k in e.config] for k in PER_SEED}
        config = {**pooled.config, **{k: v for k, v in kept.items() if v}}
        found.append(replace(pooled, config=config))
    return found


def counted(records: Sequence[Evidence]) -> list[Evidence]:
    """The rates, and what stands beside them."""
    return [*rates(records), *beside(records)]


def _known(record: Evidence) -> bool:
    """Whether the claim is true, or false, by construction."""
    return ".true." in record.claim or ".decoy." in record.claim


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
        alone = sum((e.low or 0.0) >= BAR for e in claims) / len(claims)
        low, high = wilson(won, len(claims))
        found.append(Evidence(
            f"{name}.{rate}", won / len(claims), low, high, len(claims), rate.upper(),
            {"without_searched_controls": without, "by_the_score_alone": alone, **per_claim},
            seeds, seconds,
            note="Wilson interval over claims",
        ))  # fmt: skip
    if true and false:
        found.append(_auroc(name, true, false, seeds))
    angles = [e.config["angle"] for e in true if e.config.get("angle") is not None]
    if angles:
        low, high = np.percentile(angles, [2.5, 97.5])
        off = [e.config["off"] for e in true if "off" in e.config]
        sizes = [e.config["size"] - e.config["claimed_size"] for e in true]
        found.append(Evidence(
            f"{name}.angle", median(angles), float(low), float(high), len(angles), "degrees",
            {"largest": max(angles), "dimensions_too_many": mean(sizes), "value_off": mean(off)},
            seeds,
            note="median; 95 % of the claims",
        ))  # fmt: skip
    return found


def _auroc(
    name: str, true: Sequence[Evidence], false: Sequence[Evidence], seeds: list[int]
) -> Evidence:
    """How often a true claim scores above a false one (ties count half), by IIA alone."""
    from sklearn.metrics import roc_curve

    won, lost = (np.array([e.score or 0.0 for e in group]) for group in (true, false))
    rng = np.random.default_rng(0)
    draws = _ranked(rng.choice(won, (500, len(won))), rng.choice(lost, (500, len(lost))))
    scores, labels = np.r_[won, lost], np.repeat([1, 0], [len(won), len(lost)])
    low, high = np.percentile(draws, [2.5, 97.5])
    false_rate, true_rate, _ = roc_curve(labels, scores)
    curve = [[round(float(x), 4) for x in point]
             for point in zip(false_rate, true_rate, strict=True)]  # fmt: skip
    score = float(_ranked(won[None], lost[None])[0])
    return Evidence(f"{name}.auroc", score, float(low), float(high), len(labels), "AUROC",
                    {"chance": 0.5}, seeds, config={"roc": curve},
                    note="bootstrap over claims")  # fmt: skip


def _ranked(won: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """The AUROC of each row: U / (n m), Mann and Whitney (1947)."""
    from scipy.stats import mannwhitneyu

    return mannwhitneyu(won, lost, axis=1).statistic / (won.shape[1] * lost.shape[1])
