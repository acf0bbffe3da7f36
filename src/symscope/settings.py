"""What a run was made with: its `config.json`, read and held to its form."""

from pathlib import Path
from typing import Any

from symscope.errors import SymscopeError
from symscope.files import read_json

_KINDS: dict[str, Any] = {
    "command": str, "line": str, "task": str, "architecture": str, "seed": int, "width": int,
    "preset": str | None, "program": str | None, "site": str | None, "highest": int | None,
    "steps": int | None, "seconds": float | int | None, "held_out": list | None, "sizes": list,
}  # fmt: skip
"""Of the settings that something is made of; others are only shown."""


class Settings(dict[str, Any]):
    """The settings by name; asking for one that is not there is a refusal that names the file."""

    def __init__(self, said: dict[str, Any], path: Path):
        super().__init__(said)
        self.path = path

    def __missing__(self, name: str) -> Any:
        raise SymscopeError(f"{self.path} does not say {name!r}, so it is of another kind of run")


def read_settings(run: Path) -> Settings:
    """The settings of a run directory; raises `SymscopeError` naming the one that is off."""
    path = run / "config.json"
    said = read_json(path)
    if not isinstance(said, dict):
        raise SymscopeError(f"{path} holds no JSON object")
    for name, kinds in _KINDS.items():
        value = said.get(name)
        right = name not in said or (isinstance(value, kinds) and not isinstance(value, bool))
        if isinstance(value, list):
            right = right and all(type(part) is int for part in value)
        if not right or (isinstance(value, int) and value < 0):
            raise SymscopeError(f"{path}: {name} is {str(value)[:99]!r}")
    return Settings(said, path)
