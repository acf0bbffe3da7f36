"""The documentation as a site: it builds without a warning, holds together, needs no network."""

import importlib
import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from chromium import CHROMIUM, needs_chromium
from symscope.commands.scripts import studies

pytest.importorskip("mkdocstrings_handlers.python")
pytest.importorskip("material")
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
API = ("", "align", "localize", "features", "features.dictionaries", "features.geometry", "extract",
       "verify", "generate", "generate.reading", "train", "report")  # fmt: skip
ALONE = {"generate": ("training.train_hypernetwork", "sampling.sampled", "formula.formula_of"),
         "train": ("train", "Schedule")}  # fmt: skip
"""What has to be shown of modules that list no names."""
BENCHES = {"dictionaries", "programs"}
"""Studies that `symscope bench` runs."""
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
FELL_SHORT = r"^## (What fell short|Where it differs from the publication)$"


class Links(HTMLParser):
    """A page's links, the anchors that it has, and what it loads by itself."""

    def __init__(self, page: Path):
        super().__init__()
        self.links, self.anchors, self.loaded = [], set(), []
        self.feed(page.read_text(encoding="utf8"))

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        self.anchors |= {said[key] for key in ("id", "name") if said.get(key)}
        if tag == "a" and said.get("href") is not None:
            self.links.append(said["href"])
        if tag == "link" and said.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(said["href"])
        if said.get(LOADED.get(tag, "")):
            self.loaded.append(said[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder], cwd=ROOT,
        capture_output=True, text=True, env={"NO_MKDOCS_2_WARNING": "1", "PATH": ""},
    )  # fmt: skip
    assert built.returncode == 0 and "WARNING" not in built.stderr, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Links]:
    return {page: Links(page) for page in site.rglob("*.html") if "results" not in page.parts}


def leads_to(page: Path, link: str) -> tuple[Path, str]:
    """The file and the anchor that a link of a page means."""
    path, anchor = urldefrag(link)
    return ((page.parent / unquote(path)).resolve() if path else page), unquote(anchor)


def test_every_link_and_every_anchor_is_there(pages):
    broken = []
    for page, found in pages.items():
        for link in [*found.links, *found.loaded]:
            if re.match(r"\w+:|//", link) or page.name == "404.html":
                continue
            file, anchor = leads_to(page, link)
            file = file / "index.html" if file.is_dir() else file
            known = pages[file].anchors if file in pages else {anchor}
            if not file.is_file() or (anchor and anchor not in known):
                broken.append((page.name, link))
    assert len(pages) > 40 and not broken


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loaded = {link for found in pages.values() for link in found.loaded}
    assert loaded and not {link for link in loaded if re.match(r"\w+:|//", link)}
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(\w+:)?//", sheet.read_text("utf8")), sheet


@needs_chromium
def test_a_browser_asks_for_nothing_outside_of_the_folder(site):
    from playwright.sync_api import sync_playwright

    asked = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        for name in ("index", "api/symscope", "gallery/align", "studies/programs"):
            page.goto(f"{(site / name).as_uri()}.html")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, f"{name} is {wide} pixels wide"
        browser.close()
    assert asked and not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]


def test_every_page_is_in_the_navigation():
    said = (ROOT / "mkdocs.yml").read_text(encoding="utf8")
    listed = re.findall(r"^ +- .*: (\S+\.md)$", said, re.MULTILINE)
    there = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("name", API)
def test_each_public_name_has_its_entry(pages, site, name):
    module = f"symscope.{name}".strip(".")
    anchors = pages[site / "api" / f"{name or 'symscope'}.html"].anchors
    public = set(getattr(importlib.import_module(module), "__all__", ALONE.get(name, ())))
    assert public and not {n for n in public - {"__version__"} if f"{module}.{n}" not in anchors}


def test_a_public_name_that_is_also_a_file_is_shown_as_what_it_is(site):
    page = (site / "api" / "align.html").read_text(encoding="utf8")
    entry = page[page.index('id="symscope.align.agreement"') :][:300]
    assert "doc-function-name" in entry


def test_examples_in_docstrings_are_code_and_nothing_else_is_a_quotation(pages, site):
    shown = "".join(page.read_text("utf8") for page in pages if page.parent.name == "api")
    assert shown.count('<span class="gp">&gt;&gt;&gt; </span>') > 5
    assert "<blockquote>" not in shown


def test_links_out_of_the_documentation_lead_to_the_source(pages, site):
    place = "source/src/symscope/intervention/downstream.py.html"
    assert place in pages[site / "performance.html"].links
    assert "import" in (site / place).read_text(encoding="utf8")
    assert (site / "source/results/programs/gallery.html").is_file()


@pytest.mark.parametrize("name", [*studies(), *sorted(BENCHES)])
def test_a_study_says_its_question_answer_command_and_what_fell_short(name):
    text = (DOCS / "studies" / f"{name}.md").read_text(encoding="utf8")
    assert re.search(r"^\*[^*]+\?\*", text, re.MULTILINE), "no question"
    assert re.search(r"^## In short$", text, re.MULTILINE), "no answer"
    assert re.search(FELL_SHORT, text, re.MULTILINE), "nothing fell short?"
    assert f"symscope {'bench' if name in BENCHES else 'study'} {name}" in text
    assert "<!-- table " in text
    for page in ("docs/index.md", "README.md"):
        assert f"studies/{name}.md" in (ROOT / page).read_text(encoding="utf8"), page
