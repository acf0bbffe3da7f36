"""The tutorials' code runs as it is printed, with less training and less search.

So do the lines of the entry page and of the README. Of every other page the code is parsed and what
it imports is looked for, and every command is read by the command line that it is for.
"""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from symscope import Search
from symscope.cli import app
from symscope.commands import scripts
from symscope.models.load import build, save_network
from symscope.tasks import Counting

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIALS = ROOT / "docs" / "tutorials"
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


def blocks_of(page: Path) -> list[str]:
    """The Python that a page prints."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf8"), re.DOTALL)


def commands_of(page: Path) -> list[str]:
    """The commands of a page, without what is said of them beside."""
    shown = re.findall(r"^    (.*symscope .*)$", page.read_text(encoding="utf8"), re.MULTILINE)
    parts = [part for line in shown for part in re.split(r"\s{2,}|\s# ", line)]
    found = [re.sub(r"^\S*/(?=symscope )", "", part) for part in parts]
    return [part.strip(" …") for part in found if part.startswith("symscope ")]


@pytest.fixture
def demo(tmp_path, monkeypatch) -> None:
    """An untrained network where `symscope demo` leaves a trained one, below where we stand."""
    form = {"architecture": "gru", "vocabulary": len(Counting("multi").vocabulary), "width": 48}
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    save_network(tmp_path / "runs/demo/network.safetensors", build(**form), form)
    monkeypatch.chdir(tmp_path)


FEWER = "start, search=Search(2, most=2), counts=dict(fit=300, validation=50, test=100))"


@pytest.mark.parametrize("page", [ROOT / "README.md", PAGE], ids=lambda page: page.stem)
def test_the_four_lines_are_the_same_everywhere(page):
    (four,) = [code for code in blocks_of(page) if "runs/demo" in code]
    assert four in (ROOT / "docs" / "index.md").read_text(encoding="utf8")
    assert len(four[four.index("network =") :].splitlines()) == 4


def test_the_answers_of_the_entry_page_run_in_their_order(demo, capsys):
    page = ROOT / "docs" / "index.md"
    code = "\n".join(blocks_of(page))
    assert code.count("start)") == 1
    exec(compile(code.replace("start)", FEWER), str(page), "exec"), {"Search": Search})
    said = capsys.readouterr().out
    assert "no_op" in said and "[1, 6]" in said and "{'answer': 'answer ^ x'}" in said
    assert "proved for all lengths" in said and said.rstrip().endswith("double_sided")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_python_and_what_it_imports_is_there(page):
    for code in blocks_of(page):
        for line in ast.walk(ast.parse(code)):
            if isinstance(line, ast.Import | ast.ImportFrom):
                exec(compile(ast.Module([line], []), str(page), "exec"), {})


def test_every_block_of_a_tutorial_is_run_by_a_test_of_this_file():
    ran = {page.name: 1 for page in (PLANTED, EXTRACTED, TRAVELS)}
    ran |= {PAGE.name: 2, COORDINATES.name: 2, WRITTEN.name: 4}
    assert {page.name: len(blocks_of(page)) for page in TUTORIALS.glob("*.md")} == ran


def refused(line: str, monkeypatch) -> str:
    """What the command line says against a command; "" where it takes it."""
    monkeypatch.setattr(scripts, "script", lambda command, wants_json: 0)
    group = typer.main.get_command(app)
    words = shlex.split(line.replace("--device cuda", "--device cpu"))[1:]  # there may be none
    try:
        name, command, rest = group.resolve_command(typer.Context(group), words)
        asked = command.make_context(name, rest)
        if name in ("study", "bench"):  # which there are, in which sizes
            command.invoke(asked)
    except Exception as error:
        return f"{line}: {error}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_read_by_the_command_line(page, monkeypatch):
    assert [said for line in commands_of(page) if (said := refused(line, monkeypatch))] == []


def test_commands_are_found_and_wrong_ones_are_refused(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(
        "    .venv/bin/symscope demo      all of it\n    symscope study numbers --sede 1\n"
        "    symscope study count   # that is none\n    symscope study numbers --preset tall …\n"
    )
    first, *others = commands_of(page)
    assert first == "symscope demo" and refused(first, monkeypatch) == ""
    for line, wrong in zip(others, ("sede", "count", "tall"), strict=True):
        assert wrong in refused(line, monkeypatch).removeprefix(line)
    assert sum(len(commands_of(page)) for page in PAGES) > 60


def test_the_makefile_has_the_targets_that_pages_name():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf8"), re.MULTILINE)
    for page in PAGES:
        named = re.findall(r"(?:^    |`)make (\w+)", page.read_text(encoding="utf8"), re.MULTILINE)
        assert set(named) <= set(targets), page
