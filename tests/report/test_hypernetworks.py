"""The view of a study of hypernetworks is checked where it comes in; its page says all of it."""

import copy
import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from hypernetworks_view import hypernetworks_view, network
from symscope.evidence import SymscopeError
from symscope.models.perceptron import Weights
from symscope.report.drawing import standalone
from symscope.report.geometry import packed
from symscope.report.hypernetworks import hypernetworks, packed_weights
from symscope.report.network_picture import network_picture

HOSTILE = "<script>document['title']='broken'</script>"
SECTIONS = ("hypernetworks", "fronts", "phases", "orders", "pictures", "sizes", "encoder",
            "comparison", "tests", "claims")  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict:
    return hypernetworks_view(20)


@pytest.fixture
def view(made) -> dict:
    return copy.deepcopy(made)


def shown(page: str) -> dict:
    """The view as the page's script reads it."""
    return json.loads(re.search(r'id="view">(.*?)</script>', page, re.DOTALL).group(1))


def change(view: dict, path: tuple, value) -> dict:
    """The view with the entry at `path` changed; `...` takes it away."""
    part = view
    for key in path[:-1]:
        part = part[key]
    if value is ...:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return view


def test_the_page_says_the_study_its_numbers_and_how_to_reproduce(view):
    page = hypernetworks(view)
    for said in (view["title"], view["lead"], view["command"], "hypernetworks.l1.classes.accuracy",
                 "0.97 to 0.992", "<dt>torch</dt><dd>2.13</dd>", "3 of 5", "0.231 to 0.882",
                 "0.011 <small>0.0099 to 0.0121</small>", "none was found"):  # fmt: skip
        assert said in page, said


def test_the_page_is_one_file_whose_policy_forbids_the_network(view):
    page = hypernetworks(view)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert "default-src &#39;none&#39;" in policy and "http" not in policy
    assert policy.count("sha256-") == 1 and "unsafe-eval" not in policy
    assert not re.search(r"<(script|img|iframe|link)[^>]*\s(src|href)=\"(?!data:,)", page)


def test_text_from_data_is_escaped_everywhere(view):
    view["title"] = view["lead"] = view["command"] = view["claims"][0]["note"] = HOSTILE
    view["classes"] = {HOSTILE: HOSTILE}
    view["hypernetworks"][0] |= {"name": HOSTILE, "task": HOSTILE, "said": HOSTILE}
    view["hypernetworks"][0]["networks"][0]["class"] = HOSTILE
    view["patterns"][0] |= {"name": HOSTILE, "said": HOSTILE}
    view["pictures"][0] |= {"name": HOSTILE, "said": HOSTILE}
    view["pictures"][0]["networks"][0] |= {"name": HOSTILE, "class": HOSTILE}
    view["comparison"][0] |= {"method": HOSTILE, "note": HOSTILE, "class": HOSTILE}
    view["comparison"][1]["formula"] = {"score": None, "reason": HOSTILE}
    view["tests"][0]["rows"][0]["said"] = HOSTILE
    page = hypernetworks(view)
    assert HOSTILE not in page
    assert page.count("<script") == page.count("</script>") == 2


@pytest.mark.parametrize("without", SECTIONS)
def test_a_part_that_is_empty_or_absent_has_no_section_and_no_link(view, without):
    assert f'<section id="{without}">' in hypernetworks(view)
    view["patterns"] = []
    for value in ([], ...):
        page = hypernetworks(change(view, (without,), value))
        assert f'<section id="{without}">' not in page and f'href="#{without}"' not in page
        assert [s for s in SECTIONS if f'<section id="{s}">' in page] == [
            s for s in SECTIONS if s != without
        ]


def test_classes_are_in_the_order_of_the_view_and_others_follow(view):
    names = [c["name"] for c in shown(hypernetworks(view))["classes"]]
    assert names == ["convexity", "pudding", "double-sided", "none"]
    view["tests"][0]["class"] = "new"
    view["phases"][0]["classes"][3][3] = "newer"
    assert {c["name"]: c["said"] for c in shown(hypernetworks(view))["classes"]} == {
        **view["classes"], "none": "", "new": "", "newer": "",
    }  # fmt: skip


def test_numbers_are_rounded_and_the_given_view_is_left_alone(view):
    view["sizes"][0]["radial"][0] = 0.123456789
    before = copy.deepcopy(view)
    given = shown(hypernetworks(view))
    assert view == before
    assert given["sizes"][0]["radial"][0] == 0.12346
    assert (
        given["hypernetworks"][0]["networks"][0]["weights"]
        == (view["hypernetworks"][0]["networks"][0]["weights"])
    )
    assert "pictures" not in given


