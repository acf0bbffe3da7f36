"""Which way imports go, what `import symscope` loads, and how long files may be."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import symscope

ROOT = Path(symscope.__file__).parent
NOUNS = (
    "evidence", "causal_model", "site", "program", "network", "featurizer", "alignment", "task",
)  # fmt: skip
QUESTIONS = ("localize", "align", "features", "extract", "verify", "generate")
ORDER = (  # each imports only what stands above it; what shares a line does not know its neighbours
    ("proof", "errors", "leftovers", "conditioning"),
    ("files",),
    ("evidence", "settings"),
    ("extras",),
    ("causal_model",),
    ("site",),
    ("layout",),
    ("pretrained",),
    ("expression",),
    ("program",),
    ("visit",),
    ("network",),
    ("intervention",),
    ("featurizer",),
    ("alignment",),
    ("task",),
    ("programs",),
    ("tasks",),
    ("models",),
    ("train_state",),
    ("speed", "placement", "cost_factors"),
    ("cost",),
    ("room",),
    ("train", "train_copies", "interchange_training", "train_answers"),
    ("train_cell",),
    QUESTIONS,
    ("symscope",),  # the public names
    ("report",),
    ("engines", "failures"),
    ("jobs",),
    ("sweep", "tracking"),
    ("studies",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
FILES = sorted(ROOT.rglob("*.py"))
HEAVY = (
    "plotly",
    "z3",
    "transformers",
    "accelerate",
    "ray",
    "aalpy",
    "jinja2",
    "sklearn",
    "typer",
    "pandas",
)


def owner(path: Path) -> str:
    """The noun, folder or command that a file belongs to."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "symscope" if first == "__init__" else first


def imports(path: Path) -> set[str]:
    """What a file imports of symscope, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            if node.module == "symscope":
                names = [a.name for a in node.names]
                found |= {n if (ROOT / n).is_dir() or (ROOT / f"{n}.py").exists() else "symscope"
                          for n in names}  # fmt: skip
            elif node.module.startswith("symscope."):
                found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                (a.name + ".symscope").split(".")[1]
                for a in node.names
                if a.name.split(".")[0] == "symscope"
            }
    return found


def test_every_file_has_its_place_in_the_order():
    assert {owner(path) for path in FILES} <= set(RANK)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_up(path):
    me = owner(path)
    for name in imports(path) - {me}:
        assert RANK[name] < RANK[me], f"{path.relative_to(ROOT)} must not import {name}"


def test_the_import_reader_sees_every_way_to_import(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(
        "import os, symscope\n"
        "from symscope import align, Network\n"
        "def later():\n"
        "    import symscope.cli as c\n"
        "    from symscope.tasks.numbers import R\n"
    )
    assert imports(path) == {"symscope", "align", "cli", "tasks"}


def test_the_public_names_are_there():
    assert set(symscope.__all__) <= set(dir(symscope))
    tree = ast.parse((ROOT / "__init__.py").read_text())
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]


def test_importing_symscope_loads_nothing_heavy():
    child = "import json, sys, symscope; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(ran.stdout)}
    assert "torch" in loaded and not loaded & set(HEAVY)


def test_no_file_is_longer_than_three_hundred_lines():
    assert not [path for path in FILES if len(path.read_text().splitlines()) > 300]


def test_the_nouns_fit_in_one_reading():
    assert sum(len((ROOT / f"{n}.py").read_text().splitlines()) for n in NOUNS) <= 1200


def test_no_source_evaluates_text():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (called and node.func.id in ("eval", "exec", "compile", "__import__")), path


def test_no_library_file_prints():
    talking = ("cli", "commands", "jobs", "studies", "__main__")
    for path in FILES:
        if owner(path) not in talking:
            calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
            names = {n.func.id for n in calls if isinstance(n.func, ast.Name)}
            assert "print" not in names, path
