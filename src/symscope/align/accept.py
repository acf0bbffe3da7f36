"""The rule that decides whether a claim is printed as found, from its score and its controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from symscope.evidence import Evidence

Word = Literal["found", "partial", "at its floor", "no control", "not analysed"]

BAR = 0.9
"""What the low end of the interval has to reach."""
FLOORS = (
    "no_op", "machine_no_op", "full_swap", "machine_full_swap", "untrained_rotation",
    "random_subspace", "shuffled_sources", "untrained_network",
)  # fmt: skip
WHOLE = ("full_swap", "machine_full_swap")
"""Floors that swap everything there is."""
NO_FLOORS = (
    "pca", "neurons", "probe_direction", "probe_accuracy",
    "edited_state_distance", "edited_state_spread",
)  # fmt: skip
"""Other ways to choose coordinates, and what is no share of the same pairs."""


@dataclass(frozen=True)
class Verdict:
    """The word, and the highest floor with its name where there is one."""

    word: Word
    floor: float | None = None
    name: str = ""


def verdict(evidence: Evidence) -> Verdict:
    """What a claim is called.

    *At its floor*: the low end of the 95 % interval is not above the highest floor. *Found*: it is
    at least `BAR`, half of the way or more from the highest floor to 1, and the claim is about a
    part of the site. *Partial*: in between. Floors are `FLOORS` and every control unknown here that
    could be a share. Swapping the whole vector is none where that alone reaches the bar: nothing
    else at the site matters then, and what counts is that a part of it is enough.
    """
    if evidence.score is None:
        return Verdict("not analysed")
    floors = floors_of(evidence)
    if not floors or evidence.low is None:
        return Verdict("no control")
    name = max(floors, key=lambda n: floors[n])
    if evidence.low <= floors[name]:
        return Verdict("at its floor", floors[name], name)
    found = evidence.low >= max(BAR, (1 + floors[name]) / 2) and not _whole_site(evidence)
    return Verdict("found" if found else "partial", floors[name], name)


def floors_of(evidence: Evidence) -> dict[str, float]:
    """The controls that the claim has to beat."""
    if evidence.unit == "unchanged":  # a machine that keeps its variables in its state
        known: Mapping[str, float] = {
            k: v for k, v in evidence.controls.items() if k == "machine_full_swap"
        }
        return dict(known)
    shares = {k: v for k, v in evidence.controls.items() if 0 <= v <= 1 and k not in NO_FLOORS}
    return {k: v for k, v in shares.items() if k not in WHOLE or v < BAR}


def _whole_site(evidence: Evidence) -> bool:
    size, width = evidence.config.get("size"), evidence.config.get("width")
    return size is not None and size == width
