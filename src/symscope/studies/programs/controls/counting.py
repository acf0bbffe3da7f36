"""The controls counted over all tasks, and their tables."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from symscope.evidence import Evidence, wilson
from symscope.report.tables import Maker, Records, table
from symscope.studies.programs.search import SEARCHED

WANTED: dict[str, tuple[str, str]] = {
    "untrained": ("an untrained network gives a program that is the rule", "0"),
    "misfiled": ("a network filed as another task gives its own task's program", "all"),
    "changed": ("one constant changed: a counterexample is found", "all"),
    "states.another": ("another task's program passes as in the states", "0"),
    "states.late": ("its program with late inputs passes as in the states", "0"),
    "states.changed": (
        "its program with a rule's constant changed passes as in the states",
        "0",
    ),
    "states.start": ("its program with another start value passes as in the states", "0"),
    "states.idle": ("its program with an idle register more passes as in the states", "0"),
}
"""What each control asks, and what its answer should be."""
PREFIX = "programs.controls."


def counted_controls(records: Iterable[Evidence]) -> list[Evidence]:
    """Every record, and before them one for each control: the share of all its cases."""
    kept = sorted(records, key=lambda r: (r.claim, list(r.seeds)))
    groups: dict[str, list[Evidence]] = defaultdict(list)
    for record in kept:
        groups[record.claim.removeprefix(PREFIX).rpartition(".")[0]].append(record)
    return [*(_total(kind, groups[kind]) for kind in WANTED if groups[kind]), *_by_seed(kept)]


def _total(kind: str, group: Sequence[Evidence]) -> Evidence:
    """Cases are networks; of changed constants and of wrong programs they are programs."""
    scored = [r for r in group if r.score is not None]
    cases = [r.n if kind.startswith(("changed", "states")) else 1 for r in scored]
    yes = sum(round((r.score or 0) * n) for r, n in zip(scored, cases, strict=True))
    n = sum(cases)
    low, high = wilson(yes, n)
    config: dict[str, Any] = {"yes": yes, "without": len(group) - len(scored)}
    if kind == "untrained":
        given = [r.config["share_right"] for r in scored if "source" in r.config]
        config |= {
            "programs": len(given), "most_right": max(given, default=0.0),
            "networks_right": sum(r.config["network_right"] == 1 for r in scored),
        }  # fmt: skip
    if kind == "changed":
        kinds: Counter[str] = Counter()
        for record in group:
            kinds.update(record.config.get("kinds", {}))
        config["kinds"] = dict(kinds)
    seeds = sorted({s for r in group for s in r.seeds})
    return Evidence(PREFIX + kind, yes / n if n else None, low, high, n, group[0].unit, {}, seeds,
                    sum(r.seconds for r in group), config)  # fmt: skip


def _by_seed(records: Sequence[Evidence]) -> list[Evidence]:
    """One record per claim: that of its seed, or the mean with each seed's beside it."""
    groups: dict[str, list[Evidence]] = defaultdict(list)
    for record in records:
        groups[record.claim].append(record)
    found = []
    for claim, group in groups.items():
        if len(group) == 1:
            found.append(group[0])
            continue
        scores = [r.score for r in group if r.score is not None]
        seeds = [s for r in group for s in r.seeds]
        found.append(Evidence(
            claim, sum(scores) / len(scores) if scores else None, None, None, len(group),
            group[0].unit, {}, seeds, sum(r.seconds for r in group),
            {"by_seed": [{"seed": r.seeds[0], "score": r.score, **r.config} for r in group]},
        ))  # fmt: skip
    return found


def controls_table(records: Records) -> str:
    """What each control asks, how often it is so and should be, and what is worth knowing."""
    rows = []
    for kind, (asked, wanted) in WANTED.items():
        record = records.get(PREFIX + kind)
        if record is None:
            rows.append([asked, "–", wanted, "not run"])
            continue
        rows.append([asked, f"{record.config['yes']} of {record.n}", wanted, _beside(kind, record)])
    return table(["control", "so", "should be", "beside it"], rows)


def _beside(kind: str, record: Evidence) -> str:
    config = record.config
    if kind == "untrained" and not config["programs"]:
        return "none gives any program"
    if kind == "untrained":
        return (f"{config['programs']} give any program; the best of these answers"
                f" {config['most_right']:.2g} of the sequences as the rule does")  # fmt: skip
    if kind == "changed":
        kinds = config["kinds"]
        return (f"{kinds['unknown']} undecided, {kinds['false proof']} false proofs,"
                f" {kinds['not replayed']} counterexamples that show no difference;"
                f" {kinds['idle']} more changes change nothing")  # fmt: skip
    if kind.startswith("states"):
        return f"tasks that have none: {config['without']}"
    return ""


def smallest_table(records: Records) -> str:
    """The smallest shapes found by the published search, beside the published ones."""
    rows = []
    for name in SEARCHED:
        record = records.get(f"{PREFIX}smallest.{name}")
        if record is None:
            continue
        shape, published = record.config["shape"], record.config["published"]
        ended = "yes" if record.config["ended"] else "no"
        rows.append([f"`{name}`", "none" if shape is None else _shape(shape), _shape(published),
                     ended, f"{record.seconds:.0f}"])  # fmt: skip
    return table(["task", "smallest shape found", "published", "search ended", "seconds"], rows)


def _shape(shape: dict[str, Any]) -> str:
    parts = ["affine" if depth == 1 else f"{width}×{depth}"
             for width, depth in (shape["f"], shape["g"])]  # fmt: skip
    return f"{shape['width']} states; f {parts[0]}, g {parts[1]}"


TABLES: dict[str, Maker] = {"controls": controls_table, "smallest": smallest_table}
