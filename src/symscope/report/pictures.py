"""All pictures of one network and its program: weights, automata, the space of its states."""

from collections.abc import Sequence
from dataclasses import dataclass

from symscope.extract import Machine, machine_of
from symscope.extract.automaton import automaton
from symscope.extract.pipeline.simplify import simplify
from symscope.extract.rows import Nothing
from symscope.models.real_rnn import MLPStep, RealRNN
from symscope.program import Program, Variable
from symscope.programs.registers import remembered
from symscope.report.automaton_picture import automaton_picture
from symscope.report.latent import latent
from symscope.report.latent_picture import latent_picture
from symscope.report.state_graph import (
    MOST_STATES,
    StateGraph,
    beside,
    network_graph,
    program_graph,
)
from symscope.report.weights_picture import weights_picture

_READ = "An edge says “inputs / output”; the arrow from nowhere marks the start."

_MOST_CLUSTERS = 400
"""Of the network's states, before those that behave alike are merged; searching more takes long."""


@dataclass(frozen=True)
class Picture:
    """A drawing with its heading and what has to be said of it; without one (""), why not."""

    name: str
    heading: str
    caption: str
    svg: str = ""


def pictures(
    module: RealRNN, inputs: Sequence[Variable], length: int, program: Program | None,
    widest: int = 16,
) -> list[Picture]:  # fmt: skip
    """What there is to see of a network that reads `inputs` for `length` steps, in that order.

    Of a network without a program the weights alone are drawn, and no weights of a state of more
    than `widest` numbers.
    """
    found: list[Picture] = []
    if program is not None:
        machine = machine_of(module, inputs, length)
        graph = program_graph(program)
        found += [*_automata(machine, graph), *_latent(machine, program, graph)]
    return [*found, *_weights(module, inputs, length, widest)]


def _automata(machine: Machine, graph: StateGraph | None) -> list[Picture]:
    """The program's automaton, and the one that is found in the network without the program."""
    heading = "The program as an automaton."
    if graph is None:
        why = f"More than {MOST_STATES} states can be reached, or too many inputs: none is drawn."
        return [Picture("program", heading, why)]
    mine = Picture("program", heading, _READ, automaton_picture(graph))
    heading = "The automaton found in the network."
    found = automaton(machine, most=_MOST_CLUSTERS)
    theirs = None if isinstance(found, Nothing) else network_graph(found[0], machine)
    if isinstance(found, Nothing) or theirs is None:
        why = "None was found: clusters of its states make no finite machine that answers alike."
        return [mine, Picture("network", heading, why)]
    theirs, same = beside(theirs, graph)
    said = (
        "the same, state by state"
        if same
        else ("not the same, | stands between the program's states that are one here")
    )
    caption = f"Clusters of states at radius {found[1]:.2f} of their spread, merged: {said}."
    return [mine, Picture("network", heading, caption, automaton_picture(theirs))]


def _latent(machine: Machine, program: Program, graph: StateGraph | None) -> list[Picture]:
    heading = "Where the variables are in the network’s states."
    found = latent(machine, program)
    if found is None:
        return [Picture("latent", heading, "The network has no states that are known.")]
    places = {} if graph is None else dict(zip(graph.keys, range(len(graph.keys)), strict=True))
    by = remembered(program)
    said = (
        f"Each point is the network’s state ({_numbers(found.width)}) after one step of a drawn"
        f" sequence, coloured by what the program holds then."
    )
    said += " A ring, if any, is the mean of states with equal registers and answer."
    return [Picture("latent", heading, said, latent_picture(found, places if by else {}, by))]


def _numbers(count: int) -> str:
    return "one number" if count == 1 else f"{count} numbers"


def _weights(
    module: RealRNN, inputs: Sequence[Variable], length: int, widest: int
) -> list[Picture]:
    heading = "The weights before and after the simplification."
    if not isinstance(module.rnn, MLPStep):
        return [Picture("weights", heading, "Only networks whose step is an MLP are simplified.")]
    if module.rnn.width > widest:
        why = f"A state of {_numbers(module.rnn.width)} is too wide to be drawn."
        return [Picture("weights", heading, why)]
    caption = (
        "Each stage turns the frame of the state, or drops what is not read, and is undone where"
        " one rounded output changes. W: from state to state, V: from the input, b: added,"
        " U: the answer read from the state."
    )
    if len(module.rnn.f) > 1:
        caption += (
            " f has ReLUs: W and V are the product of its matrices, a frame, not what it does."
        )
    return [Picture("weights", heading, caption, weights_picture(simplify(module, inputs, length)))]
