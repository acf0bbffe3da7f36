"""The gallery: every task's networks and programs, drawn, on one page."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from symscope.engines import Engine, Job, run_jobs
from symscope.evidence import Evidence, SymscopeError, read_evidence, write_whole
from symscope.extract.pipeline.weights import weights_of
from symscope.models.real_rnn import RealRNN
from symscope.programs.reading import program_in
from symscope.report.found import Found, found_in
from symscope.report.gallery import Entry, best, gallery
from symscope.report.pictures import Picture, pictures
from symscope.studies.programs.extraction import network_in
from symscope.studies.programs.published import SOLVED
from symscope.tasks import ALGORITHMS, algorithm
from symscope.tasks.programmed import Programmed

WIDEST = 8
"""Weights of wider states are not drawn."""


def write_gallery(
    folder: Path, networks: Path, engine: Engine, matching: Sequence[str]
) -> Iterator[str]:
    """Write `folder/gallery.html`; yields each task's name as it is drawn.

    Tasks that are not in `matching` are shown without pictures.
    """
    found = _extractions(folder / "units")
    made: dict[str, set[str]] = defaultdict(set)
    entries: dict[str, Entry] = {}
    asked = (Job(name, _entry, (name, networks, [f for f, _ in found[name]], name in matching))
             for name in ALGORITHMS)  # fmt: skip
    for outcome in run_jobs(asked, engine):
        entries[outcome.job.name] = outcome.get()
        yield outcome.job.name
    for record in (r for each in found.values() for _, r in each):
        for key, value in dict(record.config.get("made") or {}).items():
            made[key].add(str(value))
    text = gallery(
        [entries[name] for name in ALGORITHMS],
        {key: ", ".join(sorted(values)) for key, values in made.items()},
        "symscope bench programs",
    )
    write_whole(folder / "gallery.html", lambda p: p.write_text(text, encoding="utf8"))


def _extractions(units: Path) -> dict[str, list[tuple[Found, Evidence]]]:
    """What was found in the networks of each task, by seed, with the record that says so."""
    listed: dict[str, list[tuple[Found, Evidence]]] = defaultdict(list)
    for path in sorted(units.glob("extract-*.json")):
        records = read_evidence(path)
        found = found_in(records)
        if found is not None and found.task in ALGORITHMS:
            listed[found.task].append((found, records[0]))
    return listed


def _entry(name: str, networks: Path, found: list[Found], draw: bool) -> Entry:
    """One task, drawn from the network that the best program is of."""
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    task, chosen = algorithm(name), best(found)
    there = sorted(networks.glob(f"{name}-[0-9]*.safetensors"))
    seed = 0 if chosen is None else chosen.seed
    path = networks / f"{name}-{seed}.safetensors"
    try:
        module = network_in(path) if path.exists() else None
        drawn = _drawn(module, task, chosen) if module is not None and chosen and draw else []
    except SymscopeError as error:
        module, drawn = None, [Picture("none", "No pictures.", str(error))]
    trained = _described(task, module, len(there))
    return Entry(name, name in SOLVED, trained, len(there), found, drawn)


def _drawn(module: RealRNN, task: Programmed, chosen: Found) -> list[Picture]:
    program = program_in(chosen.source) if chosen.source else None
    return pictures(module, task.program.inputs, task.length, program, WIDEST)


def _described(task: Programmed, module: RealRNN | None, count: int) -> str:
    """What the networks read, how many there are, and the shape of the one shown."""
    inputs = ", ".join(f"{v.name} {v.low:g}..{v.high:g}" for v in task.program.inputs)
    read = f"Reads {inputs} at each of {task.length} steps."
    if module is None:
        return f"{read} No network of it is here." if not count else f"{read} {count} trained."
    try:
        weights = weights_of(module)
    except SymscopeError:
        return f"{read} {count} trained, of another form than an MLP."
    f = " → ".join(str(n) for n in (weights.width + weights.inputs,
                                    *(len(layer.bias) for layer in weights.f)))  # fmt: skip
    g = " → ".join(str(n) for n in (weights.width, *(len(layer.bias) for layer in weights.g)))
    return f"{read} {count} trained; shown: a state of {weights.width}, f {f}, g {g}."
