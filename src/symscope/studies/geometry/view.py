"""What the study's page shows, from its joined evidence, its units and its networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symscope.evidence import Evidence, read_evidence, read_json
from symscope.features.geometry import SHAPES
from symscope.jobs import made
from symscope.report.geometry import packed
from symscope.report.told import told_claims
from symscope.studies.geometry.published import PUBLISHED
from symscope.studies.geometry.settings import PRESETS
from symscope.studies.geometry.view_networks import WORDS, name_of, network_parts, networks_in

POINTS = 2_000
WHOLE = ("toy", "two_circles", "stories")
SHOWN = ("written", "embedding.power", "search", "planes")
"""Parts of which all claims stand on the page, and what of a kind of networks does."""
LEAD = (
    "Clouds of known shape say what the two indices are worth. Networks that add modulo a number"
    " keep it on circles: they are looked for without labels, confirmed by Fourier, and written"
    " into, beside everything that could do as well by chance. Dictionaries of a small language"
    " model are ranked as they are."
)


def view(
    records: Sequence[Evidence], settings: dict[str, Any], folder: Path, command: str
) -> dict[str, Any]:
    """The mapping that `report.geometry` makes a page of."""
    by_claim = {r.claim: r for r in records}
    networks = networks_in(folder)
    clouds, ranking = _toys(by_claim, settings), list[dict[str, Any]]()
    parts = network_parts(networks, settings, folder)
    clouds += parts.pop("clouds")
    for path in sorted((folder / "views").glob("*.json")):
        _clusters(path, clouds, ranking, settings)
    claims = told_claims(r for r in records if _shown(r.claim))
    return {
        "title": "Which features are circles, and are they used?", "lead": LEAD,
        "command": command, "made": made(), "clouds": clouds, "ranking": ranking,
        "histograms": _histograms(folder), "interventions": _interventions(by_claim),
        "off_circle": _off_circle(by_claim), "claims": claims, **parts,
    }  # fmt: skip


def _shown(claim: str) -> bool:
    _, _, rest = claim.partition(".")
    part, _, what = rest.partition(".")
    return part in WHOLE or what.startswith(SHOWN)


def measure(record: Evidence | None, null: str = "") -> dict[str, Any] | None:
    """A record as a page tells it, with one of its controls as what chance gives."""
    if record is None:
        return None
    beside = record.controls.get(null)
    return {"score": record.score, "low": record.low, "high": record.high, "null": beside,
            "reason": record.note}  # fmt: skip


def _toys(records: Mapping[str, Evidence], settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Every shape, and in it both indices."""
    found = []
    for name, shape in SHAPES.items():
        points = shape(min(POINTS, PRESETS[settings["preset"]].points), 0)
        claim = f"geometry.toy.{name.replace(' ', '_')}"
        mixture = measure(records.get(f"{claim}.mixture"), "gaussian")
        separability = measure(records.get(f"{claim}.separability"), "shuffled")
        if mixture is None:
            continue
        source = PUBLISHED.get(f"{claim}.mixture")
        last = points[:, 1].atan2(points[:, 0]) / (2 * 3.141592653589793) % 1
        found.append({
            "group": "Toy shapes", "name": name, "said": f"The toy shape {name}, one draw of five.",
            "points": packed(points[:, :5].numpy()), "dimensions": min(5, points.shape[1]),
            "variable": {"name": "turn", "values": last.tolist(), "period": 1},
            "indices": {"mixture": mixture} | (
                {"separability": separability} if separability else {}),
            "published": {"mixture": source["value"], "source": source["where"]} if source else {},
        })  # fmt: skip
    return found


