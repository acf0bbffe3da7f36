"""An automaton from answers alone: L* (Angluin, 1987), as AALpy has it.

Words are put to the network, a word together with those that differ in their last symbol. An
automaton is believed when it answers what was watched, and as many fresh sequences, as the network
does; otherwise the shortest word on which it does not is the counterexample. Needs the extra
`automata`.
"""

import time
from typing import Any

import torch
from aalpy.base import SUL, Oracle
from aalpy.learning_algs import run_Lstar

from symscope.extract.automaton import Automaton, minimised, symbols_of
from symscope.extract.machine import Machine
from symscope.extract.rows import Nothing, Rows, watched

MOST_STATES = 500
SECONDS = 10.0
LONGER = 2
"""Words of so many times the trained length are asked, no longer ones."""

Word = tuple[int, ...]


def learned(machine: Machine, rows: Rows, seconds: float = SECONDS) -> Automaton | Nothing:
    """The smallest automaton that answers as the machine does; of the first output alone.

    Nothing where more than `MOST_STATES` states, words beyond the trained length, or more than
    `seconds` were needed.
    """
    questions = _Questions(machine, time.monotonic() + seconds)
    alphabet = list(range(len(machine.symbols)))
    try:
        found = run_Lstar(
            alphabet, questions, _Watched(machine, rows, questions), "mealy",
            cache_and_non_det_check=False, print_level=0,
        )  # fmt: skip
    except _EndedError as ended:
        return Nothing(f"{ended}, after {len(questions.known):,} words")
    return minimised(_tensors(found, len(alphabet)))


class _EndedError(Exception):
    """The search has passed one of its limits."""


class _Questions(SUL):
    """The network as AALpy asks it: reset, then one symbol after the other."""

    def __init__(self, machine: Machine, end: float):
        super().__init__()
        self.machine, self.end = machine, end
        self.known: dict[Word, int] = {}
        self.word: Word = ()

    def pre(self) -> None:
        self.word = ()

    def post(self) -> None:
        pass

    def step(self, letter: int) -> int:
        before, self.word = self.word, (*self.word, letter)
        if self.word not in self.known:
            self._ask(before)
        return self.known[self.word]

    def _ask(self, before: Word) -> None:
        if len(before) >= LONGER * self.machine.length:
            raise _EndedError(f"words of more than {LONGER * self.machine.length} steps are needed")
        if time.monotonic() > self.end:
            raise _EndedError("the time was over")
        symbols = self.machine.symbols
        letters = torch.arange(len(symbols))[:, None]
        prefix = torch.tensor([before], dtype=torch.long).expand(len(symbols), -1)
        answers = self.machine.answers(symbols[torch.cat([prefix, letters], 1)])[:, -1, 0]
        self.known |= {(*before, i): a for i, a in enumerate(answers.tolist())}


class _Watched(Oracle):
    """Compares an automaton with the network's answers, on the rows and on as many fresh ones."""

    def __init__(self, machine: Machine, rows: Rows, questions: _Questions):
        super().__init__(list(range(len(machine.symbols))), questions)
        parts = rows, watched(machine, len(rows.x), seed=7)
        self.symbols = torch.cat([symbols_of(machine, part.x) for part in parts])
        self.answers = torch.cat([part.y[..., 0] for part in parts])

    def find_cex(self, hypothesis: Any) -> Word | None:
        if len(hypothesis.states) > MOST_STATES:
            raise _EndedError(f"more than {MOST_STATES} states")
        found = _tensors(hypothesis, len(self.alphabet)).answers(self.symbols)[..., 0]
        wrong = found != self.answers
        if not bool(wrong.any()):
            return None
        step = int(wrong.any(0).int().argmax())
        row = int(wrong[:, step].int().argmax())
        return tuple(self.symbols[row, : step + 1].tolist())


def _tensors(found: Any, symbols: int) -> Automaton:
    """AALpy's Mealy machine as tensors, its first state first."""
    states = [found.initial_state, *(s for s in found.states if s is not found.initial_state)]
    place = {id(state): i for i, state in enumerate(states)}
    following = [[place[id(s.transitions[a])] for a in range(symbols)] for s in states]
    answering = [[[s.output_fun[a]] for a in range(symbols)] for s in states]
    return Automaton(torch.tensor(following), torch.tensor(answering), torch.zeros(len(states), 0))
