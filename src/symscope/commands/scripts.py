"""Commands that are programs of their own: studies and benchmarks."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from symscope.commands.terminal import show_json


def studies() -> list[str]:
    """The files and folders of `studies/` that say in a docstring how they are run."""
    folder = Path(__file__).parents[1] / "studies"
    files = [*folder.glob("*.py"), *folder.glob("*/__main__.py")]
    named = {f: f.parent.name if f.stem == "__main__" else f.stem for f in files}
    return sorted(n for f, n in named.items() if f"symscope study {n}" in f.read_text("utf8"))


def given(options: Mapping[str, object]) -> list[str]:
    """The options that were given, as arguments."""
    return [str(x) for k, v in options.items() if v is not None for x in (k, v)]


def script(command: list[str], json_wanted: bool) -> int:
    """Run Python on `command`; what it prints goes to stderr where stdout is for JSON."""
    asked = [sys.executable, *command]
    code = subprocess.run(asked, stdout=sys.stderr if json_wanted else None).returncode
    if json_wanted:
        show_json(command=command, exit=code)
    return code
