"""What comes round, asked of a language model: two days from Monday is Wednesday.

Weekdays and months as Engels, Liao et al. (ICLR 2025, section 5) ask for them; of the weekdays
there is the wording of their text and that of their code. Clock, compass and scale are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError

NUMBERS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten",
           "Eleven", "Twelve")  # fmt: skip
PREFIX, LONG = ". ", ("Nine", "Eleven", "Twelve")
"""In front of all prompts but those of the durations in `LONG`, where lengths differ without.

That is the published rule, for tokenizers such as Mistral's, in which these three are two tokens.
"""


class NotOneToken(SymscopeError):
    """An operand or an answer that the tokenizer cuts into pieces, or does not know."""


@dataclass(frozen=True)
class Cycle:
    """`values` in their order, after the last of which comes the first.

    `wordings` are prompts under a name, with a place {b} for the duration, from "One" to as many as
    there are values, {unit} for what it counts, of one and of several, and {a} for the start; the
    answer follows. The first is the published text's.
    """

    values: tuple[str, ...]
    wordings: Mapping[str, str]
    unit: tuple[str, str]

    @property
    def period(self) -> int:
        """After so many steps one is where one was."""
        return len(self.values)


CYCLES: Mapping[str, Cycle] = {
    "weekdays": Cycle(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        {"text": "Let's do some day of the week math. {b} {unit} from {a} is",
         "code": "Let's do some days of the week math. {b} {unit} from {a} is"},
        ("day", "days"),
    ),
    "months": Cycle(
        ("January", "February", "March", "April", "May", "June", "July", "August", "September",
         "October", "November", "December"),
        {"text": "Let's do some calendar math. {b} {unit} from {a} is"},
        ("months", "months"),
    ),
    "hours": Cycle(
        tuple(number.lower() for number in NUMBERS),
        {"text": "Let's do some clock math. {b} {unit} from {a} is"},
        ("hour", "hours"),
    ),
    "compass": Cycle(
        ("north", "east", "south", "west"),
        {"text": "Let's do some compass math. {b} {unit} from {a} is"},
        ("right turn", "right turns"),
    ),
    "notes": Cycle(
        ("C", "D", "E", "F", "G", "A", "B"),
        {"text": "Let's do some music math. {b} {unit} up from {a} is"},
        ("white key", "white keys"),
    ),
}  # fmt: skip
"""By name. "One months" is as published."""


@dataclass(frozen=True, eq=False)
class CyclePrompts:
    """All prompts of a cycle as `tokens` (n, step), the tokenizer's own first token included.

    `first` (n,) are starts from 0 on, `second` durations from 1 on, `answers` their sum modulo the
    period. `choices` (period,) are the tokens of the values as they follow a prompt, and `bare`
    those of the values alone, without a space in front, where each is one token: another one in
    byte-level tokenizers. `places` says at which step the start ("a"), the duration ("b", its last
    token) and the end ("last") stand, in all prompts alike. `prefixed` says whether the published
    prefix was needed.
    """

    texts: tuple[str, ...]
    tokens: Tensor
    first: Tensor
    second: Tensor
    answers: Tensor
    choices: Tensor
    bare: Tensor | None
    places: Mapping[str, int]
    prefixed: bool

    def __len__(self) -> int:
        return len(self.tokens)


def cycle_prompts(tokenizer: Any, name: str, wording: str = "text") -> CyclePrompts:
    """Every start with every duration, in the words of a cycle of `CYCLES`.

    Where prompts differ in length, the published prefix is tried. Raises `UnknownName` for a cycle
    or a wording that is not there, `NotOneToken` for a start, an answer, or a duration (but those
    three that the published rule is made for) of several tokens, and `SymscopeError` without a
    tokenizer that tells where its tokens stand, and where lengths differ all the same.
    """
    if name not in CYCLES:
        raise UnknownName("cycle", name, CYCLES)
    cycle = CYCLES[name]
    if wording not in cycle.wordings:
        raise UnknownName("wording", wording, cycle.wordings)
    if not getattr(tokenizer, "is_fast", False):
        raise SymscopeError("this network has no fast tokenizer: give a folder with tokenizer.json")
    period = cycle.period
    first, second = torch.cartesian_prod(torch.arange(period), 1 + torch.arange(period)).T
    questions = [_Question(cycle, cycle.wordings[wording], a, b)
                 for a, b in zip(first.tolist(), second.tolist(), strict=True)]  # fmt: skip
    read = [_read(tokenizer, q.text("")) for q in questions]
    places = _places(questions, read)
    prefixed = len(lengths := _lengths(read)) > 1
    if prefixed:
        read = [_read(tokenizer, q.text(PREFIX)) for q in questions]
        places = _places(questions, read)
        if len(again := _lengths(read)) > 1:
            raise SymscopeError(
                f"prompts are not of one length: {_listed(lengths)}; and with {PREFIX!r} in front"
                f" as published: {_listed(again)}"
            )
    assert len(places) == 1, "of one length, and nothing varies but the words and the prefix"
    answers = (first + second) % period
    return CyclePrompts(
        tuple(one.text for one in read), torch.tensor([one.tokens for one in read]), first, second,
        answers, _choices(tokenizer, cycle, read, answers), _bare(tokenizer, cycle),
        dict(zip(("a", "b", "last"), places.pop(), strict=True)), prefixed,
    )  # fmt: skip


@dataclass(frozen=True)
class _Question:
    cycle: Cycle
    wording: str
    a: int
    b: int

    @property
    def words(self) -> dict[str, str]:
        unit = self.cycle.unit[self.b > 1]
        return {"a": self.cycle.values[self.a], "b": NUMBERS[self.b - 1], "unit": unit}

    def text(self, prefix: str) -> str:
        front = "" if self.words["b"] in LONG else prefix
        return front + self.wording.format(**self.words)


@dataclass(frozen=True)
class _Read:
    """A text, its tokens, and from where to where each reaches in it."""

    text: str
    tokens: list[int]
    spans: list[tuple[int, int]]

    def holds(self, start: int, word: str) -> list[int]:
        """The steps of the tokens of a word, and of nothing but the space around it."""
        end = start + len(word)
        steps = [i for i, (low, high) in enumerate(self.spans) if low < end and high > start]
        whole = self.text[self.spans[steps[0]][0] : self.spans[steps[-1]][1]] if steps else ""
        return steps if whole.strip() == word else []


def _read(tokenizer: Any, text: str) -> _Read:
    found = tokenizer(text, return_offsets_mapping=True)
    tokens, spans = list(found["input_ids"]), [tuple(s) for s in found["offset_mapping"]]
    for token, (low, high) in zip(tokens, spans, strict=True):
        if token == tokenizer.unk_token_id and high > low:
            raise NotOneToken(f"{text[low:high]!r} in {text!r} is unknown to the tokenizer")
    return _Read(text, tokens, spans)


def _lengths(read: Sequence[_Read]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for one in read:
        found.setdefault(len(one.tokens), []).append(one.text)
    return dict(sorted(found.items()))


def _listed(lengths: Mapping[int, Sequence[str]]) -> str:
    return ", ".join(f"{length} tokens ({len(texts)} prompts, {texts[0]!r} for one)"
                     for length, texts in lengths.items())  # fmt: skip


def _places(questions: Sequence[_Question], read: Sequence[_Read]) -> set[tuple[int, int, int]]:
    """The steps of the start, the duration's last token and the end, of all prompts."""
    return {
        (_step(question, one, "a"), _step(question, one, "b"), len(one.tokens) - 1)
        for question, one in zip(questions, read, strict=True)
    }


