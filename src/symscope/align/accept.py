"""The rule that decides whether a claim is printed as found, from its score and its controls.

How often it is wrong is measured by `symscope bench truth`, on networks whose program is known;
`error_rates.json`, made from its results, lies beside this file and `error_rates` reads it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from symscope.evidence import Evidence

Word = Literal["found", "partial", "at its floor", "no control", "not analysed"]

BAR = 0.9
"""What the low end of the interval has to reach."""
WHOLE = ("full_swap", "machine_full_swap")
"""Floors that swap everything there is."""
RULE = (
    "A claim is at its floor when the low end of its 95 % interval is not above its highest floor."
    f" It is found when that low end is at least {BAR:.0%}, at least half of the way from the"
    " highest floor to 100 %, and the claim is about a part of its site. In between it is partial."
    " Floors are: no swap and the whole vector swapped, in this network and in a flawless machine;"
    " a random subspace; and the same search where there is nothing to find. Where swapping the"
    " whole vector alone reaches the bar, nothing else at the site matters and it is no floor."
    " Principal axes, neurons and a probe's direction are other ways to choose coordinates: they"
    " are shown, but are no floors. For “unchanged” the floor is a machine that keeps its variables"
    " in its state."
)
NO_FLOORS = (
    "pca", "neurons", "probe_direction", "probe_accuracy", "accuracy",
    "edited_state_distance", "edited_state_spread",
)  # fmt: skip
"""Other ways to choose coordinates, and what is no share of the same pairs."""


@dataclass(frozen=True)
class Verdict:
    """The word, and the highest floor with its name where there is one."""

    word: Word
    floor: float | None = None
    name: str = ""


@dataclass(frozen=True)
class ErrorRates:
    """How often the rule was right about one method: [accepted, of how many] of each kind.

    `true` and `false` claims are about `families` of hand-written networks, each hidden in several
    `bases`; `untrained` ones are about networks with random weights, None where not tried.
    """

    method: str
    families: int
    bases: int
    true: tuple[int, int]
    false: tuple[int, int]
    untrained: tuple[int, int] | None


def error_rates() -> Mapping[str, ErrorRates]:
    """Method → its measured error rates under `RULE`."""
    text = files("symscope.align").joinpath("error_rates.json").read_text(encoding="utf8")
    measured = json.loads(text)
    return {
        method: ErrorRates(
            method, measured["families"], measured["bases"], tuple(counts["true"]),
            tuple(counts["false"]), tuple(counts["untrained"]) if "untrained" in counts else None,
        )
        for method, counts in measured["methods"].items()
    }  # fmt: skip


def verdict(evidence: Evidence) -> Verdict:
    """`RULE`, applied. Without floors or without an interval a score is no finding either."""
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
    """The controls that the claim has to beat; one that is unknown here too, if it can be a share.

    An unknown number must not make a claim look better than it is.
    """
    if evidence.unit == "unchanged":  # only a machine that keeps its variables in its state
        ceilings = ("no_op", "machine_no_op")
        return {k: v for k, v in evidence.controls.items() if k not in (*ceilings, *NO_FLOORS)}
    shares = {k: v for k, v in evidence.controls.items() if 0 <= v <= 1 and k not in NO_FLOORS}
    return {k: v for k, v in shares.items() if k not in WHOLE or v < BAR}


def _whole_site(evidence: Evidence) -> bool:
    size, width = evidence.config.get("size"), evidence.config.get("width")
    return size is not None and size == width
