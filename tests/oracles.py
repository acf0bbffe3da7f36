"""Networks built by hand whose program is known, with the axes on which its variables lie."""

import torch
from torch import Tensor, nn

from symscope.featurizer import Rotation
from symscope.models.compiled import Planted, plant
from symscope.models.compiled.recurrent import counter, up_up_counter
from symscope.program import Program, Variable
from symscope.task import IGNORE, Pairs

WIDTH = 8
UP_DOWN = plant(counter(20), noise=6, seed=11)
"""Count lies on the first hidden axis, phase on the second, noise on the rest."""
UP_UP = plant(up_up_counter(20), noise=5, seed=11)
"""Demo lies on the first hidden axis, resp on the second, phase on the third."""


def axes_of(planted: Planted) -> Tensor:
    """The hidden axes of its state as columns, (width, width)."""
    rotation = next(iter(planted.alignment.handles.values())).featurizer
    assert isinstance(rotation, Rotation)
    return rotation.axes().detach()


def on_axes(axes: Tensor, *columns: int) -> Rotation:
    """The true coordinates: a rotation that starts on these columns."""
    return Rotation(WIDTH, len(columns), start=axes[:, list(columns)])


class Conjunction(nn.Module):
    """2·(a and b) + c on bits, classified; the conjunction lies on a hidden axis of `hidden`."""

    def __init__(self, axes: Tensor):
        super().__init__()
        self.detect, self.hidden = nn.Linear(3, 2), nn.Linear(2, WIDTH, bias=False)
        self.answer = nn.Linear(WIDTH, 4)
        classes = torch.arange(4.0)
        with torch.no_grad():
            self.detect.weight.copy_(torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
            self.detect.bias.copy_(torch.tensor([-1.0, 0.0]))
            self.hidden.weight.copy_(axes[:, :2])
            # −(k − x)² is, up to a part without k, the linear 2·k·x − k² with x = 2·both + c
            self.answer.weight.copy_(
                2 * classes[:, None] * (axes[:, :2] @ torch.tensor([2.0, 1.0]))
            )
            self.answer.bias.copy_(-(classes**2))

    def forward(self, bits: Tensor) -> Tensor:
        return self.answer(self.hidden(self.detect(bits).relu()))


BITS = tuple(Variable(name, 0, 1) for name in "abc")
CONJUNCTION = Program(
    "conjunction", BITS, (Variable("both", 0, 1),), {"both": "a * b"}, "2 * both + c"
)
DISJUNCTION = Program(
    "disjunction",
    BITS,
    (Variable("any", 0, 1),),
    {"any": "max(a, b)"},
    "2 * any + c - 2 * (a != b)",
)


def every_pair(program: Program, variable: str) -> Pairs:
    """All 64 pairs of three bits, with what the program says when the variable is swapped."""
    inputs = torch.tensor([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    base, source = inputs.repeat_interleave(8, 0), inputs.repeat(8, 1)
    donor = program.run(source, read=[variable]).values[variable]
    target = program.run(base, do={variable: lambda _: donor}).output
    here = program.run(base, read=[variable]).values[variable]
    labels = {f"{variable}.base": here, f"{variable}.source": donor}
    steps = torch.zeros(len(base), dtype=torch.long)
    assert (target != IGNORE).all()
    return Pairs(base.float(), steps, source.float(), steps, target, labels, (variable,))
