"""A run directory as one HTML file that opens offline: the page's table of contents."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symscope.align.accept import RULE, ErrorRates, error_rates
from symscope.evidence import Evidence, read_evidence, read_json, write_whole
from symscope.files import read_text, refusing
from symscope.report.claims import checked, claim_parts, is_claim, main_claim
from symscope.report.figures import coordinate_figure, correlations, plane_figure, training_figure
from symscope.report.generated import HYPERNETWORK, generated_page
from symscope.report.learned import learned_parts
from symscope.report.program_page import extraction, program_page
from symscope.report.provenance import provenance
from symscope.report.render import plotly, rendered, script
from symscope.report.sentence import percent, sentence
from symscope.settings import read_settings

_AXIS = "the first principal axis of the states inside the aligned subspace"


def write_page(run: Path) -> Path:
    """Write `report.html` into the run directory and return its path.

    Reads `config.json` and `evidence.json`, and `coordinates.json` and `program.py` where they
    are; of a run from which a program was extracted, its network too. Raises `SymscopeError` where
    a file is missing or is something else, or where plotly or jinja2 is not installed.
    """
    run = Path(run)
    config = read_settings(run)
    evidence = [checked(e) for e in read_evidence(run / "evidence.json")]
    with refusing(f"{run} holds what the page cannot show"):
        if (run / HYPERNETWORK).exists():
            text = generated_page(run, config, evidence)
        elif extraction(evidence):
            text = program_page(run, config, evidence)
        else:
            text = _of_claims(run, config, evidence)
    path = run / "report.html"
    write_whole(path, lambda p: p.write_text(text, encoding="utf8"))
    return path


def _of_claims(run: Path, config: Mapping[str, Any], evidence: Sequence[Evidence]) -> str:
    coordinates = run / "coordinates.json"
    program = run / "program.py"
    return page(
        config,
        evidence,
        read_json(coordinates) if coordinates.exists() else None,
        read_text(program) if program.exists() else "",
    )


def page(
    config: Mapping[str, Any],
    evidence: Sequence[Evidence],
    coordinates: Mapping[str, Sequence[float]] | None = None,
    program: str = "",
) -> str:
    """The whole page as text. Everything that comes from data is escaped."""
    evidence = [checked(e) for e in evidence]
    claims = [e for e in evidence if is_claim(e)]
    training = next((e for e in evidence if e.config.get("history")), None)
    others = [e for e in evidence if e is not training and not is_claim(e)]
    main = main_claim(claims, config)
    parts = [claim_parts(e, config) for e in claims]
    figures = {
        "training": training_figure(training) if training else None,
        "coordinate": coordinate_figure(coordinates) if coordinates else None,
        "plane": plane_figure(coordinates) if coordinates else None,
        "claims": [part.pop("figures") for part in parts],
    }
    return rendered(
        "page.html", [plotly(), script("theme.js", "page.js")],
        config=config, claims=parts, main=main, headline=_headline(claims, main, training, config),
        training=training, others=others, figures=figures, program=program, rule=RULE,
        rates=_rates(claims), learned=learned_parts(evidence, parts),
        correlations=correlations(coordinates) if coordinates else [],
        axis=(coordinates or {}).get("axis", _AXIS),
        reproduce=provenance(config),
    )  # fmt: skip


def _rates(claims: Sequence[Evidence]) -> list[ErrorRates]:
    """The error rates of the methods behind the claims, and of the one with the lowest."""
    measured = error_rates()
    used = [str(e.config.get("method", "das_once")) for e in claims]
    return [measured[m] for m in dict.fromkeys([*used, "das"]) if m in measured]


def _headline(
    claims: Sequence[Evidence],
    main: int,
    training: Evidence | None,
    config: Mapping[str, Any],
) -> str:
    if claims:
        return sentence(claims[main], config)
    if training is not None and training.score is not None:
        return f"Trained to {percent(training.score)} accuracy. Nothing is claimed about it yet."
    return "This run holds no claim yet."
