"""Programs that are not in a network's states: how many pass for being there all the same?

Held against the states of a network are: the program of *another* task with the same inputs and as
many registers; its own program reading every input one step *late*; its own program with one
constant *changed* in a rule; the same with another *start*; and, which is right in all its answers,
its own program with an *idle* register more, in which the last input is kept and never used.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from symscope.evidence import Evidence, wilson
from symscope.expression import parse
from symscope.extract import machine_of
from symscope.extract.extract import fidelity
from symscope.extract.grounded import grounding
from symscope.extract.rows import watched
from symscope.jobs import Settings, Unit
from symscope.program import Program
from symscope.studies.programs.controls.changed import changed_constants, right_program
from symscope.studies.programs.controls.misfiled import alike
from symscope.studies.programs.extraction import network_in
from symscope.tasks import algorithm

KINDS = ("another", "late", "changed", "start", "idle")
CHECKED = 10_000
"""Sequences on which a program has to differ from the network to be a wrong one."""


def wrong_states_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """For each kind, the share of its programs that pass as grounded in the network's states.

    Those that answer as the network does are left out, but for the idle register, which is meant
    to. The config has each program's numbers: variance, and the shares of swaps as foretold.
    """
    _, name, seed_text = unit
    seed, task = int(seed_text), algorithm(name)
    extracted = Path(settings["extracted"])
    module = network_in(Path(settings["networks"]) / f"{name}-{seed}.safetensors")
    machine = machine_of(module, task.program.inputs, task.length)
    fresh = watched(machine, CHECKED, seed + 1)
    tested: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for kind, words, program in wrong_programs(name, seed, extracted):
        same = fidelity(program, fresh)
        if (same == 1) != (kind == "idle"):
            continue
        inside = grounding(machine, program, seed)
        assert inside is not None, "these networks have states, and these programs registers"
        tested[kind].append(
            {"what": words, "answers_alike": same, "grounded": inside.grounded, **asdict(inside)}
        )
    return [_share(f"programs.controls.states.{kind}.{name}", tested[kind], seed)
            for kind in KINDS]  # fmt: skip


def _share(claim: str, tested: list[dict[str, Any]], seed: int) -> Evidence:
    if not tested:
        return Evidence(claim, None, None, None, 0, "pass", seeds=[seed], note="there is none")
    passing = sum(bool(t["grounded"]) for t in tested)
    low, high = wilson(passing, len(tested))
    return Evidence(claim, passing / len(tested), low, high, len(tested), "pass", seeds=[seed],
                    config={"programs": tested})  # fmt: skip


def wrong_programs(name: str, seed: int, extracted: Path) -> Iterator[tuple[str, str, Program]]:
    """Kind, what it is in words, and the program; none where the task was not solved."""
    program = right_program(extracted, name, seed)
    if program is None:
        return
    for other in alike(name):
        stranger = right_program(extracted, other, seed)
        if stranger is not None and len(stranger.start) == len(program.start):
            yield "another", other, stranger
            break
    yield "late", "inputs one step late", late(program)
    for words, changed in changed_constants(program):
        yield "changed" if changed.start == program.start else "start", words, changed
    yield "idle", "the last input is kept", with_idle_register(program)


def late(program: Program) -> Program:
    """The program whose rules read the inputs of the step before, 0 at first.

    >>> from symscope.program import Variable
    >>> parity = Program("parity", (Variable("bit", 0, 1),), (Variable("odd", 0, 1),),
    ...                  {"odd": "odd ^ bit"}, "odd", start={"odd": 0})
    >>> late(parity).run([1, 1, 1, 0]).output
    [0, 1, 0, 1]
    """
    before = {v.name: f"late_{v.name}" for v in program.inputs}
    rules = {name: _with_names(rule, before) for name, rule in program.rules.items()}
    kept = {before[v.name]: v for v in program.inputs}
    return replace(
        program,
        variables=(*program.variables, *(replace(v, name=n) for n, v in kept.items())),
        rules=rules | {n: v.name for n, v in kept.items()},
        start={**program.start, **dict.fromkeys(kept, 0)},
    )


def with_idle_register(program: Program) -> Program:
    """The same program with one more register, the last input, that nothing reads."""
    first = program.inputs[0]
    return replace(
        program,
        variables=(*program.variables, replace(first, name="idle")),
        rules={**program.rules, "idle": first.name},
        start={**program.start, "idle": 0},
    )


def _with_names(text: str, names: dict[str, str]) -> str:
    tree = parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    return ast.unparse(tree)
