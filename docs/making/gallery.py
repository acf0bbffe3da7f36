"""The gallery: notebooks as scripts, run from top to bottom, and their pages.

    python docs/making/gallery.py            runs all, writes docs/gallery/NAME.md and its picture
    python docs/making/gallery.py align      one of them

A notebook is a script in jupytext's percent format, so that it is read, run and compared like any
other source; `jupytext --to ipynb docs/gallery/align.py` makes a Jupyter notebook of it. What its
cells print, and the picture that the last one shows, stand on its page; numbers on a page are only
ever written by this.
"""

import ast
import contextlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jupytext

FOLDER = Path(__file__).parents[1] / "gallery"
MADE = "<!-- made by docs/making/gallery.py from {name}.py, with what it printed -->"


def cells_of(path: Path) -> list[tuple[str, str]]:
    """The notebook's cells in order: ("markdown" or "code", text)."""
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


def run(path: Path, smaller: Mapping[str, str] = {}) -> tuple[dict[str, Any], list[str], str]:
    """Run a notebook: its names at the end, what each cell said, and its picture (SVG).

    `smaller` are lines to put in the place of others, for a quicker run; each has to be there.
    """
    names: dict[str, Any] = {"__name__": path.stem}
    said, picture, cells = [], "", cells_of(path)
    absent = [line for line in smaller if not any(line in text for _, text in cells)]
    if absent:
        raise ValueError(f"{path} has no line {absent}")
    for kind, text in cells:
        if kind != "code":
            said.append("")
            continue
        for line, other in smaller.items():
            text = text.replace(line, other)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _last_value(text, names, path)
        if hasattr(value, "_repr_svg_"):
            picture = value._repr_svg_()
        elif value is not None:
            print(repr(value), file=printed)
        said.append(printed.getvalue())
    return names, said, picture


def page_of(path: Path, said: list[str]) -> str:
    """The notebook as Markdown, with what each cell said under it."""
    name, parts = path.stem, []
    for (kind, text), spoken in zip(cells_of(path), said, strict=True):
        parts.append(text if kind == "markdown" else f"```python\n{text}\n```")
        if spoken.strip():
            parts.append(f"```text\n{spoken.rstrip()}\n```")
    parts.append(f"![The picture that the last cell draws]({name}.svg)")
    parts.append(
        f"As a notebook: `jupytext --to ipynb docs/gallery/{name}.py` ([source]({name}.py))."
    )
    title, *rest = parts
    return "\n\n".join([title, MADE.format(name=name), *rest]) + "\n"


def _last_value(text: str, names: dict[str, Any], path: Path) -> Any:
    """Run a cell; the value of its last line, if that is an expression."""
    tree = ast.parse(text)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(path), "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), str(path), "eval"), names)


def main() -> None:
    """Run the notebooks that are named, or all, and write their pages."""
    chosen = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.py"))
    for name in chosen:
        path = FOLDER / f"{name}.py"
        _, said, picture = run(path)
        path.with_suffix(".svg").write_text(picture, encoding="utf8")
        path.with_suffix(".md").write_text(page_of(path, said), encoding="utf8")
        print(f"{name}: {picture and 'with'} a picture")


if __name__ == "__main__":
    main()
