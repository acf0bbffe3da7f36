"""A network of one task filed as another's: its program has to be its own task's, not the file's.

The other task has the same input ranges and the same length, so that nothing but the network can
tell the extractor which it is.
"""

from pathlib import Path

from symscope.evidence import Counterexample, Evidence, Proof
from symscope.extract import extract, machine_of
from symscope.jobs import Settings, Unit
from symscope.programs.printing import python_source
from symscope.studies.programs.extraction import SECONDS, network_in
from symscope.tasks import ALGORITHMS, algorithm
from symscope.verify import Domain, equivalent

PROVING = 60.0


def alike(name: str) -> list[str]:
    """The tasks of the same input ranges and length, from the next in the list on, cyclic."""
    names = list(ALGORITHMS)
    at = names.index(name)
    return [other for other in names[at + 1 :] + names[:at] if _seen(other) == _seen(name)]


def _seen(name: str) -> tuple[list[range], int]:
    rule = ALGORITHMS[name]
    return list(rule.inputs.values()), rule.length


def misfiled_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """Whether the network of the next task alike, filed as this one, gives its own task's program.

    The score is 1 where the program is proven equal to its own rule and refuted as this task's,
    with a counterexample. The check that the network does the task is left out: it would stop here.
    """
    _, name, seed_text = unit
    seed, filed, own = int(seed_text), algorithm(name), algorithm(alike(name)[0])
    module = network_in(Path(settings["networks"]) / f"{own.name}-{seed}.safetensors")
    machine = machine_of(module, filed.program.inputs, filed.length)
    found = extract(machine, seconds=settings.get("seconds", SECONDS), seed=seed)
    claim = f"programs.controls.misfiled.{name}"
    config = {"network_of": own.name, "tried": dict(found.tried)}
    if found.chosen is None:
        return [Evidence(claim, 0.0, None, None, 1, "own program", seeds=[seed], config=config,
                         seconds=found.seconds, note="no program fits")]  # fmt: skip
    program = found.chosen.program
    answers = [
        equivalent(program, task.program, Domain(filed.program.inputs), seconds=PROVING, seed=seed)
        for task in (own, filed)
    ]
    as_own, as_filed = isinstance(answers[0], Proof), isinstance(answers[1], Counterexample)
    config |= {"source": python_source(program), "as_its_own": str(answers[0]),
               "as_filed": str(answers[1])}  # fmt: skip
    return [Evidence(claim, float(as_own and as_filed), None, None, 1, "own program", seeds=[seed],
                     config=config, seconds=found.seconds)]  # fmt: skip
