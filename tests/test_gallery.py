"""The gallery's notebooks run at a small size, find what they say, and are what pages show."""

import re
import sys
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext")
pytest.importorskip("IPython")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "making"))
import gallery

QUESTIONS = ("localize", "align", "features", "extract", "verify", "generate")
SMALLER = {
    "localize": {"PAIRS = 400": "PAIRS = 200"},
    "align": {"EPOCHS, STEPS = 60, 300": "EPOCHS, STEPS = 4, 2", "highest=6": "highest=3",
              "untrained), Search": "untrained), search=Search",
              "most=STEPS)": "most=STEPS), counts=dict(fit=200, validation=50, test=50)"},
    "features": {"P, STEPS, COMPONENTS = 17, 2000, 12": "P, STEPS, COMPONENTS = 17, 600, 12"},
    "extract": {"STEPS, SECONDS = 2000, 10": "STEPS, SECONDS = 600, 0.3",
                "seconds=SECONDS).chosen": "seconds=SECONDS, within=0.5).chosen"},
    "verify": {"TRIED = 30": "TRIED = 8"},
    "generate": {"BETAS = [1e-12, 1e-6, 1.0]": "BETAS = [1e-6, 1.0]",
                 "of(1)": "of(0)", "laid_out(chosen)": "laid_out(chosen, steps=50, restarts=1)"},
}  # fmt: skip


@pytest.fixture(scope="module")
def ran():
    """What each notebook left behind, run once from the repository's root."""
    done = {}

    def of(name: str):
        if name not in done:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(ROOT)
                done[name] = gallery.run(gallery.FOLDER / f"{name}.py", SMALLER[name])
        return done[name]

    return of


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_notebook_runs_and_draws_a_picture(ran, name):
    _, said, picture = ran(name)
    assert picture.startswith("<svg") and 'role="img"' in picture
    assert sum(bool(text.strip()) for text in said) >= 2


def test_a_variable_is_found_at_its_place_and_two_others_nowhere(ran):
    found = ran("localize")[0]["found"]
    assert found["first"].config["best"] == [1, 6] and found["first"].score == 1.0
    assert found["item"].score < 0.8 > found["cell3"].score


def test_the_alignment_stands_beside_all_its_controls(ran):
    controls = ran("align")[0]["evidence"].controls
    assert {"no_op", "untrained_network", "permuted_sources", "probe_accuracy"} <= set(controls)


def test_circles_are_in_the_trained_embedding_and_not_in_the_untrained_one(ran):
    said = "".join(ran("features")[1])
    assert re.search(r"trained \(\d.*untrained \(\)", said) and "right: 1.0" in said


def test_the_program_is_proven_and_that_of_an_untrained_network_is_not(ran):
    said = "".join(ran("extract")[1])
    assert "(answer + x) % 3" in said and "proved for all lengths" in said
    assert said.count("refuted") + said.count("None") == 2


def test_the_prover_is_right_about_every_changed_program(ran):
    names = ran("verify")[0]
    assert len(names["rows"]) == 8 and {same for _, same in names["rows"]} == {True, False}
    assert set(names["rows"]) <= {("Proof", True), ("Counterexample", False)}


def test_a_written_network_is_named_and_its_shuffled_weights_are_not(ran):
    lines = ran("generate")[1]
    assert re.search(r"β = 1e-06 +pudding_positive", "".join(lines))
    assert re.search(r"shuffled +none", "".join(lines)) and "double_sided" in "".join(lines)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_page_is_its_notebook_with_what_it_said(name):
    path = gallery.FOLDER / f"{name}.py"
    page = path.with_suffix(".md").read_text(encoding="utf8")
    last = 0
    for _, text in gallery.cells_of(path):
        assert text in page[last:], f"python docs/making/gallery.py {name}"
        last = page.index(text, last) + len(text)
    assert path.with_suffix(".svg").read_text(encoding="utf8").startswith("<svg")
    assert re.search(r"^# .*\n.*\n\n?.*\*[^*]+\?\*|^\*[^*]+\?\*", page, re.MULTILINE)
    assert "## What could be wrong" in page


@pytest.mark.parametrize("name", QUESTIONS)
def test_jupytext_makes_a_notebook_of_it(name, tmp_path):
    from jupytext.cli import jupytext as convert

    made = tmp_path / f"{name}.ipynb"
    convert(["--quiet", "--to", "ipynb", "-o", str(made), str(gallery.FOLDER / f"{name}.py")])
    cells = jupytext.read(made).cells
    assert [(c.cell_type, c.source) for c in cells] == gallery.cells_of(
        gallery.FOLDER / f"{name}.py"
    )
