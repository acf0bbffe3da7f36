"""The whole loop on counting: train, extract, align, prove, and keep the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symscope.align import Search
from symscope.commands.loop import (
    Claim,
    Effort,
    align_all,
    extract_into,
    show_program,
    train_into,
    unchanged_into,
)
from symscope.commands.run_directory import recorded
from symscope.evidence import ClaimFailed, Evidence, write_evidence
from symscope.placement import Placement
from symscope.train import Progress, Schedule

RIGHT = (("up_down", "count"), ("up_down", "phase"))
WRONG = (("up_up", "demo"), ("up_up", "resp"))
_MORE = 25


@dataclass(frozen=True)
class Preset:
    """How much of everything; training goes on, 25 epochs at a time, until the gate is passed."""

    width: int
    schedule: Schedule
    most_epochs: int
    effort: Effort
    fitted_controls: bool
    """Whether the right program's searches are repeated where there is nothing to find."""


PRESETS = {
    "default": Preset(
        48,
        Schedule(75),
        200,
        Effort(Search(500, most=500), {"fit": 10_000, "validation": 1_000, "test": 1_000}),
        fitted_controls=True,
    ),
    "tiny": Preset(
        48,
        Schedule(55, own_answers=False),
        155,
        Effort(
            Search(400, most=400, batch=128, rate=1e-2),
            {"fit": 4_000, "validation": 500, "test": 1_000},
        ),
        fitted_controls=False,
    ),
}


def demo(
    run: Path, preset: Preset, where: Placement, jobs: int, progress: Progress
) -> list[Evidence]:
    """All evidence, in the order of the claims; what the run already holds is not done again."""
    train_to_the_gate(run, preset, where, progress)
    progress(0, 1, "extracting a program")
    own = extract_into(run, where)[0].config.get("variables", ())
    claims = [Claim(*named, fitted_controls=preset.fitted_controls) for named in RIGHT]
    claims += [Claim(*named, fitted_controls=False) for named in WRONG]  # controls themselves
    claims += [Claim("extracted", v, fitted_controls=preset.fitted_controls) for v in own]
    progress(0, len(claims), "searching for variables")
    for done, evidence in enumerate(align_all(run, claims, preset.effort, where, jobs), 1):
        progress(done, len(claims), f"searched for {evidence.claim.split('.')[-2]}")
    unchanged_into(run, where, preset.effort.counts["test"])
    show_program(run, "up_down", where)
    ordered = in_order(recorded(run))
    write_evidence(run / "evidence.json", ordered)  # the page follows the order of the file
    return ordered


def train_to_the_gate(run: Path, preset: Preset, where: Placement, progress: Progress) -> None:
    """Train as long as the preset says, and longer while the gate is missed."""
    epochs = preset.schedule.epochs
    while True:
        own = preset.schedule.own_answers
        evidence = train_into(run, Schedule(epochs, own_answers=own), where, progress)
        further = evidence.config["epochs"] > epochs  # the start before this one went on to more
        if evidence.score == 1 and not further:
            return
        if epochs >= preset.most_epochs:
            raise ClaimFailed(
                f"after {epochs} epochs the network answers {evidence.score:.1%} of the gate right"
                " and is not analysed; try another --seed"
            )
        epochs += _MORE


def in_order(records: Sequence[Evidence]) -> list[Evidence]:
    """Records in the order of the claims, whichever process was done first; extracted ones last."""
    names = [f".{program}.{variable}.iia" for program, variable in (*RIGHT, *WRONG)]

    def place(evidence: Evidence) -> int:
        ends = [i for i, name in enumerate(names) if evidence.claim.endswith(name)]
        if ends or evidence.unit == "accuracy":
            return ends[0] if ends else -1
        return len(names) + (".extracted." in evidence.claim)

    return sorted(records, key=place)
