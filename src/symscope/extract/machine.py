"""A network as extraction may ask it: what it answers, which states it is in, how it steps.

Extraction sees this and nothing else: not the task, its rule or its name. Inputs are integers of
known ranges; an answer is the rounded output.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.models.real_rnn import MLPStep, RealRNN
from symscope.program import Variable

MOST_LISTED = 2**16
"""So many sequences are all looked at; of more, a sample is."""
_CHUNK = 8192


@dataclass(frozen=True, eq=False)
class Grammar:
    """Sequences of which not all are legal, and of whose answers not all count.

    `draw`: (count, seed) → legal sequences, (sequence, step, input), padded on the right; `asked`:
    such sequences → whether the answer counts at each step, (sequence, step).
    """

    draw: Callable[[int, int], Tensor]
    asked: Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Machine:
    """Inputs, the trained length, and what may be asked. Tensors of integers unless said otherwise.

    `answers`: (sequence, step, input) → (sequence, step, output). A recurrent network has states
    besides: `start` (width,), `step`: (state, width) and (state, input) → (state, width), and
    `read`: (state, width) → (state, output), all real but the inputs. `values` are the answers
    before they are rounded, `module` the network itself, where they are known. With a `grammar`,
    sequences are its own; without one all inputs are legal and all answers count.
    """

    inputs: tuple[Variable, ...]
    length: int
    answers: Callable[[Tensor], Tensor]
    start: Tensor | None = None
    step: Callable[[Tensor, Tensor], Tensor] | None = None
    read: Callable[[Tensor], Tensor] | None = None
    values: Callable[[Tensor], Tensor] | None = None
    module: RealRNN | None = None
    grammar: Grammar | None = None

    def __post_init__(self) -> None:
        if self.length < 2:
            raise SymscopeError(f"length {self.length}: a sequence has 2 steps or more")
        if not self.inputs:
            raise SymscopeError("inputs: there is none, so there is nothing to read")
        for v in self.inputs:
            if v.high < v.low or v.low != int(v.low) or v.high != int(v.high):
                raise SymscopeError(f"inputs: {v.name} has no integers from {v.low} to {v.high}")

    @property
    def ranges(self) -> list[range]:
        """The numbers that each input may be."""
        return [range(int(v.low), int(v.high) + 1) for v in self.inputs]

    @property
    def symbols(self) -> Tensor:
        """All inputs that one step may have, (symbol, input)."""
        columns = [torch.arange(r.start, r.stop) for r in self.ranges]
        return torch.cartesian_prod(*columns).view(-1, len(columns))

    def sample(self, count: int, seed: int, length: int | None = None) -> Tensor:
        """Uniform sequences, (sequence, step, input), or the grammar's."""
        if self.grammar is not None:
            return self.grammar.draw(count, seed)
        generator = torch.Generator().manual_seed(seed)
        shape = count, length or self.length
        columns = [torch.randint(r.start, r.stop, shape, generator=generator) for r in self.ranges]
        return torch.stack(columns, -1)

    def observed(self, count: int, seed: int = 0) -> Tensor:
        """All sequences where they are few, else `count` of them, (sequence, step, input)."""
        symbols = math.prod(len(r) for r in self.ranges)
        if self.grammar is not None or symbols**self.length > MOST_LISTED:
            return self.sample(count, seed)
        order = torch.cartesian_prod(*[torch.arange(symbols)] * self.length)
        return self.symbols[order.view(-1, self.length)]

    def states(self, x: Tensor) -> Tensor:
        """The states after each step of the sequences, (sequence, step, width)."""
        assert self.step is not None and self.start is not None, "asked of a recurrent network only"
        h, states = self.start.expand(len(x), -1), []
        for symbols in x.unbind(1):
            h = self.step(h, symbols)
            states.append(h)
        return torch.stack(states, 1)


def machine_of(module: RealRNN, inputs: Sequence[Variable], length: int) -> Machine:
    """A network that reads and writes numbers, in float64.

    Raises `SymscopeError` for weights that are not finite, and where the module reads another
    number of inputs.
    """
    module = _double(module)
    rnn = module.rnn
    if isinstance(rnn, MLPStep):
        (first, *_), width = rnn.f, rnn.width
        assert isinstance(first, nn.Linear), "MLPs begin with a linear layer"
        wanted = first.in_features - width
    else:
        assert isinstance(rnn, nn.RNNBase), "a GRU or an Elman network stands in place of f"
        wanted, width = rnn.input_size, rnn.hidden_size
    if wanted != len(inputs):
        raise SymscopeError(f"inputs: the network reads {wanted} at a step, not {len(inputs)}")

    def step(h: Tensor, x: Tensor) -> Tensor:
        with torch.no_grad():
            parts = zip(h.split(_CHUNK), x.split(_CHUNK), strict=True)
            return torch.cat([rnn(b.double()[:, None], a[None])[1][0] for a, b in parts])

    def read(h: Tensor) -> Tensor:
        with torch.no_grad():
            return module.g(h).round().long()

    def values(x: Tensor) -> Tensor:
        with torch.no_grad():
            if not x.shape[1]:
                return module.g(torch.zeros(len(x), 0, width).double())
            parts = [module.g(module.rnn(part.double())[0]) for part in x.split(_CHUNK)]
        return torch.cat(parts)

    def answers(x: Tensor) -> Tensor:
        return values(x).round().long()

    start = torch.zeros(width).double()
    return Machine(tuple(inputs), length, answers, start, step, read, values, module)


def _double(module: RealRNN) -> RealRNN:
    for name, value in module.state_dict().items():
        if not bool(torch.isfinite(value).all()):
            raise SymscopeError(f"{name} has values that are not finite")
    return copy.deepcopy(module).double().eval()
