"""The maps of the atlas in a browser: colours, blank cells, outlines, and what a cell says."""

import base64

import pytest
import torch

from atlas_tab import lightness, pixels, settled, text, tile, written
from atlas_view import PATTERNS, answers, atlas_view, label, operand_grid, pooled
from chromium import needs_chromium
from symscope.localize.heuristics.types import heuristics

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def view() -> dict:
    return atlas_view()


@pytest.fixture(scope="module")
def page(view, tmp_path_factory):
    return written(view, tmp_path_factory.mktemp("atlas"))


@pytest.fixture
def tab(page, visit):
    return visit(page)


def test_a_tile_is_its_map_with_cells_without_a_prompt_left_blank(tab, view):
    drawn = pixels(tile(tab, 0, 3).locator("canvas"))
    assert bool((drawn[..., 3] == 255).all())
    tab.select_option("#sign", "-")
    drawn = pixels(tile(tab, 0, 3).locator("canvas"))
    first, second = operand_grid(20)
    assert torch.equal(drawn[..., 3] == 255, first >= second)
    values = torch.tensor(list(base64.b64decode(view["neurons"][0]["maps"]["-"])))
    legal = (first >= second).flatten()
    order = values[legal].argsort()
    light = lightness(drawn.reshape(400, 4)[legal][order])
    assert len(values[legal].unique()) > 50
    assert bool((light.diff() <= 1e-9).all()) and float(light[0] - light[-1]) > 0.3


@pytest.mark.parametrize(("scheme", "sense"), [("light", -1), ("dark", 1)])
def test_colours_are_in_the_order_of_their_lightness_in_both_schemes(tab, scheme, sense):
    tab.emulate_media(color_scheme=scheme)
    settled(tab)
    light = lightness(torch.tensor(tab.evaluate("Colours.colours()")))
    assert len(light) == 256 and bool((sense * light.diff() > 0).all())


def test_maps_are_drawn_anew_in_the_colours_of_another_scheme(tab):
    images = [tile(tab, 0, 3).locator("canvas"), tab.locator("[data-view=map] canvas.image"),
              tab.locator("[data-right='+'] canvas.image")]  # fmt: skip
    before = [pixels(image) for image in images]
    tab.emulate_media(color_scheme="dark")
    settled(tab)
    for image, old in zip(images, before, strict=True):
        assert not torch.equal(pixels(image), old)


def outlined(tab, cells: int) -> torch.Tensor:
    """Which cells have a line inside, (cell, cell)."""
    alpha = pixels(tab.locator("[data-view=map] canvas.over"))[..., 3]
    size = len(alpha) // cells
    return alpha.reshape(cells, size, cells, size).amax((1, 3)) > 0


def edge(marks: torch.Tensor) -> torch.Tensor:
    """Of the marked cells those that have a neighbour which is not, or no neighbour."""
    wide = torch.nn.functional.pad(marks, (1, 1, 1, 1))
    inside = wide[2:, 1:-1] & wide[:-2, 1:-1] & wide[1:-1, 2:] & wide[1:-1, :-2]
    return marks & ~inside


@pytest.mark.parametrize(
    ("cells", "operands", "modulus"), [(20, 20, None), (20, 60, None), (23, 23, 23)]
)
def test_the_outline_is_around_the_cells_that_have_the_pattern(
    visit, tmp_path, cells, operands, modulus
):
    made = atlas_view(8, cells=cells, operands=operands, modulus=modulus, signs=("-", "*"))
    tab = visit(written(made, tmp_path))
    first, second = operand_grid(operands)
    legal = {"-": pooled(first >= second, cells) > 0, "*": torch.ones(cells, cells) > 0}
    tab.check("#overlay")
    for i, n in enumerate(made["neurons"]):
        tile(tab, n["layer"], n["neuron"]).click()
        for sign, pattern in (("-", PATTERNS[i]), ("*", PATTERNS[i + 1])):
            tab.locator(f"[data-sign='{sign}']").click()
            if pattern is None:
                assert text(tab, "pattern") == "no label on this operator"
                assert not tab.locator("canvas.over").first.is_visible()
                continue
            has = pattern.holds(first, second, answers(sign, first, second, modulus))
            marks = (pooled(has, cells) > 0) & legal[sign]
            assert text(tab, "pattern") == str(pattern)
            assert torch.equal(outlined(tab, cells), edge(marks)), (sign, str(pattern))


