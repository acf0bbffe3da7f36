"""The atlas as it behaves in a browser: filters, the chosen neuron, the circuit, the address."""

import pytest

from atlas_tab import count, text, tile, tiles, written
from atlas_view import atlas_view
from chromium import needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def view() -> dict:
    made = atlas_view()
    made["neurons"][9]["labels"][0]["name"] = "answer = 3 Mod 10"
    return made


@pytest.fixture(scope="module")
def page(view, tmp_path_factory):
    return written(view, tmp_path_factory.mktemp("atlas"))


@pytest.fixture
def tab(page, visit):
    return visit(page)


def fitting(view: dict, sign: str = "+", **wanted) -> set[str]:
    """The neurons with a label on that operator whose entries are these."""
    return {f"{n['layer']}.{n['neuron']}" for n in view["neurons"] for found in n["labels"]
            if (wanted | {"sign": sign}).items() <= found.items()}  # fmt: skip


def test_filters_leave_the_neurons_that_have_such_a_label(tab, view):
    assert count(tab) == "showing 20 of 20"
    tab.select_option("#layer", "1")
    assert count(tab) == "showing 10 of 20" and {t[0] for t in tiles(tab)} == {"1"}
    tab.select_option("#layer", "")
    for choice in ({"kind": "modulo"}, {"kind": "digits", "of": "answer"}, {"of": "both"}):
        for name in ("kind", "of"):
            tab.select_option(f"#{name}", choice.get(name, ""))
        found = fitting(view, **choice)
        assert set(tiles(tab)) == found
        assert count(tab) == f"showing {len(found)} of 20" and 0 < len(found) < 20
    tab.check("#kept")
    assert set(tiles(tab)) == fitting(view, of="both", kept=True) < found
    tab.select_option("#of", "")
    assert set(tiles(tab)) == fitting(view, kept=True)
    tab.uncheck("#kept")
    tab.select_option("#kind", "none")
    assert tab.locator(".tile small").all_text_contents() == ["no label", "no label"]
    tab.select_option("#sign", "-")
    assert set(tiles(tab)) != fitting(view)


def test_the_search_looks_at_names_of_labels(tab, view):
    tab.fill("#search", "MOD 10")
    found = fitting(view, name="answer = 3 mod 10") | fitting(view, name="answer = 3 Mod 10")
    assert set(tiles(tab)) == found and len(found) == 3
    tab.fill("#search", "mod 1000")
    assert count(tab) == "showing 0 of 20"
    assert text(tab, "tiles") == "No neuron fits all of these choices."
    tab.fill("#search", "")
    assert count(tab) == "showing 20 of 20"


def test_neurons_are_sorted_by_what_was_chosen(tab, view):
    def key(n):
        return f"{n['layer']}.{n['neuron']}"

    def best(n, what):
        return max((x[what] for x in n["labels"] if x["sign"] == "+"), default=-1)

    by = {
        "effect": lambda n: n["effect"], "share": lambda n: best(n, "share"),
        "kappa": lambda n: best(n, "kappa"),
        "patterns": lambda n: n["explained"]["patterns"] - n["explained"]["waves"],
    }  # fmt: skip
    orders = set()
    for name, score in by.items():
        tab.select_option("#sort", name)
        order = sorted(view["neurons"], key=lambda n, s=score: (-s(n), n["layer"], n["neuron"]))
        assert tiles(tab) == [key(n) for n in order], name
        orders.add(tuple(tiles(tab)))
    assert len(orders) >= 3