OPTIONAL = {
    "hypernetworks": ("steps", "step", "floors", "said"), "fronts": ("floors",),
    "phases": ("losses", "pattern", "said"), "patterns": ("said",),
    "orders": ("log", "confusion", "said"), "pictures": ("said",), "sizes": ("contours", "said"),
    "encoder": ("floors", "said"), "comparison": ("class", "note", "control"), "tests": ("said",),
}  # fmt: skip


def test_what_may_be_absent_may_also_be_none(view):
    bare, none = copy.deepcopy(view), copy.deepcopy(view)
    for name, keys in OPTIONAL.items():
        for key in keys:
            bare[name][0].pop(key, None)
            none[name][0][key] = None
    bare, none = shown(hypernetworks(bare)), shown(hypernetworks(none))
    for name, keys in OPTIONAL.items():
        for key in keys if name in none else ():
            assert (bare[name][0].get(key) or None) == (none[name][0][key] or None), key
    assert none["sizes"][0]["contours"] == [0.07, 0.15]


def test_packed_weights_are_the_matrices_row_by_row_and_then_the_biases():
    weights = Weights((torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([[5.0], [6]])),
                      (torch.tensor([7.0, 8]), torch.tensor([9.0])))  # fmt: skip
    assert packed_weights(weights) == packed(np.arange(1.0, 10))


NETWORK = ("hypernetworks", 0, "networks", 0)
BROKEN = [
    (("title",), ..., "the view has no 'title'"),
    (("classes",), ["a"], "classes is a list where a mapping is needed"),
    (("fronts",), {"a": 1}, "fronts is a dict where a list is needed"),
    (("hypernetworks", 1, "name"), "seed 0", r"\[1\] is 'seed 0', as is hypernetworks\[0\]"),
    (("hypernetworks", 0, "sizes"), [4, 9], r"sizes \(4, 9\): inputs, one hidden layer"),
    (("hypernetworks", 0, "betas"), [1, 0.1], r"\[0\]\.betas is \[1, 0.1\]; it has to increase"),
    (("hypernetworks", 0, "betas"), [0, 1], r"\[0\]\.betas .* numbers above 0"),
    (("hypernetworks", 0, "betas"), [1.0], r"\[0\]\.networks has 5 entries; it needs 1, one for"),
    ((*NETWORK, "weights"), "AAAA", r"networks\[0\]\.weights has 3 bytes; it needs 220, 55 of"),
    ((*NETWORK, "positions"), packed(np.full((14, 2), np.inf)), r"positions holds a number that"),
    ((*NETWORK, "class"), 3, r"networks\[0\]\.class is 3; a class is a text, or None"),
    ((*NETWORK, "loss"), "low", r"hypernetworks\[0\]\.networks\[0\]\.loss is a str"),
    (("hypernetworks", 1, "steps", 0, "networks"), [], r"steps\[0\]\.networks has 0 entries"),
    (("hypernetworks", 0, "floors"), {"radial": None}, r"floors: 'radial' is nothing"),
    (("fronts", 0, "points", 0, "kl"), ..., r"fronts\[0\]\.points\[0\] has no 'kl'"),
    (("phases", 0, "classes", 1), ["a"], r"phases\[0\]\.classes\[1\] has 1 entries; it needs 13"),
    (("phases", 0, "losses"), [[1]], r"phases\[0\]\.losses has 1 entries; it needs 24"),
    (("patterns", 0, "count"), 6, r"patterns\[0\]\.count is 6"),
    (("orders", 0, "log"), ["z"], r"orders\[0\]\.log is 'z'"),
    (("orders", 0, "boundaries", 0, "x"), None, r"boundaries\[0\] needs one of 'x', 'y' and"),
    (("orders", 0, "made", 0, "x"), "a", r"made\[0\] holds 'a'"),
    (("pictures", 0, "networks", 0, "positions"), "AAAA", r"networks\[0\]\.positions has 3 bytes"),
    (("sizes", 0, "losses", 0), [1], r"sizes\[0\]\.losses\[0\] has 1 entries; it needs 9"),
    (("sizes", 0, "radial"), [1], r"sizes\[0\]\.radial has 1 entries; it needs 9"),
    (("sizes", 0, "trained"), [[1]], r"sizes\[0\]\.trained\[0\] has 1 entries; it needs 2"),
    (("encoder", 0, "without"), [1], r"encoder\[0\]\.without has 1 entries; it needs 5"),
    (("comparison", 0, "owned"), ..., r"comparison\[0\] has no 'owned'"),
    (("tests", 0, "rows", 0, "controls"), {"a": "b"}, r"rows\[0\]\.controls: 'a' is a str"),
    (("claims", 0, "score"), math.inf, r"\['score'\] holds inf"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), BROKEN)
def test_a_view_that_is_off_is_refused_with_the_place(view, path, value, said):
    with pytest.raises(SymscopeError, match=said):
        hypernetworks(change(view, path, value))


