"""What arrives at a server of what a page tries to send, in every way that a page has."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

ATTEMPTS = {
    "fetch": "u => { fetch(u, {mode: 'no-cors'}).catch(() => 0); }",
    "xhr": "u => { const r = new XMLHttpRequest(); r.open('GET', u); r.send(); }",
    "beacon": "u => { navigator.sendBeacon(u, 'x'); }",
    "websocket": "u => { new WebSocket(u.replace('http', 'ws')); }",
    "eventsource": "u => { new EventSource(u).onerror = (e) => e.target.close(); }",
    "img": "u => { new Image().src = u; }",
    "script": "u => { put('script', {src: u}); }",
    "module": "u => { import(u).catch(() => 0); }",
    "iframe": "u => { put('iframe', {src: u}); }",
    "srcdoc": "u => { put('iframe', {srcdoc: `<img src='${u}'>`}); }",
    "object": "u => { put('object', {data: u}); }",
    "embed": "u => { put('embed', {src: u}); }",
    "video": "u => { put('video', {src: u, preload: 'auto'}); }",
    "stylesheet": "u => { put('link', {rel: 'stylesheet', href: u}); }",
    "prefetch": "u => { put('link', {rel: 'prefetch', href: u}); }",
    "import": "u => { put('style', {textContent: `@import url(${u});`}); }",
    "background": "u => { put('p', {textContent: 'x'}).style.background = `url(${u})`; }",
    "font": """u => {
        put('style', {textContent: `@font-face { font-family: F; src: url(${u}); }`});
        put('p', {textContent: 'x'}).style.fontFamily = 'F';
    }""",
    "form": """u => {
        put('iframe', {name: 'f'});
        put('form', {action: u, target: 'f', method: 'post'}).submit();
    }""",
}
"""Ways to reach a server from a page, as a script in it would try them."""
_PUT = """() => { window.put = (tag, given) =>
    document.body.appendChild(Object.assign(document.createElement(tag), given)); }"""


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server of this machine, and the paths that were asked of it."""
    arrived: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            arrived.append(self.path.strip("/"))
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        thread = Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", arrived
        running.shutdown()
        thread.join()


def tried(browser: Any, path: Path) -> tuple[set[str], set[str]]:
    """The attempts of a page that arrived at a server, and those that the console says of."""
    said: list[str] = []
    with server() as (address, arrived):
        tab = browser.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(path.as_uri())
        tab.evaluate(_PUT)
        for name, attempt in ATTEMPTS.items():
            tab.evaluate(attempt, f"{address}/{name}")
        for _ in range(50):
            tab.wait_for_timeout(100)
            if set(ATTEMPTS) <= set(arrived) | _refused(said):
                break
        tab.wait_for_timeout(200)
        tab.close()
    return set(arrived), _refused(said)


def _refused(said: list[str]) -> set[str]:
    """The attempts that the console says were refused by the policy; of a frame it has no path."""
    names = {n: "Framing" if n == "iframe" else f"/{n}'" for n in ATTEMPTS}
    refused = [line for line in said if "Content Security Policy" in line]
    return {n for n in ATTEMPTS if any(names[n] in line for line in refused)}