def test_a_click_opens_the_neuron_with_its_numbers(tab, view):
    n = view["neurons"][12]
    tile(tab, n["layer"], n["neuron"]).click()
    assert text(tab, "name") == f"Layer {n['layer']}, neuron {n['neuron']}"
    at = tiles(tab).index(f"{n['layer']}.{n['neuron']}") + 1
    assert text(tab, "facts") == f"Effect {n['effect']:.2f}, rank 3 of its layer · {at} of 20 shown"
    rows = tab.locator("[data-view=scores] tbody tr").all_inner_texts()
    signs = {"+": "+", "-": "−"}
    assert [r.split("\t") for r in rows] == [
        [x["name"], signs[x["sign"]], f"{x['share']:.2f}", f"{x['kappa']:.2f}",
         "yes" if x["kept"] else "no"] for x in n["labels"]
    ]  # fmt: skip
    cells = tab.locator("[data-view=explained] td.n").all_inner_texts()
    assert cells == [f"{n['explained'][f]:.2f}".replace("-", "−")
                     for f in ("patterns", "tables", "waves")]  # fmt: skip
    assert tab.locator("[data-view=knockout] td.n").all_inner_texts() == ["−1.20", "−5.30", "+0.10"]
    top = tab.locator("[data-view=top] tbody tr").all_inner_texts()
    assert top[4].split("\t") == ["9 + 3 =", "12", "13", "2.30"] and len(top) == 10
    assert tab.locator("[data-view=top] .token.first").count() == 1
    assert tile(tab, n["layer"], n["neuron"]).get_attribute("aria-pressed") == "true"


def test_what_was_not_measured_has_a_dash(tab, view):
    tile(tab, 0, 31).click()
    cells = tab.locator("[data-view=explained] td.n").all_inner_texts()
    assert cells[1] == "–" and "–" not in cells[0]


def test_previous_and_next_walk_through_what_is_shown(tab):
    tab.select_option("#kind", "digits")
    listed = tiles(tab)
    assert tab.locator(".tile[aria-pressed=true]").get_attribute("data-neuron") == listed[0]
    for button, at in (
        ("next", 1),
        ("next", 2),
        ("previous", 1),
        ("previous", 0),
        ("previous", -1),
    ):
        tab.click(f"#{button}")
        layer, neuron = listed[at].split(".")
        assert text(tab, "name") == f"Layer {layer}, neuron {neuron}"


def test_keys_move_between_maps_open_one_and_go_back(tab):
    listed = tiles(tab)
    tab.locator(".tile").first.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")
    boxes = tab.locator(".tile").evaluate_all("all => all.map((t) => t.offsetTop)")
    wide = boxes.count(boxes[0])
    focus = "document.activeElement.dataset.neuron"
    assert tab.evaluate(focus) == listed[1 + wide]
    tab.keyboard.press("Enter")
    layer, neuron = listed[1 + wide].split(".")
    assert text(tab, "name") == f"Layer {layer}, neuron {neuron}"
    assert tab.evaluate("document.activeElement.dataset.view") == "name"
    tab.keyboard.press("Escape")
    assert tab.evaluate(focus) == listed[1 + wide]
    for key, at in (("ArrowLeft", wide), ("ArrowUp", 0), ("End", -1), ("Home", 0)):
        tab.keyboard.press(key)
        assert tab.evaluate(focus) == listed[at]
    assert tab.locator(".tile[tabindex='0']").count() == 1


def test_the_address_keeps_what_was_chosen(tab, page, visit):
    assert "#" not in tab.url
    tab.select_option("#sign", "-")
    tab.select_option("#kind", "range")
    tab.select_option("#sort", "kappa")
    tab.fill("#search", "in 0")
    tab.locator(".tile").nth(2).click()
    tab.locator("[data-view=scores] button").first.click()
    other = visit(page, "#" + tab.url.split("#")[1])
    for name, value in (("sign", "-"), ("kind", "range"), ("sort", "kappa"), ("search", "in 0")):
        assert other.locator(f"#{name}").input_value() == value
    assert count(other) == count(tab) and tiles(other) == tiles(tab)
    for name in ("name", "pattern", "facts"):
        assert text(other, name) == text(tab, name)
    assert text(other, "pattern") != "second in 0..4" and other.locator("#overlay").is_checked()
    other.evaluate("location.hash = '#layer=1&kept=true&neuron=1.24'")
    other.wait_for_function("() => document.querySelector('#layer').value === '1'")
    assert other.locator("#kept").is_checked() and other.locator("#search").input_value() == ""
    assert text(other, "name") == "Layer 1, neuron 24"


def test_an_address_that_names_what_is_not_there_is_ignored(page, visit):
    tab = visit(page, "#sign=^&kind=prime&neuron=9.9&layer=7")
    assert count(tab) == "showing 20 of 20"
    assert tab.locator(".tile[aria-pressed=true]").count() == 1


