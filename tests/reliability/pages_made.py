"""One page of each kind that symscope writes, made from data whose texts were changed before."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from atlas_view import atlas_view
from explorer_view import explorer_view
from geometry_view import geometry_view
from hypernetworks_view import hypernetworks_view
from reliability.hostile import Change, changed
from symscope.evidence import Evidence, wilson, write_evidence, write_json
from symscope.generate.files import save_hypernetwork
from symscope.generate.hypernetwork import Hypernetwork
from symscope.models.load import save_network
from symscope.models.real_rnn import build_real
from symscope.programs.printing import python_source
from symscope.report import write_page
from symscope.report.atlas import atlas
from symscope.report.explorer import explorer
from symscope.report.found import found_in
from symscope.report.gallery import Entry, gallery
from symscope.report.geometry import geometry
from symscope.report.hypernetworks import hypernetworks
from symscope.report.pictures import Picture, pictures
from symscope.tasks import algorithm

CLAIMS = ("claims.controls", "claims.source")
SAID = "a note, a control, a unit"


def _explorer(folder: Path, change: Change) -> str:
    named = ("made", "trajectory.series", "trajectory.series.*", "trajectory.floors", "breakdown",
             "breakdown.*", "patching.rows", "patching.cells", "patching.cells.*.maps",
             "subspaces.groups", *CLAIMS)  # fmt: skip
    return explorer(changed(explorer_view(), change, named))


def _atlas(folder: Path, change: Change) -> str:
    view = atlas_view()
    view["circuit"] |= {"note": SAID}
    view["places"] |= {"note": f"{SAID} of places"}
    fixed = ("signs", "right", "legal", "neurons.maps", "neurons.labels.sign",
             "neurons.labels.kind", "neurons.labels.of", "circuit.nodes.kind")  # fmt: skip
    return atlas(changed(view, change, ("made", *CLAIMS), fixed))


def _geometry(folder: Path, change: Change) -> str:
    view = geometry_view()
    for name in ("histograms", "off_circle", "residuals", "spectra"):
        view[name][0]["said"] = f"{SAID} of {name}"
    view["verdicts"][0]["note"] = f"{SAID} of verdicts"
    fixed = ("clouds.points", "residuals.steps.grid", "verdicts.verdict", "histograms.unit",
             "interventions.unit")  # fmt: skip
    named = ("made", "interventions.series", "words", "clouds.facts", *CLAIMS)
    return geometry(changed(view, change, named, fixed))


def _hypernetworks(folder: Path, change: Change) -> str:
    view = hypernetworks_view(20)
    for name in ("hypernetworks", "phases", "orders", "pictures", "sizes", "encoder", "tests"):
        view[name][0]["said"] = f"{SAID} of {name}"
    view["comparison"][0]["note"] = f"{SAID} of a method"
    nets = ("hypernetworks.networks", "hypernetworks.steps.networks", "pictures.networks")
    fixed = (*(f"{n}.{k}" for n in nets for k in ("weights", "positions")), "orders.log")
    named = ("made", "classes", "hypernetworks.floors", "fronts.floors", "encoder.floors",
             "tests.rows.controls", *CLAIMS)  # fmt: skip
    return hypernetworks(changed(view, change, named, fixed))


def _whole(change: Change) -> Change:
    """The change, without halves of surrogate pairs: a file of a run that has any is refused."""
    return lambda text: re.sub("[\ud800-\udfff]", "", change(text))


def _claim(name: str, right: int, **more: Any) -> dict[str, Any]:
    low, high = wilson(right, 1000)
    split = {"phase": {"0:0": [right // 2, 500], "1:1": [right - right // 2, 500]},
             "value": {f"{s}:{b}": [right * 4 // 1000, 4] for s in range(6) for b in range(6)},
             "difference": {str(d): [right * 9 // 1000, 9] for d in range(6)}}  # fmt: skip
    config = {**split, "size": 24, "width": 48, "site": "rnn.state", "method": "a search"}
    controls = {"no op of another kind": 0.08, "probe of another kind": 7.5} | more
    return asdict(Evidence(
        f"numbers.multi.gru.{name}.iia", right / 1000, low, high, 1000, "IIA", controls, [0],
        config=config, note="one seed",
    ))  # fmt: skip


def _report(folder: Path, change: Change) -> str:
    """The page of a run with claims, a program that was learned, pictures and a source."""
    change = _whole(change)
    history = [{"epoch": e, "loss": 2 / e, "seconds": e} for e in range(1, 9)]
    training = Evidence("train.multi.accuracy", 1.0, 0.98, 1.0, 300, "accuracy",
                        {"untrained": 0.0}, config={"history": history, "epochs": 8})  # fmt: skip
    learned = {"source": "tally = tally + 1", "why": "one register", "verdict": "proof",
               "said": "proved at any length", "rule": "some rule", "agrees_to": 21,
               "trained_to": 20}  # fmt: skip
    extracted = Evidence("numbers.multi.gru.extracted.fidelity", 1.0, 0.99, 1.0, 100, "share of",
                         {"untrained_network": 0.2}, config=learned, note=SAID)  # fmt: skip
    absent = Evidence("numbers.multi.gru.some rule.phase.iia", None, None, None, 0, note="too few")
    claims = [_claim("some rule.count", 989, random=0.1), _claim("up_up.other", 400)]
    fixed = ("claim", "unit", "config.verdict")
    evidence = []
    for record in [asdict(training), *claims, asdict(extracted), asdict(absent)]:
        new = changed(record, change, ("controls",), fixed)
        parts = record["claim"].split(".")
        if record["unit"] == "IIA":
            parts[-3:-1] = [change(p).replace(".", "·") for p in parts[-3:-1]]
        elif record["unit"] == "share of":
            new["unit"] = change(record["unit"])
        evidence.append(Evidence(**{**new, "claim": ".".join(parts)}))
    config = {
        "command": "symscope demo",
        "version": "0.1",
        "python": "3.11",
        "torch": "2.13",
        "commit": "abc",
        "seed": 0,
        "preset": "quick",
        "seconds": 1.5,
        "task": "multi",
        "architecture": "gru",
        "width": 48,
        "program": "some rule",
        "site": "rnn.state",
    }
    write_evidence(folder / "evidence.json", evidence)
    write_json(folder / "config.json", changed(config, change))
    count = [q for q in range(8) for _ in range(4)]
    (folder / "coordinates.json").write_text(json.dumps({
        "count": count, "phase": [i % 2 for i in range(32)],
        "coordinate": [0.5 * q for q in count], "second": [(-1.0) ** i for i in range(32)],
        "axis": change("an axis of the states"),
    }))  # fmt: skip
    (folder / "program.py").write_text(change("def step(token): pass"), "utf8")
    return write_page(folder).read_text("utf8")


def _extraction(said: str = "refuted: extracted is not: on [7, 1] got 9") -> list[dict[str, Any]]:
    grounding = {
        "variance": 1e-5,
        "repeated": 0.9,
        "equal": 1.0,
        "different": 1.0,
        "grounded": True,
        "places": {"a register": {"linear": 0.9, "told": 1.0}},
    }
    config = {"route": "recurrence", "source": python_source(algorithm("sum_all").program),
              "said": said, "verdict": "counterexample", "rules": {"a register": "s + x"},
              "output": "the answer", "start": {"a register": 0}, "grounding": grounding,
              "proof": {"relations": ["a register == b"]},
              "tried": {"recurrence": "a program of 6", "window": "gives nothing"}}  # fmt: skip
    solved = Evidence("programs.sum_all.solved", 1.0, None, None, 100, "solved", seeds=[0],
                      config=config, note=SAID)  # fmt: skip
    longer = Evidence("programs.sum_all.generalises", 0.75, None, None, 100, "share", note="longer")
    return [asdict(solved), asdict(longer)]


EXTRACTED = ("config.rules", "config.tried", "config.start", "config.grounding.places")


def _records(change: Change, task: str = "sum_all") -> list[Evidence]:
    new = [changed(r, change, EXTRACTED, ("claim", "unit", "config.verdict"))
           for r in _extraction()]  # fmt: skip
    return [Evidence(**{**r, "claim": r["claim"].replace("sum_all", task)}) for r in new]


def _summing(folder: Path) -> Any:
    shape = {"architecture": "real_mlp", "width": 1, "inputs": 1, "outputs": 1, "f": (1, 1)}
    network = build_real(**shape)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            value.copy_(torch.ones_like(value) if "weight" in name else torch.zeros_like(value))
    save_network(folder / "network.safetensors", network, shape)
    return network


def _program(folder: Path, change: Change) -> str:
    change = _whole(change)
    _summing(folder)
    write_evidence(folder / "evidence.json", _records(change, change("sum_all").replace(".", "·")))
    config = {"line": "symscope extract", "task": "sum_all", "architecture": "elman",
              "commit": "abc", "torch": "2.13", "seed": 0, "seconds": 12.0}  # fmt: skip
    write_json(folder / "config.json", changed(config, change))
    return write_page(folder).read_text("utf8")


def _gallery(folder: Path, change: Change) -> str:
    network, task = _summing(folder), algorithm("sum_all")
    drawn = pictures(network, task.program.inputs, task.length, task.program)
    drawn += [Picture("none", change("a heading"), change("a caption"))]
    found = found_in(_records(change))
    assert found is not None
    entries = [
        Entry(change("a task"), True, change("reads x"), 2, [found, found], drawn),
        Entry(change("another task"), False, change("reads y"), 0),
    ]
    made = {change("commit"): change("abc")}
    return gallery(entries, made, change("symscope bench programs"))


def _generated(folder: Path, change: Change) -> str:
    change = _whole(change)
    torch.manual_seed(0)
    save_hypernetwork(folder / "hypernetwork.safetensors", Hypernetwork((2, 3, 1)), "l1_norm_2")
    config = {"line": "symscope generate", "commit": "abc", "torch": "2.13", "python": "3.11",
              "version": "0.1", "seed": 0}  # fmt: skip
    write_json(folder / "config.json", {**changed(config, change), "task": "l1_norm_2",
                                        "sizes": [2, 3, 1]})  # fmt: skip
    claim = asdict(Evidence("generate.l1_norm_2.loss", 0.1, 0.0, 0.2, 10, "squared error",
                            {"a floor": 1.0}, [0], note=SAID))  # fmt: skip
    write_evidence(folder / "evidence.json", [Evidence(**changed(claim, change, ("controls",)))])
    return write_page(folder).read_text("utf8")


PAGES: dict[str, Callable[[Path, Change], str]] = {
    "report": _report, "program": _program, "gallery": _gallery, "explorer": _explorer,
    "atlas": _atlas, "geometry": _geometry, "hypernetworks": _hypernetworks,
    "generated": _generated,
}  # fmt: skip
"""Each page from an empty folder and what is done to every text."""
