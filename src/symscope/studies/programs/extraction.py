"""One program from one network: extracted without the rule, then graded against it and proven."""

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from symscope.evidence import Counterexample, Evidence, Proof, SymscopeError
from symscope.extract import Extraction, extract, machine_of
from symscope.extract.cost import length
from symscope.extract.grounded import grounding
from symscope.extract.machine import Machine
from symscope.extract.readable import meanings
from symscope.files import refusing
from symscope.jobs import Settings, Unit
from symscope.models.load import load_network, load_weights
from symscope.models.real_rnn import RealRNN, from_published
from symscope.program import Program
from symscope.programs.printing import python_source
from symscope.tasks import algorithm
from symscope.tasks.programmed import Programmed
from symscope.train_copies import answers_right
from symscope.verify import Domain, equivalent

LISTED = 2**20
"""So many sequences are all graded; of more, a sample is."""
SAMPLED, LONGER = 100_000, 10_000
"""Sequences graded at the trained length and at ten times it."""
GROWING = 64
"""A register larger than this at the trained length may outgrow 64 bits at ten times it."""
SECONDS = 20.0
"""For the search of one formula."""


def extraction_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """What was extracted from `networks/TASK-SEED.safetensors` (TASK.gru, …), graded and proven.

    The extractor is given the network, the ranges of its inputs and the trained length. Claims:
    solved (equal to the rule at the trained length), generalises (at ten times it), proof, length.
    """
    _, name, seed_text = unit
    seed, task = int(seed_text), algorithm(name.split(".")[0])
    networks = Path(settings.get("networks") or folder / "networks")
    module = network_in(networks / f"{name}-{seed}.safetensors")
    machine = machine_of(module, task.program.inputs, task.length)
    wrong = ~answers_right(module, task, seed)[0]
    if bool(wrong.any()):
        why = (
            f"not eligible: the network is not perfect, {int(wrong.sum())} of {len(wrong):,} wrong"
        )
        return [_missing(name, seed, why)]
    _memory(forget=True)
    found = extract(machine, seconds=settings.get("seconds", SECONDS), seed=seed)
    return graded(name, task, machine, found, seed)


def network_in(path: Path) -> RealRNN:
    """A network of symscope's, or weights in the published layout (`models.real_rnn`)."""
    tensors = load_weights(path)
    if path.suffix != ".safetensors" or not _own(path):
        with refusing(f"{path} is not in the published layout"):
            return from_published(tensors, path)
    module, _ = load_network(path)
    if not isinstance(module, RealRNN):
        raise SymscopeError(f"{path} holds a {type(module).__name__}, which reads no numbers")
    return module


def _own(path: Path) -> bool:
    """Whether the file says which network it holds."""
    with safe_open(path, framework="pt") as file:
        return "symscope" in (file.metadata() or {})


def graded(
    name: str, task: Programmed, machine: Machine, found: Extraction, seed: int
) -> list[Evidence]:
    """The evidence on one extraction."""
    config: dict[str, Any] = {
        "tried": dict(found.tried), "memory_mb": _memory(),
        "undecided": None if found.undecided is None else asdict(found.undecided),
    }  # fmt: skip
    if found.chosen is None:
        return [_missing(name, seed, "no program fits", config, found.seconds)]
    program = found.chosen.program
    inside = grounding(machine, program, seed)
    places = {} if inside is None else inside.places
    notes = {name: f"{said}\n{places[name]}" if name in places else said
             for name, said in meanings(program).items()}  # fmt: skip
    config |= {
        "route": found.chosen.route, "why": found.chosen.why,
        "source": python_source(program, notes),
        "registers": len(program.start), "rules": dict(program.rules), "output": program.output,
        "start": dict(program.start),
        "grounding": None if inside is None else asdict(inside) | {"grounded": inside.grounded},
    }  # fmt: skip
    seeds = [seed]
    trained, count = share_right(program, task, task.length, seed)
    longer, more = share_right(program, task, 10 * task.length, seed)
    began = time.monotonic()
    domain = Domain(task.program.inputs)
    answer = equivalent(program, task.program, domain, seconds=60.0, seed=seed)
    proven = isinstance(answer, Proof)
    config |= {"right": trained, "verdict": type(answer).__name__.lower(), "said": str(answer),
               "seconds_to_prove": time.monotonic() - began}  # fmt: skip
    if isinstance(answer, Counterexample):
        config["inputs"] = answer.inputs
    if isinstance(answer, Proof):
        config["proof"] = {"kind": answer.kind, "method": answer.method, "cases": answer.cases,
                           "relations": list(answer.invariants)}  # fmt: skip
    claims: Sequence[tuple[str, float, int, str]] = (
        ("solved", float(trained == 1), count, "solved"),
        ("generalises", longer, more, "share of sequences"),
        ("proof", float(proven), 1, "proven"),
        ("length", float(length(program)), 1, "nodes and bits"),
    )
    return [
        Evidence(f"programs.{name}.{claim}", score, None, None, n, unit, seeds=seeds,
                 seconds=found.seconds if claim == "solved" else 0.0,
                 config=config if claim == "solved" else {})
        for claim, score, n, unit in claims
    ]  # fmt: skip


def share_right(program: Program, task: Programmed, steps: int, seed: int) -> tuple[float, int]:
    """The share of sequences that the program answers as the rule does, and of how many."""
    own = task if steps == task.length else algorithm(task.name, steps)
    x = _sequences(own, seed, SAMPLED if steps == task.length else LONGER)
    right = 0
    for part in x.split(2000):
        expected = own.answers(part)
        output = _exactly(program, part) if steps > task.length else program.run(part).output
        same = output.long().view(len(part), -1) == expected.view(len(part), -1)
        right += int(same.all(1).sum())
    return right / len(x), len(x)


def _exactly(program: Program, x: Tensor) -> Tensor:
    """The outputs, with Python's integers where registers may outgrow 64 bits."""
    most = max((max(abs(v.low), abs(v.high)) for v in program.variables), default=0)
    if most < GROWING:
        return torch.as_tensor(program.run(x).output)
    return torch.as_tensor(program.run(x.numpy().astype(object)).output.astype(int))


def _sequences(task: Programmed, seed: int, count: int) -> Tensor:
    """All sequences where they are few enough, else a sample with constant and alternating ones."""
    if task.count <= LISTED:
        return task.enumerate()
    sample = task.sample(count, torch.Generator().manual_seed(seed + 99))
    steps = torch.arange(sample.shape[1])
    ends = sample[:64, :1], sample[64:128, :1]
    shape = (1, -1, *[1] * (sample.dim() - 2))
    alternating = torch.where((steps % 2 == 0).view(shape), *ends)
    return torch.cat([sample, ends[0].expand_as(sample[:64]), alternating])


def _missing(
    name: str, seed: int, why: str, config: dict[str, Any] | None = None, seconds: float = 0.0
) -> Evidence:
    return Evidence(f"programs.{name}.solved", 0.0, None, None, 0, "solved", seeds=[seed],
                    seconds=seconds, config=config or {}, note=why)  # fmt: skip


def _memory(forget: bool = False) -> float:
    """The most memory this process has had, in MB; on Linux since it was last told to forget."""
    status = Path("/proc/self/status")
    if not status.exists():
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1024**2 if sys.platform == "darwin" else 1024)
    if forget:
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = (n for n in status.read_text().splitlines() if n.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