def _step(question: _Question, one: _Read, role: str) -> int:
    """Where the word of a role ends; it is one token, but for the published durations."""
    word = question.words[role]
    before = question.wording.partition(f"{{{role}}}")[0].format(**question.words)
    steps = one.holds(len(one.text) - len(question.text("")) + len(before), word)
    if not steps or (len(steps) > 1 and not (role == "b" and word in LONG)):
        pieces = [one.text[low:high] for low, high in (one.spans[s] for s in steps)]
        raise NotOneToken(
            f"{word!r} in {one.text!r} is to be one token"
            + (f", and is {pieces}" if pieces else ", and shares one with its neighbours")
        )
    return steps[-1]


def _choices(
    tokenizer: Any, cycle: Cycle, read: Sequence[_Read], answers: Tensor
) -> Tensor:  # fmt: skip
    """The token that each value is when it follows each prompt that it answers."""
    known: dict[int, int] = {}
    for one, answer in zip(read, answers.tolist(), strict=True):
        word = cycle.values[answer]
        more = _read(tokenizer, f"{one.text} {word}").tokens
        size = len(one.tokens)
        if more[:size] != one.tokens or len(more) != size + 1:
            said = tokenizer.convert_ids_to_tokens(more[size:])
            raise NotOneToken(f"{word!r} after {one.text!r} is to be one token, and is {said}")
        if known.setdefault(answer, more[size]) != more[size]:
            raise NotOneToken(f"{word!r} is one token after some prompts and another after others")
    if len(set(known.values())) < cycle.period:
        raise NotOneToken("two answers are the same token")
    return torch.tensor([known[answer] for answer in range(cycle.period)])


def _bare(tokenizer: Any, cycle: Cycle) -> Tensor | None:
    """The values' tokens without anything in front, or None where one is several or unknown."""
    found = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in cycle.values]
    if any(len(one) != 1 or one[0] == tokenizer.unk_token_id for one in found):
        return None
    return torch.tensor(found)[:, 0]
