"""The page of an extracted program, and the gallery of all: what they say, and how they look."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch

from chromium import needs_chromium
from symscope.evidence import Evidence, SymscopeError, write_evidence, write_json
from symscope.models.load import save_network
from symscope.models.real_rnn import build_real
from symscope.programs.printing import python_source
from symscope.report import write_page
from symscope.report.found import Found, found_in, headline
from symscope.report.gallery import Entry, best, gallery
from symscope.report.pictures import Picture
from symscope.tasks import algorithm

HOSTILE = "<script>document['title']='broken'</script>"
PROVED = "proved for all lengths: extracted equals sum_all (x 0..99; affine)"
REFUTED = "refuted: extracted equals sum_all: on [7, 1] at step 1 expected 8, got 9"
UNKNOWN = "undecided: extracted equals sum_all (x 0..99); the same on 100 inputs tested"


def records(said: str = PROVED, score: float = 1.0, task: str = "sum_all", **config) -> list:
    kind = {"p": "proof", "r": "counterexample", "u": "unknown"}[said[0]]
    grounding = {"variance": 1e-5, "repeated": 0.9, "equal": 1.0, "different": 1.0,
                 "grounded": True}  # fmt: skip
    known = {"route": "recurrence", "source": python_source(algorithm("sum_all").program),
             "said": said, "verdict": kind, "rules": {"s": "s + x"}, "output": "s",
             "start": {"s": 0}, "grounding": grounding,
             "tried": {"recurrence": "a program of 6", "window": "gives nothing"}}  # fmt: skip
    solved = Evidence(f"programs.{task}.solved", score, None, None, 100_128, "solved", seeds=[0],
                      config=known | config)  # fmt: skip
    longer = Evidence(f"programs.{task}.generalises", 0.75, None, None, 10_000, "share")
    return [solved, longer, replace(longer, claim=f"programs.{task}.length", score=6.0, n=1)]


@pytest.fixture
def summed(tmp_path):
    """A run with a network that sums its inputs."""
    shape = {"architecture": "real_mlp", "width": 1, "inputs": 1, "outputs": 1, "f": (1, 1)}
    network = build_real(**shape)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            value.copy_(torch.ones_like(value) if "weight" in name else torch.zeros_like(value))
    save_network(tmp_path / "network.safetensors", network, shape)
    config = {"line": "symscope extract runs/sum_all", "task": "sum_all", "seconds": 12.0,
              "commit": "abc123", "torch": "2.13.0", "seed": 0}  # fmt: skip
    write_json(tmp_path / "config.json", config)
    write_evidence(tmp_path / "evidence.json", records())
    return tmp_path


def said_on(run, records_=None) -> str:
    if records_ is not None:
        write_evidence(run / "evidence.json", records_)
    return write_page(run).read_text("utf8").replace("\u00a0", " ")


def test_the_page_says_the_program_its_proof_and_what_made_it(summed):
    page = said_on(summed)
    assert "right on 100,128 of 100,128 sequences of the trained length, and proved equal" in page
    assert "75.0 % of 10,000 sequences right at ten times the trained length" in page
    assert "symscope extract runs/sum_all" in page and "abc123" in page
    assert "gives nothing" in page and "def step(x, state)" in page
    assert page.count('class="drawing"') == 2  # the states and the weights: no automaton
    assert "More than 24 states" in page


def test_every_drawing_of_the_page_is_well_formed(summed):
    for svg in re.findall(r"<svg.*?</svg>", said_on(summed), re.DOTALL):
        ElementTree.fromstring(svg)


@pytest.mark.parametrize(
    ("said", "score", "chip", "begins"),
    [
        (PROVED, 1.0, '"chip found">proved for all lengths', "A program of 6"),
        (REFUTED, 0.0, '"chip refuted">refuted', "REFUTED."),
        (REFUTED, 1.0, '"chip refuted">refuted on longer inputs', "REFUTED on other inputs."),
        (UNKNOWN, 1.0, '"chip partial">not proven', "NOT PROVEN."),
        (PROVED, 0.0, '"chip refuted">refuted', "REFUTED."),
    ],
)
def test_a_program_that_is_not_proved_never_looks_like_one_that_is(
    summed, said, score, chip, begins
):
    page = said_on(summed, records(said, score))
    assert f"<h1>{begins}" in page and chip in page
    assert ('"chip found"' in page) == (said == PROVED and score == 1)
    assert ("It is not proven right" in page) == (not (said == PROVED and score == 1))


def test_a_counterexample_is_shown_with_what_was_expected(summed):
    page = said_on(summed, records(REFUTED, 0.0))
    assert page.count("[7, 1] at step 1 expected 8, got 9") >= 2


def test_relations_of_a_proof_are_listed(summed):
    page = said_on(summed, records(proof={"kind": "for all lengths", "relations": ["a == b < c"]}))
    assert "<code>a == b &lt; c</code>" in page


def test_where_no_program_was_found_the_page_says_so_and_shows_the_network(summed):
    none = records()[0]
    config = {k: v for k, v in none.config.items() if k == "tried"}
    page = said_on(summed, [replace(none, score=0.0, config=config, note="no program fits")])
    assert "<h1>No program was found in this sum_all network (no program fits)." in page
    assert '"chip found"' not in page and page.count('class="drawing"') == 1


def test_text_from_data_is_escaped(summed):
    hostile = records(said=f"refuted: {HOSTILE}", route=HOSTILE, source=HOSTILE,
                      tried={HOSTILE: HOSTILE}, rules={HOSTILE: HOSTILE},
                      proof={"relations": [HOSTILE]})  # fmt: skip
    write_json(summed / "config.json", {"task": HOSTILE, "line": HOSTILE, "commit": HOSTILE})
    page = said_on(summed, [replace(hostile[0], note=HOSTILE), *hostile[1:]])
    assert HOSTILE not in page and "<script" not in page
    assert page.count("&lt;script&gt;") > 6


def test_a_network_that_is_gone_is_said_and_the_rest_is_shown(summed):
    (summed / "network.safetensors").unlink()
    page = said_on(summed)
    assert "network.safetensors" in page and "def step(x, state)" in page
    assert 'class="drawing"' not in page


@pytest.mark.parametrize("broken", [{"grounding": {"variance": "small"}}, {"tried": ["a"]}])
def test_what_is_no_evidence_is_refused_by_name(summed, broken):
    with pytest.raises(SymscopeError, match=r"programs\.sum_all\.solved: config"):
        said_on(summed, records(**broken))


def found(said: str = PROVED, score: float = 1.0, seed: int = 0, **config) -> Found:
    return replace(found_in(records(said, score, **config)), seed=seed)


def test_the_gallery_shows_the_first_program_that_is_proved():
    proved = found(seed=2)
    listed = [found(REFUTED, 0.0), found(UNKNOWN, seed=1), proved, found(seed=3)]
    assert best(listed) is proved and best(listed[:2]) is listed[1] and best([]) is None


def test_the_gallery_counts_and_names_what_is_missing():
    drawn = [Picture("program", "The program.", "", '<svg class="drawing"></svg>')]
    page = gallery(
        [
            Entry("one", True, "Reads x.", 2, [found(), found(REFUTED, 0.0, 1)], drawn),
            Entry("two", False, "Reads y.", 1, [found(REFUTED, 0.0)]),
            Entry("three", False, "Reads z.", 1),
            Entry("four", False, "Reads z.", 0),
        ],
        {"commit": "abc"}, "symscope bench programs",
    )  # fmt: skip
    assert "<h1>Programs found in networks: 1 of 4 tasks solved, 1 proved" in page
    for name in ("one", "two", "three", "four"):
        assert page.count(f'href="#task-{name}"') == page.count(f'id="task-{name}"') == 1
    assert page.count('<td class="num">1 of 2</td>') == 1
    assert "no program was looked for yet" in page and "not trained yet" in page
    two = page[page.index('id="task-two"') : page.index('id="task-three"')]
    assert '"chip found"' not in two and "REFUTED" in two
    assert page.count('class="drawing"') == 1


def test_a_hostile_name_is_text_in_the_gallery():
    listed = [found(said=f"refuted: {HOSTILE}", route=HOSTILE, source=HOSTILE, output=HOSTILE)]
    entry = Entry(HOSTILE, False, HOSTILE, 1, listed, [Picture("a", HOSTILE, HOSTILE)])
    page = gallery([entry], {HOSTILE: HOSTILE}, HOSTILE)
    assert HOSTILE not in page and page.count("<script") == 1


def test_a_headline_without_length_or_route_still_reads():
    bare = Found("sum_all", None, True, 10, config={"source": "x"})
    assert headline(bare).startswith("NOT PROVEN. A program was extracted from this sum_all")


@needs_chromium
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_asks_for_nothing(summed, browser, width, scheme):
    path = write_page(summed)
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for drawn in tab.locator("svg.drawing").all():
        assert 200 < drawn.bounding_box()["width"] <= min(500, width)
    ink = tab.evaluate("getComputedStyle(document.body).color")
    strong = tab.locator(".drawing text.strong").first
    assert strong.evaluate("e => getComputedStyle(e).fill") == ink
    tab.close()
    assert said == [] and asked == [path.as_uri()]


@needs_chromium
def test_the_filter_of_the_gallery_hides_what_does_not_match(tmp_path, browser):
    names = ("div_3", "div_5", "parity")
    path = tmp_path / "gallery.html"
    entries = [Entry(n, False, "", 1, [found(REFUTED if n == "div_5" else PROVED)]) for n in names]
    path.write_text(gallery(entries, {}, "symscope bench programs"), encoding="utf8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    for typed, left in (("div", 2), ("div refuted", 1), ("DIV_3", 1), ("nothing", 0), ("", 3)):
        tab.fill("#filter", typed)
        assert tab.locator("tbody tr[data-words]:visible").count() == left
        assert tab.locator("section[data-words]:visible").count() == left
    assert tab.title().startswith("symscope")
    tab.close()
