"""What can be swept of the 62 tasks: a network's training, and the program taken out of it."""

from dataclasses import replace
from pathlib import Path

from symscope.evidence import Evidence
from symscope.extract import extract as extract_from
from symscope.extract import machine_of
from symscope.models.load import save_network
from symscope.studies.programs.extraction import SECONDS, graded, network_in
from symscope.studies.programs.settings import setting_of
from symscope.tasks import algorithm
from symscope.train_copies import train_copies

NETWORK = "network.safetensors"


def train(
    folder: Path, *, task: str = "bitwise_xor", width: int | None = None, steps: int | None = None,
    seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """A network for one of the tasks, kept; width and steps are the study's where not given."""
    chosen, rule = setting_of(task), algorithm(task)
    plan = chosen.plan if steps is None else replace(chosen.plan, steps=steps)
    module, evidence = train_copies(rule, width or chosen.width, chosen.f, chosen.g, plan, seed)
    save_network(folder / NETWORK, module, {"architecture": "real_mlp", **evidence.config["shape"]})
    return [replace(evidence, claim=f"programs.{task}.network.accuracy")]


def extract(
    folder: Path, *, task: str = "bitwise_xor", seconds: float = SECONDS, seed: int = 0
) -> list[Evidence]:
    """The program, graded against the rule and proven; `seconds` for the search of one formula."""
    rule = algorithm(task)
    machine = machine_of(network_in(folder / NETWORK), rule.program.inputs, rule.length)
    return graded(task, rule, machine, extract_from(machine, seconds=seconds, seed=seed), seed)
