"""What each control is, in plain words, and what it means for a claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from symscope.evidence import Evidence

Kind = Literal["floor", "rival", "ceiling", "apart"]
"""A floor has to be beaten; a rival is another way to choose coordinates; a ceiling is what is
scored when nothing is changed; what stands apart is no share of the same pairs."""


@dataclass(frozen=True)
class Control:
    """How one control is called, what was done, what to expect of it, and its kind."""

    label: str
    meaning: str
    expected: str
    kind: Kind


IIA_CONTROLS: Mapping[str, Control] = {
    "no_op": Control(
        "No swap",
        "Nothing is replaced: how often the network's own answer happens to be the one asked for.",
        "Low, not 0: where base and source hold the same value, the swap asks for nothing new.",
        "floor",
    ),
    "machine_no_op": Control(
        "Flawless machine, no swap",
        "The same for a machine that runs the task's program without error.",
        "It depends on how the pairs are drawn alone. For some variables it is high.",
        "floor",
    ),
    "full_swap": Control(
        "Whole vector swapped",
        "Every dimension comes from the source, so every variable is swapped, not only this one.",
        "Right only where the other variables agree or do not matter.",
        "floor",
    ),
    "machine_full_swap": Control(
        "Flawless machine, all swapped",
        "All variables swapped in a machine that runs the task's program without error.",
        "What swapping too much scores at best. It depends on how the pairs are drawn alone.",
        "floor",
    ),
    "untrained_rotation": Control(
        "Where the search began",
        "The random rotation from which the fitting started.",
        "Like a random subspace; the distance from here to the claim is what fitting found.",
        "floor",
    ),
    "random_subspace": Control(
        "Random subspace",
        "Random directions, as many as the claim uses; the mean of three draws.",
        "Near no swap, unless the variable is spread over everything.",
        "floor",
    ),
    "permuted_sources": Control(
        "Search on permuted sources",
        "The same search and score with sources that belong to other pairs: nothing is there.",
        "What searching alone can score. Near the floor above it, or the search overfits.",
        "floor",
    ),
    "shuffled_sources": Control(
        "Search on shuffled sources",
        "A search on sources that belong to other pairs, scored on the true pairs.",
        "Low; it can be high where the choice of pairs alone tells that something is swapped.",
        "floor",
    ),
    "untrained_network": Control(
        "Search in an untrained network",
        "The same search in a network of the same form with random weights.",
        "Low: an untrained network does not do the task, whatever is swapped.",
        "floor",
    ),
    "pca": Control(
        "Widest principal axes",
        "As many principal axes as the claim uses, those along which the vectors vary most.",
        "Below the claim, unless the variable is simply where most of the variance is.",
        "rival",
    ),
    "neurons": Control(
        "Best neurons",
        "As many single units as the claim uses, those that correlate best with the variable.",
        "Below the claim where the variable is spread over units.",
        "rival",
    ),
    "probe_direction": Control(
        "Probe direction",
        "The one direction along which a linear probe reads the variable.",
        "Usually below the claim: where a value can be read is not always where it is used.",
        "rival",
    ),
    "probe_accuracy": Control(
        "Linear probe, exact",
        "How often a linear probe, rounded, reads the variable's exact value from the vector.",
        "Reading, not intervening: a high value says that it is there, not that it is used.",
        "apart",
    ),
    "edited_state_distance": Control(
        "Distance of edited vectors",
        "How far swapped vectors lie from the nearest natural one, in units of the distance"
        " natural vectors have.",
        "About 1: the edits stay where natural vectors are. Well above 1, the network was pushed"
        " to where it never is.",
        "apart",
    ),
    "edited_state_spread": Control(
        "Distance in units of the spread",
        "Distance from each edited vector to the nearest natural one, over the mean distance"
        " between two natural ones.",
        "Near 0 when edits stay among natural vectors; near 1 when they leave them.",
        "apart",
    ),
}

UNCHANGED_CONTROLS: Mapping[str, Control] = {
    **IIA_CONTROLS,
    "no_op": Control(
        "No swap",
        "Nothing is replaced, so nothing can change.",
        "100 %, or the network errs by itself.",
        "ceiling",
    ),
    "machine_no_op": Control(
        "Flawless machine, no swap",
        "The same for a machine that runs the task's program without error.",
        "100 %.",
        "ceiling",
    ),
    "machine_full_swap": Control(
        "Flawless machine, all swapped",
        "A machine that keeps its variables in its state, all of them swapped: it goes on as"
        " before only where they happen to agree.",
        "Low. A network at this value keeps its variables in its state, too.",
        "floor",
    ),
}


def control(name: str, value: float, unit: str = "IIA") -> Control:
    """The control of that name. One this page does not know is a floor, if it can be a share.

    An unknown number must not make a claim look better than it is.
    """
    known = UNCHANGED_CONTROLS if unit == "unchanged" else IIA_CONTROLS
    if name in known:
        return known[name]
    kind: Kind = "floor" if 0 <= value <= 1 else "apart"
    expected = "Counted as a floor, to be safe." if kind == "floor" else "No share of the pairs."
    return Control(name, "A control that this page has no description of.", expected, kind)


def label_of(name: str) -> str:
    """A control in plain words; one that is not described here by its name."""
    return IIA_CONTROLS[name].label if name in IIA_CONTROLS else name


def controls_of(evidence: Evidence, *kinds: Kind) -> dict[str, tuple[Control, float]]:
    """Name → (control, value) of the kinds asked for, in the order of this file, unknown last."""
    order = list(IIA_CONTROLS)
    names = sorted(evidence.controls, key=lambda n: order.index(n) if n in order else len(order))
    found = {n: (control(n, evidence.controls[n], evidence.unit), evidence.controls[n])
             for n in names}  # fmt: skip
    return {name: pair for name, pair in found.items() if pair[0].kind in kinds}
