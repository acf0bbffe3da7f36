"""What is seen of a page in Chromium, after everything on it was used once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chromium import CHROMIUM

_LOOK = """() => {
    const seen = new Set(), said = [];
    const leaves = "body :not(script, style, svg *):empty, body :not(script, style, :has(*)), text";
    const whole = "p, td, li, dd, figcaption, h1, h2, h3, pre, label, summary";
    const look = () => document.querySelectorAll(`${leaves}, ${whole}`)
        .forEach((part) => seen.add(part.textContent));
    const each = (parts, most, use) => [...parts].slice(0, most).forEach((part, i) => {
        try { use(part); } catch (error) { said.push(String(error)); }
        if (i % 4 === 0) look();
    });
    look();
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    each(document.querySelectorAll("select"), 12, (select) => {
        const before = select.value;
        [...[...select.options].slice(0, 3).map((o) => o.value), before].forEach((value) => {
            select.value = value;
            select.dispatchEvent(new Event("change", {bubbles: true}));
            look();
        });
    });
    each(document.querySelectorAll("main button, .tile"), 25, (part) => part.click());
    each(document.querySelectorAll("[tabindex]"), 12, (part) => part.focus());
    each(document.querySelectorAll(".node, .edge .hit, td, rect, circle, .chart"), 40, (part) => {
        part.dispatchEvent(new MouseEvent("mouseover", {bubbles: true, view: window}));
        part.dispatchEvent(new PointerEvent("pointermove", {bubbles: true, view: window}));
    });
    const all = [...document.querySelectorAll("*")];
    const links = all.flatMap((part) => ["href", "src", "action", "xlink:href"]
        .map((name) => part.getAttribute(name)).filter((v) => v && !/^(#|data:)/.test(v)));
    return {
        hacked: "hacked" in window, errors: said, links, texts: [...seen],
        handlers: all.flatMap((part) => [...part.attributes])
            .map((a) => a.name).filter((name) => name.startsWith("on")),
        tags: [...new Set(all.map((part) => part.tagName.toLowerCase()))],
        scripts: document.scripts.length, title: document.title,
    };
}"""
"""Looks at a page after everything on it was chosen, clicked, focused and pointed at once."""


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has no sandbox
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield found
        found.close()


def opened(browser: Any, path: Path) -> dict[str, Any]:
    """What is seen of a page, with what went to the console and what was asked for."""
    said: list[str] = []
    asked: list[str] = []
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url.split("#")[0]))
    tab.on("dialog", lambda dialog: dialog.dismiss())
    tab.goto(path.as_uri())
    tab.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    seen = tab.evaluate(_LOOK)
    tab.wait_for_timeout(50)
    tab.close()
    return {**seen, "said": said, "asked": [a for a in asked if a != path.as_uri()]}
