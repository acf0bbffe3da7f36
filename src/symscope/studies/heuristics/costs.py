"""What each unit of the networks that are trained here takes."""

from symscope.cost import Cost, Decoder, activation_maps, transformer_training
from symscope.jobs import Unit
from symscope.studies.estimate import recorded
from symscope.studies.heuristics.settings import PRESETS

SECONDS = {"circuit": 200.0, "neurons": 250.0, "families": 150.0, "development": 250.0,
           "modular": 60.0, "view": 20.0, "speed": 20.0}  # fmt: skip
"""Of one unit of `small`."""


def unit_cost(unit: Unit, preset: str) -> Cost:
    """A network's training, or what is asked of it; the maps of all its neurons are in memory."""
    kinds, asked = PRESETS[preset]
    kind, name = unit[0], unit[1]
    if name not in kinds:
        return recorded(SECONDS[kind])
    made = kinds[name]
    shape = made.shaped()
    form = Decoder(shape["layers"], made.width, shape["heads"], shape["vocabulary"])
    if kind == "network":
        return transformer_training(form, made.batch, shape["length"], made.steps)
    prompts = getattr(made.task, "operands", 100) ** 2 * len(getattr(made.task, "signs", "+"))
    held = activation_maps(form, form.layers * form.hidden, prompts, shape["length"])
    return Cost(held.memory) + recorded(SECONDS[kind], asked.pairs / 500)
