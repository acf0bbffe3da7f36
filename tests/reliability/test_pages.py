"""Hostile names on every page, pages that try to reach the network, and pages too large."""

import re
from pathlib import Path

import pytest

from chromium import needs_chromium
from geometry_view import geometry_view
from reliability.hostile import OBJECTS, PAYLOADS, Names, Objects, changed
from reliability.pages import escaping, kept, offline
from reliability.pages_made import PAGES
from reliability.pages_seen import chromium
from symscope.evidence import SymscopeError, write_evidence, write_json
from symscope.report import render, write_page
from symscope.report.geometry import geometry
from symscope.report.heat import letters
from symscope.report.render import rendered, script

QUICK = [page for page in PAGES if page != "generated"]  # it trains nothing, but lays out 13
RESULTS = Path(__file__).parents[2] / "results"
LIGHT = ("program", "gallery", "atlas", "geometry", "hypernetworks")
"""Pages without plotly, which takes seconds; `test_page` and `test_explorer_browser` try those."""


@needs_chromium
def test_hostile_names_are_text_on_every_page(tmp_path):
    (found,) = escaping(1, tmp_path, LIGHT, objects=1)
    assert found.score == 1, found.note
    assert found.n == 2 * len(LIGHT)
    assert found.controls == {"nothing_escaped": 0, "one_name_not_escaped": 0}
    assert found.config["ran_where_nothing_is_escaped_or_forbidden"] > len(LIGHT) / 2


@needs_chromium
def test_nothing_that_a_page_sends_arrives(tmp_path):
    (found,) = offline(tmp_path, ["program", "geometry"])
    assert found.score == 1, found.note
    assert found.controls == {"no_policy": 0}


@needs_chromium
def test_a_page_of_the_results_opens_without_a_word(tmp_path):
    (found,) = kept(RESULTS / "hypernetworks")
    assert found.score == 1 and found.n > 0, found.note
    assert found.controls == {"page_that_asks": 0}


def test_pages_of_the_results_are_small_enough():
    sizes = [p.stat().st_size for p in RESULTS.rglob("*.html")]
    assert sizes and max(sizes) < render.MOST == 25_000_000


@pytest.mark.parametrize("page", PAGES)
def test_the_policy_is_the_first_of_every_head(page, tmp_path):
    text = PAGES[page](tmp_path, str)
    (policy,) = re.findall(
        r'<head>\s*<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text
    )
    for part in ("default-src", "connect-src", "base-uri", "form-action"):
        assert f"{part} &#39;none&#39;" in policy
    assert "http" not in policy and text.isprintable() is False


@pytest.mark.parametrize("page", QUICK)
def test_no_round_leaves_a_tag_or_what_html_does_not_have(page, tmp_path):
    """As text alone, for every payload, where there is no browser."""
    text = PAGES[page](tmp_path, Names(None))
    harmless, scripts = len(re.findall("<[a-z]", _of_data(text))), text.count("<script")
    for round in range(0, len(PAYLOADS), 6):
        text = PAGES[page](tmp_path, Names(round))
        text.encode("utf8")
        assert not re.search("[\x00\x07\x1b\r\ud800-\udfff]", text)
        assert len(re.findall("<[a-z]", _of_data(text))) <= harmless
        assert text.count("<script") == scripts


def _of_data(text: str) -> str:
    """What a page shows, without drawings, which a program that is gone has none of."""
    body = text.partition("<main>")[2].rpartition("</main>")[0]
    return re.sub("<svg.*?</svg>", "", body, flags=re.DOTALL)


def test_a_page_that_would_be_too_large_is_refused_with_what_makes_it_so():
    view = geometry_view()
    view["clouds"][-1]["texts"] = ["x" * 90_000] * 300
    with pytest.raises(SymscopeError, match=r"27\.\d MB, 27\.\d of them for 'clouds'; .* 25 MB"):
        geometry(view)


def test_a_run_whose_page_would_be_too_large_keeps_the_old_one(tmp_path, monkeypatch):
    write_json(tmp_path / "config.json", {"task": "multi"})
    write_evidence(tmp_path / "evidence.json", [])
    before = write_page(tmp_path).read_bytes()
    monkeypatch.setattr(render, "MOST", 1000)
    with pytest.raises(SymscopeError, match="at most 0 MB"):
        write_page(tmp_path)
    assert [p.name for p in tmp_path.glob("*.html")] == ["report.html"]
    assert (tmp_path / "report.html").read_bytes() == before


def test_json_and_html_of_a_page_have_the_same_letters():
    text = rendered("explorer.html", **_explorer_of("a\x00b\r\nc\ud800"))
    assert text.count("a\ufffdb\nc\ufffd") >= 2 and "a\\ufffdb\\nc\\ufffd" in text
    assert "\\u0000" not in text and "\\ud800" not in text


def _explorer_of(name: str) -> dict:
    trajectory = {"series": {name: {}}}
    program = {"name": name}
    view = {"programs": [program], "checkpoints": [0], "title": name, "lead": "", "made": {},
            "trajectory": trajectory, "patching": None, "lens": None, "subspaces": None,
            "claims": None, "command": ""}  # fmt: skip
    return {"view": view, "headline": name, "told": str, "config": {}, "reproduce": []}


def test_plotly_is_given_letters_not_formulas():
    assert letters("a <b> $x$ & c") == "a &lt;b&gt; &#36;x&#36; &amp; c"


@needs_chromium
def test_plotly_is_given_letters_not_places_by_the_explorer_either(tmp_path):
    with chromium() as browser:
        tab = browser.new_page()
        given = tab.evaluate(f"() => {{ {script('words.js')} return Words.safe('<&$%{{x}}a'); }}")
        tab.close()
    assert given == "&#60;&#38;&#36;&#37;{x}a"


@pytest.mark.parametrize("page", ["report", "explorer", "geometry"])
def test_a_choice_between_names_says_its_value(page, tmp_path):
    """Else a browser takes the text, without the spaces that are more than one."""
    text = PAGES[page](tmp_path, Names(None))
    assert any("harmless" in said for said in re.findall("<option[^>]*>([^<]*)", text))
    assert not any("harmless" in said for said in re.findall("<option>([^<]*)", text))


def test_the_same_text_has_the_same_payload_everywhere_and_keys_of_others_stay():
    names = Names(0)
    view = {"title": "a", "controls": {"a": 1, "value": 2}, "bytes": "b", "list": ["a", 3]}
    new = changed(view, names, ("controls",), ("bytes",))
    a = f"a{PAYLOADS[0]}⟨0⟩"
    assert new == {"title": a, "controls": {a: 1, "value": 2}, "bytes": "b", "list": [a, 3]}


def test_keys_become_names_that_every_object_has_wherever_they_are_named():
    names = Objects(0)
    for _ in range(2):
        new = changed({"kinds": ["b"], "cells": {"a": "c", "b": "b"}}, names, ("cells",))
    assert new == {"kinds": [OBJECTS[1]], "cells": {OBJECTS[0]: "c", OBJECTS[1]: OBJECTS[1]}}
