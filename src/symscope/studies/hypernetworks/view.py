"""What the study's page shows, from its joined evidence, its units and its networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symscope.evidence import Evidence, SymscopeError, read_evidence, read_json
from symscope.generate.reading import PATTERNS
from symscope.jobs import made
from symscope.report.dial import dial, spread
from symscope.report.told import told_claims
from symscope.studies.hypernetworks.front import CONTOURS, sizes_of_claim
from symscope.studies.hypernetworks.networks import asked, developing, hypernetwork
from symscope.studies.hypernetworks.settings import FAMILIES, PRESETS, TARGET
from symscope.studies.hypernetworks.view_networks import (
    beside_each_other,
    compared_rows,
    orders,
    tested,
)

STOPS, EARLIER = 13, 6
"""Trade-offs at which a dial stops, and earlier steps of the first hypernetwork."""
LEAD = (
    "A hypernetwork writes the weights of small networks, with a dial between exact and simple."
    " Which algorithm each network runs is named by bounds that were fitted on networks written by"
    " hand, and tested by interventions. Beside them stand networks from Adam, from Adam with an L1"
    " penalty, and pruned ones, at the same loss."
)
CLASSES = {
    "convexity": "many directions that no input owns: a function of |x|₂ alone",
    "pudding_positive": "2 Σ max(−x, 0) + Σ x: one kink for each input, the rest linear",
    "pudding_negative": "2 Σ max(x, 0) − Σ x: its mirror image",
    "double_sided": "Σ max(x, 0) + max(−x, 0): a unit for either side of each input",
    "none": "no algorithm's conditions hold, or only just",
}
SHOWN = (TARGET, "held_out")
"""Parts of which the claims stand on the page, others in the documentation."""
ELSEWHERE = (
    ".sizes.", ".order.", ".bits", ".nonzero", ".needed", ".values", ".owned", ".participation",
    ".formula.", ".by_hand.", ".named",
)  # fmt: skip
"""What the page has in charts and in the comparison."""


def view(
    records: Sequence[Evidence], settings: dict[str, Any], folder: Path, command: str
) -> dict[str, Any]:
    """The mapping that `report.hypernetworks` makes a page of."""
    by_claim = {r.claim: r for r in records}
    members = [(name, seed) for name in FAMILIES for seed in _seeds(folder, name)]
    maps = {one: read_json(p) for one in members
            if (p := folder / "maps" / "{}-{}.json".format(*one)).exists()}  # fmt: skip
    seeds = _seeds(folder, TARGET)
    return {
        "title": "Networks written to be read", "lead": LEAD, "command": command, "made": made(),
        "classes": CLASSES, "claims": _claims(records), "hypernetworks": _dials(folder, settings),
        "fronts": _fronts(folder, maps), "phases": [_phase(*one, m) for one, m in maps.items()],
        "patterns": _patterns(by_claim), "encoder": _encoder(folder, members),
        "sizes": _sizes(folder, by_claim, settings),
        "orders": orders(folder, settings, seeds), "tests": tested(folder, members),
        "pictures": beside_each_other(folder, members),
        "comparison": compared_rows(by_claim, [*FAMILIES, *PRESETS[settings["preset"]].others]),
    }  # fmt: skip


def name_of(name: str, seed: int) -> str:
    """A hypernetwork as the page calls it."""
    return f"{name.replace('_', ' ')}, seed {seed}"


def _seeds(folder: Path, name: str) -> list[int]:
    paths = (folder / "networks").glob(f"{name}-*.safetensors")
    return sorted(int(p.stem.rsplit("-", 1)[1]) for p in paths)


def _claims(records: Sequence[Evidence]) -> list[dict[str, Any]]:
    return told_claims(r for r in records if r.claim.split(".")[1] in SHOWN
                       and not any(part in r.claim for part in ELSEWHERE))  # fmt: skip


def _dials(folder: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Each hypernetwork over β; of the target's first one earlier steps as well."""
    found = []
    for name in (*FAMILIES, *PRESETS[settings["preset"]].others):
        for seed in _seeds(folder, name)[:5]:
            module, task = hypernetwork(name, seed, settings, folder)
            earlier = _earlier(name, seed, settings, folder) if (name, seed) == (TARGET, 0) else []
            found.append(dial(name_of(name, seed), module, task, spread(STOPS), seed,
                              earlier=earlier))  # fmt: skip
    return found


