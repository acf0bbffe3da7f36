"""The page as a file, and as it behaves in a browser."""

import json
import re
import sys
from dataclasses import replace
from html import unescape

import pytest

from chromium import needs_chromium
from symscope.align.accept import error_rates
from symscope.evidence import Evidence, SymscopeError, read_json, write_evidence, write_json
from symscope.report import write_page

HOSTILE = "<script>document['title']='broken'</script>"


def test_the_page_is_one_file_below_six_megabytes_that_names_no_other(run):
    path = write_page(run)
    assert path == run / "report.html"
    text = path.read_text(encoding="utf8")
    assert len(text.encode()) < 6_000_000
    assert not re.search(r"<(script|img|iframe|object)[^>]*\ssrc=", text.split("<main>")[0])
    assert [p.name for p in run.iterdir() if p.name.startswith(".")] == []


def test_the_page_says_the_claim_the_controls_and_how_to_reproduce(run):
    text = write_page(run).read_text(encoding="utf8").replace("\u00a0", " ")
    assert "This GRU keeps its Count in 24 of the 48 dimensions of rnn.state" in text
    assert "symscope demo --seed 0" in text and "2.13.0" in text
    assert "values never seen in training" in text.lower()
    assert "How a verdict is reached" in text


def test_the_page_says_how_often_its_rule_is_wrong_about_the_search_behind_each_claim(run):
    text = write_page(run).read_text("utf8")
    for method in ("das_once", "das"):  # that of the claims, and the best there is
        rates = error_rates()[method]
        found = f"<td><code>{method}</code></td>" + "".join(
            f'<td class="n">{won} of {count}</td>' for won, count in (rates.true, rates.false)
        )
        assert found in text
    assert "<code>linear</code>" not in text


def test_text_from_data_is_escaped_everywhere(run):
    text = write_page(run).read_text(encoding="utf8")
    assert HOSTILE not in text
    assert text.count("<script") == text.count("</script>") == 3
    figures = re.search(r'id="figures">(.*?)</script>', text, re.DOTALL).group(1)
    assert not set("<>&") & set(figures)
    json.loads(figures)


def test_the_policy_allows_these_scripts_by_hash_and_no_network(run):
    text = write_page(run).read_text(encoding="utf8")
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1))
    assert "default-src 'none'" in policy
    script = next(part for part in policy.split(";") if "script-src" in part)
    assert script.count("sha256-") == 2 and "unsafe" not in script and "http" not in policy


def test_a_run_without_picture_program_or_claims_still_has_a_page(run, evidence):
    (run / "coordinates.json").unlink()
    (run / "program.py").unlink()
    write_evidence(run / "evidence.json", evidence[:1])
    text = write_page(run).read_text(encoding="utf8")
    assert "Nothing is claimed about it yet" in text
    write_evidence(run / "evidence.json", [])
    assert "This run holds no claim yet." in write_page(run).read_text(encoding="utf8")


@pytest.mark.parametrize("name", ["config.json", "evidence.json"])
def test_a_missing_file_is_named(run, name):
    (run / name).unlink()
    with pytest.raises(SymscopeError, match=name):
        write_page(run)


def test_a_config_that_is_no_object_is_refused(run):
    write_json(run / "config.json", [1])
    with pytest.raises(SymscopeError, match=r"config\.json holds no JSON object"):
        write_page(run)


@pytest.mark.parametrize("missing", ["plotly", "jinja2"])
def test_a_missing_library_is_answered_with_what_to_install(run, monkeypatch, missing):
    for name in (missing, f"{missing}.offline"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SymscopeError, match=re.escape("pip install 'symscope[report]'")):
        write_page(run)
    assert not (run / "report.html").exists()


@pytest.fixture
def opened(run, browser):
    """The page in a browser; at the end, that nothing went to the console or to the network."""
    path = write_page(run)
    said, asked = [], []
    tab = browser.new_page(viewport={"width": 1400, "height": 900})
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-drawn=yes]")
    yield tab
    tab.close()
    assert said == []
    assert asked == [path.as_uri()]


def drawn(tab, name: str) -> list:
    """The numbers that a plot shows now."""
    return tab.evaluate(
        "name => document.querySelector(`[data-figure=${name}]`)"
        ".data.map(trace => [trace.x, trace.y, trace.z])",
        name,
    )


