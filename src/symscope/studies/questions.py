"""Questions answered one by one: what cannot be answered does not take the others along."""

from collections.abc import Callable, Iterator
from itertools import count

from symscope.evidence import Evidence, SymscopeError
from symscope.studies.idle import idle_patches

Question = Callable[[], list[Evidence]]


def answered(questions: Iterator[Question], name: str, seed: int) -> list[Evidence]:
    """The answers; a question without one is evidence as well. An idle patch is meant here."""
    found: list[Evidence] = []
    with idle_patches():
        for number in count():
            try:
                question = next(questions, None)  # what prepares a question can fail as well
                if question is None:
                    break
                found += question()
            except SymscopeError as error:
                found.append(Evidence(f"{name}.question_{number}", None, None, None, 0,
                                      seeds=[seed], note=str(error)))  # fmt: skip
    return found