def _earlier(name: str, seed: int, settings: dict[str, Any], folder: Path) -> list[Any]:
    """A few steps of a training, where its checkpoints are there."""
    try:
        steps = developing(name, seed, settings, folder)
    except (FileNotFoundError, SymscopeError):
        return []
    return steps[2 : -1 : max(1, len(steps) // EARLIER)]


def _fronts(
    folder: Path, maps: Mapping[tuple[str, int], Mapping[str, Any]]
) -> list[dict[str, Any]]:
    found = []
    for (name, seed), map_ in maps.items():
        record = _unit(folder, "front", name, seed, "front.spearman")
        floors = _unit(folder, "front", name, seed, "front.decoder_only")
        if record is None or floors is None:
            continue
        rows = zip(map_["betas"], record.config["table"].values(), map_["classes"][-1],
                   strict=True)  # fmt: skip
        points = [{"beta": beta, "loss": row["loss"], "kl": max(row["nats"], 0.0), "class": kind}
                  for beta, row, kind in rows]  # fmt: skip
        found.append({"network": name_of(name, seed), "task": name.replace("_", " "),
                      "points": points, "floors": _floors(floors)})  # fmt: skip
    return found


def _floors(record: Evidence) -> dict[str, float]:
    return {k: record.controls[k] for k in ("radial", "linear") if k in record.controls}


def _unit(folder: Path, kind: str, name: str, seed: int, claim: str) -> Evidence | None:
    """One record of one unit, as it was before seeds were joined."""
    path = folder / "units" / f"{kind}-{name}-{seed}.json"
    records = read_evidence(path) if path.exists() else []
    return next((r for r in records if r.claim.endswith(claim)), None)


def _phase(name: str, seed: int, map_: Mapping[str, Any]) -> dict[str, Any]:
    return {"network": name_of(name, seed), "steps": map_["steps"], "betas": map_["betas"],
            "classes": map_["classes"], "losses": map_["losses"], "pattern": map_["pattern"],
            "said": PATTERNS[map_["pattern"]]}  # fmt: skip


def _patterns(records: Mapping[str, Evidence]) -> list[dict[str, Any]]:
    found = []
    for name, said in PATTERNS.items():
        record = records.get(f"hypernetworks.{TARGET}.pattern.{name}")
        if record is not None and record.score is not None:
            found.append({"name": name, "count": round(record.score * record.n), "of": record.n,
                          "said": said})  # fmt: skip
    return found


def _encoder(folder: Path, members: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    found = []
    for name, seed in members:
        record = _unit(folder, "front", name, seed, "front.spearman")
        floors = _unit(folder, "front", name, seed, "front.decoder_only")
        if record is not None and floors is not None:
            rows = record.config["table"].values()
            found.append({
                "network": name_of(name, seed), "betas": spread(len(rows)).tolist(),
                "with": [r["loss"] for r in rows], "without": [r["alone"] for r in rows],
                "floors": _floors(floors),
            })  # fmt: skip
    return found


def _sizes(
    folder: Path, records: Mapping[str, Evidence], settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """At all sizes: the mean over the hypernetworks of a family."""
    preset, found = PRESETS[settings["preset"]], []
    for name in FAMILIES:
        part = f"hypernetworks.{name}.sizes."
        at = {sizes_of_claim(c): r for c, r in records.items()
              if c.startswith(part) and r.score is not None}  # fmt: skip
        if not at:
            continue
        losses = [[{"score": r.score, "low": r.low, "high": r.high, "null": r.controls["as it is"]}
                   for h in preset.hidden for r in (at[n, h],)] for n in preset.inputs]  # fmt: skip
        found.append({
            "network": name.replace("_", " "), "inputs": list(preset.inputs),
            "hidden": list(preset.hidden), "losses": losses, "contours": list(CONTOURS),
            "trained": [list(asked(name, settings)[1][:2])],
            "radial": [at[n, preset.hidden[0]].controls["radial"] for n in preset.inputs],
            "said": "Mean loss of networks drawn by the decoder alone at one β, after the best"
                    " scale and offset of the output; beside it the loss as it is.",
        })  # fmt: skip
    return found
