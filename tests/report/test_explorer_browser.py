"""The explorer as it behaves in a browser: all views follow what the reader chooses."""

import pytest

from chromium import needs_chromium
from explorer_view import explorer_view
from symscope.report.explorer import explorer

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def view() -> dict:
    """Programs of several kinds; the first map of each is nowhere above 0; all probabilities."""
    made = explorer_view()
    made["programs"][3]["probability"] = [c / 8 for c in range(9)]
    tokens = len(made["programs"][0]["tokens"])
    rows = made["patching"]["rows"]["residual stream"]
    for cells in made["patching"]["cells"]:
        cells["root digit"]["maps"]["residual stream"][0] = [[-0.5] * tokens for _ in rows]
    return made


@pytest.fixture(scope="module")
def page(view, tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    path.write_text(explorer(view), encoding="utf8")
    return path


@pytest.fixture
def opened(page, browser):
    """The page in a browser; at the end, that nothing went to the console or to the network."""
    said, asked = [], []
    tab = browser.new_page(viewport={"width": 1400, "height": 900})
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    tab.wait_for_selector("html[data-drawn=yes]")
    yield tab
    tab.close()
    assert said == []
    assert asked == [page.as_uri()]


def slide(tab, at: int) -> None:
    tab.locator("input[type=range]").fill(str(at))


def view_of(tab, name: str):
    return tab.locator(f"[data-view={name}]")


def text(tab, name: str) -> str:
    return view_of(tab, name).text_content().replace("\u00a0", " ")


def marked(tab, name: str) -> str:
    """What the head of the marked column of a map says in full."""
    return view_of(tab, name).locator("thead th.chosen").get_attribute("title")


def column(tab, name: str, at: int) -> list[str]:
    return view_of(tab, name).locator(f"td[data-column='{at}']").all_text_contents()


def cell(tab, name: str, row: int, at: int):
    return view_of(tab, name).locator(f"td[data-row='{row}'][data-column='{at}']")


def line_at(tab) -> float:
    return view_of(tab, "trajectory").evaluate("e => e.layout.shapes.at(-1).x0")


def test_the_slider_moves_every_view(opened, view):
    opened.select_option("#program", "1")
    slide(opened, 2)
    assert opened.locator("output").text_content() == "step 500"
    assert f"accuracy {100 * view['trajectory']['accuracy'][2]:.1f} %" in (
        opened.locator("#told").text_content().replace("\u00a0", " ")
    )
    assert line_at(opened) == 500
    assert marked(opened, "predictions") == "step 500"
    assert "At step 500 the network says" in text(opened, "answer")
    assert text(opened, "here") == "step 500"
    right, n = view["breakdown"]["hops"]["1"][2]
    assert f"{100 * right / n:.0f} % of {n}" in text(opened, "breakdown")
    names = ("lens", "patching", "heads")
    before = {name: text(opened, name) for name in names}
    clouds = opened.locator("[data-group=names]")
    points = clouds.evaluate("e => e.data[0].x")
    slide(opened, 8)
    assert not [name for name in names if text(opened, name) == before[name]]
    assert points != clouds.evaluate("e => e.data[0].x")


@pytest.mark.parametrize("part", ["lens-at", "patching-at", "subspaces-at"])
def test_a_view_of_few_checkpoints_shows_the_nearest_before_and_says_so(opened, part):
    slide(opened, 7)
    assert text(opened, part).startswith(
        "Shown: step 1,000, the nearest before step 1,750 that was measured."
    )
    slide(opened, 4)
    assert text(opened, part).startswith("Shown: step 1,000.")
    assert marked(opened, "lens-time") == marked(opened, "patching-time") == "step 1,000"


def test_the_program_is_followed_everywhere(opened, view):
    for number, program in enumerate(view["programs"]):
        opened.select_option("#program", str(number))
        heads = ["⏎" if t == "\n" else t for t in program["tokens"]]
        for name in ("lens", "patching"):
            found = view_of(opened, name).locator("thead tr:last-child th")
            assert found.all_text_contents() == heads
        strong = view_of(opened, "lens").locator("th.strong").count()
        assert strong == 3 * program["depth"] + 1
        graph = view_of(opened, "graph")
        assert graph.locator("svg").get_attribute("aria-label") == f"the program {program['name']}"
        assert graph.locator(".line.on").count() == program["depth"] + 1
        assert f"Right answer {program['answer']}" in text(opened, "answer")
        same = program["answer"] == program["first"]
        assert ("the two are the same digit" in text(opened, "lens-at")) == same
        marks = view_of(opened, "predictions").locator("th[scope=row].chosen")
        assert marks.text_content() == f"{number + 1}. {program['name']}"
        curve = view_of(opened, "trajectory").evaluate("e => e.data.at(-2).y")
        assert curve == pytest.approx(program["probability"], abs=1e-5)


def test_a_counterfactual_is_chosen_and_one_that_is_missing_is_named(opened, view):
    depths = [p["depth"] for p in view["programs"]]
    with_both, without = depths.index(max(depths)), depths.index(1)
    opened.select_option("#program", str(with_both))
    slide(opened, 8)
    before = column(opened, "patching", 2)
    opened.select_option("#kind", "rebind")
    assert "Counterfactual: rebind" in text(opened, "counterfactual")
    assert column(opened, "patching", 2) != before
    assert view_of(opened, "counterfactual").locator(".differs").count() == 2
    opened.select_option("#program", str(without))
    assert "This program has no counterfactual “rebind”. It has: root digit." in (
        text(opened, "counterfactual")
    )
    assert not view_of(opened, "patched").is_visible()


def test_maps_are_divided_by_their_maximum_where_that_is_above_0(opened):
    slide(opened, 8)
    assert "1" not in {t for at in range(23) for t in column(opened, "patching", at)}
    opened.check("#normalise")
    for row in (0, 3, 6):  # one map of each site
        block = {cell(opened, "patching", r, c).text_content()
                 for r in range(row, row + 3) for c in range(23)}  # fmt: skip
        assert "1" in block
    slide(opened, 0)
    said = view_of(opened, "patching").locator(".said").all_text_contents()
    assert said[0] == "largest shift −0.50: left unnormalised"
    assert said[2] == "not measured at this checkpoint"


def test_two_checkpoints_are_compared(opened, view):
    slide(opened, 8)
    opened.select_option("#other", "1")
    (now, n), (then, _) = (view["breakdown"]["hops"]["2"][c] for c in (8, 1))
    assert f"{100 * (now - then) / n:+.0f}" in text(opened, "breakdown")
    turned = [p for p in view["programs"] if p["predictions"][8] == p["answer"]
              and p["predictions"][1] != p["answer"]]  # fmt: skip
    assert f"now right: {len(turned)}" in text(opened, "changed")
    opened.locator("[data-view=changed] button").last.click()
    assert opened.locator("#program").input_value() != "0"
    opened.select_option("#other", "8")
    assert "The two checkpoints are the same" in text(opened, "changed")


def test_a_cell_of_the_predictions_is_chosen_by_click_and_by_key(opened, view):
    cell(opened, "predictions", 2, 3).click()
    assert opened.locator("#program").input_value() == "2"
    assert opened.locator("output").text_content() == "step 750"
    assert cell(opened, "predictions", 2, 3).text_content() == view["programs"][2]["predictions"][3]
    cell(opened, "predictions", 2, 3).focus()
    for key in ("ArrowUp", "ArrowRight", "Enter"):
        opened.keyboard.press(key)
    assert opened.locator("#program").input_value() == "1"
    assert opened.locator("output").text_content() == "step 1,000"
    opened.select_option("#shade", "share")
    assert "100 %" in text(opened, "predictions").replace("\u00a0", " ")


def test_arrow_keys_and_play_move_through_training(opened):
    slide(opened, 5)
    opened.locator("h1").click()
    opened.keyboard.press("ArrowRight")
    assert opened.locator("output").text_content() == "step 1,500"
    opened.keyboard.press("ArrowLeft")
    opened.get_by_role("button", name="one step back").click()
    assert opened.locator("output").text_content() == "step 1,000"
    opened.get_by_role("button", name="play").click()
    opened.get_by_role("button", name="pause").wait_for()
    opened.wait_for_function("() => document.querySelector('output').textContent === 'step 2,000'")
    opened.get_by_role("button", name="play").wait_for()


def test_a_line_of_the_graph_shows_its_own_chain_and_its_token(opened, view):
    at = next(i for i, p in enumerate(view["programs"]) if not p["lines"][3]["chain"])
    opened.select_option("#program", str(at))
    opened.locator("[data-view=graph] [data-line='4']").focus()
    opened.keyboard.press("Enter")
    assert text(opened, "chain").startswith("The chain of line 4") and "Not queried" in (
        text(opened, "chain")
    )
    right = view["programs"][at]["lines"][3]["right"]
    assert text(opened, "lens-token") == f"{right} in line 4"
    assert opened.locator(".line[aria-pressed=true]").get_attribute("data-line") == "4"
    cell(opened, "patching", 4, 2).click()
    assert text(opened, "patching-token").endswith("in line 1")
    assert text(opened, "patching-site") == "attention output"


def test_a_hovered_cell_tells_value_token_line_and_row(opened, view):
    slide(opened, 8)
    cell(opened, "patching", 1, 2).hover()
    shift = view["patching"]["cells"][0]["root digit"]["maps"]["residual stream"][2][1][2]
    token = view["programs"][0]["tokens"][2]
    assert opened.locator(".tip").text_content() == (
        f"residual stream, into block 2, {token} in line 1: logit shift {shift:.2f}"
        .replace("-", "−")
    )  # fmt: skip


def test_the_address_keeps_what_was_chosen(opened, browser):
    opened.select_option("#program", "3")
    slide(opened, 6)
    opened.select_option("#kind", "rebind")
    address = opened.url
    assert address.endswith("#program=4&step=1500&kind=rebind")
    other = browser.new_page()
    other.goto(address)
    other.wait_for_selector("html[data-drawn=yes]")
    assert other.locator("#program").input_value() == "3"
    assert other.locator("#kind").input_value() == "rebind"
    assert other.locator("output").text_content() == "step 1,500"
    other.close()


CONTRASTS = """() => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
    const context = canvas.getContext("2d", {willReadFrequently: true});
    const light = (colour) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
            .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    return [...document.querySelectorAll(".heat td[data-row]")].filter((td) => td.textContent)
        .map((td) => {
            const style = getComputedStyle(td);
            const card = getComputedStyle(td.closest("figure")).backgroundColor;
            const under = /, 0\\)$/.test(style.backgroundColor) ? card : style.backgroundColor;
            const both = [light(style.color), light(under)];
            return Math.max(...both) / Math.min(...both);
        });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_and_fits_its_window_in_both_schemes(opened, scheme):
    opened.emulate_media(color_scheme=scheme)
    slide(opened, 8)
    for width in (1400, 390):
        opened.set_viewport_size({"width": width, "height": 900})
        opened.wait_for_function(
            "width => document.documentElement.scrollWidth <= width", arg=width, timeout=5000
        )
    ink = opened.evaluate("getComputedStyle(document.body).color")
    tick = view_of(opened, "trajectory").locator(".xtick text").first
    assert tick.evaluate("e => getComputedStyle(e).fill") == ink
    opened.select_option("#shade", "share")
    assert min(opened.evaluate(CONTRASTS)) > 3.7
    box = view_of(opened, "lens")
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    last = cell(opened, "lens", 0, 22)
    assert last.evaluate("e => e.getBoundingClientRect().right") <= 390


def test_a_page_without_inner_views_still_works(view, tmp_path, browser):
    bare = {k: v for k, v in view.items() if k not in ("lens", "patching", "subspaces", "claims")}
    path = tmp_path / "bare.html"
    path.write_text(explorer(bare | {"breakdown": {}}), encoding="utf8")
    tab = browser.new_page()
    failed = []
    tab.on("pageerror", lambda error: failed.append(str(error)))
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-drawn=yes]")
    slide(tab, 3)
    assert line_at(tab) == 750 and failed == []
    tab.close()
