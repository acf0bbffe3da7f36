"""The replication, network by network: train, examine every variable, keep what was found."""

from dataclasses import replace
from pathlib import Path

import torch

from symscope.align import Search, examine, unchanged
from symscope.align.agreement import splits
from symscope.align.swap import Swap
from symscope.alignment import Alignment, blocks
from symscope.evidence import Evidence, wilson
from symscope.featurizer import Rotation
from symscope.jobs import Unit
from symscope.localize.attention import edit_shifts_the_end
from symscope.models.load import build, default_site, fill, load_weights, save_network
from symscope.network import Network
from symscope.task import IGNORE
from symscope.tasks.numbers import VOCABULARY, Counting
from symscope.train import Schedule, train

KINDS = ("multi", "single", "same")
ARCHITECTURES = ("gru", "lstm", "transformer")
WIDTH = 20
WIDTHS = (8, 16, 32, 48, 96)
BEYOND = (21, 22, 23, 24, 25, 30)
"""Counts beyond the longest trained, which is 20."""
CHECKPOINTS = (50, 100, 200, 400, 600)
VARIABLES = (
    ("up_down", "count"),
    ("up_down", "phase"),
    ("up_up", "demo"),
    ("up_up", "resp"),
    ("progress", "progress"),
)
Preset = dict[str, int]


def search_of(preset: Preset) -> Search:
    """1,000 steps, as published, or fewer; the presets allow no more."""
    return Search(steps=min(1000, preset["most"]), most=preset["most"])


def untrained(arch: str, seed: int, preset: Preset) -> Network | None:
    """A fresh network of the same form, for the seeds that have fitted controls."""
    if seed >= preset["controls"]:
        return None
    return Network(build(arch, len(VOCABULARY), WIDTH, seed + 1000))


def trained(
    unit: Unit,
    task: Counting,
    arch: str,
    width: int,
    seed: int,
    schedule: Schedule,
    folder: Path,
    **options: int | str,
) -> tuple[Network, Evidence]:
    """The unit's network, trained or read, and the evidence of its training."""
    name = "-".join(unit)
    module = build(arch, len(VOCABULARY), width, seed, **options)
    evidence = train(module, task, folder / "training" / name, schedule, seed)
    config = {"architecture": arch, "vocabulary": len(VOCABULARY), "width": width, **options}
    save_network(folder / "networks" / f"{name}.safetensors", module, config)
    history = [h for h in evidence.config["history"] if "accuracy" in h]
    claim = f"numbers.{task.name}.{arch}.accuracy"
    kept = {"epochs": evidence.config["epochs"], "history": history, "width": width}
    return Network(module), replace(evidence, claim=claim, config=kept)


