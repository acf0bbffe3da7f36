"""A finite automaton: all states that the network can reach, those that behave alike merged.

From its first state on the network is stepped through every input; states within a radius of one
that is there are taken for it. The machine so found is minimised (Moore, 1956). It is believed when
a smaller and a larger radius give the same one, and when it answers as the network does.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.extract.machine import Machine
from symscope.extract.rows import Nothing

MOST_STATES = 5000
MOST_SYMBOLS = 64
RADII = tuple(0.02 * 35 ** (i / 9) for i in range(10))
"""In units of the states' standard deviation, from 0.02 to 0.7."""


@dataclass(frozen=True, eq=False)
class Automaton:
    """`following` and `answering` are (state, symbol) and (state, symbol, output); 0 is first.

    `centres` (state, width) are states of the network, one for each, where they are known.
    """

    following: Tensor
    answering: Tensor
    centres: Tensor

    def __len__(self) -> int:
        return len(self.following)

    def answers(self, symbols: Tensor) -> Tensor:
        """(sequence, step) indices of symbols → (sequence, step, output)."""
        state, found = torch.zeros(len(symbols), dtype=torch.long), []
        for symbol in symbols.unbind(1):
            found.append(self.answering[state, symbol])
            state = self.following[state, symbol]
        return torch.stack(found, 1)

    def visited(self, symbols: Tensor) -> Tensor:
        """The state after each step, (sequence, step)."""
        state, found = torch.zeros(len(symbols), dtype=torch.long), []
        for symbol in symbols.unbind(1):
            state = self.following[state, symbol]
            found.append(state)
        return torch.stack(found, 1)


@lru_cache(maxsize=1)  # two routes ask for it
def automaton(
    machine: Machine, seed: int = 0, most: int = MOST_STATES
) -> tuple[Automaton, float] | Nothing:
    """The minimal automaton that two neighbouring radii agree on, and the larger of the two.

    Nothing where the network has no states, too many symbols, or where no such machine, of `most`
    states before merging, answers all sampled sequences as the network does; it says how far the
    search came.
    """
    if machine.step is None:
        return Nothing("there are no states to look at")
    if len(machine.symbols) > MOST_SYMBOLS:
        return Nothing(f"{len(machine.symbols)} symbols, at most {MOST_SYMBOLS} are tried")
    x = machine.sample(2000, seed)
    spread = float(machine.states(x).flatten(0, 1).std(0).norm())
    symbols, answers = symbols_of(machine, x), machine.answers(x)
    before: Automaton | None = None
    seen: list[tuple[float, int, float]] = []
    for radius in RADII:
        found = reached(machine, radius * spread, most)
        smallest = None if found is None else minimised(found)
        if smallest is not None:
            right = (smallest.answers(symbols) == answers).flatten(1).all(1)
            seen.append((radius, len(smallest), float(right.double().mean())))
            smallest = smallest if bool(right.all()) else None
        if smallest is not None and before is not None and _same(smallest, before):
            return smallest, radius
        before = smallest
    return Nothing(_so_far(seen, most))


def _so_far(seen: list[tuple[float, int, float]], most: int) -> str:
    """What was found at each radius, minimal states and the share of sequences right, in words."""
    more = len(RADII) - len(seen)
    said = [f"more than {most:,} states at {more} of {len(RADII)} radii"] if more else []
    if seen:
        radius, states, share = max(seen, key=lambda s: s[2])
        said.append(f"at best {states} states, at radius {radius:.2f}, that answer {share:.2%} of"
                    " the sequences as the network does")  # fmt: skip
    return "; ".join(["no two radii next to each other agree on an automaton", *said])


def symbols_of(machine: Machine, x: Tensor) -> Tensor:
    """(sequence, step, input) → the index of each step's symbol.

    Raises `SymscopeError` for a number that is not of its input's.
    """
    index = torch.zeros(x.shape[:2], dtype=torch.long)
    for i, seen in enumerate(machine.ranges):
        outside = (x[..., i] < seen.start) | (x[..., i] >= seen.stop)
        if bool(outside.any()):
            found, name = int(x[..., i][outside][0]), machine.inputs[i].name
            raise SymscopeError(f"{found} is none of {name}'s, {seen.start} to {seen.stop - 1}")
        index = index * len(seen) + x[..., i] - seen.start
    return index


def reached(machine: Machine, radius: float, most: int = MOST_STATES) -> Automaton | None:
    """What can be reached within `most` states; None where there are more."""
    assert machine.step is not None and machine.read is not None and machine.start is not None
    alphabet = machine.symbols
    centres, todo = machine.start[None], [0]
    following: list[list[int]] = []
    answering: list[Tensor] = []
    while len(following) < len(todo):
        at = centres[len(following)].expand(len(alphabet), -1)
        after = machine.step(at, alphabet)
        answering.append(machine.read(after))
        row = []
        for h in after:
            distances = (centres - h).norm(dim=1)
            nearest = int(distances.argmin())
            if float(distances[nearest]) > radius:
                nearest = len(centres)
                centres = torch.cat([centres, h[None]])
                todo.append(nearest)
            row.append(nearest)
        following.append(row)
        if len(todo) > most:
            return None
    return Automaton(torch.tensor(following), torch.stack(answering), centres)


def minimised(machine: Automaton) -> Automaton:
    """The smallest automaton with the same answers; states keep the order of their first visit."""
    group = torch.unique(machine.answering.flatten(1), dim=0, return_inverse=True)[1]
    while True:
        finer = torch.cat([group[:, None], group[machine.following]], 1)
        split = torch.unique(finer, dim=0, return_inverse=True)[1]
        if int(split.max()) == int(group.max()):
            break
        group = split
    first: dict[int, int] = {}
    for state, name in enumerate(group.tolist()):
        first.setdefault(name, state)
    order = _by_visit(machine, group)
    chosen = torch.tensor([first[name] for name in order])
    rename = torch.zeros(int(group.max()) + 1, dtype=torch.long)
    rename[torch.tensor(order)] = torch.arange(len(order))
    return Automaton(rename[group[machine.following[chosen]]], machine.answering[chosen],
                     machine.centres[chosen])  # fmt: skip


def _by_visit(machine: Automaton, group: Tensor) -> list[int]:
    """The groups in the order in which a breadth-first search from the first state meets them."""
    order, states = [int(group[0])], [0]
    for state in states:
        for after in machine.following[state].tolist():
            if int(group[after]) not in order:
                order.append(int(group[after]))
                states.append(after)
    return order


def _same(one: Automaton, other: Automaton) -> bool:
    return torch.equal(one.following, other.following) and torch.equal(
        one.answering, other.answering
    )