def test_the_circuit_tells_of_nodes_and_edges(tab, view):
    nodes, edges = view["circuit"]["nodes"], view["circuit"]["edges"]
    assert tab.locator(".node").count() == len(nodes)
    assert tab.locator(".edge").count() == len(edges)
    heights = [tab.locator(f".node[data-node='{name}']").bounding_box()["y"]
               for name in ("embed", "0.0", "mlp 0", "1.0", "mlp 1", "logits")]  # fmt: skip
    assert heights == sorted(heights, reverse=True)
    tab.locator(".node[data-node='0.0']").click()
    said, head = text(tab, "node"), nodes[1]
    assert said.startswith(f"head 0.0 · effect {head['effect']:.2f} · attends = → first operand")
    for start, end, weight in edges:
        if "0.0" in (start, end):
            other = end if start == "0.0" else start
            assert f"{other} {weight:+.2f}".replace("-", "−") in said
    faded = {"true" if "0.0" in (a, b) else "false" for a, b, _ in edges}
    assert faded == {"true", "false"}
    assert tab.locator(".edge.off").count() == sum("0.0" not in (a, b) for a, b, _ in edges)
    widths = tab.locator(".line").evaluate_all("a => a.map((p) => +p.getAttribute('stroke-width'))")
    most = max(abs(weight) for _, _, weight in edges)
    assert widths == pytest.approx([0.8 + 4.2 * abs(w) / most for _, _, w in edges], abs=0.01)
    minus = [e for e in edges if e[2] < 0]
    assert tab.locator(".edge.minus").count() == len(minus) > 0
    first, second, weight = minus[0]
    tab.locator(f".edge[data-from='{first}'][data-to='{second}'] .hit").dispatch_event("mouseover")
    assert text(tab, "node") == f"{first} → {second}: weight −{-weight:.2f}"
    tab.locator(".node[data-node='embed']").focus()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    assert text(tab, "node") == said


def test_a_place_that_is_in_the_circuit_is_bold_and_chooses_its_node(tab, view):
    inside = {n["name"] for n in view["circuit"]["nodes"]}
    rows = tab.locator("[data-view=places] th[scope=row]")
    assert {r for r in rows.all_text_contents() if r in inside} == set(
        tab.locator("[data-view=places] th.strong").all_text_contents()
    )
    cell = tab.locator("[data-view=places] td[data-row='4'][data-column='3']")
    cell.click()
    assert text(tab, "node").startswith("mlp 0 · effect")
    value = view["places"]["values"][4][3]
    assert tab.locator(".tip").text_content() == f"mlp 0 at =: {value:.2f}".replace("-", "−")


def test_maps_out_of_sight_are_drawn_when_they_come_there(visit, tmp_path):
    tab = visit(written(atlas_view(300, cells=10), tmp_path))
    drawn = "all => all.filter((c) => c.width === 10).length"
    tab.wait_for_function("() => document.querySelector('.tile canvas').width === 10")
    assert 0 < tab.locator(".tile canvas").evaluate_all(drawn) < 200
    tab.locator(".tile").last.scroll_into_view_if_needed()
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.tile canvas')].at(-1).width === 10"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_both_schemes(tab, scheme):
    tab.emulate_media(color_scheme=scheme)
    for width in (1400, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_function(
            "width => document.documentElement.scrollWidth <= width", arg=width, timeout=5000
        )
    tab.locator(".tile").nth(3).click()
    assert abs(tab.locator(".detail").bounding_box()["y"]) < 30
    assert tab.locator(".tiles").evaluate("e => e.scrollTop") == 0
    tab.click("#back")
    assert tab.evaluate("document.activeElement.classList.contains('tile')")


@pytest.mark.parametrize("without", [("circuit",), ("places",), ("circuit", "places", "claims")])
def test_a_page_without_circuit_or_places_still_works(visit, view, tmp_path, without):
    tab = visit(written({k: v for k, v in view.items() if k not in without}, tmp_path))
    assert tab.locator("[data-view=circuit]").count() == ("circuit" not in without)
    if "places" not in without:
        tab.locator("[data-view=places] td[data-row='4'][data-column='3']").click()
    tile(tab, 1, 24).click()
    assert text(tab, "name") == "Layer 1, neuron 24"
