"""The wheel and the source archive, what they hold, and what works where no extra is installed."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import symscope
from symscope.evidence import SymscopeError
from symscope.extras import EXTRAS, line, needed
from symscope.models.load import build, save_network
from symscope.tasks.numbers import VOCABULARY

ROOT = Path(__file__).parents[1]
SOURCE = Path(symscope.__file__).parent
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")
OPTIONAL = sorted({name for packages in EXTRAS.values() for name in packages})
BROUGHT = {"jinja2", "sympy"}
"""Torch brings these."""
GUARDED = {
    "expression.py": "z3",  # terms of z3 are there already
    "extract/angluin.py": "aalpy",  # questions.py asks for it first
    "pretrained.py": "transformers",  # of a model that was loaded by it
    "studies/geometry/language.py": "transformers",
    "tracking.py": "torch.utils.tensorboard",
}
"""Files that import an optional package themselves, after it was asked for by `needed`."""


def run(*command: object, **more) -> subprocess.CompletedProcess:
    asked = [str(part) for part in command]
    return subprocess.run(asked, capture_output=True, text=True, check=True, **more)


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> Path:
    """The wheel and the source archive, built from a copy that has tests and results beside it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in SHIPPED:
        shutil.copy(ROOT / name, copy)
    skipped = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(SOURCE, copy / "src" / "symscope", ignore=skipped)
    for name in ("tests/test_a.py", "tests/b.py", "results/a.json", "docs/a.md", "benchmarks/a.py"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("{}")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", copy / "dist", copy)
    return copy / "dist"


def files_of(folder: Path) -> set[str]:
    """What the package consists of."""
    return {str(p.relative_to(folder.parent)) for p in folder.rglob("*") if p.is_file()}


def test_the_wheel_holds_the_package_and_the_licence_and_nothing_else(archives):
    (wheel,) = archives.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    about = {n for n in names if ".dist-info/" in n}
    copied = files_of(archives.parent / "src" / "symscope")
    assert names - about == copied
    assert {Path(n).suffix for n in copied} >= {".html", ".css", ".js", ".json", ".typed", ".py"}
    assert {Path(n).name for n in about} == {
        "LICENSE", "METADATA", "WHEEL", "entry_points.txt", "top_level.txt", "RECORD",
    }  # fmt: skip


def test_the_source_archive_holds_what_the_wheel_is_built_from_and_nothing_else(archives):
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {m.name.split("/", 1)[1] for m in opened.getmembers() if m.isfile()}
    made = {n for n in names if ".egg-info/" in n} | {"PKG-INFO", "setup.cfg"}
    copied = {f"src/{n}" for n in files_of(archives.parent / "src" / "symscope")}
    assert names - made == copied | set(SHIPPED)


def closure(names: set[str]) -> set[str]:
    """The packages with all that they need themselves, as far as it is installed here."""
    found: set[str] = set()
    while names:
        name = names.pop()
        found.add(name)
        for text in requires(name) or []:
            asked = Requirement(text)
            if asked.marker is None or asked.marker.evaluate({"extra": ""}):
                names |= {asked.name.lower()} - found
    return found


@pytest.fixture(scope="module")
def bare(archives, tmp_path_factory) -> Path:
    """An environment with the wheel and what it needs, linked from here, and no extra."""
    folder = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    (wheel,) = archives.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    run(*pip, "install", "--no-deps", "--no-index", "--quiet", "--no-compile", wheel)
    (place,) = folder.glob("lib/*/site-packages")
    asked = [Requirement(text) for text in requires("symscope") or []]
    for name in closure({r.name for r in asked if r.marker is None}):
        found = distribution(name)
        tops = {str(f).split("/")[0] for f in found.files or [] if not str(f).startswith("..")}
        for top in tops - {"__pycache__", "bin"}:
            if not (place / top).exists():
                (place / top).symlink_to(Path(str(found.locate_file(top))).resolve())
    return folder


EXAMPLE = """
import json, importlib.util, sys
absent = [name for name in {optional} if importlib.util.find_spec(name) is None]
import symscope
from symscope.align import Search
{code}
from symscope.cli import main
main(["doctor", "--json"])
print(json.dumps([absent, symscope.__file__, evidence.n]))
"""


@pytest.fixture(scope="module")
def printed(bare, tmp_path_factory) -> list[str]:
    """What the README's example and `symscope doctor` print where no extra is installed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shape = {"architecture": "gru", "vocabulary": len(VOCABULARY), "width": 48}
    save_network(folder / "runs/demo/network.safetensors", build(**shape), shape)
    (code, *_) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf8"), re.S)
    few = "search=Search(2, most=2), counts=dict(fit=60, validation=30, test=30)"
    assert "start)\n" in code
    code = EXAMPLE.format(optional=OPTIONAL, code=code.replace("start)\n", f"start, {few})\n"))
    python = bare / "bin" / "python"
    return run(python, "-I", "-c", code, cwd=folder).stdout.split("\n", 1)


def test_the_four_lines_work_without_any_extra(printed, bare):
    absent, place, n = json.loads(printed[1].strip().splitlines()[-1])
    assert set(absent) == set(OPTIONAL) - BROUGHT and n == 30
    assert Path(place).is_relative_to(bare)
    assert printed[0].startswith("up_down.count.iia: IIA ")


def test_doctor_names_what_is_missing_there(printed):
    found = json.loads(printed[1].rsplit("\n", 2)[0])
    none = {extra for extra, packages in found["extras"].items() if not any(packages.values())}
    assert none == {"automata", "hf", "cluster", "tables", "track"}
    assert found["extras"]["report"] | {"jinja2": ""} == {"plotly": None, "jinja2": ""}
    assert found["versions"]["commit"] is None and found["speed"]["finite"]


def test_the_command_is_installed_and_says_what_a_page_needs(bare, tmp_path):
    asked = [bare / "bin" / "symscope", "demo", "--preset", "tiny", "--out", tmp_path / "run"]
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env=alone)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"the page needs plotly, which is not installed: {line('report')}\n"
    assert not (tmp_path / "run").exists(), "it is said before anything is computed"


@pytest.mark.parametrize("module", OPTIONAL)
def test_a_missing_package_is_answered_with_the_extra_that_has_it(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    extras = [line(extra) for extra, packages in EXTRAS.items() if module in packages]
    with pytest.raises(SymscopeError) as error:
        needed(module, "this")
    said = str(error.value)
    assert said.startswith("this needs ") and any(said.endswith(x) for x in extras)
    assert "which is not installed: " in said and "\n" not in said and error.value.exit_code == 2


def test_a_package_that_cannot_be_loaded_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "wandb.py").write_text("import a_part_that_is_gone")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    with pytest.raises(SymscopeError, match=r"wandb, which cannot be loaded \(No module named 'a_"):
        needed("wandb", "this")


def test_optional_packages_are_imported_by_one_function():
    """So that each is answered for where it is not there."""
    asked = {*OPTIONAL, "torch.utils.tensorboard"}
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            hit = {n for n in names if n and (n in asked or n.split(".")[0] in asked)}
            found |= {(str(path.relative_to(SOURCE)), n.split(".")[0]) for n in hit}
    assert found == {(file, name.split(".")[0]) for file, name in GUARDED.items()}
