"""The view of a study of geometry is checked where it comes in; its page says all of it."""

import copy
import json
import math
import re

import numpy as np
import pytest

from geometry_view import geometry_view
from symscope.evidence import SymscopeError
from symscope.report.geometry import geometry, packed
from symscope.report.geometry_view import measure

HOSTILE = "<script>document['title']='broken'</script>"
SECTIONS = ("clouds", "histograms", "ranking", "interventions", "off_circle", "residuals",
            "verdicts", "spectra", "claims")  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict:
    return geometry_view(60)


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


def cells(page: str, section: str) -> list[list[str]]:
    """What the rows of a section's table say."""
    body = re.search(rf'<section id="{section}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL).group(1)
    rows = body.split("</tr>")[:-1]
    return [[re.sub(r"<[^>]*>", "", c).strip().replace("\u00a0", " ")
             for c in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]  # fmt: skip


def test_the_page_says_the_study_its_claims_and_how_to_reproduce(view):
    page = geometry(view).replace("\u00a0", " ")
    for said in (view["title"], view["lead"], view["command"], "6 clouds of points",
                 "geometry.p59.share", "97.0 % to 99.2 %", "<dt>torch</dt><dd>2.13</dd>",
                 ">Modular addition</option>"):  # fmt: skip
        assert said in page, said


def test_the_page_is_one_file_whose_policy_forbids_the_network(view):
    page = geometry(view)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert "default-src &#39;none&#39;" in policy and "http" not in policy
    assert policy.count("sha256-") == 1 and "unsafe-eval" not in policy
    assert not re.search(r"<(script|img|iframe|link)[^>]*\s(src|href)=\"(?!data:,)", page)


def test_text_from_data_is_escaped_everywhere(view):
    view["title"] = view["lead"] = view["command"] = view["claims"][0]["note"] = HOSTILE
    view["clouds"][0] |= {"group": HOSTILE, "name": HOSTILE, "said": HOSTILE}
    view["clouds"][0]["published"]["source"] = view["words"]["circle"] = HOSTILE
    view["ranking"][0] |= {"cluster": HOSTILE, "published": HOSTILE, "tokens": [HOSTILE]}
    view["verdicts"][0] |= {"network": HOSTILE, "note": HOSTILE, "fourier": [HOSTILE]}
    view["verdicts"][2]["distance_irrelevance"]["reason"] = HOSTILE
    page = geometry(view)
    assert HOSTILE not in page
    assert page.count("<script") == page.count("</script>") == 2


@pytest.mark.parametrize("without", SECTIONS)
def test_a_part_that_is_empty_or_absent_has_no_section_and_no_link(view, without):
    assert f'<section id="{without}">' in geometry(view)
    if without == "clouds":
        view["ranking"][1]["cloud"] = None
    for value in ([], ...):
        page = geometry(change(view, (without,), value))
        assert f'<section id="{without}">' not in page and f'href="#{without}"' not in page
        assert [s for s in SECTIONS if f'<section id="{s}">' in page] == [
            s for s in SECTIONS if s != without
        ]


def test_clusters_are_ranked_and_one_without_a_score_comes_last_with_its_reason(view):
    rows = cells(geometry(view), "ranking")
    assert [r[:3] for r in rows] == [["1", "4", "16"], ["2", "12", "9"], ["–", "small one", "2"]]
    assert rows[0][3:10] == ["0.50 0.44 to 0.55", "0.04", "0.95", "47.5 %", "1", "0.97", "9"]
    assert rows[0][10] == "Monday  Tuesday  Sunday"
    assert rows[1][10].startswith("&lt;script&gt;") and rows[1][10].endswith("⏎")
    assert rows[2][3:] == ["rank 1", "–", *["not measured"] * 2, "–", "not measured", "–", "–"]
    for row in view["ranking"]:
        row.pop("published", None)
    view["ranking"][0]["score"] = -0.1
    rows = cells(geometry(view), "ranking")
    assert len(rows[0]) == 10 and [r[1] for r in rows] == ["4", "12", "small one"]


def test_verdicts_mark_the_frequencies_that_both_found_and_the_untrained_network(view):
    page = geometry(view)
    assert "<b>5</b>, <b>8</b>, 11</td>" in page and '<tr class="untrained">' in page
    rows = cells(page, "verdicts")
    assert rows[0] == ["p = 59, seed 0", "5, 8", "5, 8, 11", "0.33 0.31 to 0.35", "0.85", "clock",
                       "97.0 %"]  # fmt: skip
    assert rows[2] == ["p = 59 not trained", "none", "none", "0.10", "its logits are constant",
                       "–", "1.6 %"]  # fmt: skip
    view["verdicts"][1]["note"] = "seed 3"
    assert cells(geometry(view), "verdicts")[1][-1] == "seed 3"


def test_a_measure_is_a_number_or_says_why_there_is_none():
    assert measure(2, "m") == {"score": 2, "low": None, "high": None, "null": None, "reason": None}
    assert measure(None, "m")["reason"] == "not measured"
    assert measure({"score": None, "reason": "too few"}, "m")["reason"] == "too few"
    assert measure({"score": 0.5, "reason": "none"}, "m")["reason"] is None


def test_what_series_do_is_said_in_words_and_the_views_own_words_come_first(view):
    view["words"]["mean"] = "mine"
    words = shown(geometry(view))["words"]
    assert set(words) == {*view["interventions"][0]["series"], "oracle"}
    assert words["no_op"]["label"] == "no change" and "answer should stay" in words["no_op"]["said"]
    assert words["mean"] == {"label": "mean state", "said": "mine"}
    del view["words"]
    assert shown(geometry(view))["words"]["oracle"] == {"label": "oracle", "said": ""}


def test_numbers_are_rounded_and_the_given_view_is_left_alone(view):
    view["histograms"][0]["values"][0] = 0.123456789
    before = copy.deepcopy(view)
    given = shown(geometry(view))
    assert view == before
    assert given["histograms"][0]["values"][0] == 0.12346
    assert given["clouds"][0]["points"] == view["clouds"][0]["points"]


OPTIONAL = {
    "clouds": ("plane", "axes", "texts", "indices", "published", "facts"),
    "histograms": ("null", "marks", "said"), "ranking": ("published",),
    "interventions": ("said",), "off_circle": ("chance", "circle", "said"),
    "residuals": ("rows", "columns", "said"), "verdicts": ("untrained", "note"),
    "spectra": ("floor", "of", "key", "said"),
}  # fmt: skip


def test_what_may_be_absent_may_also_be_none(view):
    bare, none = copy.deepcopy(view), copy.deepcopy(view)
    for name, keys in OPTIONAL.items():
        for key in keys:
            bare[name][0].pop(key, None)
            none[name][0][key] = None
    bare, none = shown(geometry(bare)), shown(geometry(none))
    for name, keys in OPTIONAL.items():
        for key in keys:
            assert (bare[name][0].get(key) or None) == (none[name][0][key] or None), key
    assert none["residuals"][0]["rows"] == "a" and none["spectra"][0]["key"] == []


def test_packed_points_are_floats_and_packed_colours_are_bytes():
    assert packed(np.array([[1.0, -2.0]])) == packed([[1, -2]]) == "AACAPwAAAMA="
    assert packed(np.array([1, 2, 255], np.uint8)) == "AQL/"


CLOUD = ("clouds", 0)
STEP = ("residuals", 0, "steps", 0)
SERIES = ("interventions", 0, "series")
BROKEN = [
    (("title",), ..., "the view has no 'title'"),
    (("clouds",), {"a": 1}, "clouds is a dict where a list is needed"),
    ((*CLOUD, "variable"), ..., r"clouds\[0\] has no 'variable'"),
    ((*CLOUD, "points"), "AAAA", r"clouds\[0\]\.points has 3 bytes; it needs 480, 60 × 2 of float"),
    ((*CLOUD, "points"), "é", r"clouds\[0\]\.points is not base64: packed\(array\)"),
    ((*CLOUD, "points"), packed(np.full((60, 2), np.nan)), r"point 0 holds a number that is none"),
    ((*CLOUD, "dimensions"), 6, r"clouds\[0\]\.dimensions is 6"),
    ((*CLOUD, "variable", "values"), [], r"clouds\[0\] has 0 points; .* from 1 to 2,000"),
    ((*CLOUD, "variable", "values"), [0] * 2001, "has 2001 points; .* show a sample"),
    ((*CLOUD, "variable", "values", 3), "a", r"clouds\[0\]\.variable\.values holds 'a'"),
    ((*CLOUD, "variable", "values", 3), math.inf, r"\['values'\]\[3\] holds inf"),
    ((*CLOUD, "variable", "period"), 0, r"variable\.period is 0; it has to be above 0"),
    ((*CLOUD, "variable", "labels"), ["one"], r"values holds 0\.\d+, which is no place in its 1"),
    ((*CLOUD, "axes"), ["x"], r"clouds\[0\]\.axes has 1 entries; it needs 2"),
    ((*CLOUD, "plane"), [0, 2], r"clouds\[0\]\.plane is 2; it has to be one of \[0, 1\]"),
    ((*CLOUD, "texts"), ["a"], r"clouds\[0\]\.texts has 1 entries; it needs 60"),
    ((*CLOUD, "indices", "mixture"), "low", r"clouds\[0\]\.indices\['mixture'\] is a str"),
    ((*CLOUD, "indices", "mixture", "support"), "a", r"'support' is a str where a number"),
    ((*CLOUD, "name"), "Gaussian", r"clouds\[2\] is 'Gaussian' of 'Toy shapes', as is clouds\[0\]"),
    (("histograms", 0, "values", 0), "a", r"histograms\[0\]\.values holds 'a'"),
    (("histograms", 0, "marks", 0, "x"), None, r"marks\[0\]: 'x' is nothing where"),
    (("ranking", 1, "cloud"), 6, r"ranking\[1\]\.cloud is 6"),
    (("ranking", 0, "score"), {"low": 1}, r"ranking\[0\]\.score has no 'score'"),
    ((*SERIES, "circle"), [1], r"interventions\[0\]\.series\['circle'\] has 1 entries; it needs"),
    (SERIES, {}, r"interventions\[0\] has no x or no series"),
    (("off_circle", 0, "accuracy"), [1], r"off_circle\[0\]\.accuracy has 1 entries; it needs 20"),
    (("off_circle", 0, "radius"), [1], r"off_circle\[0\]\.radius has 1 entries; a curve needs two"),
    ((*STEP, "grid"), "AAAA", r"steps\[0\]\.grid has 3 bytes; it needs 189, 7 × 9 × 3 of uint8"),
    ((*STEP, "grid"), 3, r"steps\[0\]\.grid is a int where base64 is needed"),
    ((*STEP, "r2"), "a", r"residuals\[0\]\.steps\[0\]: 'score' is a str"),
    (("residuals", 0, "steps"), [], r"residuals\[0\]\.steps is empty"),
    (("verdicts", 0, "verdict"), "oven", r"verdicts\[0\]\.verdict is 'oven'"),
    (("spectra", 0, "power"), [1], r"spectra\[0\]\.power has 1 entries; it needs 29"),
    (("spectra", 0, "floor"), "low", r"spectra\[0\]\.floor holds 'low'"),
    (("spectra", 0, "frequencies"), [], r"spectra\[0\]\.frequencies is empty"),
    (("claims", 0, "controls"), ..., r"claims\[0\] has no 'controls'"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), BROKEN)
def test_a_view_that_is_off_is_refused_with_the_place(view, path, value, said):
    with pytest.raises(SymscopeError, match=said):
        geometry(change(view, path, value))


def test_forty_clouds_of_two_thousand_points_are_below_six_megabytes():
    page = geometry(geometry_view(2000, more=34))
    assert len(shown(page)["clouds"]) == 40
    assert len(page.encode()) < 6_000_000