def start(arch: str, program: str, variable: str, width: int, seed: int) -> Alignment:
    """Half of the site's dimensions for one variable, from a random rotation."""
    whole = 2 * width if arch == "lstm" else width
    rotation = Rotation(whole, whole // 2, seed)
    return blocks(program, default_site(arch), rotation, {variable: whole // 2})


def main_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """One network of the table: every variable of every program, and how it extrapolates."""
    _, kind, arch, seed_text = unit
    seed, task = int(seed_text), Counting(kind)
    network, accuracy = main_network(unit, preset, folder)
    if accuracy.score != 1:
        return [replace(accuracy, note="below the gate: not analysed")]
    fresh, search = untrained(arch, seed, preset), search_of(preset)
    found: list[Evidence] = [accuracy, *extrapolation(network, task, arch, seed)]
    for program, variable in VARIABLES:
        if program == "progress" and seed >= preset["more_seeds"]:
            continue
        begun = start(arch, program, variable, WIDTH, seed)
        alignment, evidence = examine(network, task, begun, fresh, search, seed)
        claim = f"numbers.{kind}.{arch}.{program}.{variable}.iia"
        found.append(replace(evidence, claim=claim))
        alignment.save(folder / "alignments" / f"{'-'.join(unit)}-{variable}.safetensors")
        if variable == "count":
            found.append(gradience(network, task, alignment, f"{kind}.{arch}.{WIDTH}", seed))
    same = unchanged(network, task, default_site(arch), seed)
    return [*found, replace(same, claim=f"numbers.{kind}.{arch}.ctx_distr.unchanged.iia")]


def main_network(unit: Unit, preset: Preset, folder: Path) -> tuple[Network, Evidence]:
    """The network of a main unit, trained or read, and the evidence of its training."""
    _, kind, arch, seed = unit
    recurrent = arch != "transformer"
    schedule = Schedule(preset["epochs"], stop=not recurrent, own_answers=recurrent)
    return trained(unit, Counting(kind), arch, WIDTH, int(seed), schedule, folder)


def extrapolation(network: Network, task: Counting, arch: str, seed: int) -> list[Evidence]:
    """Accuracy on N = 21 to 30, 50 sequences each."""
    longer = Counting(task.kind, highest=max(BEYOND))
    found = []
    for n in BEYOND:
        inputs = longer.sequences(torch.full((50,), n), torch.Generator().manual_seed(n))
        output, target = network.run(inputs).output.argmax(-1), longer.correct(inputs)
        right = ((output == target) | (target == IGNORE)).all(1)
        low, high = wilson(int(right.sum()), 50)
        claim = f"numbers.extrapolation.{task.kind}.{arch}.n{n}"
        found.append(
            Evidence(
                claim,
                float(right.float().mean()),
                low,
                high,
                50,
                "accuracy",
                {"at_20": 1.0},
                [seed],
            )
        )
    return found


def gradience(
    network: Network, task: Counting, alignment: Alignment, name: str, seed: int
) -> Evidence:
    """Count's IIA on 10,000 fresh pairs, by source and base count and by their distance."""
    pairs = task.pairs(task.program, ("count",), 10_000, seed + 500, "test")
    handle = alignment["count"]
    swap = Swap(network, handle.site, pairs)
    right = swap.right(handle.featurizer, handle.coordinates)
    low, high = wilson(int(right.sum()), len(right))
    no_op = float(swap.right_with(swap.base).float().mean())
    return Evidence(
        f"numbers.gradience.{name}.count.iia",
        float(right.float().mean()),
        low,
        high,
        len(right),
        controls={"no_op": no_op},
        seeds=[seed],
        config=splits(right, pairs),
    )


def size_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """A GRU of another width on Multi-Object, with Count's IIA at several epochs of training."""
    _, width_text, seed_text = unit
    width, seed, task = int(width_text), int(seed_text), Counting("multi")
    at = [c for c in CHECKPOINTS if c <= preset["epochs"] and width != max(WIDTHS)]
    schedule = Schedule(preset["epochs"], stop=False, checkpoints=at)
    network, accuracy = trained(unit, task, "gru", width, seed, schedule, folder)
    search = search_of(preset)
    curve = {h["epoch"]: h["accuracy"] for h in accuracy.config["history"]}
    found = [replace(accuracy, claim=f"numbers.size.{width}.accuracy")]
    begun = start("gru", "up_down", "count", width, seed)
    alignment, final = examine(network, task, begun, None, search, seed)
    found.append(replace(final, claim=f"numbers.size.{width}.count.iia"))
    found.append(gradience(network, task, alignment, f"multi.gru.{width}", seed))
    longer = extrapolation(network, task, "gru", seed)
    found += [replace(e, claim=f"numbers.size.{width}.{e.claim.split('.')[-1]}") for e in longer]
    for epoch in at:
        path = (
            folder / "training" / "-".join(unit) / "checkpoints" / f"epoch-{epoch:05}.safetensors"
        )
        module = build("gru", len(VOCABULARY), width, seed)
        fill(module, load_weights(path), path)
        _, then = examine(Network(module), task, begun, None, replace(search, most=1000), seed)
        claim = f"numbers.training.{width}.epoch{epoch}.count.iia"
        controls = {**then.controls, "accuracy": curve.get(epoch, 0.0)}
        found.append(replace(then, claim=claim, controls=controls))
    return found


def variable_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """A transformer on a variable-length task: does a full swap change nothing?"""
    _, kind, seed_text = unit
    seed, task = int(seed_text), Counting(kind, void=0.2)
    schedule = Schedule(preset["epochs"], own_answers=False)
    network, accuracy = trained(unit, task, "transformer", WIDTH, seed, schedule, folder)
    if accuracy.score != 1:
        return [replace(accuracy, note="below the gate: not analysed")]
    same = unchanged(network, task, default_site("transformer"), seed)
    claim = f"numbers.{task.name}.transformer.ctx_distr.unchanged.iia"
    return [accuracy, replace(same, claim=claim)]


def edit_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """One layer, no positions: an extra strength-value pair moves the end by one response."""
    _, kind, seed_text = unit
    seed, task = int(seed_text), Counting(kind, minimal=True)
    schedule = Schedule(preset["epochs"], own_answers=False)
    network, accuracy = trained(
        unit, task, "transformer", WIDTH, seed, schedule, folder, layers=1, positions="none"
    )
    if accuracy.score != 1:
        return [replace(accuracy, note="below the gate: not analysed")]
    return [accuracy, *edit_shifts_the_end(network, task, f"numbers.{task.name}.attention", seed)]
