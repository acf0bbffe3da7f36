"""Whether a claim stands above its floors: the one rule that decides what the page calls it."""

from dataclasses import dataclass
from typing import Literal

from symscope.evidence import Evidence
from symscope.report.controls import controls_of

Word = Literal["found", "partial", "at its floor", "no control", "not analysed"]

RULE = (
    "A claim is at its floor when the low end of its 95 % interval is not above its highest floor."
    " It is found when that low end is at least half of the way from the highest floor to 100 %,"
    " and partial in between. Floors are: no swap and the whole vector swapped, in this network"
    " and in a flawless machine; a random subspace; and the same search where there is nothing to"
    " find. Principal axes, neurons and a probe's direction are other ways to choose coordinates:"
    " they are shown, but are no floors. For “unchanged” the floor is a machine that keeps its"
    " variables in its state."
)


@dataclass(frozen=True)
class Verdict:
    """The word, and the highest floor with its name where there is one."""

    word: Word
    floor: float | None = None
    name: str = ""


def verdict(evidence: Evidence) -> Verdict:
    """`RULE`, applied. Without floors or without an interval a score is no finding either."""
    if evidence.score is None:
        return Verdict("not analysed")
    floors = controls_of(evidence, "floor").values()
    if not floors or evidence.low is None:
        return Verdict("no control")
    floor, name = max((value, control.label) for control, value in floors)
    if evidence.low <= floor:
        return Verdict("at its floor", floor, name)
    found = evidence.low - floor >= (1 - floor) / 2
    return Verdict("found" if found else "partial", floor, name)
