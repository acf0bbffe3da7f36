"""Names that would break a page, put in the place of every text of what a page is made of."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

RUN = "window['hacked']=1"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f'"><img src=x onerror="{RUN}">',
    f"</script><script>{RUN}</script>",
    "<!--<script>",
    f"javascript:{RUN}",
    f'\'"onmouseover="{RUN}" autofocus onfocus="{RUN}',
    f"\u2028{RUN}\u2029",
    "\udfff halves \ud800",
    "  two  spaces\t and a tab ",
    "two\r\nlines\rand a third",
    "$x^2$ and $y$",
    "nul\x00bell\x07\x1b[31m",
    "\u202eright\u200f to left\u202c\u2066",
    "${7*7}{{7*7}}{% raw %}%{text}<%=7%>",
    f"</style></title></textarea><svg onload={RUN}>",
    "&lt;b&gt;&#60;i&#62;&amp;lt;]]><![CDATA[",
    f"<a href=\"javascript:{RUN}\">a</a><iframe srcdoc='<b>'></iframe>",
)
"""Each is tried in the place of every text, in as many rounds as there are."""
OBJECTS = (
    "__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "isPrototypeOf",
    "__defineGetter__", "__lookupGetter__", "toLocaleString", "propertyIsEnumerable",
    "__defineSetter__", "__lookupSetter__",
)  # fmt: skip
"""Names that every object of JavaScript has."""
Change = Callable[[str], str]


def changed(
    part: Any, change: Change, named: Collection[str] = (), fixed: Collection[str] = (),
    path: str = "",
) -> Any:  # fmt: skip
    """The part with every text in it changed, but for what lies at a path in `fixed`.

    A path is the keys to a place with dots between; lists do not count. At a path in `named` the
    keys themselves are names out of the data, and are changed too: they are `*` in paths.
    """
    if path in fixed:
        return part
    if isinstance(part, Mapping):
        new = {}
        for key, value in part.items():
            name = path in named and key != "value"
            below = f"{path}.{'*' if name else key}".removeprefix(".")
            new[getattr(change, "key", change)(key) if name else key] = changed(
                value, change, named, fixed, below
            )
        return new
    if isinstance(part, list | tuple):
        return [changed(v, change, named, fixed, path) for v in part]
    return change(part) if isinstance(part, str) else part


class Names:
    """Gives each text a payload, always the same one; `round` says which, None gives harmless."""

    def __init__(self, round: int | None) -> None:
        self.round = round
        self.given: dict[str, str] = {}
        self.keys: list[str] = []

    def __call__(self, text: str) -> str:
        """The text, its payload, and a mark; what is empty or blank stays."""
        if not text.strip():
            return text
        if text not in self.given:
            at = len(self.given)
            payload = "harmless" if self.round is None else PAYLOADS[
                (at + self.round) % len(PAYLOADS)]  # fmt: skip
            self.given[text] = f"{text}{payload}⟨{at}⟩"
        return self.given[text]


class Objects(Names):
    """Gives keys that are names those that every object has, twelve in a round, in all places.

    To be used twice: keys may come after the places that name them.
    """

    def key(self, text: str) -> str:
        """A key, or another name for it."""
        if text not in self.keys:
            at = len(self.keys) - len(OBJECTS) * (self.round or 0)
            self.keys.append(text)
            if at in range(len(OBJECTS)):
                self.given[text] = OBJECTS[at]
        return self(text)

    def __call__(self, text: str) -> str:
        """The text, or another name where it is a key."""
        return self.given.get(text, text)


def plain(text: str) -> str:
    """The text as pages are compared: no spaces, no case, and nothing that is no character."""
    text = re.sub("[^\x20-\ud7ff\ue000-\ufffc\U00010000-\U0010ffff]", "", text)
    return re.sub(r"[\s_\u00ad⏎]+", "", text).lower().replace("−", "-")
