"""A program out of a network that counts: extracted without the rule, completed, proven."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.align import examine
from symscope.evidence import Evidence, Proof, SymscopeError, Unknown, wilson
from symscope.extract import Extraction, Grammar, Machine, extract, token_machine
from symscope.extract.cost import length
from symscope.extract.extract import fidelity
from symscope.extract.rows import watched
from symscope.jobs import Unit
from symscope.models.load import build
from symscope.program import Program
from symscope.programs.counting import ANY
from symscope.programs.joined import answered, given_where
from symscope.programs.printing import python_source
from symscope.proof import Counterexample
from symscope.studies.numbers.beyond import stored
from symscope.studies.numbers.units import WIDTH, Preset, search_of, start
from symscope.task import IGNORE
from symscope.tasks.numbers import EOS, PAD, VOCABULARY, Counting
from symscope.verify import Domain, equivalent

SECONDS, PROVING = 20.0, 120.0
"""For the search of one formula, and for the proof."""
FRESH, EACH = 1000, 15
"""Fresh sequences that the program is compared on, and sequences for each N beyond."""
FARTHER = 2
"""So many times the largest trained N is looked at."""


def extract_unit(unit: Unit, preset: Preset, folder: Path) -> list[Evidence]:
    """The program of a main unit's network, proven, and each of its variables aligned back."""
    _, kind, arch, seed_text = unit
    seed, task, name = int(seed_text), Counting(kind), f"numbers.{kind}.{arch}.extracted"
    network = stored(unit, preset, folder)
    fresh = build(arch, len(VOCABULARY), WIDTH, seed + 1000)
    program, found = learned(network.module, fresh, task, name, seed)
    if program is None:
        return found
    own = replace(task, others=(program,))
    for variable in found[0].config["variables"]:
        begun = start(arch, program.name, variable, WIDTH, seed)
        _, evidence = examine(network, own, begun, None, search_of(preset), seed)
        found.append(replace(evidence, claim=f"{name}.{variable}.iia"))
    return found


def counting_machine(module: nn.Module, task: Counting) -> Machine:
    """The network on the task's sequences of every N, held-out ones too; its answers alone.

    The task hands over its sequences and which steps are scored, not what is right there.
    """

    def draw(count: int, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return task.sample(count, generator, training=False)[..., None]

    def asked(x: Tensor) -> Tensor:
        return task.correct(x[..., 0]) != IGNORE

    steps = task.enumerate().shape[1]
    return token_machine(module, len(VOCABULARY), steps, Grammar(draw, asked))


def learned(
    module: nn.Module,
    untrained: nn.Module,
    task: Counting,
    name: str,
    seed: int = 0,
    seconds: float = SECONDS,
) -> tuple[Program | None, list[Evidence]]:
    """The program that a network has learned, completed, and the evidence on it.

    `name` begins the claims: `.fidelity` (to the network, on fresh sequences), and `.proof` (that
    it equals Up-Down on legal sequences of any N). None where no program fits.
    """
    machine = counting_machine(module, task)
    found = extract(machine, seconds=seconds, seed=seed)
    if found.chosen is None:
        missing = Evidence(f"{name}.fidelity", None, None, None, 0, "share of sequences",
                           seeds=[seed], seconds=found.seconds, config={"tried": found.tried},
                           note="no program fits")  # fmt: skip
        return None, [missing]
    program = completed(found.chosen.program, task)
    share = fidelity(program, watched(machine, FRESH, seed + 2))
    other = watched(counting_machine(untrained, task), FRESH, seed + 2)
    low, high = wilson(round(share * FRESH), FRESH)
    proof = proven(program, task, seed)
    config = _config(found, program) | {
        "verdict": type(proof).__name__.lower(), "said": str(proof), "rule": task.program.name,
        "agrees_to": agrees_to(module, program, task), "trained_to": task.highest,
    }  # fmt: skip
    if isinstance(proof, Counterexample):
        config["inputs"] = proof.inputs
    if isinstance(proof, Unknown):
        config["said"] += "; " + "; ".join(proof.tried)
    held = float(isinstance(proof, Proof))
    return program, [
        Evidence(f"{name}.fidelity", share, low, high, FRESH, "share of sequences",
                 {"untrained_network": fidelity(program, other)}, [seed], found.seconds, config,
                 note="Wilson interval, one seed"),
        Evidence(f"{name}.proof", held, None, None, 1, "proven", seeds=[seed],
                 seconds=proof.seconds, note=str(proof)),
    ]  # fmt: skip


def completed(program: Program, task: Counting) -> Program:
    """The program with ANY as its output at the steps at which no token is asked for.

    Where one of its own variables says which these are, that one is read; else the task's mask, a
    variable of its own, stands beside them.
    """
    x = task.enumerate()
    real = (x != PAD) & (x != EOS)
    asked = task.asked.run(x).output[real].bool()
    steps = range(x.shape[1])
    values = program.run(x, read=[(v, t) for v in program.start for t in steps]).values
    for v in program.start:
        trace = torch.stack([torch.as_tensor(values[v, t]) for t in steps], 1)
        if torch.equal(trace[real].bool(), asked):
            return replace(program, output=given_where(program, v, ANY))
    return answered(program, task.asked, ANY)


def proven(program: Program, task: Counting, seed: int = 0) -> Proof | Counterexample | Unknown:
    """Whether a completed program is the task's own on all legal sequences, however long.

    Where that needs a solver which is not installed, the answer is that it is unknown, and why.
    """
    domain = Domain(task.program.inputs, legal=task.legal)
    try:
        return equivalent(program, task.program, domain, seconds=PROVING, seed=seed)
    except SymscopeError as error:
        statement = f"{program.name} equals {task.program.name}"
        return Unknown(statement, str(domain), (str(error),), 0)


def agrees_to(module: nn.Module, program: Program, task: Counting) -> int:
    """The largest N to which the network still answers as the program does, of twice the trained.

    On 15 sequences of each N; networks fail somewhere beyond what they were trained on, where the
    program goes on.
    """
    longer = replace(task, highest=FARTHER * task.highest, held_out=())
    machine = counting_machine(module, longer)
    for n in range(1, longer.highest + 1):
        x = longer.sequences(torch.full((EACH,), n), torch.Generator().manual_seed(n))
        asked = longer.correct(x) != IGNORE
        same = machine.answers(x[..., None])[..., 0] == program.run(x).output
        if not bool((same | ~asked).all()):
            return n - 1
    return longer.highest


def _config(found: Extraction, program: Program) -> dict[str, Any]:
    """What is told of the search and of the program; `variables` and `text` are what was found."""
    chosen = found.chosen
    assert chosen is not None, "asked for what was found"
    return {
        "route": chosen.route, "why": chosen.why, "tried": dict(found.tried),
        "source": python_source(program, _notes(chosen.program, program)),
        "rules": dict(program.rules), "output": program.output, "start": dict(program.start),
        "variables": list(chosen.program.start), "length": length(chosen.program),
        "text": "; ".join([*(f"{n} = {rule}" for n, rule in chosen.program.rules.items()),
                           f"answer {chosen.program.output}"]),
    }  # fmt: skip


def _notes(found: Program, whole: Program) -> dict[str, str]:
    """What is said of the variables that were given, not found."""
    given = [name for name in whole.start if name not in found.start]
    note = f"given, not found: when a token is asked for ({ANY} elsewhere)"
    return dict.fromkeys(given, note)
