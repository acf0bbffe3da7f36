"""One constant of a right program changed by one: the verifier has to find that it is wrong.

Each integer of each rule, of the output and of the start values is changed in turn, up and down.
A change that the verifier proves to change nothing is compared with the rule by running both; one
that differs there would be a false proof.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from symscope.evidence import (
    Counterexample,
    Evidence,
    Proof,
    SymscopeError,
    read_evidence,
    wilson,
)
from symscope.jobs import Settings, Unit
from symscope.program import Program
from symscope.programs.reading import program_in
from symscope.studies.programs.extraction import share_right
from symscope.tasks import algorithm
from symscope.tasks.programmed import Programmed
from symscope.verify import Domain, equivalent

PROVING = 60.0
LONGER = 10
"""How many times the trained length a claimed proof is compared at too."""
KINDS = ("found", "idle", "unknown", "refused", "not replayed", "false proof")
"""What can become of a change; `refused` divides by zero."""


def right_program(folder: Path, name: str, seed: int) -> Program | None:
    """The extracted program of a network, where it solved the task."""
    path = folder / "units" / f"extract-{name}-{seed}.json"
    for record in read_evidence(path) if path.exists() else ():
        if record.claim == f"programs.{name}.solved" and record.score == 1:
            return program_in(record.config["source"], str(path))
    return None


def changed_constants(program: Program) -> Iterator[tuple[str, Program]]:
    """Every program that differs in one integer by one, and what was changed, in words.

    >>> from symscope.program import Variable
    >>> bit, odd = (Variable("bit", 0, 1),), (Variable("odd", 0, 1),)
    >>> flips = Program("flips", bit, odd, {"odd": "(odd + bit) % 2"}, "odd", start={"odd": 0})
    >>> [words for words, _ in changed_constants(flips)]
    ['2 → 1 in odd', '2 → 3 in odd', 'odd starts at -1', 'odd starts at 1']
    """
    for name in program.rules:
        for words, text in _texts(program.trees[name]):
            yield f"{words} in {name}", replace(program, rules={**program.rules, name: text})
    for words, text in _texts(program.trees[None]):
        yield f"{words} in the output", replace(program, output=text)
    for name, value in program.start.items():
        for by in (-1, 1):
            start = {**program.start, name: value + by}
            yield f"{name} starts at {value + by}", replace(program, start=start)


def _texts(tree: ast.expr) -> Iterator[tuple[str, str]]:
    count = sum(map(_is_integer, ast.walk(tree)))
    for index in range(count):
        for by in (-1, 1):
            other = copy.deepcopy(tree)
            constant = [n for n in ast.walk(other) if _is_integer(n)][index]
            assert isinstance(constant, ast.Constant), "chosen as one"
            before = int(str(constant.value))
            constant.value = before + by
            yield f"{before} → {before + by}", ast.unparse(other)


def _is_integer(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def changed_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """The share of the changes that matter for which a counterexample is found.

    Changes that provably change nothing do not count; `config` has how many there are of each
    kind, and every change that is not simply found out. A counterexample counts when running both
    programs on it shows the difference.
    """
    _, name, seed_text = unit
    seed, task = int(seed_text), algorithm(name)
    claim = f"programs.controls.changed.{name}"
    program = right_program(Path(settings["extracted"]), name, seed)
    if program is None:
        return [Evidence(claim, None, None, None, 0, "found", seeds=[seed],
                         note="there is no right program to change")]  # fmt: skip
    kinds: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    others, seconds = [], 0.0
    for words, changed in changed_constants(program):
        kind, took = outcome(changed, task, seed)
        kinds[kind] += 1
        seconds += took
        if kind != "found":
            others.append(f"{kind}: {words}")
    matter = sum(kinds.values()) - kinds["idle"] - kinds["refused"]
    config: dict[str, Any] = {"changes": sum(kinds.values()), "kinds": dict(kinds),
                              "others": others}  # fmt: skip
    if not matter:
        return [Evidence(claim, None, None, None, 0, "found", seeds=[seed], seconds=seconds,
                         config=config, note="no constant matters")]  # fmt: skip
    low, high = wilson(kinds["found"], matter)
    return [Evidence(claim, kinds["found"] / matter, low, high, matter, "found", seeds=[seed],
                     seconds=seconds, config=config)]  # fmt: skip


def outcome(changed: Program, task: Programmed, seed: int) -> tuple[str, float]:
    """One of `KINDS`, and the seconds that the verifier took."""
    domain = Domain(task.program.inputs)
    try:
        answer = equivalent(changed, task.program, domain, seconds=PROVING, seed=seed)
    except SymscopeError:
        return "refused", 0.0
    if isinstance(answer, Counterexample):
        shown = _differ(changed, task.program, answer)
        return ("found" if shown else "not replayed"), answer.seconds
    if not isinstance(answer, Proof):
        return "unknown", answer.seconds
    uniform = Programmed(task.program, length=task.length)
    same = all(
        share_right(changed, each, steps, seed)[0] == 1
        for each, steps in ((uniform, task.length), (task, LONGER * task.length))
    )
    return ("idle" if same else "false proof"), answer.seconds


def _differ(one: Program, other: Program, said: Counterexample) -> bool:
    """Whether the last answers to the counterexample are different, as it says they are."""
    tokens = np.array(said.inputs, dtype=object)[None]
    found, expected = (p.run(tokens).output[:, -1] for p in (one, other))
    return bool(np.any(found != expected))
