"""Beyond the publication: several variables at once, a more flexible map, why Same-Object fails.

These units ask about the networks that the main units of the same task and seed train.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from symscope.align import examine, require_gate
from symscope.align.by_phase import by_phase
from symscope.align.together import together
from symscope.alignment import blocks
from symscope.evidence import Evidence, write_whole
from symscope.featurizer import Linear, Rotation
from symscope.jobs import Unit
from symscope.models.load import build, default_site, fill, load_weights
from symscope.network import Network
from symscope.site import Site
from symscope.studies.numbers.units import (
    WIDTH,
    Preset,
    main_network,
    search_of,
    start,
    trained,
    untrained,
)
from symscope.tasks.numbers import VOCABULARY, Counting
from symscope.train import Schedule


def together_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """Count and Phase in one rotation with a null block; and a more flexible, linear map."""
    _, kind, arch, seed_text = unit
    seed, task = int(seed_text), Counting(kind)
    network, search = stored(unit, preset, folder), search_of(preset)
    claim = f"numbers.{kind}.{arch}"
    found = [
        replace(e, claim=f"{claim}.up_down.{e.claim}")
        for e in together(network, task, default_site(arch), search, seed)
    ]
    width = 2 * WIDTH if arch == "lstm" else WIDTH
    fresh = untrained(arch, seed, preset)
    maps = {"oaf": Rotation(width, width, seed), "laf": Linear(width, width, seed)}
    for name, featurizer in maps.items():
        begun = blocks("up_down", default_site(arch), featurizer, {"count": width // 2})
        _, evidence = examine(network, task, begun, fresh, search, seed)
        found.append(replace(evidence, claim=f"{claim}.up_down.count_{name}.iia"))
    return found


def phase_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """Why alignment fails across phases: coordinates that depend on the phase, and LSTM h and c."""
    _, kind, arch, seed_text = unit
    seed, task, claim = int(seed_text), Counting(kind), f"numbers.{kind}.{arch}.up_down"
    network, site = stored(unit, preset, folder), default_site(arch)
    search = search_of(preset)
    fresh = untrained(arch, seed, preset)
    evidence = by_phase(network, task, site, fresh, search, seed)
    found = [replace(evidence, claim=f"{claim}.count_by_phase.iia")]
    for part in ("h", "c") if arch == "lstm" else ():
        rotation = Rotation(WIDTH, WIDTH // 2, seed)
        begun = blocks("up_down", Site("rnn", part), rotation, {"count": WIDTH // 2})
        _, evidence = examine(network, task, begun, None, search, seed)
        found.append(replace(evidence, claim=f"{claim}.count_in_{part}.iia"))
    return found


def search_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """Is it the search? Count with other subspace sizes, starts, another rate, more steps."""
    _, kind, arch, seed_text = unit
    seed, task, site = int(seed_text), Counting(kind), default_site(arch)
    network, search = stored(unit, preset, folder), search_of(preset)
    width = 2 * WIDTH if arch == "lstm" else WIDTH
    half = width // 2
    tried = {f"k{k}": (k, seed, search) for k in (1, 2, 5, 15, 18)}
    tried |= {f"start{i}": (half, seed + 10 * i, search) for i in (1, 2)}
    tried |= {
        "rate_0.01": (half, seed, replace(search, rate=1e-2)),
        "steps_5000": (half, seed, replace(search, steps=5 * search.steps, most=5 * search.steps)),
    }
    found = []
    for name, (size, at, effort) in tried.items():
        begun = blocks("up_down", site, Rotation(width, size, at), {"count": size})
        _, evidence = examine(network, task, begun, None, effort, seed)
        claim = f"numbers.search.{kind}.{arch}.count_{name}.iia"
        found.append(replace(evidence, claim=claim))
    return found


def head_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """The other reading of the publication's head: a GRU without a norm, an LSTM with one."""
    _, kind, arch, seed_text = unit
    seed, task, claim = int(seed_text), Counting(kind), f"numbers.other_head.{kind}.{arch}"
    schedule = Schedule(preset["epochs"], stop=False)
    norm = arch == "lstm"
    network, accuracy = trained(unit, task, arch, WIDTH, seed, schedule, folder, head_norm=norm)
    found, search = [replace(accuracy, claim=f"{claim}.accuracy")], search_of(preset)
    if accuracy.score != 1:
        return [replace(found[0], note="below the gate: not analysed")]
    begun = start(arch, "up_down", "count", WIDTH, seed)
    _, evidence = examine(network, task, begun, None, search, seed)
    each = by_phase(network, task, default_site(arch), None, search, seed)
    found.append(replace(evidence, claim=f"{claim}.count.iia"))
    return [*found, replace(each, claim=f"{claim}.count_by_phase.iia")]


def longer_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """Does a network that aligns badly align better with longer training, or phase by phase?

    The training of the main unit goes on to `longer` epochs, and Count is searched for again; the
    main unit's own network is searched with one rotation per phase.
    """
    _, kind, arch, seed_text = unit
    seed, task = int(seed_text), Counting(kind)
    claim, search, site = f"numbers.longer.{kind}.{arch}", search_of(preset), default_site(arch)
    each = by_phase(stored(unit, preset, folder), task, site, None, search, seed)
    found = [replace(each, claim=f"{claim}.count_by_phase_before.iia")]
    before, here = (folder / "training" / "-".join((k, *unit[1:])) / "training.safetensors"
                    for k in ("main", "longer"))  # fmt: skip
    if before.exists() and not here.exists():  # the same training, so the same numbers
        write_whole(here, lambda path: shutil.copyfile(before, path))
    schedule = Schedule(preset["longer"], stop=False)
    network, accuracy = trained(unit, task, arch, WIDTH, seed, schedule, folder)
    found.append(replace(accuracy, claim=f"{claim}.accuracy"))
    if accuracy.score == 1:
        begun = start(arch, "up_down", "count", WIDTH, seed)
        _, evidence = examine(network, task, begun, None, search, seed)
        found.append(replace(evidence, claim=f"{claim}.count.iia"))
    return found


def stored(unit: Unit, preset: Preset, folder: Path) -> Network:
    """The network of the main unit of the same task and seed, which has to be right.

    Where that unit has not come to it yet, it is trained here: the same training, the same network.
    """
    main, (_, kind, arch, _) = ("main", *unit[1:]), unit
    path = folder / "networks" / f"{'-'.join(main)}.safetensors"
    if path.exists():
        module = build(arch, len(VOCABULARY), WIDTH)
        fill(module, load_weights(path), path)
        network = Network(module)
    else:
        network, _ = main_network(main, preset, folder)
    require_gate(network, Counting(kind))
    return network
