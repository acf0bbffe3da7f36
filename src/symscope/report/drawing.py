"""The parts that drawings are made of: SVG elements, escaped text, colours by class.

A drawing is one `<svg>` as text. Its colours are classes and `var(--name)` of the style sheets, so
that it follows the page into the dark; `standalone` puts the style sheets into it.
"""

import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files

WIDE = 400
"""All drawings are so wide, in pixels: hardly more than a small screen."""
LEFT = 8
"""The empty margin at the left, and at the right."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NARROW = set("ijltfr.,:;|!'()[] /")


def element(tag: str, *content: str, **attributes: object) -> str:
    """An element around `content`, which is SVG; `kind` is the class, `_` stands for `-`."""
    named = {{"kind": "class"}.get(k, k.replace("_", "-")): v for k, v in attributes.items()}
    written = "".join(f' {k}="{printable(_short(v))}"' for k, v in named.items() if v != "")
    return f"<{tag}{written}/>" if not content else f"<{tag}{written}>{''.join(content)}</{tag}>"


def text(x: float, y: float, said: str, kind: str = "", **attributes: object) -> str:
    """A line of text that begins at (x, y); `kind` "middle" or "end" says otherwise."""
    return element("text", printable(said), x=x, y=y, kind=kind, **attributes)


def printable(said: str) -> str:
    """Text as it may stand in XML: escaped, and without characters that XML does not have.

    >>> printable("a < b\\x00")
    'a &lt; b\\ufffd'
    """
    return escape(readable(said), quote=True)


def readable(said: str) -> str:
    """The text with � for each character that neither XML nor HTML has."""
    return _UNPRINTABLE.sub("\ufffd", said)


def drawing(height: float, says: str, parts: Iterable[str], wide: float = WIDE) -> str:
    """The whole `<svg>`; `says` is what a reader who does not see it is told."""
    return element(
        "svg", "\n", "\n".join(parts), "\n", xmlns="http://www.w3.org/2000/svg", kind="drawing",
        viewBox=f"0 0 {_short(wide)} {_short(height)}", width=wide, height=height, role="img",
        aria_label=says,
    )  # fmt: skip


def standalone(svg: str) -> str:
    """The drawing as a file of its own, with the style sheets and a background in it."""
    style = style_of("colours.css", "drawing.css") + ".drawing { background: var(--card); }"
    opening, rest = svg.split(">", 1)
    return f"{opening}><style>{style}</style>{rest}"


def style_of(*names: str) -> str:
    """The style sheets of these names, one after the other."""
    return "".join(files("symscope.report").joinpath(n).read_text("utf8") for n in names)


def measured(said: str, size: float = 12) -> float:
    """About how wide the text is, in pixels.

    >>> measured("iiii") < measured("mmmm")
    True
    """
    return size * sum(0.36 if c in _NARROW else 0.84 if c in "−mMwW" else 0.63 for c in said)


def broken(said: str, wide: float, size: float = 12) -> list[str]:
    """The text in lines of at most that width; a word that is wider is cut."""
    lines = [""]
    for word in said.split():
        if lines[-1] and measured(f"{lines[-1]} {word}", size) > wide:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [line if measured(line, size) <= wide else cut(line, wide, size) for line in lines]


def cut(said: str, wide: float, size: float = 12) -> str:
    """The text, or so much of it as fits and an ellipsis.

    >>> cut("a very long name", 40)
    'a ver…'
    """
    if measured(said, size) <= wide:
        return said
    while said and measured(said + "…", size) > wide:
        said = said[:-1]
    return said.rstrip() + "…"


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes have a point in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def hue(index: int, count: int) -> str:
    """The colour of one of `count` things that have no order but perhaps a circle's."""
    return f"hsl({round(360 * index / max(count, 1) + 205) % 360} 62% 55%)"


def shown(value: float) -> str:
    """A number with three digits or as many as it has before the point, and a true minus sign.

    >>> shown(-0.04999), shown(12.0), shown(1023.0), shown(-0.001)
    ('−0.05', '12', '1023', '0')
    """
    size = abs(value)
    form = ".3g" if size >= 1e6 else ".0f" if size >= 100 else ".1f" if size >= 10 else ".2f"
    rounded = f"{value:{form}}"
    plain = rounded.rstrip("0").rstrip(".") if "." in rounded and "e" not in rounded else rounded
    return "0" if plain in ("-0", "") else plain.replace("-", "−")


def _short(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
