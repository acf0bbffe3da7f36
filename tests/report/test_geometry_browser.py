"""The page of a study of geometry in a browser: the clouds, how they turn, and what follows."""

import base64

import numpy as np
import pytest

from atlas_tab import settled, text
from chromium import needs_chromium
from geometry_view import DAY, DAYS, PLANE, TURN, drawn, geometry_view, image, written

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def view() -> dict:
    return geometry_view()


@pytest.fixture(scope="module")
def page(view, tmp_path_factory):
    return written(view, tmp_path_factory.mktemp("geometry"))


@pytest.fixture
def tab(still):
    return still()


def middle(tab, selector: str) -> tuple[float, float]:
    tab.locator(selector).scroll_into_view_if_needed()
    box = tab.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_every_part_is_there_and_drawn(tab, view):
    for name in ("clouds", "histograms", "ranking", "interventions", "off_circle", "residuals",
                 "verdicts", "spectra", "claims", "reproduce"):  # fmt: skip
        assert tab.locator(f"section#{name}").is_visible(), name
    charts = tab.locator(".chart path").evaluate_all("all => all.map((p) => p.getAttribute('d'))")
    assert len(charts) > 100 and not any("NaN" in d or "undefined" in d for d in charts)
    assert tab.locator(".chart").count() == 2 + 2 + 1 + 2
    used = "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    assert tab.locator(PLANE).evaluate(used) > 20


def test_another_cloud_is_drawn_named_and_told(tab, view):
    seen = {image(tab, PLANE)}
    tab.select_option("#cloud", label="two blobs")
    assert text(tab, "name") == "two blobs" and text(tab, "said") == "What two blobs looks like."
    seen.add(image(tab, PLANE))
    tab.locator(".thumbs button", has_text="Gaussian").click()
    assert text(tab, "name") == "Gaussian"
    assert tab.locator(".thumbs [aria-pressed=true]").all_text_contents() == ["Gaussian"]
    seen.add(image(tab, PLANE))
    assert not tab.locator("[data-view=round]").is_visible()
    tab.select_option("#group", "Modular addition")
    assert text(tab, "name") == "frequency 5" and text(tab, "axes") == "PC 1 across, PC 2 up"
    assert tab.locator("[data-view=round]").is_visible()
    assert tab.locator("#cloud option").count() == tab.locator(".thumbs button").count() == 2
    seen.add(image(tab, PLANE))
    turned = image(tab, TURN)
    tab.click("#next")
    assert text(tab, "name") == "frequency 5, other axes"
    assert text(tab, "axes") == "axis 2 across, axis 3 up"
    seen.add(image(tab, PLANE))
    assert image(tab, TURN) != turned
    tab.click("#next")
    assert text(tab, "name") == "frequency 5" and image(tab, PLANE) in seen
    tab.click("#previous")
    assert text(tab, "name") == "frequency 5, other axes" and len(seen) == 5


def test_small_pictures_differ_from_each_other(tab):
    small = tab.locator(".thumbs canvas")
    assert len({drawn(small.nth(i)) for i in range(small.count())}) == 3


def test_indices_stand_beside_nulls_and_published_numbers(still):
    tab = still(DAY)
    rows = tab.locator("[data-view=indices] tbody tr").all_inner_texts()
    rows = [r.replace("\u00a0", " ") for r in rows]
    assert rows[0].split("\t") == ["S, separability, bits\n0.85 to 1.05", "0.95", "0.07", "0.95"]
    assert rows[1].split("\t") == [
        "M, mixture index\n45.5 % to 49.5 %\nits discrete support alone: 28.6 %", "47.5 %",
        "9.0 %", "47.5 %",
    ]  # fmt: skip
    assert "Published: section 4." in text(tab, "indices")
    assert text(tab, "facts").split("\n")[:2] == ["rank, published", "9"]
    tab.select_option("#group", "Toy shapes")
    tab.select_option("#cloud", label="two blobs")
    first = tab.locator("[data-view=indices] tbody tr").first.inner_text()
    assert first.split("\t") == ["S, separability, bits\nfewer than 50 points", "–", "–", "–"]
    tab.select_option("#group", "Modular addition")
    assert text(tab, "facts").split() == ["frequency", "5", "R²", "0.98", "cluster", "features",
                                          "3,", "8,", "41"]  # fmt: skip