def drawn(weights: Weights, **more) -> ET.Element:
    """The drawing of the network, whose nodes stand at random places, as XML."""
    nodes = sum(weights.sizes)
    places = np.random.default_rng(0).standard_normal((nodes, 2))
    return ET.fromstring(network_picture(weights, places, "a network", **more))


def kinds(svg: ET.Element, tag: str) -> list[str]:
    found = svg.iter("{http://www.w3.org/2000/svg}" + tag)
    return [e.get("class") for e in found if e.get("class")]


def lines(svg: ET.Element, kind: str) -> int:
    paths = svg.iter("{http://www.w3.org/2000/svg}path")
    return sum(p.get("d").count("L") for p in paths if p.get("class") == kind)


def test_a_picture_has_a_node_for_each_unit_and_a_line_for_each_strong_weight():
    weights = network("adam")
    svg = drawn(weights, faintest=0.0)
    nodes = kinds(svg, "circle")
    assert [nodes.count(f"node {k}") for k in ("inputs", "hidden", "outputs")] == [4, 9, 1]
    positive = sum(int((m > 0).sum()) for m in weights.matrices)
    assert (lines(svg, "positive"), lines(svg, "negative")) == (positive, 45 - positive)
    strong = sum(int((m.abs() >= 0.5 * m.abs().max()).sum()) for m in weights.matrices)
    half = drawn(weights, faintest=0.5)
    assert lines(half, "positive") + lines(half, "negative") == strong < 45


def test_a_line_joins_the_nodes_that_its_weight_joins():
    """Unit 2 reads input 1 alone; the line's ends are where those nodes are drawn."""
    first = torch.zeros(2, 3)
    first[1, 2] = -2.0
    svg = drawn(Weights((first, torch.zeros(3, 1)), (torch.zeros(3), torch.zeros(1))))
    circles = [e for e in svg.iter("{http://www.w3.org/2000/svg}circle") if e.get("class")]
    at = [(c.get("cx"), c.get("cy")) for c in circles]
    (path,) = (p for p in svg.iter("{http://www.w3.org/2000/svg}path") if p.get("class"))
    ends = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d"))
    wanted = [[f"{float(v):.1f}" for v in at[node]] for node in (1, 2 + 2)]
    assert [list(end) for end in ends] == wanted and path.get("class") == "negative"
    assert [c[0].text for c in circles] == [
        "input 1", "input 2", "hidden unit 1", "hidden unit 2", "hidden unit 3", "output 1",
    ]  # fmt: skip


def test_a_picture_lies_inside_its_frame_and_keeps_the_shape_of_the_layout():
    weights = network("pudding")
    places = 50 * np.random.default_rng(1).standard_normal((14, 2))
    svg = ET.fromstring(network_picture(weights, places, "long " * 40))
    circles = [e for e in svg.iter("{http://www.w3.org/2000/svg}circle") if e.get("class")]
    at = np.array([[float(c.get("cx")), float(c.get("cy"))] for c in circles])
    assert at.min() > 0 and at[:, 0].max() < 400 and at[:, 1].max() < float(svg.get("height"))
    far = [np.linalg.norm(p[:, None] - p, axis=-1) for p in (at, places)]
    assert np.allclose(far[0], far[1] * far[0].max() / far[1].max(), atol=0.3)


def test_a_layout_that_is_turned_or_mirrored_is_the_same_picture():
    places = np.random.default_rng(1).standard_normal((14, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    found = []
    for way in (np.eye(2), turn, -turn, turn @ np.diag([1, -1])):
        svg = ET.fromstring(network_picture(network("pudding"), places @ way, "a"))
        nodes = [e for e in svg.iter("{http://www.w3.org/2000/svg}circle") if e.get("class")]
        found.append([float(e.get(k)) for e in nodes for k in ("cx", "cy")])
    assert all(np.allclose(found[0], other, atol=0.11) for other in found)


def test_a_picture_alone_is_a_file_with_its_colours():
    svg = network_picture(network("pudding"), np.zeros((14, 2)), HOSTILE)
    assert HOSTILE not in svg and "nan" not in svg
    ET.fromstring(standalone(svg))
    assert "var(--positive, #d8433b)" in svg


def test_a_picture_of_other_positions_or_of_many_networks_is_refused():
    weights = network("pudding")
    with pytest.raises(SymscopeError, match=r"positions of shape \(3, 2\) for 14 nodes"):
        network_picture(weights, np.zeros((3, 2)), "a")
    many = Weights(tuple(m[None] for m in weights.matrices), weights.biases)
    with pytest.raises(SymscopeError, match=r"several networks: choose one with \.of\(index\)"):
        network_picture(many, np.zeros((14, 2)), "a")
