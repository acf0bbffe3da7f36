"""The program that was taken out of the run's network: its text, its proof, how it aligns back."""

from collections.abc import Sequence
from typing import Any

from symscope.evidence import Evidence
from symscope.report.sentence import interval, percent, program_of

_WORDS = {
    "proof": "It is the task's rule on every legal sequence, however long:",
    "counterexample": "It is not the task's rule:",
    "unknown": "Whether it is the task's rule is open:",
}


def learned_parts(
    evidence: Sequence[Evidence], claims: Sequence[dict[str, Any]]
) -> dict[str, Any] | None:
    """What the page shows of the extracted program, with the rows of `claims` about it and beside.

    None where a run has none.
    """
    found = next((e for e in evidence if e.claim.endswith(".extracted.fidelity")), None)
    if found is None or "source" not in found.config:
        return None
    told, rule = found.config, str(found.config["rule"])
    names = {e.claim: program_of(e) for e in evidence}
    rows = [c for name in ("extracted", rule) for c in claims if names[c["claim"]] == name]
    return {
        "source": told["source"], "why": told["why"], "proof": _WORDS[str(told["verdict"])],
        "said": told["said"], "fidelity": percent(found.score or 0), "interval": interval(found),
        "n": found.n, "untrained": percent(found.controls.get("untrained_network", 0.0)),
        "agrees_to": told["agrees_to"], "trained_to": told["trained_to"], "rows": rows,
    }  # fmt: skip