@needs_chromium
def test_every_plot_is_drawn(opened):
    plots = opened.locator(".plot")
    assert plots.count() == 7
    for i in range(plots.count()):
        shown = plots.nth(i).locator("svg.main-svg .trace, svg.main-svg .hm, svg.main-svg image")
        assert shown.count() > 0, plots.nth(i).get_attribute("data-figure")


@needs_chromium
def test_choosing_a_variable_changes_the_plots_and_the_words(opened):
    names = ("controls", "values", "distances", "phases")
    before = {name: drawn(opened, name) for name in names}
    opened.select_option("#variable", label="Resp of Up-Up (at its floor)")
    after = {name: drawn(opened, name) for name in names}
    assert all(before[name] != after[name] for name in names)
    assert "No sign that this GRU" in opened.locator(".statement:visible").text_content()
    opened.select_option("#variable", label="Phase of Up-Down (not analysed)")
    assert opened.locator("[data-figure=controls]:visible").count() == 0
    assert opened.locator("[data-missing=values]:visible").count() == 1


@needs_chromium
def test_a_variable_of_the_table_can_be_chosen(opened):
    opened.get_by_role("button", name="Demo").click()
    assert opened.locator("#variable option:checked").text_content() == "Demo of Up-Up (partial)"
    assert drawn(opened, "controls")[0][0][-1] == pytest.approx(0.403)


@needs_chromium
def test_hovering_explains_a_control(opened):
    opened.locator("[data-figure=controls] .point").first.hover(force=True)
    told = opened.locator("[data-figure=controls] .hoverlayer .hovertext")
    told.wait_for()
    assert "Widest principal axes" in told.text_content()


@needs_chromium
def test_a_variable_named_like_a_script_is_text(opened):
    opened.select_option("#variable", label=f"{HOSTILE} of Up-Down (partial)")
    assert HOSTILE in opened.locator(".statement:visible").text_content()
    ticks = opened.locator("[data-figure=controls] .ytick text").all_text_contents()
    assert any(HOSTILE in tick for tick in ticks)
    assert opened.title().startswith("symscope: ")


@needs_chromium
def test_the_policy_stops_requests_and_foreign_scripts(run, browser):
    """Else the request test above would only show that nothing was tried."""
    tab = browser.new_page()
    tab.goto(write_page(run).as_uri())
    blocked = tab.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            return fetch("data:,x").then(() => "fetched", () => "refused")
                .then((answer) => [answer, window.ran === undefined]);
        }"""
    )
    tab.close()
    assert blocked == ["refused", True]


@needs_chromium
@pytest.mark.parametrize("width", [1400, 700, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_both_schemes(opened, width, scheme):
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 900})
    opened.wait_for_function(
        "width => document.documentElement.scrollWidth <= width", arg=width, timeout=5000
    )
    ink = opened.evaluate("getComputedStyle(document.body).color")
    text = opened.locator("[data-figure=training] .xtick text").first
    assert text.evaluate("e => getComputedStyle(e).fill") == ink


def test_the_page_reads_what_is_written_beside_it(run):
    config = read_json(run / "config.json") | {"architecture": "lstm"}
    write_json(run / "config.json", config)
    assert "This LSTM keeps its Count" in write_page(run).read_text(encoding="utf8")


def test_the_page_shows_the_program_that_was_learned_and_how_it_aligns_back(run, evidence):
    back = replace(evidence[1], claim="numbers.multi.gru.extracted.tally.iia")
    told = {"source": "tally = tally + <1>", "why": "one register", "verdict": "proof",
            "said": "proved for all lengths", "rule": "up_down", "agrees_to": 21,
            "trained_to": 20}  # fmt: skip
    found = Evidence("numbers.multi.gru.extracted.fidelity", 1.0, 0.996, 1.0, 1000,
                     "share of sequences", {"untrained_network": 0.25}, config=told)  # fmt: skip
    assert "The program it learned" not in write_page(run).read_text("utf8")
    write_evidence(run / "evidence.json", [*evidence, found, back])
    section = re.search(r'id="learned">(.*?)</section>', write_page(run).read_text("utf8"), re.S)
    text = section.group(1).replace("\u00a0", " ")
    for said in ("tally = tally + &lt;1&gt;", "proved for all lengths", "up to N = 21", "25.0 %",
                 "It is the task&#39;s rule on every legal sequence"):  # fmt: skip
        assert said in text, said
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td>", text)
    assert rows[:2] == [("tally", "the extracted program"), ("Count", "Up-Down")]
    assert "Up-Up" not in text
