"""Programs as people write them: one assignment a line, the query last."""

import re

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.tasks.binding.alphabet import Alphabet

MOST = 1000
"""Lines; what each binds is looked up among all before it."""


class NotAProgram(SymscopeError):
    """A text that is no program; says the line, the column and what may stand there."""


def parsed(text: str, alphabet: Alphabet) -> Tensor:
    """The program as tokens, (1, step). Lines end with a newline or a semicolon.

    >>> parsed("a=5; b=a; #b:", Alphabet()).shape
    torch.Size([1, 11])

    Raises `NotAProgram` for a line that is neither `letter=letter`, `letter=digit` nor, at the end,
    `#letter:`; for a name that has no value when it is read; for a cycle, which is such a name too.
    """
    written = [line.strip() for line in re.split(r"[\n;]", text.strip())]
    numbered = list(enumerate(written, 1))
    if len(written) > MOST:
        raise NotAProgram(f"there are {len(written):,} lines; {MOST:,} can be followed")
    if not numbered or not written[-1].startswith("#"):
        raise NotAProgram(f"line {len(written)}: the last line has to ask, for example #a:")
    if len(numbered) == 1:
        raise NotAProgram("line 1: there is no assignment before the query")
    places = {token: i for i, token in enumerate(alphabet.tokens)}
    bound: dict[str, int] = {}
    left, right = [], []
    for number, line in numbered[:-1]:
        _shaped(line, number, "v=v", alphabet)
        name, value = line[0], line[2]
        if value.isalpha() and value not in bound:
            raise NotAProgram(_unbound(value, number, bound, written))
        bound[name] = number
        left.append(places[name])
        right.append(places[value])
    number, line = numbered[-1]
    _shaped(line, number, "#v:", alphabet)
    if line[1] not in bound:
        raise NotAProgram(_unbound(line[1], number, bound, written))
    return alphabet.written(
        torch.tensor([left]), torch.tensor([right]), torch.tensor([places[line[1]]])
    )


def shown(tokens: Tensor, alphabet: Alphabet) -> str:
    """One program, (step,), as text.

    >>> shown(parsed("a=5; b=a; #b:", Alphabet())[0], Alphabet())
    'a=5\\nb=a\\n#b:'
    """
    return "".join(alphabet.tokens[t] for t in tokens.tolist())


def _shaped(line: str, number: int, shape: str, alphabet: Alphabet) -> None:
    """Raise where the line is not of the shape `v=v` or `#v:`."""
    letters, digits = alphabet.tokens[alphabet.digits : -4], alphabet.tokens[: alphabet.digits]
    said = {
        "v": f"a letter {letters[0]}–{letters[-1]}", "=": "'='", "#": "'#'", ":": "':'",
        "r": f"a letter {letters[0]}–{letters[-1]} or a digit {digits[0]}–{digits[-1]}",
    }  # fmt: skip
    wanted = "v=r" if shape == "v=v" else shape
    for column, kind in enumerate(wanted):
        allowed = {"v": letters, "r": (*letters, *digits)}.get(kind, (kind,))
        found = line[column : column + 1]
        if found not in allowed or not found:
            what = repr(found) if found else "the end of the line"
            raise NotAProgram(
                f"line {number}, column {column + 1}: {what} where {said[kind]} has to stand;"
                f" lines are letter=letter, letter=digit and at the end #letter:"
            )
    if len(line) > 3:
        raise NotAProgram(
            f"line {number}, column 4: {line[3:]!r} after the end of the line; numbers have one"
            " digit and lines end with a newline or ;"
        )


def _unbound(name: str, number: int, bound: dict[str, int], written: list[str]) -> str:
    later = [i for i, line in enumerate(written, 1) if line.startswith(f"{name}=") and i > number]
    why = ""
    if later:
        why = f"; it gets one in line {later[0]} only: lines run in order, so this is a cycle or"
        why += " the wrong order"
    elif written[number - 1].startswith(f"{name}="):
        why = "; a letter cannot be assigned to itself first: that is a cycle"
    has = ", ".join(bound) or "no letter"
    return f"line {number}: {name!r} has no value yet (there is: {has}){why}"
