"""Is the program in the network, or does it only behave as it does?

Three tests on the network's states. *Variance*: what is left of the states' variance among states
in which the program's registers and its answer are equal, as a share of all. *Swaps*: the state of
one run is put into another at a random step, where the registers are equal and where they are not;
the answers from there on have to be those of the program with its registers swapped. *Places*:
every register can be read from the state; one that is idle, or that the network does without,
cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from symscope.expression import number
from symscope.extract.located import Place, located
from symscope.extract.machine import Machine
from symscope.program import Program

SWAPS = 1000
MOST_VARIANCE, LEAST_AGREEMENT = 1e-2, 0.99
"""What a program has to reach to be called grounded in the states."""


@dataclass(frozen=True)
class Grounding:
    """The `variance` left within equal registers, and the shares of swaps that went as foretold.

    `repeated` is the share of states whose registers were met more than once: where it is small,
    the variance says little.
    """

    variance: float
    repeated: float
    equal: float
    different: float
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def grounded(self) -> bool:
        """Whether the registers are in the states, each of them, and are used."""
        swapped = min(self.equal, self.different)
        read = all(place.found for place in self.places.values())
        return self.variance < MOST_VARIANCE and swapped >= LEAST_AGREEMENT and read


def grounding(machine: Machine, program: Program, seed: int = 0) -> Grounding | None:
    """How far the program's registers are in the network's states; None where it has no states."""
    if machine.step is None or not program.start:
        return None
    x = machine.sample(SWAPS, seed + 5)
    registers, answers = _registers(program, x)
    names = list(program.start)
    table = torch.cat([torch.stack([registers[n] for n in names], -1), answers], -1)
    states = machine.states(x)
    group = torch.unique(table.flatten(0, 1), dim=0, return_inverse=True)[1]
    variance, repeated = _within(states.flatten(0, 1), group)
    key = group.view(table.shape[:2])
    generator = torch.Generator().manual_seed(seed)
    at = torch.randint(machine.length - 1, (SWAPS,), generator=generator)
    rows = torch.arange(SWAPS)
    own = key[rows, at]
    alike = _partners(own, key, generator)
    other = torch.randint(SWAPS, (SWAPS,), generator=generator), at
    shares = []
    for row, step in (alike, other):
        values = {n: registers[n][row, step] for n in names}
        shares.append(_followed(machine, program, (x, at), states[row, step], values))
    equal, different = shares
    return Grounding(variance, repeated, equal, different, located(machine, program, seed))


def _registers(program: Program, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """The program's state after each step, (sequence, step), and its answers with a last axis."""
    given = x if len(program.inputs) > 1 else x[..., 0]
    steps = range(x.shape[1])
    run = program.run(given, read=[(n, t) for n in program.start for t in steps])
    values = {n: torch.stack([number(run.values[n, t]) for t in steps], 1) for n in program.start}
    return values, number(run.output).view(*x.shape[:2], -1)


def _within(states: Tensor, group: Tensor) -> tuple[float, float]:
    """The variance within groups of two or more over that of all states, and how many such are."""
    count = torch.bincount(group)
    sums = torch.zeros(len(count), states.shape[1], dtype=states.dtype).index_add(0, group, states)
    left = (states - (sums / count[:, None])[group])[count[group] > 1]
    total = (states - states.mean(0)).square().sum(1).mean()
    if not len(left) or not float(total):
        return 0.0, len(left) / len(states)
    n = count[group][count[group] > 1]
    unbiased = left.square().sum(1) * n / (n - 1)
    return float(unbiased.mean() / total), len(left) / len(states)


def _partners(own: Tensor, key: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """For each run, a run and a step with the same registers; itself where there is no other."""
    flat = key.flatten()
    order = torch.randperm(len(flat), generator=generator)
    place = torch.zeros(int(flat.max()) + 1, dtype=torch.long)
    place[flat[order]] = order
    found = place[own]
    return found // key.shape[1], found % key.shape[1]


def _followed(
    machine: Machine, program: Program, run: tuple[Tensor, Tensor], states: Tensor,
    registers: Mapping[str, Tensor],
) -> float:  # fmt: skip
    """The share of runs whose answers, from these states on, are the program's from its own."""
    assert machine.step is not None and machine.read is not None, "asked of networks with states"
    x, at = run
    right = torch.ones(len(x), dtype=torch.bool)
    h, scope = states, {**program.initial(), **registers}
    for later in range(1, x.shape[1]):
        running = at + later < x.shape[1]
        if not bool(running.any()):
            break
        symbols = x[torch.arange(len(x)), (at + later).clamp(max=x.shape[1] - 1)]
        h = machine.step(h, symbols)
        given = {v.name: symbols[:, i] for i, v in enumerate(program.inputs)}
        scope, output = program.step(scope, given)
        parts = output if isinstance(output, tuple) else (output,)
        expected = torch.stack([torch.as_tensor(number(p)).expand(len(x)) for p in parts], -1)
        right &= (machine.read(h) == expected).all(1) | ~running
    return float(right.float().mean())
