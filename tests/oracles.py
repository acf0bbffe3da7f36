"""Networks built by hand whose program is known, with the axes on which its variables lie."""

import torch
from torch import Tensor, nn

from symscope.featurizer import Rotation
from symscope.program import Program, Variable
from symscope.task import IGNORE, Pairs
from symscope.tasks.numbers import D1, D2, D3, EOS, R, T

WIDTH = 8
SMALL = 1e-4
"""One count, so small that tanh adds up without a rounding that matters."""


def hidden_axes(seed: int) -> Tensor:
    """A random orthogonal matrix: nobody can see from a single unit what lies on its columns."""
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=generator)).Q


class Adder(nn.Module):
    """A linear recurrence in a rotated state: each token adds its row of `adds`.

    The readout answers EOS where `left` · state is 0, R where it is at least 1, and a demo item
    as long as the state's last coordinate of `adds`, the phase, is 0.
    """

    def __init__(self, adds: dict[int, list[float]], left: list[float], axes: Tensor):
        super().__init__()
        size = len(left)
        self.embed = nn.Embedding(9, WIDTH)
        self.rnn = nn.RNN(WIDTH, WIDTH, batch_first=True)
        self.readout = nn.Linear(WIDTH, 9)
        rows = torch.zeros(9, size)
        for token, change in adds.items():
            rows[token] = torch.tensor(change)
        answers = torch.zeros(9, size)
        answers[R], answers[EOS] = 40 * torch.tensor(left), -40 * torch.tensor(left)
        answers[D1, -1] = -2000
        with torch.no_grad():
            for weight in self.rnn.parameters():
                weight.copy_(torch.eye(WIDTH) if weight.dim() == 2 else torch.zeros(WIDTH))
            self.embed.weight.copy_(SMALL * rows @ axes[:, :size].T)
            self.readout.weight.copy_(answers @ axes[:, :size].T / SMALL)
            self.readout.bias.fill_(-1000.0)
            self.readout.bias[[R, EOS, D1]] = torch.tensor([-20.0, 20.0, 1000.0])

    def forward(self, tokens: Tensor) -> Tensor:
        return self.readout(self.rnn(self.embed(tokens))[0])


def up_down_network(axes: Tensor) -> Adder:
    """Count lies on the first axis, phase on the second."""
    adds = {**{demo: [1.0, 0.0] for demo in (D1, D2, D3)}, R: [-1.0, 0.0], T: [0.0, 1.0]}
    return Adder(adds, [1.0, 0.0], axes)


def up_up_network(axes: Tensor) -> Adder:
    """Demo lies on the first axis, resp on the second, phase on the third."""
    adds = {**{demo: [1.0, 0, 0] for demo in (D1, D2, D3)}, R: [0, 1.0, 0], T: [0, 0, 1.0]}
    return Adder(adds, [1.0, -1.0, 0.0], axes)


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
