"""What each unit takes, from the preset alone: the training is counted, the rest compared."""

from symscope.cost import Cost, Decoder, patching, transformer_training
from symscope.jobs import Unit
from symscope.studies.binding.settings import SMALL, Preset
from symscope.studies.estimate import recorded
from symscope.tasks.binding.alphabet import QUERY

ON_DEVICE = ("network", "search")
SECONDS = {"mechanism": 300.0, "heads": 300.0, "coordinates": 3200.0, "beyond": 300.0,
           "view": 120.0}  # fmt: skip
"""Of one unit of `small`, in which each was run."""
ROLES = 8


def unit_cost(unit: Unit, preset: Preset) -> Cost:
    """Training in its precision; patching sweeps as many times larger as network and pairs are."""
    kind, form, small = unit[0], form_of(preset), form_of(SMALL)
    length = preset.task.length
    if kind in ON_DEVICE:
        plan = preset.plan
        steps = length + QUERY * max(0, plan.queries - 1)
        size = 2 if plan.precision == "bfloat16" else 4
        held = Cost(16.0 * form.parameters)  # float32 weights, gradients and both moments
        found = transformer_training(form, plan.size, steps, plan.steps, size)
        return Cost(found.memory + held.memory, found.operations, found.moved, found.calls)
    data = {"coordinates": preset.fits / SMALL.fits * preset.search / SMALL.search}
    wider = form.forward(length, length) / small.forward(SMALL.task.length, SMALL.task.length)
    deeper = form.layers / small.layers
    pairs = data.get(kind, preset.pairs / SMALL.pairs)
    held = patching(form, ROLES * form.layers, preset.pairs, length)
    return Cost(held.memory) + recorded(SECONDS[kind], wider * deeper * pairs)


def form_of(preset: Preset) -> Decoder:
    """The sizes of the preset's network."""
    shape = preset.shape
    return Decoder(shape["layers"], preset.width, shape["heads"], len(preset.task.vocabulary))
