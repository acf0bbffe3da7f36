"""What the page of a language model shows: the states by layer, and what edits of them do."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symscope.evidence import Evidence, SymscopeError
from symscope.jobs import made
from symscope.report.geometry import packed
from symscope.report.told import told_claims
from symscope.studies.geometry.language import CYCLE, viewed
from symscope.studies.geometry.view import measure

POINTS = 2_000
LEAD = (
    "Which day is it in two days, which month in four? States at the start's token in their first"
    " components, layer by layer; what the model answers when another start is written into the"
    " circle, beside everything that could do as well; and what the last states are made of."
)


def language_page(
    records: Sequence[Evidence], settings: dict[str, Any], command: str
) -> dict[str, Any]:
    """The mapping that `report.geometry` makes a page of; a cycle that was skipped has no part."""
    by_claim = {r.claim: r for r in records}
    parts: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("clouds", "interventions", "off_circle", "residuals")
    }
    for name in CYCLE:
        begin = f"geometry.{settings['preset']}.{name}"
        parts["interventions"] += _interventions(by_claim, begin, name)
        parts["off_circle"] += _off_circle(by_claim, begin, name)
        try:
            drawn = viewed(name, settings)
        except SymscopeError:  # said in the evidence
            continue
        parts["clouds"] += [_cloud(drawn, layer) for layer in drawn["layers"]]
        parts["residuals"] += [_residual(drawn, by_claim, begin, r) for r in drawn["residuals"]]
    claims = told_claims(records)
    return {
        "title": f"Days and months in {settings['preset']}", "lead": LEAD, "command": command,
        "made": made() | {"model": str(settings["model"])}, "claims": claims, **parts,
    }  # fmt: skip


def _cloud(drawn: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    points = np.asarray(layer["states"])[:POINTS]
    if points.shape[1] < 2:
        points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    return {
        "group": drawn["cycle"], "name": f"{drawn['cycle']}, layer {layer['layer']}",
        "said": f"States at the start's token; components explain {sum(layer['shares']):.0%}.",
        "points": packed(points), "dimensions": points.shape[1],
        "variable": {"name": "start", "values": drawn["first"][:POINTS],
                     "period": drawn["period"], "labels": drawn["values"]},
        "axes": [f"PC {i + 1}" for i in range(points.shape[1])],
        "texts": drawn["prompts"][:POINTS],
    }  # fmt: skip


def _interventions(records: Mapping[str, Evidence], begin: str, name: str) -> list[dict[str, Any]]:
    """The circle and every control, layer by layer."""
    found = []
    for metric, unit in (("difference", "logits"), ("share", "share")):
        layers = {}
        for claim, record in records.items():
            head, _, tail = claim.partition(".intervention.layer_")
            layer, _, what = tail.partition(".")
            if head == begin and what == metric and record.score is not None:
                layers[int(layer)] = record
        if not layers:
            continue
        order = sorted(layers)
        series = {"circle": [measure(layers[k]) for k in order]}
        for control in layers[order[0]].controls:
            series[control] = [{"score": layers[k].controls.get(control)} for k in order]
        found.append({"network": name, "metric": layers[order[0]].unit, "unit": unit,
                      "x": [f"layer {k}" for k in order], "series": series})  # fmt: skip
    return found


def _off_circle(records: Mapping[str, Evidence], begin: str, name: str) -> list[dict[str, Any]]:
    """The share of answers nearest to the angle, by radius."""
    told = {}
    for claim, record in records.items():
        head, _, tail = claim.partition(".radius_")
        if head.startswith(f"{begin}.off_circle") and tail and record.score is not None:
            told[float(tail)] = record
    if len(told) < 2:
        return []
    order = sorted(told)
    return [{"network": name, "radius": order, "accuracy": [measure(told[r]) for r in order],
             "chance": told[order[0]].controls.get("chance"), "circle": 1.0}]  # fmt: skip


def _residual(
    drawn: Mapping[str, Any], records: Mapping[str, Evidence], begin: str,
    residual: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The residual's colours after each of the published groups, with r² on prompts left out."""
    steps: list[dict[str, Any]] = []
    record = records.get(f"{begin}.explained.layer_{residual['layer']}")
    table = record.config.get("table", {}) if record is not None else {}
    for step in residual["steps"]:
        colours = np.nan_to_num(np.asarray(step["colours"]), nan=0.5)
        grid = np.round(255 * colours).astype(np.uint8)
        added = step["groups"][-1] if step["groups"] else "nothing"
        _, r2, null = table.get(added, (None, None if step["groups"] else 0.0, None))
        steps.append({"added": added, "r2": r2, "null": null, "grid": packed(grid)})
    shape = list(np.asarray(residual["steps"][0]["colours"]).shape[:2])
    return {"network": f"{drawn['cycle']}, layer {residual['layer']}", "shape": shape,
            "steps": steps, "rows": "start", "columns": "duration"}  # fmt: skip