def test_the_outline_follows_the_chosen_label_and_can_be_taken_away(tab):
    tile(tab, 0, 3).click()
    over = tab.locator("canvas.over").first
    assert not over.is_visible()
    tab.check("#overlay")
    before = outlined(tab, 20)
    tab.uncheck("#overlay")
    assert bool(before.any()) and not over.is_visible()
    tab.locator("[data-view=scores] button").nth(1).click()
    assert text(tab, "pattern") == "second in 0..4"
    assert torch.equal(outlined(tab, 20), edge(operand_grid(20)[1] < 5))
    tab.locator("[data-view=scores] button").last.click()
    assert tab.locator("#sign").input_value() == "-"
    assert text(tab, "pattern") == "second in 0..4" and not torch.equal(outlined(tab, 20), before)
    tile(tab, 0, 10).click()
    assert tab.locator("#overlay").is_checked() and over.is_visible()


@pytest.mark.parametrize(
    ("sign", "modulus"), [("+", None), ("-", None), ("*", None), ("//", None), ("-", 7), ("*", 7)]
)
def test_the_page_knows_all_patterns_of_the_list(tab, sign, modulus):
    first, second = (grid.flatten() for grid in operand_grid(14))
    answer = answers(sign, first, second, modulus)
    positive = sign == "//"  # sets are of quotients, and none is below 0
    listed, masks = heuristics(first, second, answer, both=True, sets=positive)
    assert len(listed) > 200
    found = tab.evaluate(
        """([labels, modulus]) => labels.map((l) => [...Array(196).keys()].map(
            (i) => Number(Patterns.holds(l, Math.floor(i / 14), i % 14, modulus))))""",
        [[label(sign, h, 1.0, 1.0, True) for h in listed], modulus],
    )
    there = second > 0 if sign == "//" else torch.ones_like(second, dtype=torch.bool)
    for one, mask, pattern in zip(torch.tensor(found).bool(), masks, listed, strict=True):
        assert torch.equal(one[there], mask[there]), str(pattern)
        assert pattern.of != "answer" or not bool(one[~there].any())


def test_a_cell_is_read_by_pointer_and_by_key(tab, view):
    tile(tab, 0, 3).click()
    plane = tab.locator("[data-view=map] .plane")
    box = plane.bounding_box()
    plane.hover(position={"x": 2.5 * box["width"] / 20, "y": 11.5 * box["height"] / 20})
    byte = base64.b64decode(view["neurons"][0]["maps"]["+"])[11 * 20 + 2]
    said = tab.locator("[data-view=map] .said")
    value = f"{-0.17 + 3.37 * byte / 255:.2f}"
    assert said.text_content() == (
        f"11 + 2 = 13: activation {value} · answered right · has the pattern"
    )
    tab.select_option("#sign", "-")
    assert said.text_content().startswith("11 − 2 = 9: activation")
    tab.select_option("#sign", "+")
    plane.focus()
    tab.keyboard.press("ArrowRight")
    assert said.text_content().startswith("11 + 3 = 14") and "does not have" in said.text_content()
    for _ in range(30):
        tab.keyboard.press("ArrowRight")
    for _ in range(30):
        tab.keyboard.press("ArrowDown")
    assert said.text_content().startswith("19 + 19 = 38") and "wrong" in said.text_content()
    tab.select_option("#sign", "-")
    plane.hover(position={"x": box["width"] - 2, "y": 2})
    assert said.text_content() == "0 − 19: no prompt here"


def test_a_cell_of_several_operands_is_read_as_such(visit, tmp_path):
    tab = visit(written(atlas_view(4, cells=20, operands=60), tmp_path))
    plane = tab.locator("[data-view=map] .plane")
    plane.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        tab.keyboard.press(key)
    said = tab.locator("[data-view=map] .said").text_content()
    assert said.startswith("3–5 + 6–8: mean activation ") and "of 9 have the pattern" in said


def test_the_map_of_right_answers_is_that_of_the_view(tab, view):
    drawn = pixels(tab.locator("[data-right='+'] canvas.image")).reshape(400, 4)
    right = torch.tensor(list(base64.b64decode(view["right"]["+"])))
    scale = torch.tensor(tab.evaluate("Colours.colours()")).round()
    assert torch.allclose(drawn[:, :3].float(), scale[right], atol=1)
    said = tab.locator("[data-right-mean='+']").text_content()
    share = float(said.removeprefix("Right in ").removesuffix("\u00a0%, the mean over cells."))
    assert share == pytest.approx(100 * float(right.double().mean()) / 255, abs=0.051)
