"""Parts of the page about single networks: order parameters, causal tests, and comparisons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from symscope.evidence import Evidence, SymscopeError, read_evidence, read_json
from symscope.generate.drawing import laid_out, standard_layouts
from symscope.generate.reading import (
    draw,
    fitted_boundaries,
    labelled,
    look,
    order_parameters,
)
from symscope.generate.sampling import sampled
from symscope.report.geometry import packed
from symscope.report.hypernetworks import packed_weights
from symscope.studies.hypernetworks.chosen import METHODS, kept_weights
from symscope.studies.hypernetworks.networks import hypernetwork
from symscope.studies.hypernetworks.settings import PRESETS, TARGET

DOTS = 60
"""Hand-built networks of each kind, and generated ones of each hypernetwork, in the chart."""
FAR = 6
"""Networks of so many times the bound are not in the chart."""
WORDS = {"generated": "generated", "adam": "Adam", "adam_l1": "Adam + L1", "pruned": "pruned"}
RATIOS = {"rotation": "≫ 1 where each input is treated by itself",
          "sided_ablation": "1", "linear_replacement": "about 1 in a pudding",
          "permuted_owners": "about 1", "rebuilt": "1"}  # fmt: skip


def orders(folder: Path, settings: dict[str, Any], seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The published pair of order parameters and the repaired one, with the fitted bounds."""
    count = max(4, DOTS if PRESETS[settings["preset"]].samples > 10_000 else 4)
    made = [(one.kind, order_parameters(one.weights))
            for one in labelled(("convexity", "pudding_positive", "pudding_negative",
                                 "double_sided"), count, 1)]  # fmt: skip
    generated = []
    for seed in seeds:
        module, task = hypernetwork(TARGET, seed, settings, folder)
        drawn = draw(task, task.inputs, 7, 2_000)
        betas = torch.logspace(-12, 0, count)
        generated += [(look(w, drawn).algorithm, order_parameters(w))
                      for w in sampled(module, betas, seed).weights.each()]  # fmt: skip
    pairs = (("strongest", "double_sidedness", "as published"),
             ("strongest_path", "most_double_sided", "repaired"))  # fmt: skip
    return [_chart(x, y, said, made, generated) for x, y, said in pairs]


def _chart(x: str, y: str, said: str, made: Any, generated: Any) -> dict[str, Any]:
    bounds = fitted_boundaries()

    def dots(networks: Any) -> list[dict[str, Any]]:
        named = [(kind, getattr(o, x), getattr(o, y)) for kind, o in networks]
        return [{"x": a, "y": b, "class": kind} for kind, a, b in named
                if a is not None and b is not None and b < FAR * bounds[y].value]  # fmt: skip

    lines = [{"name": name.replace("_", " "), axis: bounds[name].value}
             for axis, name in (("x", x), ("y", y))]  # fmt: skip
    return {
        "task": f"{TARGET}, {said}", "x": x.replace("_", " "), "y": y.replace("_", " "),
        "made": dots(made), "generated": dots(generated), "boundaries": lines,
        "said": "Networks written by hand are faint, and left out beyond six times the bound;"
                " lines are the fitted bounds of each alone.",
    }  # fmt: skip


def tested(folder: Path, members: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """The causal tests of each hypernetwork's networks."""
    found = []
    for name, seed in members:
        path = folder / "readings" / f"{name}-{seed}.json"
        for row in read_json(path) if path.exists() else []:
            rows = [{
                "name": test["name"].replace("_", " "), "controls": test["controls"],
                "measure": {k: test[k] for k in ("score", "low", "high")},
                "expected": RATIOS.get(test["name"].split(".")[0]), "said": test["unit"],
            } for test in row["tests"]]  # fmt: skip
            label = f"{name.replace('_', ' ')}, seed {seed}, β {row['beta']:.0e}"
            found.append({"network": label, "class": row["class"],
                          "rows": rows, "said": "; ".join(row["reasons"])})  # fmt: skip
    return found


def beside_each_other(folder: Path, members: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """The networks of all methods side by side, and the standard layouts of the generated one.

    Of each algorithm that a generated network has, the first one.
    """
    found, shown = [], set[str]()
    for name, seed in members:
        records = _units(folder, name, seed)
        kind = _class(records, name, "generated")
        if kind is None or kind in shown:
            continue
        shown.add(kind)
        networks = []
        for method in METHODS:
            try:
                weights = kept_weights(folder, method, name, seed)
            except SymscopeError:
                continue
            layouts = {WORDS[method]: laid_out(weights, seed)}
            if method == "generated":
                others = standard_layouts(weights, seed).items()
                layouts |= {f"generated, {way}": layout for way, layout in others}
            networks += [_picture(words, layout, weights, f"hypernetworks.{name}.{method}", records)
                         for words, layout in layouts.items()]  # fmt: skip
        found.append({
            "name": f"{name.replace('_', ' ')}, seed {seed}: {kind.replace('_', ' ')}",
            "networks": networks,
            "said": "Adam + L1 is at the loss of the generated network, the pruned one at it or"
                    " below. The energy is that of the layout.",
        })  # fmt: skip
    return found


def _units(folder: Path, name: str, seed: int) -> dict[str, Evidence]:
    """What was measured of the networks that are compared, as it was before seeds were joined."""
    path = folder / "units" / f"compared-{name}-{seed}.json"
    return {r.claim: r for r in read_evidence(path)} if path.exists() else {}


def _class(records: Mapping[str, Evidence], name: str, method: str) -> str | None:
    record = records.get(f"hypernetworks.{name}.{method}.named")
    return None if record is None else record.config.get("group")


def _picture(
    name: str, layout: Any, weights: Any, claim: str, records: Mapping[str, Evidence]
) -> dict[str, Any]:
    loss, bits, kind = (records.get(f"{claim}.{what}") for what in ("loss", "bits", "named"))
    return {
        "name": name, "sizes": list(weights.sizes), "weights": packed_weights(weights),
        "positions": packed(layout.positions.numpy()), "energy": layout.energy,
        "loss": None if loss is None else loss.score,
        "length": None if bits is None else bits.score,
        "class": None if kind is None else kind.config.get("group"),
    }  # fmt: skip


def compared_rows(records: Mapping[str, Evidence], names: Sequence[str]) -> list[dict[str, Any]]:
    """Method by method: loss, bits, error of the formula, owned units, aligned variables."""
    found = []
    for name in names:
        for method in METHODS:
            claim = f"hypernetworks.{name}.{method}"
            if f"{claim}.loss" not in records:
                continue
            aligned = [r for c, r in records.items()
                       if c.startswith(f"{claim}.") and c.endswith(".r2") and r.score is not None
                       and ".formula." not in c]  # fmt: skip
            best = max(aligned, key=lambda r: r.score or 0.0, default=None)
            found.append({
                "method": WORDS[method], "task": name.replace("_", " "),
                "loss": _told(records.get(f"{claim}.loss")),
                "length": _told(records.get(f"{claim}.bits"), "shuffled"),
                "formula": _told(records.get(f"{claim}.formula.error")),
                "owned": _told(records.get(f"{claim}.owned"), "shuffled"),
                "aligned": _told(best, "random_subspace"),
                "note": "" if best is None else "aligned: " + ".".join(best.claim.split(".")[3:5]),
                "control": method == "adam",
            })  # fmt: skip
    return found


def _told(record: Evidence | None, null: str = "") -> dict[str, Any] | None:
    if record is None:
        return None
    return {"score": record.score, "low": record.low, "high": record.high,
            "null": record.controls.get(null), "reason": record.note}  # fmt: skip
