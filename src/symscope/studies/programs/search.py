"""The smallest network that learns a task, by the search of Michaud et al. (2024).

Shapes are numbered so that more layers, then a wider state, then wider layers come later. From the
affine network with two states on, the number grows by 2^(1/4) until one of five copies is perfect;
then the numbers between the last failure and it are bisected. Whether a shape works is luck, so
"smallest" is of these five copies.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch

from symscope.evidence import Evidence
from symscope.jobs import Settings, Unit
from symscope.models.copies import Shape
from symscope.studies.programs.published import SHAPES
from symscope.studies.programs.settings import SETTINGS
from symscope.tasks import algorithm
from symscope.tasks.programmed import Programmed
from symscope.train_copies import Plan, train_copies

MOST_STATES, MOST_HIDDEN, MOST_LAYERS = 128, 256, 3
START = 65_536
"""Affine throughout, two states."""
COPIES = Plan(copies=5, batch=256, steps=6000)
SEARCHED = ("sum_all", "sum_last3", "prev3", "newton_magnetic")
"""Tasks whose smallest shapes are affine: a search among MLPs begins with 28 shapes that fail."""
SECONDS = 150.0
"""Of one core's own time, whatever else the machine does."""


def search_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """The smallest shape found for a task, beside the published one.

    Five copies are trained by the task's own plan. The score is 1 where a shape was found; `ended`
    in the config is whether the search came to its end within `seconds`.
    """
    _, name, seed_text = unit
    seed, began = int(seed_text), time.process_time()
    plan = replace(SETTINGS[name].plan, copies=COPIES.copies)
    shape, ended = smallest_shape(algorithm(name), settings.get("seconds", SECONDS), plan, seed)
    width, f, g = SHAPES[name]
    config = {"shape": shape and asdict(shape), "ended": ended, "plan": asdict(plan),
              "published": {"width": width, "f": f, "g": g}}  # fmt: skip
    return [Evidence(
        f"programs.controls.smallest.{name}", float(shape is not None), None, None, 1, "found",
        seeds=[seed], seconds=time.process_time() - began, config=config,
        source={"source": "Michaud et al. (2024), Table 1", "value": width},
    )]  # fmt: skip


def rank_of(shape: Shape) -> int:
    """The number of a shape in the published order."""
    (f_width, f_depth), (g_width, g_depth) = shape.f, shape.g
    depths = (g_depth - 1) * MOST_LAYERS + f_depth - 1
    widths = (g_width - 1) * MOST_HIDDEN + f_width - 1
    return (depths * MOST_STATES + shape.width - 1) * MOST_HIDDEN**2 + widths


def shape_of(rank: int, inputs: int, outputs: int) -> Shape:
    """The shape of that number; the hidden width of an affine map is meaningless, and 1.

    >>> shape_of(65_536, 1, 1)
    Shape(inputs=1, width=2, outputs=1, f=(1, 1), g=(1, 1))
    """
    rest, widths = divmod(rank, MOST_HIDDEN**2)
    depths, width = divmod(rest, MOST_STATES)
    g_width, f_width = divmod(widths, MOST_HIDDEN)
    g_depth, f_depth = divmod(depths, MOST_LAYERS)
    f = (f_width + 1, f_depth + 1) if f_depth else (1, 1)
    g = (g_width + 1, g_depth + 1) if g_depth else (1, 1)
    return Shape(inputs, width + 1, outputs, f, g)


def smallest_shape(
    task: Programmed, seconds: float, plan: Plan = COPIES, seed: int = 0
) -> tuple[Shape | None, bool]:
    """The smallest shape found within `seconds` of this process, and whether the search ended."""
    inputs = len(task.program.inputs)
    outputs = task.answers(task.sample(1, torch.Generator()))[0, 0].numel()
    tried: dict[Shape, bool] = {}

    def works(rank: int) -> bool:
        shape = shape_of(rank, inputs, outputs)
        if shape not in tried:
            _, evidence = train_copies(task, shape.width, shape.f, shape.g, plan, seed)
            tried[shape] = evidence.score == 1
        return tried[shape]

    rank, ended = smallest_rank(works, seconds)
    return (None if rank is None else shape_of(rank, inputs, outputs)), ended


def smallest_rank(works: Callable[[int], bool], seconds: float) -> tuple[int | None, bool]:
    """The rank at which the search ends, or the best so far after `seconds` of this process."""
    until = time.process_time() + seconds
    last = (MOST_LAYERS * MOST_LAYERS * MOST_STATES) * MOST_HIDDEN**2 - 1
    failed, rank = START - 1, START
    while not works(rank):
        if rank == last or time.process_time() > until:
            return None, rank == last
        failed, rank = rank, min(last, int(rank * 2**0.25))
    while rank - failed > 1:
        if time.process_time() > until:
            return rank, False
        middle = (failed + rank) // 2
        if works(middle):
            rank = middle
        else:
            failed = middle
    return rank, True
