"""The page of hypernetworks in a browser: the dial, what follows it, charts, maps and tables."""

import copy

import pytest

from atlas_tab import settled, text
from chromium import needs_chromium
from geometry_view import STILL, drawn
from hypernetworks_view import hypernetworks_view, written

pytestmark = needs_chromium
CANVAS = "[data-view=network]"
SECTIONS = ("hypernetworks", "fronts", "phases", "orders", "pictures", "sizes", "encoder",
            "comparison", "tests", "claims", "reproduce")  # fmt: skip


@pytest.fixture(scope="module")
def view() -> dict:
    return hypernetworks_view(60)


@pytest.fixture(scope="module")
def page(view, tmp_path_factory):
    return written(view, tmp_path_factory.mktemp("hypernetworks"))


@pytest.fixture
def tab(still):
    return still()


def network(tab) -> str:
    """What is drawn once the picture stands still."""
    tab.wait_for_selector(f"{CANVAS}[data-moving=no]")
    return drawn(tab.locator(CANVAS))


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


def test_every_part_is_there_and_drawn(tab, view):
    for name in SECTIONS:
        assert tab.locator(f"section#{name}").is_visible(), name
    assert tab.locator(".chart svg").count() == 1 + 2 + 1 + 1 + 2
    drawings = "all => all.flatMap((e) => [...e.attributes].map((a) => a.value)).join()"
    attributes = tab.locator(".chart svg *").evaluate_all(drawings)
    assert "NaN" not in attributes and "undefined" not in attributes
    assert tab.locator("#pictures svg.drawing").count() == 3


def test_the_dial_changes_the_network_and_its_numbers(tab, view):
    seen, slider = set(), tab.locator("#beta input")
    for at, one in enumerate(view["hypernetworks"][0]["networks"]):
        slider.fill(str(at))
        seen.add(network(tab))
        numbers = text(tab, "numbers").split("\n")
        assert one["class"] in numbers
        loss = f"{one['loss']['score']:.3g}"
        assert loss in numbers and "floors: radial 0.085, linear 1" in text(tab, "numbers")
    assert len(seen) == 5
    assert tab.locator("#beta output").inner_text() == "β = 1"
    assert "not measured" in text(tab, "numbers")  # the confidence of no class
    label = tab.locator(CANVAS).get_attribute("aria-label")
    assert label.startswith("The network at β = 1: loss 0.94 (0.846 to 1.03), KL 2 (1.8 to 2.2), n")


def test_the_picture_moves_from_one_network_to_the_next(page, visit):
    tab = visit(page)
    first = network(tab)
    tab.evaluate("""() => {
        const canvas = document.querySelector("[data-view=network]");
        window.seen = new Set();
        const look = () => {
            window.seen.add(canvas.toDataURL());
            if (canvas.dataset.moving === "yes") requestAnimationFrame(look);
        };
        document.querySelector("#beta [aria-label='one step on']").click();
        look();
    }""")
    last = network(tab)
    assert last != first and tab.evaluate("seen.size") > 3
    tab.keyboard.press("ArrowLeft")
    assert network(tab) == first


def test_arrow_keys_turn_the_dial_and_play_runs_to_its_end(tab):
    for key, beta in (("ArrowRight", "10⁻⁶"), ("ArrowRight", "10⁻⁴"), ("ArrowLeft", "10⁻⁶")):
        tab.keyboard.press(key)
        assert tab.locator("#beta output").inner_text() == f"β = {beta}"
    tab.locator("#beta [aria-label=play]").click()
    tab.wait_for_function("() => document.querySelector('#beta input').value === '4'", timeout=6000)


def test_classes_along_the_dial_are_named(tab, view):
    bands = tab.locator("#beta .bands span")
    assert bands.all_inner_texts() == ["double-sided", "pudding", "convexity", "none"]
    left = bands.evaluate_all("all => all.map((b) => parseFloat(b.style.left))")
    assert left == [0, 37.5, 62.5, 87.5]


def test_a_unit_is_read_by_keys_and_by_pointer(tab):
    plain = network(tab)
    assert text(tab, "unit").startswith("Point at a unit")
    tab.locator(CANVAS).focus()
    tab.keyboard.press("ArrowRight")
    assert text(tab, "unit").startswith("input 1: writes to hidden unit ")
    assert network(tab) != plain and tab.locator("#beta output").inner_text() == "β = 10⁻⁸"
    tab.keyboard.press("End")
    assert text(tab, "unit").startswith("output: reads hidden unit ")
    tab.keyboard.press("ArrowLeft")
    words = text(tab, "unit")
    assert words.startswith("hidden unit 9: reads input ") and "; writes to output 1" in words
    tab.keyboard.press("Escape")
    assert network(tab) == plain
    box = tab.locator(CANVAS).bounding_box()
    tab.locator(CANVAS).scroll_into_view_if_needed()
    found = set()
    for x in range(100, int(box["width"]), 40):
        for y in (0.3, 0.5, 0.7):
            tab.locator(CANVAS).hover(position={"x": x, "y": y * box["height"]})
            found.add(text(tab, "unit").split(":")[0])
    assert "output" in found and len(found) > 2


