"""The page of a study of geometry as a whole: windows, colour schemes, keys, and how it loads."""

import pytest

from atlas_tab import settled
from chromium import needs_chromium
from geometry_view import DAY, PLANE, STILL, TURN, geometry_view, image, written

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_both_schemes(tab, scheme):
    tab.emulate_media(color_scheme=scheme, **STILL)
    for width in (1400, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_function(
            "w => document.documentElement.scrollWidth <= w && "
            "[...document.querySelectorAll('.chart svg')].every((s) => s.clientWidth < w)",
            arg=width, timeout=5000,
        )  # fmt: skip
        for group in ("Modular addition", "Language model", "Toy shapes"):
            tab.select_option("#group", group)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_clouds_are_drawn_anew_in_the_colours_of_another_scheme(still):
    tab = still(DAY)
    selectors = PLANE, TURN, ".thumbs canvas"
    before = [image(tab, s) for s in selectors]
    ramp = "() => Hues.scale({values: [0, 10]})(0)"
    pale = tab.evaluate(ramp)
    tab.emulate_media(color_scheme="dark", **STILL)
    settled(tab)
    assert tab.evaluate(ramp) != pale
    assert not any(image(tab, s) == old for s, old in zip(selectors, before, strict=True))


def test_all_that_can_be_used_is_reached_by_tab_and_has_a_name(tab):
    seen = tab.locator("canvas[tabindex], .chart, .wide[tabindex], main button, main select")
    nameless = """all => all.filter((e) => e.offsetParent && !(e.getAttribute("aria-label")
        || e.textContent.trim() || (e.labels && e.labels.length)) || e.tabIndex < 0).length"""
    assert seen.count() > 30 and seen.evaluate_all(nameless) == 0
    assert tab.locator("canvas:not([aria-label]):not([aria-hidden]):visible").count() == 0


def test_forty_clouds_of_two_thousand_points_are_there_in_a_page_below_six_megabytes(
    visit, tmp_path
):
    path = written(geometry_view(2000, more=34), tmp_path)
    assert path.stat().st_size < 6_000_000
    tab = visit(path)
    assert tab.locator(".thumbs button").count() == 37