def test_a_drag_and_arrow_keys_turn_the_cloud_and_leave_the_plane(still):
    tab = still(DAY)
    plane, seen = image(tab, PLANE), {image(tab, TURN)}
    x, y = middle(tab, TURN)
    for way in ((60, 0), (0, 60)):
        tab.mouse.move(x - 20, y)
        tab.mouse.down()
        tab.mouse.move(x - 20 + way[0], y + way[1], steps=3)
        tab.mouse.up()
        seen.add(image(tab, TURN))
    tab.mouse.move(x - 0.48 * tab.locator(TURN).bounding_box()["width"], y)
    seen.add(image(tab, TURN))
    assert len(seen) == 3
    tab.locator(TURN).focus()
    for key in ("ArrowRight", "ArrowUp"):
        before = image(tab, TURN)
        tab.keyboard.press(key)
        assert image(tab, TURN) != before
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowLeft")
    assert image(tab, PLANE) == plane


def test_a_cloud_turns_by_itself_until_it_is_paused(page, visit):
    tab = visit(page, DAY)
    middle(tab, TURN)
    before = image(tab, TURN)
    tab.wait_for_timeout(300)
    assert image(tab, TURN) != before and tab.locator("#turning").text_content() == "pause"
    tab.click("#turning")
    settled(tab)
    before = image(tab, TURN)
    tab.wait_for_timeout(300)
    assert image(tab, TURN) == before and tab.locator("#turning").text_content() == "rotate"


def test_with_reduced_motion_it_turns_only_when_asked(page, browser):
    tab = browser.new_page(reduced_motion="reduce", viewport={"width": 1400, "height": 900})
    tab.goto(page.as_uri() + DAY)
    middle(tab, TURN)
    settled(tab)
    before = image(tab, TURN)
    tab.wait_for_timeout(300)
    assert image(tab, TURN) == before and tab.locator("#turning").text_content() == "rotate"
    tab.click("#turning")
    tab.wait_for_timeout(300)
    assert image(tab, TURN) != before
    tab.close()


def test_a_cyclic_variable_has_a_ring_with_its_names(still):
    tab = still(DAY)
    ring = tab.locator(".legend[data-kind=ring] svg")
    assert ring.locator("path").count() == 7
    assert ring.locator("text").all_text_contents() == DAYS
    fills = ring.locator("path").evaluate_all("all => all.map((p) => p.getAttribute('fill'))")
    assert len(set(fills)) == 7
    tab.select_option("#group", "Modular addition")
    assert ring.locator("path").count() == 59
    assert ring.locator("text").all_text_contents() == ["0", "15", "30", "44"]
    same = "([v, w]) => { const c = Hues.scale({period: 59, values: []}); return c(v) === c(w); }"
    assert tab.evaluate(same, [3, 62]) and tab.evaluate(same, [3, -56])
    assert not tab.evaluate(same, [3, 33])


def test_other_variables_have_a_list_or_a_ramp(tab):
    assert tab.locator(".legend").get_attribute("data-kind") == "ring"
    tab.select_option("#cloud", label="two blobs")
    assert tab.locator(".legend[data-kind=list] .key").all_text_contents() == ["left", "right"]
    tab.select_option("#cloud", label="Gaussian")
    assert tab.locator(".legend[data-kind=ramp] .scale").text_content() == "1299"
    colour = "v => Hues.scale({values: [0, 10]})(v)"
    assert len({tab.evaluate(colour, v) for v in (0, 5, 10, None)}) == 4


