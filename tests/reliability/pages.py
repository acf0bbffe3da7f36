"""Pages with hostile names, pages that try to reach the network, and the pages in results/.

What is asked of a page is looked at in Chromium: that it opens from a file without a word on the
console, that text from data is text, and that nothing arrives where a page tries to send it.
"""

import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import unescape
from pathlib import Path
from typing import Any

from markupsafe import escape

from reliability.hostile import PAYLOADS, Names, Objects, plain
from reliability.pages_made import PAGES
from reliability.pages_seen import chromium, opened
from reliability.pages_sent import ATTEMPTS, tried
from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.report.render import MOST

_POLICY = re.compile(
    r'<head>\s*(<meta charset="utf-8">\s*)?<meta http-equiv="Content-Security-Policy"'
)
DRAWN = {"svg", "rect", "text", "path"}
"""Elements of drawings, which a page has where its program can be read."""


def faults(seen: Mapping[str, Any], like: Mapping[str, Any], names: Names, shown: Names) -> list:
    """What is wrong with a page, beside the same page with harmless names; nothing if all is text.

    Every name that is `shown` on the harmless page has to be on this one, letter by letter.
    """
    found = [f"console: {line[:160]}" for line in (*seen["said"], *seen["errors"])]
    found += [f"asked for {url[:80]}" for url in seen["asked"]]
    found += ["a script ran"] if seen["hacked"] else []
    found += [f"attribute {name}" for name in seen["handlers"]]
    found += [f"link to {link[:80]}" for link in seen["links"]]
    found += [f"element <{tag}>" for tag in set(seen["tags"]) - set(like["tags"]) - DRAWN]
    if seen["scripts"] != like["scripts"]:
        found.append(f"{seen['scripts']} scripts where there are {like['scripts']}")
    here, there = (plain("\0".join(s["texts"])) for s in (seen, like))
    for text, harmless in shown.given.items():
        if text in names.given and plain(harmless) in there and not _shown(text, names, here):
            found.append(f"{names.given[text]!r} is not shown")
    return found


def _shown(text: str, names: Names, here: str) -> bool:
    """Whether the name is there, or, in a drawing that has no more room, its beginning."""
    given = names.given[text]
    cuts = (plain(given[:k]) + "…" in here for k in range(len(text) + 4, len(given)))
    return plain(given) in here or any(cuts)


def escaping(
    rounds: int, folder: Path, only: Sequence[str] = tuple(PAGES), objects: int = 3
) -> list[Evidence]:
    """Whether hostile names are text, on every page: each text has one payload in each round.

    In rounds of `objects` names are those that every object of JavaScript has. The controls are
    the same pages with nothing escaped, and with one name not escaped.
    """
    began, wrong, count = time.monotonic(), {}, 0
    caught, live = {"nothing_escaped": 0, "one_name_not_escaped": 0}, 0
    with chromium() as browser:
        for page in only:
            shown = Names(None)
            like = opened(browser, _made(page, folder, shown))
            for names in (*map(Names, range(rounds)), *map(Objects, range(objects))):
                path = _made(page, folder, names)
                found = faults(opened(browser, path), like, names, shown)
                wrong |= {f"{page} {type(names).__name__} {names.round}": found} if found else {}
                count += 1
            names = Names(0)
            text = _made(page, folder, names).read_text("utf8")
            for name, other in zip(caught, (raw(text), leaky(text, names)), strict=True):
                path.write_text(other, "utf8")
                caught[name] += bool(faults(opened(browser, path), like, names, shown))
            path.write_text(without_policy(raw(text)), "utf8")
            live += opened(browser, path)["hacked"]
    low, high = wilson(count - len(wrong), count)
    return [Evidence(
        "reliability.pages.text", 1 - len(wrong) / count, low, high, count, "share of pages",
        {name: 1 - seen / len(only) for name, seen in caught.items()}, [0],
        time.monotonic() - began,
        {"pages": len(only), "rounds": rounds, "payloads": len(PAYLOADS), "objects": objects,
         "ran_where_nothing_is_escaped_or_forbidden": live},
        note="; ".join(f"{page}: {', '.join(found)}" for page, found in wrong.items())[:2000],
    )]  # fmt: skip


