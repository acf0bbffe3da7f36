"""The tables of the page on how symscope could be wrong."""

from symscope.align.methods import METHODS
from symscope.evidence import Evidence
from symscope.report.tables import Maker, Records, table


def methods_table(records: Records) -> str:
    """Each method's error rates over all families."""
    rows = []
    for method in METHODS:
        tpr, fpr, auroc, angle = (
            records.get(f"truth.all.{method}.{rate}") for rate in ("tpr", "fpr", "auroc", "angle")
        )
        if tpr is None or fpr is None:
            continue
        rows.append([
            f"`{method}`", _rate(tpr), _rate(fpr),
            f"{fpr.controls['without_searched_controls']:.3f}",
            "–" if auroc is None else f"{auroc.score:.3f}", _angle(angle),
            "–" if angle is None else f"{angle.controls['value_off']:.0%}",
            "–" if angle is None else f"{angle.controls['dimensions_too_many']:+.1f}",
            f"{tpr.controls['seconds_per_claim']:.1f}",
        ])  # fmt: skip
    head = ["method", "true claims accepted", "false claims accepted",
            "false, without searched controls", "AUROC of the IIA", "angle to the truth (largest)",
            "value off by", "dimensions too many", "seconds per claim"]  # fmt: skip
    return table(head, rows)


def families_table(records: Records) -> str:
    """The default method's error rates, family by family."""
    families = sorted({c.split(".")[1] for c in records} - {"all", "untrained"})
    rows = []
    for family in families:
        tpr, fpr, angle = (records.get(f"truth.{family}.das.{r}") for r in ("tpr", "fpr", "angle"))
        if tpr is not None and fpr is not None:
            off = "–" if angle is None else f"{angle.controls['value_off']:.1%}"
            rows.append([f"`{family}`", _rate(tpr), _rate(fpr), _angle(angle), off])
    blank = records.get("truth.untrained.das.fpr")
    if blank is not None:
        rows.append(["random weights", "–", _rate(blank), "–", "–"])
    head = ["family", "true claims accepted", "false claims accepted", "angle (largest)",
            "value off by"]  # fmt: skip
    return table(head, rows)


TABLES: dict[str, Maker] = {"methods": methods_table, "families": families_table}


def _rate(record: Evidence) -> str:
    won = round((record.score or 0.0) * record.n)
    return f"{record.score:.3f} ({won} of {record.n})"


def _angle(record: Evidence | None) -> str:
    return "–" if record is None else f"{record.score:.1f}° ({record.controls['largest']:.0f}°)"
