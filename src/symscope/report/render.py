"""A template with its values as one HTML file that opens offline and asks for nothing."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from symscope.evidence import SymscopeError
from symscope.report.drawing import style_of
from symscope.report.sentence import basis, interval, percent


def rendered(
    template: str, scripts: Sequence[str] = (), styles: Sequence[str] = (), **values: Any
) -> str:
    """The template of that name with the values, the style sheets and the scripts in it.

    All values are escaped but those that are `markupsafe.Markup`. Scripts are the text of each;
    the page's policy allows these alone. `styles` are names of further style sheets. Raises
    `SymscopeError` without jinja2, and for a number that JSON does not have.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise missing(error) from None
    environment = Environment(
        loader=PackageLoader("symscope", "report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    environment.filters |= {"percent": percent, "interval": interval, "basis": basis}
    inlined = [_inline(script) for script in scripts]
    try:
        return environment.get_template(template).render(
            **values,
            policy=_policy(inlined),
            scripts=[Markup(script) for script in inlined],
            style=Markup(style_of("colours.css", "page.css", "drawing.css", *styles)),
        )
    except ValueError as error:
        raise SymscopeError(f"the evidence holds a number that is none: {error}") from None


def missing(error: ImportError) -> SymscopeError:
    """What to say of a library of the extra `report` that is not there."""
    return SymscopeError(
        f'the page needs {error.name}, which is not installed: pip install "symscope[report]"'
    )


def script(*names: str) -> str:
    """Scripts of this package, one after the other, as the text of one."""
    return "".join(files("symscope.report").joinpath(n).read_text(encoding="utf8") for n in names)


def plotly() -> str:
    """The script of plotly; raises `SymscopeError` where it is not installed."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise missing(error) from None
    return str(get_plotlyjs())


def _policy(scripts: Sequence[str]) -> str:
    """The content security policy: these scripts by their hashes, styles, and no network at all."""
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{h}'" for h in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


def _inline(text: str) -> str:
    """The script as a browser reads it from a page, which is what its hash is taken of."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "</script" not in text.lower(), "a script that ends its own tag cannot be inlined"
    return text
