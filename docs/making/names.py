"""How names are read for the API pages: without running anything, from the source.

Examples in docstrings, `>>>`, are shown as code; all else in them is plain prose. And where a
folder has a function of the same name as its file (`align/agreement.py`), the name is the function,
as it is for whoever imports it.
"""

import re
from collections.abc import Iterator

import griffe

EXAMPLE = re.compile(r"(?:^>>>.*\n?(?:^(?!\s*$).*\n?)*(?:\n(?=>>>))?)+", re.MULTILINE)


class Names(griffe.Extension):
    """Fences around examples, and exported names before files that are named like them."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Change the docstring of anything that has one."""
        if not obj.is_alias and obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Say what every exported name is, once all files have been read."""
        for folder, name, target in list(settled(pkg)):
            folder.members[name] = griffe.Alias(name, target, parent=folder)


def fenced(text: str) -> str:
    """A docstring with its examples as blocks of code.

    >>> fenced("One.\\n\\n>>> 1 + 1\\n2")
    'One.\\n\\n```pycon\\n>>> 1 + 1\\n2\\n```\\n'
    """
    return EXAMPLE.sub(lambda example: f"```pycon\n{example[0].rstrip()}\n```\n", text)


def settled(package: griffe.Module) -> Iterator[tuple[griffe.Module, str, griffe.Object]]:
    """Each folder's exported names, and what an import of them gives."""
    folders = [package]
    for folder in folders:
        folders += [m for m in folder.members.values() if isinstance(m, griffe.Module)]
        for name in folder.exports or ():
            if str(name) in folder.imports:
                yield folder, str(name), imported(package, folder.imports[str(name)])


def imported(package: griffe.Module, path: str) -> griffe.Object:
    """What stands under a path such as `symscope.align.agreement.agreement`, once imported.

    The last part is what its file defines or imports; all before are files, whatever else has
    their names.
    """
    *_, name = parts = path.split(".")
    file = package
    for part in parts[1:-1]:
        file = file.members[part]
    return imported(package, file.imports[name]) if name in file.imports else file.members[name]