def _made(page: str, folder: Path, names: Names) -> Path:
    place = folder / f"{page}-{type(names).__name__}-{names.round}"
    place.mkdir(parents=True, exist_ok=True)
    path = place / "page.html"
    if isinstance(names, Objects):
        with suppress(SymscopeError):  # it is not yet known everywhere which names are keys
            PAGES[page](place, names)
    path.write_text(PAGES[page](place, names), encoding="utf8")
    return path


def raw(text: str) -> str:
    """The page as it would be if nothing from data were escaped; its own scripts stay."""
    body, tag, scripts = text.partition("<script>")
    head, main, body = body.partition("<main>")
    for code, letter in {"\\u003c": "<", "\\u003e": ">", "\\u0026": "&", "\\u0027": "'"}.items():
        body = body.replace(code, letter)
    return head + main + unescape(body) + tag + scripts


def leaky(text: str, names: Names) -> str:
    """The page with one name not escaped, in one place."""
    head, main, body = text.partition("<main>")
    for name in names.given.values():
        written = str(escape(name))
        if any(f"<{tag}" in name for tag in ("script", "img", "svg")) and written in body:
            return head + main + body.replace(written, name, 1)
    raise AssertionError("no name of this page has a tag in it")


def without_policy(text: str) -> str:
    """The page without its content security policy."""
    return re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", text, count=1)


def offline(folder: Path, only: Sequence[str] = tuple(PAGES)) -> list[Evidence]:
    """Whether what a page tries to send arrives anywhere; the control has no policy."""
    began, wrong, loose = time.monotonic(), [], 0
    with chromium() as browser:
        for page in only:
            path = _made(page, folder, Names(None))
            text = path.read_text("utf8")
            if not re.search(r'<head>\s*<meta http-equiv="Content-Security-Policy"', text):
                wrong += [f"{page}: the policy is not the first of the head"]
            arrived, refused = tried(browser, path)
            wrong += [f"{page}: {name} arrived" for name in sorted(arrived)]
            wrong += [f"{page}: no word on {n}" for n in ATTEMPTS if n not in refused | arrived]
            path.write_text(without_policy(text), "utf8")
            loose += len(tried(browser, path)[0] & set(ATTEMPTS))
    n = len(only) * len(ATTEMPTS)
    right = max(n - len(wrong), 0)
    low, high = wilson(right, n)
    return [Evidence(
        "reliability.pages.offline", right / n, low, high, n, "share of attempts refused",
        {"no_policy": 1 - loose / n}, [0], time.monotonic() - began,
        {"pages": len(only), "ways": len(ATTEMPTS)}, note="; ".join(wrong)[:2000],
    )]  # fmt: skip


def kept(folder: Path, most: int | None = None) -> list[Evidence]:
    """Whether pages that are there open without a word and are small enough; smallest first.

    The control is a page that asks for a picture.
    """
    began, wrong = time.monotonic(), []
    paths = sorted(folder.resolve().rglob("*.html"), key=lambda p: p.stat().st_size)[:most]
    with chromium() as browser, tempfile.TemporaryDirectory() as place:
        asking = Path(place) / "asking.html"
        asking.write_text('<!doctype html><title>a</title><img src="picture.png">', "utf8")
        for path in (*paths, asking):
            seen = opened(browser, path)
            found = [*seen["said"], *seen["asked"], *seen["errors"], *seen["links"]]
            found += ["it is too large"] if path.stat().st_size > MOST else []
            found += [] if _POLICY.search(path.read_text("utf8")[:300]) else ["no policy is first"]
            wrong += [f"{path.name}: {', '.join(found)}"] if found else []
    caught = bool(wrong) and wrong[-1].startswith(asking.name)
    wrong = wrong[:-1] if caught else wrong
    low, high = wilson(len(paths) - len(wrong), len(paths))
    sizes = {str(p.relative_to(folder.resolve())): p.stat().st_size for p in paths}
    return [Evidence(
        "reliability.pages.kept", 1 - len(wrong) / max(len(paths), 1), low, high, len(paths),
        "share of pages", {"page_that_asks": 1.0 - caught}, [0], time.monotonic() - began,
        {"bytes": sizes, "most": MOST}, note="; ".join(wrong)[:2000],
    )]  # fmt: skip