def test_another_hypernetwork_and_an_earlier_step_are_chosen_and_kept_in_the_address(
    tab, page, visit
):
    seen = {network(tab)}
    assert not tab.locator("#step").is_visible()
    tab.select_option("#hypernetwork", label="seed 1")
    seen.add(network(tab))
    assert tab.locator("#step option").all_inner_texts() == ["1,000", "12,000"]
    assert tab.locator("#step").input_value() == "1"
    assert "0.004" in text(tab, "numbers").split("\n")
    tab.select_option("#step", label="1,000")
    tab.keyboard.press("Tab")
    tab.locator("#beta input").fill("1")
    seen.add(network(tab))
    assert "0.044" in text(tab, "numbers").split("\n") and len(seen) == 3
    other = visit(page, "#" + tab.url.split("#")[1])
    assert other.locator("#hypernetwork").input_value() == "1"
    assert other.locator("#step").input_value() == "0"
    assert other.locator("#beta output").inner_text() == "β = 10⁻⁶"
    assert text(other, "numbers") == text(tab, "numbers")
    other.evaluate("location.hash = '#hypernetwork=seed+0&beta=2'")
    other.wait_for_function("() => document.querySelector('#beta input').value === '2'")


@pytest.mark.parametrize("fragment", ["#hypernetwork=nobody&beta=99&step=-1", "#beta=x&step=1.5"])
def test_an_address_that_names_what_is_not_there_is_ignored(page, visit, fragment):
    tab = visit(page, fragment)
    assert tab.locator("#beta output").inner_text() == "β = 10⁻⁸"
    assert tab.locator("#hypernetwork").input_value() == "0"


