"""The tables of the page on how symscope could be wrong."""

import re
from collections.abc import Sequence

from symscope.align.methods import METHODS
from symscope.evidence import Evidence
from symscope.report.tables import Maker, Records, score, seeds, table
from symscope.studies.truth.others import FEATURES
from symscope.studies.truth.units import QUIET


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
            f"{fpr.controls['by_the_score_alone']:.3f}",
            "–" if auroc is None else f"{auroc.score:.3f}", _angle(angle),
            "–" if angle is None else f"{angle.controls['value_off']:.0%}",
            "–" if angle is None else f"{angle.controls['dimensions_too_many']:+.1f}",
            f"{tpr.controls['seconds_per_claim']:.1f}",
        ])  # fmt: skip
    head = ["method", "true claims accepted", "false claims accepted",
            "false, without searched controls", "false, by the score alone",
            "AUROC of the IIA", "angle to the truth (largest)", "value off by",
            "dimensions too many", "seconds per claim"]  # fmt: skip
    return table(head, rows)


def families_table(records: Records) -> str:
    """The default method's error rates, family by family."""
    named = {c.split(".")[1] for c in records if c.endswith(".das.fpr")}
    families = sorted(named - {"all", "untrained"})
    rows = []
    for family in families:
        tpr, fpr, angle = (records.get(f"truth.{family}.das.{r}") for r in ("tpr", "fpr", "angle"))
        if tpr is not None and fpr is not None:
            off = "–" if angle is None else f"{angle.controls['value_off']:.1%}"
            quiet = _angle(records.get(f"truth.{QUIET}{family}.das.angle"))
            rows.append([f"`{family}`", _rate(tpr), _rate(fpr), _angle(angle), off, quiet])
    blank = records.get("truth.untrained.das.fpr")
    if blank is not None:
        rows.append(["random weights", "–", _rate(blank), "–", "–", "–"])
    head = ["family", "true claims accepted", "false claims accepted", "angle (largest)",
            "value off by", "angle without noise units"]  # fmt: skip
    return table(head, rows)


def trained_table(records: Records) -> str:
    """What the default method says of trained networks, told where to keep a variable or not."""
    rows = []
    for claim, record in sorted(records.items()):
        named = re.fullmatch(r"truth\.(told|plain)\.das\.(\w+)\.iia", claim)
        if named:
            rows.append([f"`{named[2]}`", named[1], seeds(record),
                         _each(record.config["accuracy"], ".2f"), score(record),
                         ", ".join(record.config["word"])])  # fmt: skip
    head = ["task and variable", "trained", "seeds", "accuracy of each", "IIA", "verdict of each"]
    return table(head, rows)


def redundant_table(records: Records) -> str:
    """Copies of one variable, alone and together."""
    record = records["truth.redundant.copies.vote_bit.iia"]
    alone = {k: v for k, v in record.controls.items() if k.startswith("alone ")}
    rows = [[f"{name.removeprefix('alone ')} alone", f"{value:.3f}", ""]
            for name, value in alone.items()]  # fmt: skip
    rows.append(
        ["both together, sources permuted", f"{record.controls['permuted_sources']:.3f}", ""]
    )
    rows.append(["both together", score(record), ", ".join(record.config["word"])])
    return table(["place", f"IIA, mean of {seeds(record)} bases", "verdict of each"], rows)


def superposition_table(records: Records) -> str:
    """How many features are kept, by how sparse they are."""
    rows = []
    for claim, record in sorted(records.items()):
        named = re.fullmatch(r"truth\.superposition\.five_in_two\.sparsity_(\d+)\.kept", claim)
        if named:
            kept = [round(share * FEATURES) for share in record.config["by_seed"]]
            rows.append([f"{int(named[1]) / 100:.2f}", _each(kept, "d"),
                         _each(record.config["loss"], ".4f")])  # fmt: skip
    return table(["share of zeros", "features kept, each seed", "loss, each seed"], rows)


TABLES: dict[str, Maker] = {
    f.__name__.removesuffix("_table"): f
    for f in (methods_table, families_table, trained_table, redundant_table, superposition_table)
}


def _each(values: Sequence[float], form: str) -> str:
    return ", ".join(f"{value:{form}}" for value in values)


def _rate(record: Evidence) -> str:
    won = round((record.score or 0.0) * record.n)
    return f"{record.score:.3f} ({won} of {record.n})"


def _angle(record: Evidence | None) -> str:
    return "–" if record is None else f"{record.score:.1f}° ({record.controls['largest']:.0f}°)"
