"""A run directory as one HTML file that opens offline: the page's table of contents."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from symscope.align.accept import RULE, ErrorRates, error_rates
from symscope.evidence import Evidence, SymscopeError, read_evidence, read_json, write_whole
from symscope.report.claims import checked, claim_parts, is_claim, main_claim
from symscope.report.figures import coordinate_figure, correlations, plane_figure, training_figure
from symscope.report.learned import learned_parts
from symscope.report.sentence import basis, interval, percent, sentence

_SHOWN = (
    ("seed", "seed"), ("preset", "preset"), ("commit", "commit"), ("version", "symscope"),
    ("python", "Python"), ("torch", "torch"), ("task", "task"), ("architecture", "network"),
    ("width", "width"), ("program", "program"), ("site", "site"), ("seconds", "seconds"),
)  # fmt: skip
_AXIS = "the first principal axis of the states inside the aligned subspace"


def write_page(run: Path) -> Path:
    """Write `report.html` into the run directory and return its path.

    Reads `config.json` and `evidence.json`, and `coordinates.json` and `program.py` where they
    are. Raises `SymscopeError` where a file is missing or is something else, or where plotly or
    jinja2 is not installed.
    """
    run = Path(run)
    config = read_json(run / "config.json")
    if not isinstance(config, dict):
        raise SymscopeError(f"{run / 'config.json'} holds no JSON object")
    evidence = read_evidence(run / "evidence.json")
    coordinates = run / "coordinates.json"
    program = run / "program.py"
    text = page(
        config,
        evidence,
        read_json(coordinates) if coordinates.exists() else None,
        program.read_text(encoding="utf8") if program.exists() else "",
    )
    path = run / "report.html"
    write_whole(path, lambda p: p.write_text(text, encoding="utf8"))
    return path


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
    return _render(
        config=config, headline=_headline(claims, main, training, config), claims=parts, main=main,
        training=training, others=others, figures=figures, program=program, rule=RULE,
        rates=_rates(claims), learned=learned_parts(evidence, parts),
        correlations=correlations(coordinates) if coordinates else [],
        axis=(coordinates or {}).get("axis", _AXIS),
        reproduce=[(name, config[key]) for key, name in _SHOWN if config.get(key) is not None],
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


def _render(**values: Any) -> str:
    """`page.html` with the values, the style sheet and the scripts in it."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise SymscopeError(
            f'the page needs {error.name}, which is not installed: pip install "symscope[report]"'
        ) from None
    environment = Environment(
        loader=PackageLoader("symscope", "report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    environment.filters |= {"percent": percent, "interval": interval, "basis": basis}
    scripts = [_inline(get_plotlyjs()), _inline(_text("page.js"))]
    try:
        return environment.get_template("page.html").render(
            **values,
            policy=_policy(scripts),
            scripts=[Markup(script) for script in scripts],
            style=Markup(_text("page.css")),
        )
    except ValueError as error:
        raise SymscopeError(f"the evidence holds a number that is none: {error}") from None


def _policy(scripts: Sequence[str]) -> str:
    """The content security policy: these scripts by their hashes, styles, and no network at all."""
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{h}'" for h in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


def _inline(script: str) -> str:
    """The script as a browser reads it from a page, which is what its hash is taken of."""
    script = script.replace("\r\n", "\n").replace("\r", "\n")
    assert "</script" not in script.lower(), "a script that ends its own tag cannot be inlined"
    return script


def _text(name: str) -> str:
    return files("symscope.report").joinpath(name).read_text(encoding="utf8")