def test_dots_of_the_front_are_read_with_their_intervals(tab):
    figure = tab.locator("#fronts figure")
    assert figure.locator(".dot-mark").count() == 4 + 19  # the legend's; one has no KL
    words = read_out(tab, figure)
    assert len(words) == 19
    assert words[0] == ("seed 0, β = 10⁻⁸: loss 0.004 (0.0036 to 0.0044), KL 39.8, double-sided")
    levels = figure.locator(".chart text.halo").all_text_contents()
    assert levels == ["radial 0.085", "linear 1"]
    ring = figure.locator(".read-ring").bounding_box()
    tab.mouse.move(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
    assert said(figure) == words[-1]


def test_a_map_of_phases_is_read_cell_by_cell(tab, view):
    figure, part = tab.locator("#phases figure").first, view["phases"][0]
    grid = figure.locator(".chart")
    assert figure.locator("rect.filled").count() == 24 * 13 - 1
    grid.focus()
    assert said(figure) == "step 500, β = 10⁻¹²: not classified, loss " + (
        f"{part['losses'][0][0]:.3g}"
    )
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        tab.keyboard.press(key)
    assert said(figure).startswith(f"step 1,500, β = 10⁻¹¹: {part['classes'][2][1]}, loss ")
    assert tab.locator("#beta output").inner_text() == "β = 10⁻⁸"
    box = grid.bounding_box()
    grid.hover(position={"x": box["width"] - 12, "y": 28})
    assert said(figure).startswith("step 12,000, β = 1: ")


def test_sizes_have_contours_the_trained_size_and_the_radial_floor(tab, view):
    figure, part = tab.locator("#sizes figure"), view["sizes"][0]
    assert figure.locator("rect.filled").count() == 9 * 9 - 1 + 9
    assert figure.locator(".contour").count() == 4 and figure.locator(".trained").count() == 2
    sides = figure.locator(".contour.first").get_attribute("d")
    table = [[m["score"] for m in row] for row in part["losses"]]
    table[-1][0] = None
    pairs = [(table[r][c], table[r + i][c + j]) for r in range(9) for c in range(9)
             for i, j in ((0, 1), (1, 0)) if r + i < 9 and c + j < 9]  # fmt: skip
    crossed = sum((a < 0.07) != (b < 0.07) for a, b in pairs if a is not None and b is not None)
    assert sides.count("M") == crossed > 5
    grid = figure.locator(".chart")
    grid.focus()
    assert said(figure).startswith("4 inputs, 12 hidden units: loss 0.0") and (
        said(figure).endswith("the radial floor is 0.129 (below it)")
    )
    for _ in range(9):
        tab.keyboard.press("ArrowRight")
    assert said(figure) == "4 inputs: the radial floor is 0.129"
    for key in ("ArrowUp",) * 8 + ("ArrowLeft",) * 9:
        tab.keyboard.press(key)
    assert "loss it has fewer hidden units than inputs" in said(figure)


def test_generated_networks_stand_out_from_those_built_by_hand(tab):
    figure = tab.locator("#orders figure")
    assert figure.locator(".chart .dot-mark").count() == 180 + 13
    words = read_out(tab, figure)
    assert len(words) == 13 and all(", β = 1e-" in w and ", generated: d" in w.replace(
        "double", "d") for w in words)  # fmt: skip
    assert figure.locator(".level").count() == 2
    assert figure.locator("tbody tr").last.locator("td").all_inner_texts() == [
        "double-sided", "0", "2", "58",
    ]  # fmt: skip


def test_losses_without_the_encoder_stand_beside_those_with_it(tab):
    words = read_out(tab, tab.locator("#encoder figure").nth(1))
    assert words[2] == (
        "β = 10⁻⁴: with the encoder 0.038 (0.0342 to 0.0418) · without it 0.115 (0.103 to 0.127)"
    )


def test_a_heading_puts_the_rows_in_order_and_rows_without_a_value_last(tab):
    rows = tab.locator("#comparison tbody tr td:first-child")
    first = rows.all_inner_texts()
    by_name = ["Adam", "Adam + L1", "generated", "pruned"]
    by_error = ["generated", "Adam + L1", "Adam"]
    for button, wanted in (("Loss", by_name), ("Method", by_name), ("Error of", by_error)):
        tab.locator("#comparison th button", has_text=button).click()
        assert rows.all_inner_texts()[: len(wanted)] == wanted
    assert rows.all_inner_texts()[-1] == "pruned"
    tab.keyboard.press("Enter")
    assert rows.all_inner_texts()[0].startswith("untrained")
    assert rows.all_inner_texts()[-1] == "pruned" and sorted(first) == sorted(
        rows.all_inner_texts()
    )
    assert tab.locator("#comparison th[aria-sort]").count() == 1
    assert tab.locator("#comparison th[aria-sort=descending]").inner_text().startswith("Error")


def test_tests_of_the_algorithm_stand_beside_their_controls(tab):
    rows = tab.locator("#tests tbody tr")
    assert rows.locator(".ring").count() == 1 + 1 + 0 + 2
    assert rows.nth(2).locator(".why").inner_text() == "no unit is unowned"
    assert rows.nth(0).inner_text().split("\n")[:2] == [
        "rotation of the inputs", "loss after over loss before",
    ]  # fmt: skip
    assert "random units 0.12" in rows.nth(1).inner_text()
    places = rows.nth(3).locator(".ring").evaluate_all("all => all.map((r) => r.offsetLeft)")
    assert places[0] < places[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_both_schemes(tab, scheme):
    before = network(tab)
    tab.emulate_media(color_scheme=scheme, **STILL)
    settled(tab)
    assert (network(tab) == before) == (scheme == "light")
    for width in (1400, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_function(
            "w => document.documentElement.scrollWidth <= w && "
            "[...document.querySelectorAll('.chart svg')].every((s) => s.clientWidth < w)",
            arg=width, timeout=5000,
        )  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_in_cells_can_be_read(tab, scheme):
    """Contrast of every number of the map of sizes with its cell, 4 or more."""
    tab.emulate_media(color_scheme=scheme, **STILL)
    ratios = tab.evaluate("""() => {
        const context = document.createElement("canvas")
            .getContext("2d", {willReadFrequently: true});
        const light = (colour) => {
            context.fillStyle = colour;
            context.fillRect(0, 0, 1, 1);
            const part = (c) => ((c / 255 + 0.055) / 1.055) ** 2.4;
            const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
            return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
        };
        const cells = [...document.querySelectorAll("#sizes rect.filled")];
        return [...document.querySelectorAll("#sizes text[class*=on-]")].map((t, i) => {
            const pair = [t, cells[i]].map((e) => light(getComputedStyle(e).fill));
            return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        });
    }""")
    assert len(ratios) == 89 and min(ratios) >= 4


def test_all_that_can_be_used_is_reached_by_tab_and_has_a_name(tab):
    seen = tab.locator("canvas[tabindex], .chart, .wide[tabindex], main button, main select")
    nameless = """all => all.filter((e) => e.offsetParent && !(e.getAttribute("aria-label")
        || e.textContent.trim() || (e.labels && e.labels.length)) || e.tabIndex < 0).length"""
    assert seen.count() > 15 and seen.evaluate_all(nameless) == 0


@pytest.mark.parametrize("name", ["hypernetworks", "fronts", "pictures", "sizes", "tests"])
def test_a_page_with_one_part_works(visit, view, tmp_path, name):
    rest = {k: copy.deepcopy(view[k]) for k in ("title", "lead", "command", "made", name)}
    tab = visit(written(rest, tmp_path))
    assert tab.locator("section").evaluate_all("all => all.map((s) => s.id)") == [name, "reproduce"]
