"""The extractor on networks that learned nothing: which programs does it give, is one the rule?

Each is the network that its training begins with, of the same shape and in the same scale, so that
its answers are of the right size. That it is not perfect is what stops such a network in the study;
here it is looked at all the same.
"""

from pathlib import Path
from typing import Any

from symscope.evidence import Evidence
from symscope.extract import extract, machine_of
from symscope.extract.extract import length
from symscope.jobs import Settings, Unit
from symscope.programs.printing import python_source
from symscope.studies.programs.extraction import share_right
from symscope.studies.programs.settings import SETTINGS
from symscope.tasks import algorithm
from symscope.train_copies import answers_right, untrained_copy

SECONDS = 2.0
"""For the search of one formula; a network without a rule uses up all of it, many times over."""


def untrained_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """Whether what is extracted from the untrained network is the rule at the trained length.

    The config says whether there was any program, which share of the sequences it answers as the
    rule does, and which share the network itself does.
    """
    _, name, seed_text = unit
    seed, task, chosen = int(seed_text), algorithm(name), SETTINGS[name]
    module = untrained_copy(task, chosen.width, chosen.f, chosen.g, chosen.plan, seed)
    machine = machine_of(module, task.program.inputs, task.length)
    found = extract(machine, seconds=settings.get("seconds", SECONDS), seed=seed)
    right = float(answers_right(module, task, seed)[0].float().mean())
    config: dict[str, Any] = {"tried": dict(found.tried), "network_right": right}
    share, count = 0.0, 0
    if found.chosen is not None:
        program = found.chosen.program
        share, count = share_right(program, task, task.length, seed)
        config |= {"route": found.chosen.route, "source": python_source(program),
                   "length": length(program), "share_right": share}  # fmt: skip
    return [
        Evidence(
            f"programs.controls.untrained.{name}", float(share == 1), None, None, count, "solved",
            seeds=[seed], seconds=found.seconds, config=config,
        )
    ]  # fmt: skip
