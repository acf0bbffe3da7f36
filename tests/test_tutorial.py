"""The tutorials' code runs as it is printed, with less training and less search."""

import re
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).parents[1] / "docs" / "tutorials"
PAGE = TUTORIALS / "does-my-network-count.md"
PLANTED = TUTORIALS / "plant-and-find.md"
EXTRACTED = TUTORIALS / "which-program.md"
TRAVELS = TUTORIALS / "where-does-the-value-travel.md"
COORDINATES = TUTORIALS / "in-what-coordinates.md"
WRITTEN = TUTORIALS / "write-a-readable-network.md"
SHORTER = {"epochs=60": "epochs=1", "Search(300, most=300)": "Search(2, most=2)"}


@pytest.fixture(scope="module")
def code() -> str:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf8"), re.DOTALL)[-1]


def test_a_foreign_module_is_aligned_as_the_tutorial_says(code):
    for said, shorter in SHORTER.items():
        assert said in code
        code = code.replace(said, shorter)
    names = {}
    exec(compile(code, str(PAGE), "exec"), names)
    assert names["evidence"].n == 1000 and "no_op" in names["evidence"].controls
    assert names["alignment"]["count"].coordinates == tuple(range(24))


def test_wrapping_and_aligning_take_fewer_than_fifteen_lines(code):
    after = code[code.index("start = blocks") :]
    assert len([line for line in after.splitlines() if line.strip()]) < 15


def test_a_planted_program_is_found_and_decoys_are_not(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PLANTED.read_text(encoding="utf8"), re.DOTALL)
    shorter = code.replace("steps=300, most=300", "steps=120, most=120")
    assert shorter != code
    names = {}
    exec(compile(shorter, str(PLANTED), "exec"), names)
    assert names["carry"].score > 0.95
    assert names["wrong"] and all(e.score < 0.85 for e in names["wrong"].values())
    assert "wrong site: the token: 0." in capsys.readouterr().out


def test_a_program_is_taken_out_of_a_foreign_module_and_proven(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", EXTRACTED.read_text(encoding="utf8"), re.DOTALL)
    exec(compile(code, str(EXTRACTED), "exec"), {})
    said = capsys.readouterr().out
    assert "answer = answer ^ x" in said and "proved for all lengths" in said


def test_a_value_is_followed_through_a_trained_network_as_printed(capsys, monkeypatch):
    monkeypatch.chdir(TUTORIALS.parents[1])
    page = TRAVELS.read_text(encoding="utf8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, str(TRAVELS), "exec"), {})
    found, printed = (
        {line[:8].strip(): [float(v) for v in line[8:].split()] for line in text}
        for text in (capsys.readouterr().out.splitlines(),
                     re.findall(r"^    ((?:right \d|query|colon) .*)$", page, re.MULTILINE))
    )  # fmt: skip
    assert list(found) == list(printed) and len(found) == 4
    for role, shares in found.items():
        assert shares == pytest.approx(printed[role], abs=0.05), role


def test_circles_are_found_and_used_as_the_tutorial_says():
    page = COORDINATES.read_text(encoding="utf8")
    first, second = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {}
    exec(compile(first, str(COORDINATES), "exec"), names)
    assert names["score"].score > 2 * names["score"].controls["gaussian"]
    assert len(names["clusters"]) == 2
    exec(compile(second, str(COORDINATES), "exec"), names)
    assert names["found"]["kept.share"].score == 1.0
    assert names["found"]["share"].score < 0.1
    assert names["found"]["kept.share"].controls["random_plane_in_components"] < 0.5


def test_a_network_is_written_and_read_as_the_tutorial_says(capsys):
    parts = re.findall(r"```python\n(.*?)```", WRITTEN.read_text(encoding="utf8"), re.DOTALL)
    code = "\n".join(parts)
    for said, shorter in {"steps=12_000": "steps=4", "Search(1000, most=1000)":
                          "Search(60, most=60)"}.items():  # fmt: skip
        assert said in code
        code = code.replace(said, shorter)
    names = {}
    exec(compile(code, str(WRITTEN), "exec"), names)
    assert names["reading"].algorithm == "double_sided"
    assert names["larger"].sizes == (12, 48, 1)
    controls = names["evidence"].controls  # a search of 60 steps has only begun
    assert names["evidence"].score > 0.2 > controls["random_subspace"] and controls["neurons"] > 0.8
    assert {"p_0", "m_0"} <= set(names["program"].names)
    assert "double_sided" in capsys.readouterr().out
