"""The loop on one run directory: train a network to the gate, align variables, keep what is found.

Each function reads what the run holds and leaves its own part there, so that a run that was ended
from outside goes on where it was.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from symscope.align import Search, blocks, examine, require_gate, unchanged
from symscope.align.descend import DEFAULT
from symscope.align.examine import COUNTS
from symscope.alignment import Alignment
from symscope.commands.coordinates import coordinates_of
from symscope.commands.run_directory import (
    alignment_part,
    configured,
    join_alignments,
    record,
    recorded,
    update,
)
from symscope.engines import Job, local, run_jobs
from symscope.evidence import (
    ClaimFailed,
    ComputationFailed,
    Evidence,
    SymscopeError,
    write_json,
    write_whole,
)
from symscope.featurizer import Rotation
from symscope.models.load import (
    build,
    default_site,
    fill,
    load_network,
    load_weights,
    save_network,
)
from symscope.network import Network
from symscope.placement import Placement, put
from symscope.programs.printing import python_source
from symscope.programs.reading import read_program
from symscope.site import Site
from symscope.studies.numbers.extraction import SECONDS, learned
from symscope.tasks.numbers import VOCABULARY, Counting
from symscope.train import Progress, Schedule, train

HIGHEST = 1000
"""The largest count of a network that is trained here: a sequence has twice as many steps."""
EXTRACTED = "extracted.py"
"""The program that was taken out of a run's network."""


@dataclass(frozen=True)
class Claim:
    """That `variable` of `program` lives in `size` coordinates of a site (None: half of them).

    `fitted_controls` repeats the search where there is nothing to find: on an untrained network
    and with permuted sources. That takes three times as long.
    """

    program: str
    variable: str
    size: int | None = None
    site: Site | None = None
    fitted_controls: bool = True


@dataclass(frozen=True)
class Effort:
    """How hard to search for a variable: the search, and the number of pairs per split."""

    search: Search = DEFAULT
    counts: Mapping[str, int] = field(default_factory=lambda: dict(COUNTS))


def task_of(config: Mapping[str, Any]) -> Counting:
    """The task that a run's config names; raises `UnknownName`."""
    settings: dict[str, Any] = {"kind": config.get("task", "multi")}
    if config.get("highest") is not None:
        if config["highest"] > HIGHEST:
            raise SymscopeError(f"highest {config['highest']}: counts up to {HIGHEST:,}")
        settings["highest"] = config["highest"]
    if config.get("held_out") is not None:
        settings["held_out"] = tuple(config["held_out"])
    return Counting(**settings)


def task_in(run: Path) -> Counting:
    """The run's task; the program that was extracted from its network is one to ask about too."""
    path = run / EXTRACTED
    others = (read_program(path),) if path.exists() else ()
    return replace(task_of(configured(run)), others=others)


def train_into(run: Path, schedule: Schedule, where: Placement, progress: Progress) -> Evidence:
    """Train the network that the run's config names, from where it stands; writes the weights."""
    config = configured(run)
    module = put(built(config, config["seed"]), where.alone)
    evidence = train(module, task_of(config), run, schedule, config["seed"], progress)
    keep_network(run, module)
    record(run, [evidence])
    return evidence


def shape_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `build` for the network that a run's config names."""
    shape = {"architecture": config["architecture"], "width": config["width"]}
    return shape | {"vocabulary": len(VOCABULARY)}


def built(config: Mapping[str, Any], seed: int) -> nn.Module:
    """A fresh network of the form that the config names."""
    return build(**shape_of(config), seed=seed)


def read_checkpoint(checkpoint: Path, config: Mapping[str, Any]) -> nn.Module:
    """A network of the form that the config names, with the weights of someone's checkpoint.

    Raises `SymscopeError` where the file is truncated, holds more than tensors, or does not fit.
    """
    module = built(config, 0)
    fill(module, load_weights(checkpoint), checkpoint)
    return module


def keep_network(run: Path, module: nn.Module) -> None:
    """Write the network's weights and form into the run."""
    save_network(run / "network.safetensors", module, shape_of(configured(run)))


def network_of(run: Path, where: Placement) -> tuple[Network, dict[str, Any]]:
    """The run's network, and the arguments of `build` for one like it."""
    path = run / "network.safetensors"
    if not path.exists():
        raise SymscopeError(
            f"{run} holds no network: its training has not ended; go on with"
            f" symscope train … --out {run} --resume"
        )
    module, shape = load_network(path)
    if shape["vocabulary"] != len(VOCABULARY):
        raise SymscopeError(
            f"{path} reads {shape['vocabulary']} tokens; the tasks there are have {len(VOCABULARY)}"
        )
    return Network(put(module, where)), shape


def untrained(network: Network, shape: Mapping[str, Any], where: Placement, seed: int) -> Network:
    """A fresh network of the same form, in the same precision."""
    precision = str(next(network.module.parameters()).dtype).removeprefix("torch.")
    fresh = build(**{**shape, "seed": seed + 1000})
    return Network(put(fresh, replace(where, dtype=precision)))


def align_into(run: Path, claim: Claim, effort: Effort, where: Placement, seed: int) -> Evidence:
    """Search for the claim's variable and score it with its controls; the alignment is kept."""
    task = task_in(run)
    network, shape = network_of(run, where)
    start = starting_point(network, task, shape["architecture"], claim, seed)
    fresh = None
    if claim.fitted_controls:
        fresh = untrained(network, shape, where, seed)
    found, evidence = examine(network, task, start, fresh, effort.search, seed, effort.counts)
    found.save(alignment_part(run, claim.program, claim.variable + _elsewhere(run, claim)))
    notes, width = [evidence.note], evidence.config["width"]
    if claim.size is None and width % 2:
        notes.append(f"width {width} is odd: half of it is taken as {width // 2}")
    return replace(evidence, claim=name_of(run, claim), note="; ".join(notes))


