"""A run directory made by hand: one claim of each verdict, and names that would break a page."""

import json
import os
from pathlib import Path

import pytest

from atlas_tab import settled
from chromium import CHROMIUM
from geometry_view import STILL
from symscope.evidence import Evidence, wilson, write_evidence, write_json

HOSTILE = "<script>document['title']='broken'</script>"


def claim(name, right, controls, n=1000, unit="IIA", **config) -> Evidence:
    low, high = wilson(right, n)
    split = {
        "phase": {"0:0": [right // 2, n // 2], "1:1": [right - right // 2, n - n // 2]},
        "value": {f"{s}:{b}": [right * 4 // n, 4] for s in range(6) for b in range(6)},
        "difference": {str(d): [right * 9 // n, 9] for d in range(6)},
    }
    sizes = {"size": 24, "width": 48, "site": "rnn.state", "redrawn": 0.14}
    return Evidence(
        f"numbers.multi.gru.{name}.iia", right / n, low, high, n, unit, controls, [0],
        config=split | sizes | config, note="Wilson interval, one seed",
    )  # fmt: skip


@pytest.fixture
def evidence() -> list[Evidence]:
    history = [{"epoch": e, "loss": 2 / e, "seconds": e} for e in range(1, 11)]
    history[-1]["accuracy"] = 1.0
    training = Evidence(
        "train.multi.accuracy", 1.0, 0.987, 1.0, 300, "accuracy", {"untrained": 0.0},
        config={"history": history, "epochs": 10},
    )  # fmt: skip
    controls = {"no_op": 0.08, "random_subspace": 0.11, "full_swap": 0.54, "pca": 0.58}
    apart = {"probe_accuracy": 0.98, "edited_state_distance": 1.2}
    machine = {"no_op": 1.0, "machine_no_op": 1.0, "machine_full_swap": 0.087}
    return [
        training,
        claim("up_down.count", 989, controls | apart, held_out=[180, 200], seen=[809, 809]),
        claim("up_up.demo", 403, controls | {"full_swap": 0.316}),
        claim("up_up.resp", 360, controls | {"no_op": 0.357, "full_swap": 0.06}),
        claim("ctx_distr.unchanged", 80, machine, unit="unchanged"),
        claim(f"up_down.{HOSTILE}", 700, {HOSTILE: 0.5}),
        Evidence("numbers.multi.gru.up_down.phase.iia", None, None, None, 0, note="below the gate"),
    ]


@pytest.fixture
def config() -> dict:
    return {
        "command": "symscope demo --seed 0", "version": "0.1.0", "python": "3.11.2",
        "torch": "2.13.0", "commit": None, "seed": 0, "preset": "quick", "seconds": 155.2,
        "task": "multi", "architecture": "gru", "width": 48, "program": "up_down",
        "site": "rnn.state",
    }  # fmt: skip


@pytest.fixture
def coordinates() -> dict:
    count = [q for q in range(8) for _ in range(4)]
    return {
        "count": count,
        "phase": [i % 2 for i in range(32)],
        "coordinate": [0.5 * q for q in count],
        "second": [(-1.0) ** i for i in range(32)],
    }


@pytest.fixture
def run(tmp_path: Path, evidence, config, coordinates) -> Path:
    folder = tmp_path / "run"
    write_evidence(folder / "evidence.json", evidence)
    write_json(folder / "config.json", config)
    (folder / "coordinates.json").write_text(json.dumps(coordinates))
    (folder / "program.py").write_text("def step(token, state):\n    return 1 < 2, '</script>'\n")
    return folder


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has no sandbox
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield found
        found.close()


@pytest.fixture
def visit(browser):
    """Opens a page; at the end, that nothing went to the console or to the network."""
    said, asked, given, tabs = [], [], [], []

    def opened(path: Path, fragment: str = ""):
        tab = browser.new_page(viewport={"width": 1400, "height": 900})
        tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url.split("#")[0]))
        tab.goto(path.as_uri() + fragment)
        tab.wait_for_selector("html[data-drawn=yes]")
        settled(tab)
        given.append(path.as_uri())
        tabs.append(tab)
        return tab

    yield opened
    for tab in tabs:
        tab.close()
    assert said == []
    assert asked == given


@pytest.fixture
def still(page, visit):
    """Opens the page and stops the rotation."""

    def opened(fragment: str = ""):
        tab = visit(page, fragment)
        tab.emulate_media(**STILL)
        settled(tab)
        return tab

    return opened
