"""A template with its values as one HTML file that opens offline and asks for nothing."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from symscope.evidence import SymscopeError
from symscope.extras import needed
from symscope.report.drawing import readable, style_of
from symscope.report.sentence import basis, interval, percent

MOST = 25_000_000
"""Bytes of a page; a larger one opens slowly, or not at all."""


def rendered(
    template: str, scripts: Sequence[str] = (), styles: Sequence[str] = (), **values: Any
) -> str:
    """The template of that name with the values, the style sheets and the scripts in it.

    All values are escaped but those that are `markupsafe.Markup`, and characters that HTML does
    not have are shown as �. Scripts are the text of each; the page's policy allows these alone.
    `styles` are names of further style sheets. Raises `SymscopeError` without jinja2, for a number
    that JSON does not have, and for a page of more than `MOST` bytes.
    """
    jinja2 = needed("jinja2", "the page")
    from markupsafe import Markup  # jinja2 brings it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("symscope", "report"), autoescape=True, finalize=_readable,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    environment.filters |= {"percent": percent, "interval": interval, "basis": basis}
    inlined = [_inline(script) for script in scripts]
    try:
        text = environment.get_template(template).render(
            **_readable(values),
            policy=_policy(inlined),
            scripts=[Markup(script) for script in inlined],
            style=Markup(style_of("colours.css", "page.css", "drawing.css", *styles)),
        )
    except ValueError as error:
        raise SymscopeError(f"the evidence holds a number that is none: {error}") from None
    return _within(text, values)


def _readable(part: Any) -> Any:
    """The part in the letters that HTML has, lines ended as in HTML: JSON has more, and differs."""
    if isinstance(part, Mapping):
        return {_readable(k): _readable(v) for k, v in part.items()}
    if type(part) is list:
        return [_readable(v) for v in part]
    return readable(re.sub("\r\n?", "\n", part)) if type(part) is str else part


def _within(text: str, values: Mapping[str, Any]) -> str:
    """The page; raises `SymscopeError` with what takes most of it where it is too large."""
    size = len(text.encode())
    if size <= MOST:
        return text
    parts = dict[str, Any]()
    for name, value in values.items():
        parts |= value if isinstance(value, Mapping) else {name: value}
    sizes = {name: len(json.dumps(part, default=str)) for name, part in parts.items()}
    most = max(sizes, key=sizes.__getitem__)
    raise SymscopeError(
        f"the page would have {size / 1e6:.1f} MB, {sizes[most] / 1e6:.1f} of them for {most!r};"
        f" a page has at most {MOST / 1e6:.0f} MB: give it less to show, what was found is kept"
    )


def script(*names: str) -> str:
    """Scripts of this package, one after the other, as the text of one."""
    return "".join(files("symscope.report").joinpath(n).read_text(encoding="utf8") for n in names)


def plotly() -> str:
    """The script of plotly; raises `SymscopeError` where it is not installed."""
    return str(needed("plotly.offline", "the page").get_plotlyjs())


def _policy(scripts: Sequence[str]) -> str:
    """The content security policy: these scripts by their hashes, styles, and no network at all."""
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{h}'" for h in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _inline(text: str) -> str:
    """The script as a browser reads it from a page, which is what its hash is taken of."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "</script" not in text.lower(), "a script that ends its own tag cannot be inlined"
    return text
