"""The atlas's view is checked where it comes in; its page says all of it, in one file."""

import base64
import copy
import json
import math
import re

import pytest

from atlas_view import atlas_view
from symscope.evidence import SymscopeError
from symscope.report.atlas import atlas

HOSTILE = "<script>document['title']='broken'</script>"


@pytest.fixture(scope="module")
def made() -> dict:
    return atlas_view()


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


def test_the_page_says_the_study_its_claims_and_how_to_reproduce(view):
    page = atlas(view).replace("\u00a0", " ")
    for said in (view["title"], view["lead"], view["command"], "20 neurons · 20 × 20 operands",
                 "8 of 10 places, faithfulness 96.4 %", "arithmetic.tiny.accuracy", "98.4 %",
                 "97.0 % to 99.2 %", '<span class="num">97.0 %</span>: Table 1',
                 "smooth maps", "two layers only", "<option>0</option><option>1</option>",
                 "first − second", "<dt>torch</dt><dd>2.13</dd>"):  # fmt: skip
        assert said in page, said


def test_the_page_is_one_file_whose_policy_forbids_the_network(view):
    page = atlas(view)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert "default-src &#39;none&#39;" in policy and "http" not in policy
    assert policy.count("sha256-") == 1 and "unsafe-eval" not in policy
    assert not re.search(r"<(script|img|iframe|link)[^>]*\s(src|href)=\"(?!data:,)", page)


def test_text_from_data_is_escaped_everywhere(view):
    view["title"] = view["lead"] = view["command"] = HOSTILE
    view["neurons"][0]["labels"][0]["name"] = view["neurons"][0]["top"][0]["text"] = HOSTILE
    view["circuit"]["nodes"][1]["attends"] = view["circuit"]["note"] = HOSTILE
    view["places"]["positions"][0] = view["places"]["note"] = HOSTILE
    view["claims"][0]["controls"] = {HOSTILE: 0.5}
    page = atlas(view)
    assert HOSTILE not in page
    assert page.count("<script") == page.count("</script>") == 2


def test_what_was_not_measured_is_said_in_its_place(view):
    page = atlas(change(view, ("places",), None))
    assert "No places were patched" in page and "No circuit was" not in page
    page = atlas(change(view, ("circuit",), ...))
    assert "No circuit was looked for" in page
    page = atlas(change(view, ("claims",), []))
    assert "makes no claims yet" in page and shown(page)["claims"] is None


def test_the_size_of_a_circuit_has_a_unit_where_one_is_given(view):
    assert "8 of 10 places, faithfulness" in atlas(view)
    assert "size 8 of 10, faithfulness" in atlas(change(view, ("circuit", "unit"), ...))


def test_a_claim_needs_neither_note_nor_source(view):
    for name in ("note", "source"):
        del view["claims"][0][name]
    assert "arithmetic.tiny.accuracy" in atlas(view)


def test_numbers_are_rounded_and_the_given_view_is_left_alone(view):
    view["neurons"][0]["effect"] = 0.123456
    view["places"]["values"][0][0] = 1.23456
    before = copy.deepcopy(view)
    given = shown(atlas(view))
    assert view == before
    assert given["neurons"][0]["effect"] == 0.1235
    assert given["places"]["values"][0][0] == 1.23
    assert given["neurons"][0]["maps"] == view["neurons"][0]["maps"]


