"""What each unit takes, from the preset alone."""

from symscope.align.examine import COUNTS
from symscope.cost import (
    Cost,
    Decoder,
    recurrent_alignment,
    recurrent_training,
    transformer_alignment,
    transformer_training,
)
from symscope.jobs import Unit
from symscope.studies.estimate import recorded
from symscope.studies.numbers.units import CHECKPOINTS, VARIABLES, WIDTH, WIDTHS, Preset
from symscope.tasks.numbers import VOCABULARY
from symscope.train import BATCH, UPDATES

STEPS = 43
"""Tokens of the longest sequence."""
PASSES = 1.3
"""Runs of an update in which a network reads its own answers: one, more while it is wrong."""
EXTRACTED, PHASES = 120.0, 70.0
"""Seconds of a program's extraction, which has a time limit, and of a search by phases."""


def unit_cost(unit: Unit, preset: Preset) -> Cost:
    """Training and every search of a unit; the last of its name is the seed."""
    kind, seed = unit[0], int(unit[-1])
    other = "transformer" if kind in ("variable", "edit") else "gru"
    arch = unit[2] if len(unit) == 4 else other
    search = aligned(arch, WIDTH, preset)
    if kind == "main":
        fitted = 3 if seed < preset["controls"] else 1
        return trained(arch, WIDTH, preset["epochs"]) + search.times(len(VARIABLES) * fitted)
    if kind == "size":
        width = int(unit[1])
        at = [c for c in CHECKPOINTS if c <= preset["epochs"] and width != max(WIDTHS)]
        return (trained("gru", width, preset["epochs"])
                + aligned("gru", width, preset).times(1 + len(at)))  # fmt: skip
    if kind in ("variable", "edit"):
        return trained("transformer", WIDTH, preset["epochs"])
    if kind == "longer":
        return trained(arch, WIDTH, preset["longer"]) + search.times(2) + recorded(PHASES)
    if kind == "head":
        return trained(arch, WIDTH, preset["epochs"]) + search
    if kind == "extract":
        return recorded(EXTRACTED)
    return search.times(6) if kind in ("together", "search") else search + recorded(PHASES)


def trained(arch: str, width: int, epochs: int) -> Cost:
    """One network."""
    updates = UPDATES * epochs
    if arch == "transformer":
        return transformer_training(_form(width), BATCH, STEPS, updates)
    gates = 4 if arch == "lstm" else 3
    return recurrent_training(width, len(VOCABULARY), BATCH, STEPS, PASSES * updates, gates)


def aligned(arch: str, width: int, preset: Preset) -> Cost:
    """One search for one variable."""
    pairs, steps = sum(COUNTS.values()), min(1000, preset["most"])
    if arch == "transformer":
        return transformer_alignment(_form(width), 0, pairs, STEPS, steps)
    return recurrent_alignment(width, len(VOCABULARY), pairs, STEPS, steps)


def _form(width: int) -> Decoder:
    return Decoder(2, width, 1, len(VOCABULARY))
