"""A claim in words: what it is about, its score with n and interval, and the one sentence."""

from collections.abc import Mapping
from typing import Any

from symscope.align.accept import verdict
from symscope.evidence import Evidence
from symscope.report.controls import label_of

_NAMES = {
    "gru": "GRU", "lstm": "LSTM", "up_down": "Up-Down", "up_up": "Up-Up", "ctx_distr": "Ctx-Distr",
    "progress": "Progress", "count": "Count", "phase": "Phase", "demo": "Demo", "resp": "Resp",
    "unchanged": "Whole vector", "extracted": "the extracted program",
}  # fmt: skip


def called(name: str) -> str:
    """A program, variable or network as it is written in prose; unknown names as they are."""
    return _NAMES.get(name, name)


def program_of(evidence: Evidence) -> str:
    """The program's name in a claim `….program.variable.iia`; "" in a shorter one."""
    parts = evidence.claim.split(".")
    return parts[-3] if len(parts) > 2 else ""


def variable_of(evidence: Evidence) -> str:
    """The variable's name in a claim `….program.variable.iia`."""
    parts = evidence.claim.split(".")
    return parts[-2] if len(parts) > 1 else evidence.claim


def percent(share: float) -> str:
    """A share as text, with a space that does not break.

    >>> percent(0.9893).replace("\u00a0", " ")
    '98.9 %'
    """
    return f"{100 * share:.1f}\u00a0%"


def interval(evidence: Evidence) -> str:
    """The 95 % interval as text, "no interval" where there is none."""
    if evidence.low is None or evidence.high is None:
        return "no interval"
    return f"{100 * evidence.low:.1f}–{percent(evidence.high)}"


def basis(evidence: Evidence) -> str:
    """What the score rests on: interval, n, seeds, and the note that says which interval."""
    seeds = ", ".join(map(str, evidence.seeds))
    parts = [f"95\u00a0% interval {interval(evidence)}", f"n = {evidence.n:,}"]
    if seeds:
        parts.append(f"seed {seeds}" if len(evidence.seeds) == 1 else f"seeds {seeds}")
    return "; ".join([*parts, *([evidence.note] if evidence.note else [])])


def sentence(evidence: Evidence, config: Mapping[str, Any]) -> str:
    """The claim with its score, its n and what it has to be compared with, as one sentence.

    `config` is the run's; its architecture says what kind of network it is.
    """
    network = called(str(config.get("architecture", "network")))
    variable, program = called(variable_of(evidence)), called(program_of(evidence))
    if evidence.score is None:
        return f"{variable} of {program} was not analysed: {evidence.note or 'no reason given'}."
    if evidence.unit == "unchanged":
        return _unchanged(evidence, network)
    found = verdict(evidence)
    share = f"{percent(evidence.score)} of {evidence.n:,} fresh pairs"
    does = f"swapping them makes it do what {program} says in {share}"
    where = _dimensions(evidence)
    floor = f"{label_of(found.name).lower()}: {percent(found.floor or 0)}"
    if found.word == "found":
        return f"This {network} keeps its {variable} in {where}: {does} ({_beside(evidence)})."
    if found.word == "partial":
        return (
            f"This {network} keeps part of what {program} calls {variable} in {where}: {does},"
            f" above its highest floor ({floor}) but less than half of the way to 100 %."
        )
    if found.word == "at its floor":
        return (
            f"No sign that this {network} keeps what {program} calls {variable} in {where}:"
            f" {does}, not clearly above its floor ({floor})."
        )
    return f"Without a control this says nothing about {variable} in {where}: {does}."


def _unchanged(evidence: Evidence, network: str) -> str:
    assert evidence.score is not None, "sentence() answers for what was not analysed"
    found = verdict(evidence)
    share = f"{percent(evidence.score)} of {evidence.n:,} fresh pairs"
    swapped = f"Replacing the whole vector by another of the same phase leaves {share} unchanged"
    machine = f"a machine that keeps its variables in its state: {percent(found.floor or 0)}"
    if found.word == "found":
        return f"This {network} does not rely on its state. {swapped} ({machine})."
    if found.word == "partial":
        return f"This {network} relies on its state in part. {swapped} ({machine})."
    if found.word == "at its floor":
        return (
            f"This {network} relies on its state, so it does not run Ctx-Distr."
            f" {swapped} ({machine})."
        )
    return f"Without a control this says nothing. {swapped}."


def _beside(evidence: Evidence) -> str:
    """The highest floor, and the random subspace, which says most, where it is another one."""
    found, random = verdict(evidence), evidence.controls.get("random_subspace")
    if random is None or random == found.floor:
        return f"highest floor, {label_of(found.name).lower()}: {percent(found.floor or 0)}"
    floor = f"highest floor: {percent(found.floor or 0)}"
    return f"a random subspace of the same size: {percent(random)}; {floor}"


def _dimensions(evidence: Evidence) -> str:
    config = evidence.config
    if "size" not in config or "width" not in config:
        return "the aligned coordinates"
    site = f" of {config['site']}" if "site" in config else ""
    return f"{config['size']} of the {config['width']} dimensions{site}"