def _clusters(
    path: Path, clouds: list[dict[str, Any]], ranking: list[dict[str, Any]],
    settings: dict[str, Any],
) -> None:  # fmt: skip
    """A network's clusters into the ranking, and their points among the clouds."""
    what, _, name = path.stem.partition("-")
    for number, row in enumerate(read_json(path), 1):
        stories = what == "stories"
        kind, _, number_ = name.partition("-")
        of = f"layer {name}" if stories else name_of(kind, number_, settings)
        period = {"labels": row["labels"]} if stories else {"period": row["modulus"]}
        wave = not stories and row["best"]
        values = row["values"]
        if not stories:
            values = [row["frequency"] * v % row["modulus"] for v in values]
        clouds.append({
            "group": "Dictionaries of stories260k" if stories else "Found without labels",
            "name": f"{of}, number {row.get('rank', number)}",
            "said": _said(row, stories, wave),
            "points": row["points"], "dimensions": row["dimensions"],
            "variable": {"name": "token" if stories else f"{row['frequency']}(a + b)",
                         "values": values, **period},
            "indices": {"separability": row["separability"], "mixture": row["mixture"]},
            "facts": {} if stories else {
                "frequency": row["frequency"], "r2": row["r2"]["score"],
                "R² of the circle": row["circle"], "cluster": row["cluster"]},
        })  # fmt: skip
        shown = {k: row[k] for k in ("size", "score", "separability", "mixture", "r2", "frequency",
                                     "tokens")}  # fmt: skip
        ranking.append({**shown, "cluster": f"{of}: {row['cluster']}", "cloud": len(clouds) - 1})


def _said(row: Mapping[str, Any], stories: bool, wave: bool) -> str:
    if stories:
        return f"A cluster of {row['size']} features, in its first components, by token."
    text = f"{row['size']} features; frequency {row['frequency']} explains {row['r2']['score']:.0%}"
    return text + (" of this plane, the most of all clusters." if wave else " of this plane.")


def _histograms(folder: Path) -> list[dict[str, Any]]:
    """Scores of each layer's clusters, and those of a dictionary with random features."""
    found = []
    for path in sorted((folder / "units").glob("stories-*.json")):
        for record in read_evidence(path):
            if record.claim.endswith(".clusters"):
                layer = record.claim.split(".")[2].replace("_", " ")
                found.append({
                    "name": f"(1 − M) · S, {layer}", "unit": "bits",
                    "values": record.config["scores"], "null": record.config["null"],
                    "said": "Clusters of the fitted dictionary, and of one with random features.",
                })  # fmt: skip
    return found


def _interventions(records: Mapping[str, Evidence]) -> list[dict[str, Any]]:
    """What writing the circle does, beside all controls, for one circle and for all."""
    found = []
    for kind, words in WORDS.items():
        for which, circles in (("one", "one circle"), ("all", "all circles")):
            for metric, unit in (("difference", "logits"), ("share", "share")):
                record = records.get(f"geometry.{kind}.written.{which}.{metric}")
                if record is None or record.score is None:
                    continue
                kept = records.get(f"geometry.{kind}.written.{which}.kept.{metric}")
                series = {"circle": measure(record)} | {
                    name: {"score": value} for name, value in record.controls.items()}  # fmt: skip
                if kept is not None:
                    series["circle_kept"] = measure(kept)
                found.append({
                    "network": f"{words}, {circles}", "metric": record.unit, "unit": unit,
                    "x": ["embedding of a"], "series": {k: [v] for k, v in series.items()},
                })  # fmt: skip
    return found


def _off_circle(records: Mapping[str, Evidence]) -> list[dict[str, Any]]:
    """The share of answers nearest to the angle, by radius."""
    found = []
    for kind, words in WORDS.items():
        some = {c: r for c, r in records.items() if c.startswith(f"geometry.{kind}.off.radius_")}
        told = {float(c.rsplit("_", 1)[1]): r for c, r in some.items() if r.score is not None}
        if len(told) > 1:
            first = next(iter(told.values()))
            found.append({"network": words, "radius": list(told), "circle": 1.0,
                          "accuracy": [measure(r) for r in told.values()],
                          "chance": first.controls["chance"]})  # fmt: skip
    return found
