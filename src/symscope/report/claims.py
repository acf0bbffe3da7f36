"""One claim of the page: its words, its controls as a table, its figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from symscope.align.accept import verdict
from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.report.controls import controls_of, label_of
from symscope.report.figures import controls_figure
from symscope.report.heat import (
    describe,
    distance_figure,
    phases_figure,
    values_figure,
)
from symscope.report.sentence import (
    basis,
    called,
    interval,
    percent,
    program_of,
    sentence,
    variable_of,
)

_UNITS = ("IIA", "unchanged")


def is_claim(evidence: Evidence) -> bool:
    """Whether the record says that something is kept somewhere, and so needs controls."""
    return evidence.unit in _UNITS and not evidence.config.get("history")


def checked(evidence: Evidence) -> Evidence:
    """The record, if its numbers are numbers; raises `SymscopeError` naming the claim."""
    e = evidence
    if not (isinstance(e.controls, Mapping) and isinstance(e.config, Mapping)):
        raise SymscopeError(f"{e.claim}: controls and config are to be JSON objects")
    named = {"score": e.score, "low": e.low, "high": e.high, "n": e.n, **e.controls}
    for name, value in named.items():
        absent = value is None and name in ("score", "low", "high")
        if not absent and not (isinstance(value, int | float) and abs(value) < math.inf):
            raise SymscopeError(f"{e.claim}: {name} is {value!r}, which is no number")
    return evidence


def main_claim(claims: Sequence[Evidence], config: Mapping[str, Any]) -> int:
    """The index of the claim that the page begins with: the first of the run's own program."""
    mine = [i for i, e in enumerate(claims) if program_of(e) == config.get("program")]
    return next((i for i in mine if claims[i].score is not None), mine[0] if mine else 0)


def claim_parts(evidence: Evidence, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows of a claim, and under `figures` what its plots draw."""
    found = verdict(evidence)
    controls = controls_of(evidence, "floor", "ceiling", "rival")
    return {
        "claim": evidence.claim,
        "variable": called(variable_of(evidence)),
        "program": called(program_of(evidence)),
        "word": found.word,
        "floor": replace(found, name=label_of(found.name)),
        "score": evidence.score,
        "interval": interval(evidence),
        "n": evidence.n,
        "unit": evidence.unit,
        "sentence": sentence(evidence, config),
        "basis": basis(evidence),
        "controls": [
            {"label": c.label, "name": name, "value": percent(value), "kind": c.kind,
             "interval": _interval(value, evidence.n), "meaning": c.meaning,
             "expected": c.expected}
            for name, (c, value) in controls.items()
        ],
        "apart": [
            {"label": c.label, "name": name, "meaning": c.meaning, "expected": c.expected,
             "value": percent(value) if name.endswith("accuracy") else f"{value:.2f}"}
            for name, (c, value) in controls_of(evidence, "apart").items()
        ],
        "held_out": _held_out(evidence),
        "redrawn": evidence.config.get("redrawn"),
        "source": evidence.source,
        "figures": {
            "controls": controls_figure(evidence),
            "values": values_figure(evidence),
            "distances": distance_figure(evidence),
            "phases": phases_figure(evidence),
        },
    }  # fmt: skip


def _interval(value: float, n: int) -> str:
    low, high = wilson(round(value * n), n)
    return f"{100 * low:.1f}–{percent(high)}"


def _held_out(evidence: Evidence) -> list[tuple[str, str]]:
    """The score apart for values never seen in training, where the record splits it so."""
    named = (("held_out", "values never seen in training"), ("seen", "values seen in training"))
    cells = [(text, evidence.config.get(key)) for key, text in named]
    return [(text, describe((int(c[0]), int(c[1])))) for text, c in cells if c and c[1]]