def test_a_point_is_read_by_pointer_and_by_key_as_text(still, view):
    tab = still(DAY)
    plain = image(tab, PLANE), image(tab, TURN)
    tab.locator(PLANE).focus()
    assert text(tab, "point").startswith("two days from <i>Monday</i> · day: Monday · PC 2 ")
    ringed = image(tab, PLANE), image(tab, TURN)
    assert ringed[0] != plain[0] and ringed[1] != plain[1]
    tab.keyboard.press("End")
    assert "day: Sunday" in text(tab, "point")
    tab.keyboard.press("ArrowRight")
    last = text(tab, "point")
    tab.keyboard.press("ArrowLeft")
    assert "day: Sunday" in text(tab, "point") != last
    tab.keyboard.press("Home")
    assert "day: Monday" in text(tab, "point")
    days = next(c for c in view["clouds"] if c["name"] == "days")
    places = np.frombuffer(base64.b64decode(days["points"]), "<f4").reshape(-1, 3)[:, :2]
    far = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    alone = int(far.min(1).argmax())
    low, high = places.min(0), places.max(0)
    wide = tab.locator(PLANE).bounding_box()["width"]
    scale = (wide - 48) / 2 / (1.06 * (high - low).max() / 2)
    right, up = scale * (places[alone] - (low + high) / 2)
    centre = 40 + (wide - 48) / 2, 8 + (wide - 34) / 2
    tab.locator(PLANE).hover(position={"x": float(centre[0] + right), "y": float(centre[1] - up)})
    told = ", ".join(f"PC {i + 2} {v:.2f}".replace("-", "−") for i, v in enumerate(places[alone]))
    assert f"day: {DAYS[days['variable']['values'][alone]]} · {told}, PC 4 " in text(tab, "point")


def test_a_value_that_is_not_known_is_said_so(tab):
    tab.select_option("#cloud", label="Gaussian")
    tab.locator(PLANE).focus()
    tab.keyboard.press("End")
    assert text(tab, "point").startswith("distance: not known · axis 1 ")


def test_a_row_of_the_ranking_shows_its_cloud(tab):
    assert text(tab, "name") == "circle"
    rows = tab.locator("#ranking tbody tr")
    rows.nth(1).click()
    assert text(tab, "name") == "circle"
    rows.nth(0).locator("td").nth(2).click()
    assert text(tab, "name") == "days" and tab.locator("#group").input_value() == "Language model"
    assert tab.evaluate("document.activeElement.dataset.view") == "name"
    tab.select_option("#group", "Toy shapes")
    rows.nth(0).locator("button").focus()
    tab.keyboard.press("Enter")
    assert text(tab, "name") == "days"


def test_a_token_with_markup_is_shown_as_text(tab):
    token = "<script>document['title']='broken'</script>"
    assert tab.locator("#ranking .token", has_text="script").text_content() == token
    assert "broken" not in tab.title()
    assert tab.locator(".toggles b").count() == 0
    assert "a <b>made-up</b> edit" in text(tab, "toggles")


def test_the_address_keeps_the_cloud_and_the_network(tab, page, visit):
    assert "#" not in tab.url
    tab.select_option("#group", "Modular addition")
    tab.click("#next")
    tab.select_option("#residuals-network", "p = 59, seed 0")
    other = visit(page, "#" + tab.url.split("#")[1])
    assert text(other, "name") == "frequency 5, other axes"
    assert other.locator("#residuals-network").input_value() == "p = 59, seed 0"
    other.evaluate(f"location.hash = '{DAY}'")
    other.wait_for_function("() => document.querySelector('#group').value === 'Language model'")
    assert text(other, "name") == "days"


def test_an_address_that_names_what_is_not_there_is_ignored(page, visit):
    tab = visit(page, "#group=Language+model&cloud=circle&residuals=nobody")
    assert text(tab, "name") == "circle"
    assert tab.locator("#residuals-network").input_value() == "big model"