FIRST = ("neurons", 0)
LABEL = (*FIRST, "labels", 0)
TWOS = base64.b64encode(bytes([2] * 400)).decode()
BROKEN = [
    (("signs",), ..., "the view has no 'signs'"),
    (("operands",), "20", "the view: 'operands' is a str where int is needed"),
    (("signs",), [], "signs are different ones, at least one"),
    (("signs",), ["+", "+"], "signs are different ones"),
    (("signs", 1), "^", r"signs\[1\] is '\^'; it has to be one of \['\+', '-', '\*', '//'\]"),
    (("operands",), 30, "operands is 30 and cells 20: .* cells has to divide operands"),
    (("cells",), 0, "cells 0"),
    (("modulus",), 0, "modulus is 0; it has to be a positive whole number or None"),
    (("modulus",), 2.5, "modulus is 2.5"),
    (("right", "-"), ..., "right has no '-'"),
    (("right", "+"), "!", r"right\['\+'\] is not base64"),
    (("right", "+"), "AAAA", r"\['\+'\] has 3 bytes; it needs 400, one for each of 20 × 20"),
    (("legal", "-"), TWOS, r"legal\['-'\] holds 2; at most 1 is allowed"),
    (("neurons",), [], "neurons is empty"),
    ((*FIRST, "effect"), ..., r"neurons\[0\] has no 'effect'"),
    ((*FIRST, "effect"), None, r"neurons\[0\]: 'effect' is nothing where int \| float is needed"),
    ((*FIRST, "maps", "-"), ..., r"neurons\[0\]\.maps has no '-'"),
    ((*FIRST, "maps", "-"), "AAAA", r"neurons\[0\]\.maps\['-'\] has 3 bytes"),
    ((*FIRST, "low"), 4, r"neurons\[0\] has low 4 above high 3.2"),
    ((*FIRST, "rank"), 0, r"neurons\[0\]\.rank is 0; the first is 1"),
    ((*FIRST, "neuron"), 10, r"neurons\[1\] is neuron 10 of layer 0, as is neurons\[0\]"),
    ((*LABEL, "values"), ..., r"labels\[0\] has no 'values'"),
    ((*LABEL, "sign"), "*", r"labels\[0\]\.sign is '\*'; it has to be one of \['\+', '-'\]"),
    ((*LABEL, "kind"), "prime", r"labels\[0\]\.kind is 'prime'"),
    ((*LABEL, "of"), "third", r"labels\[0\]\.of is 'third'"),
    ((*LABEL, "values"), [10, 10], r"values is \[10, 10\]; of the kind modulo it is \[n, rest\]"),
    ((*LABEL, "values"), [3.0, 1], "of the kind modulo"),
    ((*LABEL, "kind"), "range", r"values is \[10, 3\]; of the kind range it is \[from, below\]"),
    ((*LABEL, "kind"), "digits", r"values is \[10, 3\]; of the kind digits it is a digit"),
    ((*LABEL, "kind"), "same", r"values is \[10, 3\]; of the kind same it is none"),
    ((*LABEL, "kind"), "sets", r"'range', 'modulo', 'digits', 'same', 'set'"),
    ((*LABEL, "share"), math.nan, r"\['labels'\]\[0\]\['share'\] holds nan, which is no number"),
    ((*FIRST, "explained", "waves"), ..., r"neurons\[0\]\.explained has no 'waves'"),
    ((*FIRST, "explained", "waves"), "0", r"\['waves'\] is a str where a number is"),
    ((*FIRST, "knockout", "others"), ..., r"neurons\[0\]\.knockout has no 'others'"),
    ((*FIRST, "top", 3, "said"), ..., r"neurons\[0\]\.top\[3\] has no 'said'"),
    (("circuit", "size"), ..., "circuit has no 'size'"),
    (("circuit", "nodes"), [], "circuit.nodes is empty"),
    (("circuit", "nodes", 1, "kind"), "neuron", r"circuit\.nodes\[1\]\.kind is 'neuron'"),
    (("circuit", "nodes", 1, "effect"), "1", r"nodes\[1\]\.effect is a str where a number"),
    (("circuit", "nodes", 1, "name"), "embed", r"nodes\[1\]\.name is 'embed', as that of another"),
    (("circuit", "edges", 0), ["embed", "logits"], r"edges\[0\] has 2 entries; it needs 3, \[from"),
    (("circuit", "edges", 0, 1), "9.9", r"circuit\.edges\[0\] is '9.9'; it has to be one of"),
    (("circuit", "edges", 0), ["mlp 0", "0.1", 1.0], "from 'mlp 0' to '0.1', which is not above"),
    (("circuit", "edges", 0, 2), None, r"edges\[0\] has the weight None; it has to be a number"),
    (("circuit", "faithfulness"), "high", "circuit.faithfulness is a str"),
    (("places", "rows"), [], "places has no rows or no positions"),
    (("places", "values"), [[0.0]], r"places\.values has 1 entries; it needs 10, a table of 10"),
    (("places", "values", 2, 1), "0", r"places\.values, row 2 holds '0'"),
    (("claims", 0, "controls"), ..., r"claims\[0\] has no 'controls'"),
    (("made",), [], "'made' is a list where mapping is needed"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), BROKEN, ids=[said for _, _, said in BROKEN])
def test_a_view_that_is_off_is_refused_with_the_place(view, path, value, said):
    with pytest.raises(SymscopeError, match=said):
        atlas(change(view, path, value))


def test_two_hundred_neurons_at_full_size_are_below_eight_megabytes():
    page = atlas(atlas_view(neurons=200, cells=100))
    assert len(shown(page)["neurons"]) == 200
    assert len(page.encode()) < 8_000_000
