"""Links that leave `docs/` lead somewhere on the site too.

A page may link `../src/symscope/network.py`, as is right where the repository is read. For the
site, source becomes a page of its own under `source/`, any other file is copied there, and the link
is turned to it. A link to a file that is not there is left alone, so that `--strict` says so.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

LINK = re.compile(r"(?<=\]\()(?P<path>(?:\.\./)+[^)#\s]+)(?=[)#\s])")
LANGUAGES = {".py": "python", ".md": None, ".yml": "yaml", ".toml": "toml", ".cff": "yaml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The site's files, and those outside that a page links to."""
    root = Path(config.docs_dir).parent
    pages = list(files.documentation_pages())
    outside = {o for page in pages for o in linked(page.src_uri, page.content_string, root)}
    for path in sorted(outside):
        files.append(_page(config, root, path) if is_source(path) else _copy(config, root, path))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """The page with links that leave `docs/` turned to `source/`."""
    root, here = Path(config.docs_dir).parent, posixpath.dirname(page.file.src_uri)

    def turned(link: re.Match) -> str:
        path = outside_of(page.file.src_uri, link["path"], root)
        return posixpath.relpath(place(path), here or ".") if path else link["path"]

    return LINK.sub(turned, markdown)


def linked(page: str, text: str, root: Path) -> set[str]:
    """The files outside of `docs/` that a page links to, from the repository's root."""
    found = {outside_of(page, link["path"], root) for link in LINK.finditer(text)}
    return {path for path in found if path}


def outside_of(page: str, link: str, root: Path) -> str | None:
    """Where a link leads from the repository's root, if that is a file outside of `docs/`."""
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link))
    outside = not path.startswith(("docs/", ".."))
    return path if outside and (root / path).is_file() else None


def is_source(path: str) -> bool:
    """Whether a file is shown as a page."""
    return posixpath.splitext(path)[1] in LANGUAGES


def place(path: str) -> str:
    """Where a file from outside stands on the site."""
    return f"source/{path}.md" if is_source(path) else f"source/{path}"


def _page(config: MkDocsConfig, root: Path, path: str) -> File:
    text, language = (root / path).read_text(encoding="utf8"), LANGUAGES[Path(path).suffix]
    shown = text if language is None else f"# `{path}`\n\n~~~~{language}\n{text}\n~~~~\n"
    content = f"---\nsearch:\n  exclude: true\n---\n\n{shown}"
    return File.generated(config, place(path), content=content)


def _copy(config: MkDocsConfig, root: Path, path: str) -> File:
    return File.generated(config, place(path), abs_src_path=str(root / path))
