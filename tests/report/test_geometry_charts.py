"""The charts of a study of geometry: histograms, interventions, residuals and spectra, read out."""

import pytest

from atlas_tab import text
from chromium import needs_chromium
from geometry_view import drawn, geometry_view, written

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def view() -> dict:
    return geometry_view(60)


@pytest.fixture(scope="module")
def page(view, tmp_path_factory):
    return written(view, tmp_path_factory.mktemp("geometry"))


@pytest.fixture
def tab(page, visit):
    return visit(page)


def said(figure) -> str:
    return figure.locator(".said").inner_text().replace("\u00a0", " ")


def read_out(tab, figure) -> list[str]:
    """What the chart says, from its first place to its last, by keys."""
    figure.locator(".chart").focus()
    tab.keyboard.press("Home")
    found = [said(figure)]
    while True:
        tab.keyboard.press("ArrowRight")
        if said(figure) == found[-1]:
            return found
        found.append(said(figure))


def test_bars_of_a_histogram_are_the_shares_of_its_values(tab, view):
    first, second = view["histograms"]
    words = read_out(tab, tab.locator("#histograms figure").first)
    assert 8 <= len(words) <= 40
    for at, values in ((0, first["values"]), (1, first["null"])):
        shares = [w.split(": ")[1].split(", of the null ")[at] for w in words]
        assert sum(float(s.removesuffix(" %")) for s in shares) == pytest.approx(100, abs=1.5)
        everything = first["values"] + first["null"]
        wide = (max(everything) - min(everything)) / len(words)
        inside = sum(v < min(everything) + wide for v in values)
        assert shares[0] == f"{100 * inside / len(values):.1f} %"
    words = read_out(tab, tab.locator("#histograms figure").nth(1))
    assert not any("null" in w for w in words)
    assert words[0].startswith(f"{100 * min(second['values']):.1f} % to ")


def test_the_null_is_outlined_and_marks_have_words_apart_from_each_other(tab):
    figure = tab.locator("#histograms figure").first
    assert figure.locator(".steps.null").count() == 1
    assert "null (n = 300)" in figure.locator(".note").inner_text()
    marks = figure.locator("text.strong")
    assert sorted(marks.all_text_contents()) == ["days", "months", "years"]
    boxes = [marks.nth(i).bounding_box() for i in range(3)]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = (a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
                     or abs(a["y"] - b["y"]) >= 12)  # fmt: skip
            assert apart
    assert tab.locator("#histograms figure").nth(1).locator(".steps").count() == 0


def test_a_histogram_of_one_value_has_bars(visit, view, tmp_path):
    one = {"name": "same", "unit": "bits", "values": [0.5] * 9}
    none = {"name": "none", "unit": "bits", "values": [None]}
    tab = visit(written({**view, "histograms": [one, none]}, tmp_path))
    assert tab.locator("#histograms figure").first.locator(".bar").count() == 1
    assert tab.locator("#histograms figure").nth(1).locator(".bar").count() == 0


def test_curves_have_a_band_and_are_read_layer_by_layer(tab, view):
    part, figure = view["interventions"][0], tab.locator("#interventions figure").first
    names = list(part["series"])
    assert figure.locator(".curve").count() == len(names) == 9
    assert figure.locator(".band").count() == len(names) + 1  # that of a missing value is broken
    words = read_out(tab, figure)
    assert len(words) == 12
    m = part["series"]["whole"][0]
    told = " to ".join(f"{m[k]:.1f}".replace("-", "−") for k in ("low", "high"))
    assert f"whole state {m['score']:.1f} ({told})".replace("-", "−") in words[0]
    assert words[3].startswith("3: circle ") and "mean state too few prompts" in words[3]
    assert figure.locator(".why").inner_text() == (
        "Not measured: mean state at 3: too few prompts."
    )


def test_a_series_is_hidden_everywhere_and_comes_back(tab):
    figures = tab.locator("#interventions figure")
    button = tab.locator(".toggles button[data-series=whole]")
    row = figures.nth(2).locator("tr[data-series=whole]")
    assert row.count() == 1 and button.get_attribute("aria-pressed") == "true"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    figures.first.locator(".curve").first.wait_for()
    assert figures.first.locator(".curve").count() == figures.nth(1).locator(".curve").count() == 8
    assert row.count() == 0
    figures.first.locator(".chart").focus()
    assert "whole state" not in said(figures.first)
    button.focus()
    tab.keyboard.press("Enter")
    figures.first.locator(".curve").first.wait_for()
    assert figures.first.locator(".curve").count() == 9 and row.count() == 1


