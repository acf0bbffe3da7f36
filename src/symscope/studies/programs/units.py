"""The networks whose programs are to be found, one unit for each task and seed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from symscope.evidence import Evidence
from symscope.jobs import Settings, Unit
from symscope.models.load import save_network
from symscope.models.real_rnn import RealRNN
from symscope.studies.programs.settings import CELL_WIDTH, CELLS, setting_of
from symscope.tasks import algorithm
from symscope.train_cell import CellPlan, train_cell
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
    seed, task, chosen = int(seed_text), algorithm(name), setting_of(name)
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
    return [_kept(folder, name, seed, "real_mlp", tried)]


def cell_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """One trained GRU or Elman network, kept in `networks/TASK.gru-SEED.safetensors`.

    The unit is ("cell", "TASK.gru", SEED), or elman; attempts are as in `network_unit`.
    """
    _, named, seed_text = unit
    name, cell = named.split(".")
    seed, plan, tried = int(seed_text), CellPlan(), []
    for attempt in range(settings["attempts"]):
        longer = replace(plan, steps=plan.steps * 2**attempt)
        start = 1000 * attempt + seed
        tried.append(train_cell(algorithm(name), CELLS[cell], CELL_WIDTH, longer, start))
        if tried[-1][1].config["margin"] > CLEAR:
            break
    return [_kept(folder, named, seed, CELLS[cell], tried)]


def _kept(
    folder: Path, name: str, seed: int, architecture: str, tried: Sequence[tuple[RealRNN, Evidence]]
) -> Evidence:
    """The best network is written; its evidence, with what all attempts came to."""
    network, best = max(tried, key=lambda t: (t[1].score or 0.0, t[1].config["margin"]))
    shape = {"architecture": architecture, **best.config["shape"]}
    save_network(folder / "networks" / f"{name}-{seed}.safetensors", network, shape)
    attempts = [[e.score, e.config["margin"], e.config["steps"]] for _, e in tried]
    return replace(
        best, claim=f"programs.{name}.network.accuracy", seeds=[seed],
        seconds=sum(e.seconds for _, e in tried), config={**best.config, "attempts": attempts},
    )  # fmt: skip
