"""What the bench's results are made into besides tables: one ROC picture, one file of error rates.

The file goes into the package, so that every report can say how often its rule is wrong.
"""

import json
from collections.abc import Sequence

from symscope.align.methods import METHODS
from symscope.evidence import Evidence
from symscope.report.tables import Records

PANEL, GAP, ACROSS = 170, 46, 4
"""Side of a panel, the space around it, and panels side by side; in pixels."""
STYLE = (
    "text{font:13px sans-serif;fill:#222}.small{font-size:11px;fill:#555}"
    ".box{fill:none;stroke:#bbb}.chance{stroke:#ccc;stroke-dasharray:4 4}"
    ".curve{fill:none;stroke:#1f6f8b;stroke-width:2.5}"
    ".rule{fill:#d1495b}.bar{stroke:#d1495b;stroke-width:1.5}"
)


def error_rates(records: Records) -> str:
    """Method → [accepted, of how many] for true and for false claims and for random weights."""
    methods = {}
    for method in METHODS:
        found = {
            name: records.get(f"truth.{family}.{method}.{rate}")
            for name, family, rate in (
                ("true", "all", "tpr"), ("false", "all", "fpr"), ("untrained", "untrained", "fpr")
            )
        }  # fmt: skip
        counts = {k: [round((e.score or 0) * e.n), e.n] for k, e in found.items() if e is not None}
        if counts:
            methods[method] = counts
    families = {c.split(".")[1] for c in records if c.endswith(".das.fpr")} - {"all", "untrained"}
    seeds = records["truth.all.das.tpr"].seeds
    return json.dumps({"families": len(families), "bases": len(seeds), "methods": methods},
                      indent=1) + "\n"  # fmt: skip


def roc_picture(records: Records) -> str:
    """One panel per method: the ROC of its IIA as a curve, the rule as a point with intervals."""
    shown = [m for m in METHODS if f"truth.all.{m}.auroc" in records]
    rows = -(-len(shown) // ACROSS)
    width, height = ACROSS * (PANEL + GAP) + GAP, rows * (PANEL + 2 * GAP) + GAP
    panels = [
        _panel(
            method, [records[f"truth.all.{method}.{r}"] for r in ("auroc", "tpr", "fpr")],
            GAP + (PANEL + GAP) * (i % ACROSS), GAP + (PANEL + 2 * GAP) * (i // ACROSS),
        )
        for i, method in enumerate(shown)
    ]  # fmt: skip
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img">',
        "<title>ROC of each method's IIA, and the acceptance rule</title>",
        f"<style>{STYLE}</style>", f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *panels, "</svg>", "",
    ])  # fmt: skip


def _panel(method: str, found: Sequence[Evidence], left: int, top: int) -> str:
    auroc, tpr, fpr = found

    def x(rate: float | None) -> str:
        return f"{left + PANEL * (rate or 0.0):.1f}"

    def y(rate: float | None) -> str:
        return f"{top + PANEL * (1 - (rate or 0.0)):.1f}"

    points = " ".join(f"{x(f)},{y(t)}" for f, t in auroc.config["roc"])
    bottom = top + PANEL
    return "\n".join([
        f'<text x="{left}" y="{top - 8}">{method}'
        f'<tspan class="small"> AUROC {auroc.score:.3f}</tspan></text>',
        f'<rect class="box" x="{left}" y="{top}" width="{PANEL}" height="{PANEL}"/>',
        f'<line class="chance" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>',
        f'<polyline class="curve" points="{points}"/>',
        f'<line class="bar" x1="{x(fpr.low)}" y1="{y(tpr.score)}" x2="{x(fpr.high)}"'
        f' y2="{y(tpr.score)}"/>',
        f'<line class="bar" x1="{x(fpr.score)}" y1="{y(tpr.low)}" x2="{x(fpr.score)}"'
        f' y2="{y(tpr.high)}"/>',
        f'<circle class="rule" cx="{x(fpr.score)}" cy="{y(tpr.score)}" r="5"/>',
        f'<text class="small" x="{left}" y="{bottom + 16}">0</text>',
        f'<text class="small" x="{left + PANEL}" y="{bottom + 16}" text-anchor="end">1</text>',
        f'<text class="small" x="{left + PANEL // 2}" y="{bottom + 16}" text-anchor="middle">'
        "false claims accepted</text>",
        f'<text class="small" x="{left - 8}" y="{top + PANEL // 2}" text-anchor="middle"'
        f' transform="rotate(-90 {left - 8} {top + PANEL // 2})">true claims accepted</text>',
    ])  # fmt: skip