def test_the_words_of_controls_stand_beside_their_names(tab):
    rows = tab.locator(".toggles > div").all_inner_texts()
    assert len(rows) == 10
    assert any(r.startswith("no change") and "the answer should stay" in r for r in rows)


def test_one_site_is_rows_of_dots_the_largest_first(tab, view):
    series = view["interventions"][2]["series"]
    rows = tab.locator("#interventions figure").nth(2).locator("tr[data-series]")
    order = rows.evaluate_all("all => all.map((r) => r.dataset.series)")
    score = {name: m["score"] for name, (m,) in series.items()}
    assert order[:-1] == sorted((n for n in score if score[n] is not None), key=lambda n: -score[n])
    assert order[-1] == "oracle" and rows.last.locator(".why").inner_text().strip() == "not run"
    first = rows.first.inner_text().split()
    assert first[:2] == ["no", "change"] and float(first[2]) == pytest.approx(37.6, abs=2)
    left = rows.locator(".point").evaluate_all("all => all.map((p) => parseFloat(p.style.left))")
    assert left == sorted(left, reverse=True) and len(left) == 9


def test_accuracy_off_the_circle_is_read_by_pointer_beside_chance(tab):
    figure = tab.locator("#off_circle figure")
    assert figure.locator("text", has_text="chance").inner_html().replace("&nbsp;", " ") == (
        "chance 1.7 %"
    )
    assert figure.locator("text.strong").text_content() == "the network's own radius"
    chart = figure.locator(".chart")
    wide = chart.bounding_box()["width"]
    chart.hover(position={"x": 46 + (wide - 60) * 0.5 / 1.9, "y": 100})
    assert said(figure) == "radius 0.50: 82.0 % (80.0 % to 85.0 %)"


def test_a_residual_is_stepped_through_and_told(tab, view):
    figure = tab.locator("#residuals figure")
    large = figure.locator("canvas.rgb")
    seen = {drawn(large)}
    assert large.get_attribute("aria-label").startswith(
        "What is left of big model after 1 of 5 steps, the last of them constant: r² 0.10"
    )
    assert large.evaluate("c => [c.width, c.height]") == [9, 7]
    figure.locator("tr button", has_text="circle 5 of c").click()
    seen.add(drawn(large))
    assert figure.locator(".over").inner_text() == "After 4. circle 5 of c"
    cells = figure.locator("tr.chosen td").all_inner_texts()
    assert [c.split() for c in cells] == [
        ["4.", "circle", "5", "of", "c"], [], ["0.70", "0.65", "to", "0.75"], ["0.06"],
    ]  # fmt: skip
    figure.locator(".small").nth(1).click()
    seen.add(drawn(large))
    assert len(seen) == 3
    assert figure.locator(".small[aria-pressed=true]").inner_text().startswith("2. one-hot a")
    figure.locator(".small").nth(2).click()
    assert not large.is_visible() and figure.locator("text=No map was kept").is_visible()


def test_a_network_is_chosen_where_there_are_several(tab):
    tab.select_option("#residuals-network", "p = 59, seed 0")
    figure = tab.locator("#residuals figure")
    assert figure.count() == 1 and figure.get_attribute("data-network") == "p = 59, seed 0"
    assert figure.locator("tbody tr").count() == 4
    assert "residuals=p" in tab.url


def test_a_spectrum_marks_the_frequencies_in_use_over_the_floor(tab, view):
    figure = tab.locator("#spectra figure").first
    assert figure.locator(".bar.used").count() == 3 and figure.locator(".bar").count() == 29
    words = read_out(tab, figure)
    power = view["spectra"][0]["power"][4]
    assert words[4] == f"frequency 5: {power:.2f}, floor 0.04 · used"
    assert "used" not in words[5]
    assert figure.locator(".curve").count() == 1


@pytest.mark.parametrize("name", ["clouds", "spectra", "verdicts", "claims"])
def test_a_page_with_one_part_works(visit, view, tmp_path, name):
    rest = {k: view[k] for k in ("title", "lead", "command", "made", name)}
    tab = visit(written(rest, tmp_path))
    assert tab.locator("section").evaluate_all("all => all.map((s) => s.id)") == [name, "reproduce"]
    if name == "clouds":
        tab.select_option("#cloud", label="Gaussian")
        assert text(tab, "name") == "Gaussian"