def name_of(run: Path, claim: Claim) -> str:
    """The claim's id: task, architecture, program and variable; a site other than the default."""
    config = configured(run)
    where = f"{task_of(config).name}.{config['architecture']}"
    return f"numbers.{where}.{claim.program}.{claim.variable}{_elsewhere(run, claim)}.iia"


def _elsewhere(run: Path, claim: Claim) -> str:
    usual = claim.site in (None, default_site(configured(run)["architecture"]))
    return "" if usual else "_at_" + re.sub(r"\W+", "_", str(claim.site))


def starting_point(
    network: Network, task: Counting, architecture: str, claim: Claim, seed: int
) -> Alignment:
    """A random rotation at the claim's site, half as large as the site where no size is given."""
    task.hypothesis(claim.program)
    site = claim.site or default_site(architecture)
    pairs = task.pairs(task.hypothesis(claim.program), (claim.variable,), 1, seed, "test")
    place = site.at(pairs.base_step)
    with torch.no_grad():
        value = network.run(pairs.base.to(network.device), read=[place]).values[place]
    size = value.shape[-1] // 2 if claim.size is None else claim.size
    rotation = Rotation(value.shape[-1], size, seed).to(network.device)
    return blocks(claim.program, site, rotation, {claim.variable: size})


def align_all(
    run: Path, claims: Sequence[Claim], effort: Effort, where: Placement, jobs: int
) -> Iterator[Evidence]:
    """Every claim that the run holds no evidence of, `jobs` at a time, as they come in."""
    there = [e.claim for e in recorded(run) if e.score is not None]
    missing = [c for c in claims if name_of(run, c) not in there]
    if not missing:
        return
    seed = configured(run)["seed"]
    asked = (Job(name_of(run, c), align_into, (run, c, effort, where, seed)) for c in missing)
    for outcome in run_jobs(asked, local(jobs)):
        if isinstance(outcome.error, ComputationFailed):
            raise ComputationFailed(
                f"{outcome.error}; what was found is kept: go on with --resume"
            ) from outcome.error
        evidence = outcome.get()
        record(run, [evidence])
        yield evidence


def unchanged_into(run: Path, where: Placement, count: int) -> Evidence:
    """Ctx-Distr, which has no variables: how often replacing the whole state changes nothing."""
    config = configured(run)
    task = task_of(config)
    network, shape = network_of(run, where)
    site = default_site(shape["architecture"])
    evidence = unchanged(network, task, site, config["seed"], count)
    name = f"numbers.{task.name}.{shape['architecture']}.ctx_distr.unchanged.iia"
    evidence = replace(evidence, claim=name)
    record(run, [evidence])
    return evidence


def extract_into(
    run: Path, where: Placement, again: bool = False, seconds: float = SECONDS
) -> list[Evidence]:
    """The program that the run's network has learned, with its proof; kept unless `again`."""
    network, shape = network_of(run, where)
    task, seed = task_of(configured(run)), configured(run)["seed"]
    name = f"numbers.{task.name}.{shape['architecture']}.extracted"
    there = [e for e in recorded(run) if e.claim.startswith(f"{name}.") and e.unit != "IIA"]
    if there and (run / EXTRACTED).exists() and not again:
        return there
    fresh = untrained(network, shape, where, seed)
    program, evidence = learned(network.module, fresh.module, task, name, seed, seconds)
    if program is not None:
        source = evidence[0].config["source"]
        write_whole(run / EXTRACTED, lambda p: p.write_text(source, encoding="utf8"))
    record(run, evidence)
    return evidence


def show_program(run: Path, program: str, where: Placement) -> None:
    """Write what the run's claims about `program` add up to: weights, source, and the picture."""
    task = task_in(run)
    path = join_alignments(run, program, task.hypothesis(program).names)
    source = python_source(task.hypothesis(program))
    write_whole(run / "program.py", lambda p: p.write_text(source, encoding="utf8"))
    alignment = Alignment.load(path)
    if program == "up_down" and "count" in alignment.handles:
        picture = coordinates_of(network_of(run, where)[0], task, alignment["count"])
        write_json(run / "coordinates.json", picture)


def align_one(
    run: Path, claim: Claim, effort: Effort, where: Placement, seed: int | None, anyway: bool
) -> Evidence:
    """`align_into` behind the gate, with all that belongs to it written.

    A network below the gate raises `ClaimFailed` after the record says so; with `anyway` it is
    analysed, and the evidence says that it was below the gate.
    """
    config = configured(run)
    network, shape = network_of(run, where)
    starting_point(network, task_in(run), shape["architecture"], claim, config["seed"])
    below = ""
    try:
        require_gate(network, task_of(config))
    except ClaimFailed as error:
        below = "below the gate: " + str(error).split(" and is not")[0]
        if not anyway:
            record(run, [Evidence(name_of(run, claim), None, None, None, 0, note=below)])
            raise
    evidence = align_into(run, claim, effort, where, config["seed"] if seed is None else seed)
    evidence = replace(evidence, note="; ".join(filter(None, [below, evidence.note])))
    if config.get("program") in (None, claim.program) and not _elsewhere(run, claim):
        update(run, program=claim.program, site=evidence.config["site"])
        show_program(run, claim.program, where)
    record(run, [evidence])  # last: what is recorded is not done again
    return evidence
