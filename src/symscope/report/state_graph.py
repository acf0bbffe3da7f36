"""A finite machine as a graph: a program's, by stepping it through all inputs, or a network's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product

from symscope.expression import number
from symscope.extract.automaton import Automaton
from symscope.extract.machine import Machine
from symscope.program import Program, State
from symscope.programs.registers import remembered

MOST_STATES = 24
"""More are not drawn."""
MOST_SYMBOLS = 400
Symbol = tuple[int, ...]


@dataclass(frozen=True)
class StateGraph:
    """`following` and `answering` hold, for each state and symbol, the next state and the output.

    State 0 is first. `names` say what the states are; `about` names the registers in them, and
    `keys` hold their values, where it is a program's.
    """

    names: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    following: tuple[tuple[int, ...], ...]
    answering: tuple[tuple[str, ...], ...]
    about: str = ""
    keys: tuple[tuple[float, ...], ...] = ()

    @property
    def edges(self) -> dict[tuple[int, int], str]:
        """For each pair of states that follow each other, "inputs / output", several after ";"."""
        found: dict[tuple[int, int], dict[str, list[Symbol]]] = {}
        for state, (row, answers) in enumerate(zip(self.following, self.answering, strict=True)):
            for symbol, after, answer in zip(self.symbols, row, answers, strict=True):
                found.setdefault((state, after), {}).setdefault(answer, []).append(symbol)
        return {ends: "; ".join(f"{merged(s)} / {answer}" for answer, s in by.items())
                for ends, by in found.items()}  # fmt: skip


def program_graph(program: Program) -> StateGraph | None:
    """What can be reached from the program's start; None beyond `MOST_STATES` states.

    A state is the registers that are remembered: those whose last value some rule reads. None as
    well for programs that are no step programs, or with more than `MOST_SYMBOLS` inputs of a step.
    """
    symbols = _symbols(program)
    if not program.stepped or symbols is None:
        return None
    kept = [n for n in program.initial() if n in remembered(program) or n not in program.start]
    start = program.initial()
    places, todo = {_key(start, kept): 0}, [start]
    following: list[tuple[int, ...]] = []
    answering: list[tuple[str, ...]] = []
    for state in todo:
        row, answers = [], []
        for symbol in symbols:
            given = {v.name: x for v, x in zip(program.inputs, symbol, strict=True)}
            after, output = program.step(state, given)
            key = _key(after, kept)
            if key not in places:
                places[key] = len(places)
                todo.append(after)
            row.append(places[key])
            answers.append(_written(output))
        if len(todo) > MOST_STATES:
            return None
        following.append(tuple(row))
        answering.append(tuple(answers))
    names = tuple(",".join(f"{v:g}" for v in key) for key in places)
    read = " ".join(v.name for v in program.inputs)
    about = f"in a state: {', '.join(kept) or 'nothing'}; at an edge: {read} / output"
    return StateGraph(names, symbols, tuple(following), tuple(answering),
                      about, tuple(places))  # fmt: skip


def network_graph(found: Automaton, machine: Machine) -> StateGraph | None:
    """The automaton of a network, its states q0, q1, …; None beyond `MOST_STATES` of them."""
    if len(found) > MOST_STATES:
        return None
    symbols = tuple(tuple(row) for row in machine.symbols.tolist())
    return StateGraph(
        tuple(f"q{i}" for i in range(len(found))), symbols,
        tuple(map(tuple, found.following.tolist())),
        tuple(tuple(_written(tuple(y)) for y in row) for row in found.answering.tolist()),
    )  # fmt: skip


def beside(network: StateGraph, program: StateGraph) -> tuple[StateGraph, bool]:
    """The network's graph named and ordered as the program's, and whether they are the same one.

    Both are stepped through the same inputs from their first states; a network's state gets the
    names of all the program's states that it meets. The same: one each, with equal outputs.
    """
    met, todo, equal = {(0, 0)}, [(0, 0)], network.symbols == program.symbols
    for own, other in todo if equal else ():
        equal = equal and network.answering[own] == program.answering[other]
        for pair in zip(network.following[own], program.following[other], strict=True):
            if pair not in met:
                met.add(pair)
                todo.append(pair)
    names: dict[int, list[str]] = {}
    for own, other in sorted(met):
        names.setdefault(own, []).append(program.names[other])
    one_each = len(names) == len(met) == len(network.names) == len(program.names)
    if not equal:
        return network, False
    if not one_each:
        joined = tuple("|".join(names[i]) for i in range(len(network.names)))
        return replace(network, names=joined), False
    order = [own for own, _ in sorted(met, key=lambda pair: pair[1])]
    place = {own: i for i, own in enumerate(order)}
    return replace(
        network, names=program.names, about=program.about,
        following=tuple(tuple(place[s] for s in network.following[own]) for own in order),
        answering=tuple(network.answering[own] for own in order),
    ), True  # fmt: skip


def merged(symbols: Sequence[Symbol]) -> str:
    """Inputs as one text: numbers that follow each other as a range, pairs side by side.

    >>> merged([(0,), (2,), (3,), (4,), (6,)]), merged([(0, 1), (1, 0)])
    ('0,2–4,6', '01,10')
    """
    if len(symbols[0]) > 1:
        digits = all(0 <= x <= 9 for s in symbols for x in s)
        return ",".join(("" if digits else " ").join(map(str, s)) for s in symbols)
    return ",".join(_ranges(sorted(s[0] for s in symbols)))


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    for _, group in groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
        run = [value for _, value in group]
        if len(run) > 2:
            yield f"{run[0]}–{run[-1]}"
        else:
            yield from map(str, run)


def _symbols(program: Program) -> tuple[Symbol, ...] | None:
    count = 1
    for v in program.inputs:
        count *= int(v.high - v.low) + 1
    if count > MOST_SYMBOLS:
        return None
    ranges = [range(int(v.low), int(v.high) + 1) for v in program.inputs]
    return tuple(product(*ranges))


def _key(state: State, kept: Sequence[str]) -> tuple[float, ...]:
    return tuple(number(state[name]) for name in kept)


def _written(output: object) -> str:
    parts = output if isinstance(output, tuple) else (output,)
    return ",".join(f"{number(part):g}" for part in parts)
