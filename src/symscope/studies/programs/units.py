"""The networks whose programs are to be found, one unit for each task and seed."""

from dataclasses import replace
from pathlib import Path

from symscope.evidence import Evidence
from symscope.jobs import Settings, Unit
from symscope.models.load import save_network
from symscope.studies.programs.settings import SETTINGS
from symscope.tasks import algorithm
from symscope.train_copies import train_copies

CLEAR = 0.05
"""The margin below which a network that was right on 65,536 sequences may be wrong on the next."""


def network_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """One trained network, kept in `networks/TASK-SEED.safetensors`; the evidence is its accuracy.

    One that is not perfect, or only just, is trained again from another start, each time twice as
    long, at most `attempts` times in all; the config lists [share right, margin, steps] of each.
    The best is kept, perfect or not.
    """
    _, name, seed_text = unit
    seed, task, chosen = int(seed_text), algorithm(name), SETTINGS[name]
    tried = []
    for attempt in range(settings["attempts"]):
        longer = 2**attempt
        plan = replace(chosen.plan, steps=chosen.plan.steps * longer,
                       cool=chosen.plan.cool * longer)  # fmt: skip
        tried.append(
            train_copies(task, chosen.width, chosen.f, chosen.g, plan, 1000 * attempt + seed)
        )
        if tried[-1][1].config["margin"] > CLEAR:
            break
    network, best = max(tried, key=lambda t: (t[1].score, t[1].config["margin"]))
    shape = {"architecture": "real_mlp", **best.config["shape"]}
    save_network(folder / "networks" / f"{name}-{seed}.safetensors", network, shape)
    attempts = [[e.score, e.config["margin"], e.config["steps"]] for _, e in tried]
    return [replace(
        best, claim=f"programs.{name}.network.accuracy", seeds=[seed],
        seconds=sum(e.seconds for _, e in tried), config={**best.config, "attempts": attempts},
    )]  # fmt: skip
